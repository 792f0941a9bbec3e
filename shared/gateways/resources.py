"""Other resources, as far as the factory asks: tags of artifacts, and whether an account exists."""

import threading
from typing import TYPE_CHECKING, Any

from shared.domain.errors import Invalid, Missing
from shared.domain.ids import ResourceId

from .arm import arm_call, at
from .compute import ComputeClients
from .connection import Connection
from .errors import Need, translated

if TYPE_CHECKING:
    from azure.mgmt.core import ARMPipelineClient

_STORAGE_VERSION = "2023-05-01"
"""One GET is all that is wanted of storage accounts: not worth a management package of its own."""


class ArmResources:
    """`ports.Resources`."""

    def __init__(self, endpoint: str, connection: Connection) -> None:
        self._endpoint = endpoint
        self._connection = connection
        self._compute = ComputeClients(endpoint, connection)
        self._plain: ARMPipelineClient[Any, Any] | None = None
        self._lock = threading.Lock()

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
        from azure.core.exceptions import HttpResponseError
        from azure.core.rest import HttpRequest

        path = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Storage"
        url = f"{self._endpoint}{path}/storageAccounts/{account}"
        request = HttpRequest("GET", url, params={"api-version": _STORAGE_VERSION})
        need = Need("Microsoft.Storage/storageAccounts/read", "Reader", path.rsplit("/providers", 1)[0])
        try:
            with translated(arm_call(f"looking for storage account {account} in {group}", need)):
                answer = self._pipeline().send_request(request)
                if answer.status_code != 200:
                    raise HttpResponseError(response=answer)
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

    def _pipeline(self) -> "ARMPipelineClient[Any, Any]":
        with self._lock:
            if self._plain is None:
                from azure.mgmt.core import ARMPipelineClient

                options = self._connection.arm_options(self._endpoint)
                wanted = ("base_url", "transport", "policies")
                self._plain = ARMPipelineClient(**{name: options[name] for name in wanted})
            return self._plain
