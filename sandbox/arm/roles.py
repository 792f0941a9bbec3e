"""Azure roles: who may do what where. Asked by every service before it does anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices"
_QUEUES = "Microsoft.Storage/storageAccounts/queueServices"
_TABLES = "Microsoft.Storage/storageAccounts/tableServices"


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    principal: str
    role: str
    scope: str


BUILT_IN: tuple[Role, ...] = (
    Role("Owner", ("*",)),
    Role(
        "Contributor",
        ("*",),
        ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"),
    ),
    Role("Reader", ("*/read",)),
    Role(
        "Managed Identity Operator",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
        ),
    ),
    Role(
        "Network Contributor",
        ("Microsoft.Network/*", "Microsoft.Resources/subscriptions/resourceGroups/read"),
    ),
    Role(
        "Storage Blob Data Owner",
        (f"{_BLOBS}/containers/*", f"{_BLOBS}/generateUserDelegationKey/action"),
        data_actions=(f"{_BLOBS}/containers/blobs/*",),
    ),
    Role(
        "Storage Blob Data Contributor",
        (
            f"{_BLOBS}/containers/delete",
            f"{_BLOBS}/containers/read",
            f"{_BLOBS}/containers/write",
            f"{_BLOBS}/generateUserDelegationKey/action",
        ),
        data_actions=tuple(
            f"{_BLOBS}/containers/blobs/{verb}"
            for verb in ("delete", "read", "write", "move/action", "add/action")
        ),
    ),
    Role(
        "Storage Blob Data Reader",
        (f"{_BLOBS}/containers/read", f"{_BLOBS}/generateUserDelegationKey/action"),
        data_actions=(f"{_BLOBS}/containers/blobs/read",),
    ),
    Role(
        "Storage Queue Data Contributor",
        (f"{_QUEUES}/queues/delete", f"{_QUEUES}/queues/read", f"{_QUEUES}/queues/write"),
        data_actions=tuple(
            f"{_QUEUES}/queues/messages/{verb}" for verb in ("delete", "read", "write", "process/action")
        ),
    ),
    Role(
        "Storage Queue Data Reader",
        (f"{_QUEUES}/queues/read",),
        data_actions=(f"{_QUEUES}/queues/messages/read",),
    ),
    Role(
        "Storage Queue Data Message Processor",
        data_actions=(f"{_QUEUES}/queues/messages/read", f"{_QUEUES}/queues/messages/process/action"),
    ),
    Role("Storage Queue Data Message Sender", data_actions=(f"{_QUEUES}/queues/messages/add/action",)),
    Role(
        "Storage Table Data Contributor",
        (f"{_TABLES}/tables/read", f"{_TABLES}/tables/write", f"{_TABLES}/tables/delete"),
        data_actions=tuple(
            f"{_TABLES}/tables/entities/{verb}"
            for verb in ("read", "write", "delete", "add/action", "update/action")
        ),
    ),
    Role(
        "Storage Table Data Reader",
        (f"{_TABLES}/tables/read",),
        data_actions=(f"{_TABLES}/tables/entities/read",),
    ),
    Role(
        "EventGrid Data Sender",
        ("Microsoft.EventGrid/topics/read",),
        data_actions=("Microsoft.EventGrid/events/send/action",),
    ),
)


IMAGE_FACTORY = Role(
    "Image Factory",
    (
        "Microsoft.Compute/galleries/images/versions/delete",
        "Microsoft.Compute/galleries/images/versions/read",
        "Microsoft.Compute/galleries/images/versions/write",
        "Microsoft.Compute/images/delete",
        "Microsoft.Compute/images/read",
        "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read",
        "Microsoft.Compute/virtualMachineScaleSets/read",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.DevTestLab/labs/customImages/read",
        "Microsoft.DevTestLab/labs/virtualMachines/read",
        "Microsoft.LabServices/labs/read",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        "Microsoft.Resources/subscriptions/read",
        "Microsoft.Resources/subscriptions/resourceGroups/delete",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
        "Microsoft.Resources/tags/write",
        "Microsoft.Storage/storageAccounts/read",
        "Microsoft.VirtualMachineImages/imageTemplates/cancel/action",
        "Microsoft.VirtualMachineImages/imageTemplates/delete",
        "Microsoft.VirtualMachineImages/imageTemplates/read",
        "Microsoft.VirtualMachineImages/imageTemplates/run/action",
        "Microsoft.VirtualMachineImages/imageTemplates/runOutputs/read",
        "Microsoft.VirtualMachineImages/imageTemplates/write",
    ),
)

IMAGE_BUILDER = Role(
    "Image Builder",  # a custom role too: what Azure's page on its permissions lists for images
    (
        "Microsoft.Compute/galleries/images/read",
        "Microsoft.Compute/galleries/images/versions/read",
        "Microsoft.Compute/galleries/images/versions/write",
        "Microsoft.Compute/galleries/read",
        "Microsoft.Compute/images/delete",
        "Microsoft.Compute/images/read",
        "Microsoft.Compute/images/write",
    ),
)

OPERATOR_ROLES = (
    "Owner",
    "Storage Blob Data Owner",
    "Storage Queue Data Contributor",
    "Storage Table Data Contributor",
    "EventGrid Data Sender",
)

FACTORY_ROLES = (
    IMAGE_FACTORY.name,
    "Storage Blob Data Owner",
    "Storage Queue Data Contributor",
    "Storage Table Data Contributor",
    "EventGrid Data Sender",
)


@dataclass(slots=True)
class Roles:
    """Definitions and assignments. A principal is known by its name; an identity by its resource id."""

    definitions: dict[str, Role] = field(
        default_factory=lambda: {
            role.name.lower(): role for role in (*BUILT_IN, IMAGE_FACTORY, IMAGE_BUILDER)
        }
    )
    assignments: list[Assignment] = field(default_factory=list)
    _known: dict[tuple[str, str, str, bool], bool] = field(default_factory=dict)

    def define(self, role: Role) -> None:
        self.definitions[role.name.lower()] = role
        self._known.clear()

    def assign(self, principal: str, role: str, scope: str) -> Assignment:
        """Raises ValueError for a role that nobody defined."""
        if role.lower() not in self.definitions:
            known = ", ".join(sorted(found.name for found in self.definitions.values()))
            raise ValueError(f"no role {role!r}: choose one of {known}, or define it first")
        assignment = Assignment(principal.lower(), role, scope)
        self.assignments.append(assignment)
        self._known.clear()
        return assignment

    def revoke(self, principal: str, role: str | None = None, scope: str | None = None) -> int:
        """Take away every assignment that fits; how many there were."""
        before = len(self.assignments)
        self.assignments = [
            held
            for held in self.assignments
            if held.principal != principal.lower()
            or (role is not None and held.role.lower() != role.lower())
            or (scope is not None and held.scope.lower().rstrip("/") != scope.lower().rstrip("/"))
        ]
        self._known.clear()
        return before - len(self.assignments)

    def allows(self, principal: str, action: str, scope: str, data: bool = False) -> bool:
        key = (principal.lower(), action.lower(), scope.lower(), data)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = any(
                held.principal == key[0]
                and within(key[2], held.scope)
                and self._grants(held.role, action, data)
                for held in self.assignments
            )
        return known

    def _grants(self, role_name: str, action: str, data: bool) -> bool:
        role = self.definitions[role_name.lower()]
        if data:
            return any(_matches(pattern, action) for pattern in role.data_actions)
        return any(_matches(pattern, action) for pattern in role.actions) and not any(
            _matches(pattern, action) for pattern in role.not_actions
        )


def within(scope: str, ancestor: str) -> bool:
    """Whether `scope` is `ancestor` or below it; "/" is above everything."""
    above = ancestor.lower().rstrip("/")
    return scope.lower() == above or scope.lower().startswith(above + "/")


@lru_cache(maxsize=512)
def _pattern(wildcard: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in wildcard.split("*")), re.IGNORECASE)


def _matches(wildcard: str, action: str) -> bool:
    return _pattern(wildcard).fullmatch(action) is not None
