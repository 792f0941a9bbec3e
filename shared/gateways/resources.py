"""Other resources, as far as the factory asks: tags of artifacts, and whether an account exists."""

from typing import Any

from shared.domain.errors import Invalid, Missing
from shared.domain.ids import ResourceId

from .arm import arm_call, at
from .compute import ComputeClients
from .connection import Connection
from .errors import Need, translated
from .resource_manager import ResourceManager

_STORAGE_VERSION = "2023-05-01"
"""One GET is all that is wanted of storage accounts: not worth a management package of its own."""


class ArmResources:
    """`ports.Resources`."""

    def __init__(self, endpoint: str, connection: Connection) -> None:
        self._compute = ComputeClients(endpoint, connection)
        self._arm = ResourceManager(endpoint, connection)

    def tags(self, id: ResourceId) -> dict[str, str] | None:
        need = Need(
            f"{id.type}/read", "Reader", f"/subscriptions/{id.subscription}/resourceGroups/{id.group}"
        )
        try:
            with translated(arm_call(f"reading the tags of {id}", need)):
                found = self._artifact(id)
        except Missing:
            return None
        return {str(name): str(value) for name, value in (at(found, "tags") or {}).items()}

    def account_exists(self, subscription: str, group: str, account: str) -> bool:
        group_id = f"/subscriptions/{subscription}/resourceGroups/{group}"
        need = Need("Microsoft.Storage/storageAccounts/read", "Reader", group_id)
        call = arm_call(f"looking for storage account {account} in {group}", need)
        path = f"{group_id}/providers/Microsoft.Storage/storageAccounts/{account}"
        try:
            self._arm.send(call, "GET", path, _STORAGE_VERSION)
        except Missing:
            return False
        return True

    def _artifact(self, id: ResourceId) -> Any:
        client = self._compute.of(id.subscription)
        if id.type == "microsoft.compute/images":
            return client.images.get(id.group, *id.names)
        if id.type.startswith("microsoft.compute/galleries/images/") and len(id.names) == 3:
            return client.gallery_image_versions.get(id.group, *id.names)
        raise Invalid(f"{id} is neither a gallery version nor a managed image")
