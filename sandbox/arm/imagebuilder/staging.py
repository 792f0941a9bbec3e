"""The staging resource group: made with the template, home of its VHDs and logs, gone with the template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.arm import ids
from sandbox.arm.imagebuilder.schema import TYPE
from sandbox.arm.imagebuilder.template import Staging, Template
from sandbox.arm.records import Group

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.arm.fabric import Fabric
    from sandbox.arm.inventory import Inventory

NAME_LENGTH = 40
_CREATED_BY = "createdBy"
_USED_BY = "usedBy"
_BUILDER = "AzureVMImageBuilder"
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WRITE_STORAGE = "Microsoft.Storage/storageAccounts/write"


class StagingRefused(Exception):
    pass


def marks(template: str, group: str, *, supplied: bool) -> dict[str, str]:
    """The tags by which a staging group names its template."""
    return {
        _USED_BY if supplied else _CREATED_BY: _BUILDER,
        "imageTemplateName": template,
        "imageTemplateResourceGroupName": group,
    }


class StagingGroups:
    def __init__(self, fabric: Fabric, inventory: Inventory) -> None:
        self._fabric, self._inventory = fabric, inventory

    def create(self, template: Template) -> Staging:
        """Raises StagingRefused for a group of the customer's that cannot be used."""
        wanted = template.properties.get("stagingResourceGroup") or ""
        subscription, name = ids.parse_group(wanted) or (template.subscription, self._own_name(template))
        existing = self._fabric.records.group(subscription, name)
        if existing is not None:
            self._check(template, existing)
        group = existing or self._fabric.records.add_group(Group(subscription, name, template.location))
        group.tags |= marks(template.name, template.group, supplied=existing is not None)
        account = "".join(self._fabric.random.choices(_LETTERS, k=24))
        self._fabric.storage.create_account(account)
        self._inventory.add_account(group.id, account, sku="Standard_ZRS", tags=group.tags)
        return Staging(group.id, account, supplied=existing is not None)

    def remove(self, template: Template, at: datetime) -> None:
        """With everything in it; a group that the customer supplied stays, empty."""
        staging = template.staging
        parsed = ids.parse_group(staging.group_id) if staging else None
        group = self._fabric.records.group(*parsed) if parsed else None
        if staging is None or group is None:
            return
        self._fabric.records.remove_group(group, at)
        if staging.supplied:
            kept = {
                key: value
                for key, value in group.tags.items()
                if key not in (_USED_BY, "imageTemplateName", "imageTemplateResourceGroupName")
            }
            self._fabric.records.add_group(Group(group.subscription, group.name, group.location, kept))

    def _own_name(self, template: Template) -> str:
        return f"IT_{f'{template.group}_{template.name}'[:NAME_LENGTH]}_{self._fabric.guid()}"

    def _check(self, template: Template, group: Group) -> None:
        if group.location != template.location:
            raise StagingRefused(
                f"The staging resource group {group.id} is in {group.location}, the template in "
                f"{template.location}: they must be in the same region."
            )
        if _USED_BY in group.tags or _CREATED_BY in group.tags:
            raise StagingRefused(
                f"The staging resource group {group.id} is in use by the template "
                f"{group.tags.get('imageTemplateName', '?')}."
            )
        if any(True for _ in self._fabric.records.in_group(group)):
            raise StagingRefused(f"The staging resource group {group.id} is not empty.")
        for identity in template.identity_ids:
            if not self._fabric.roles.allows(identity, WRITE_STORAGE, group.id):
                raise StagingRefused(
                    f"The identity {identity} needs the role Contributor or Owner on the staging resource "
                    f"group {group.id} of {TYPE.rsplit('/', 1)[1]} {template.name}."
                )
