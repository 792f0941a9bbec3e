"""Resources that Image Builder and the factory only refer to: what was seeded, or put, is what is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.arm import events, ids, paging
from sandbox.arm.errors import parent_not_found, resource_not_found
from sandbox.arm.records import Record, Resource
from sandbox.arm.router import Route
from sandbox.arm.storage import BlobAddress
from sandbox.http import Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric

ACCOUNTS = "Microsoft.Storage/storageAccounts"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
NETWORKS = "Microsoft.Network/virtualNetworks"
SUBNETS = f"{NETWORKS}/subnets"
IMAGES = "Microsoft.Compute/images"
GALLERIES = "Microsoft.Compute/galleries"
DEFINITIONS = f"{GALLERIES}/images"
VERSIONS = f"{DEFINITIONS}/versions"
SCALE_SETS = "Microsoft.Compute/virtualMachineScaleSets"
INSTANCES = f"{SCALE_SETS}/virtualMachines"
LABS = "Microsoft.LabServices/labs"


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    writable: bool = False
    deletable: bool = False
    by_subscription: bool = True


KINDS = (
    _Kind(ACCOUNTS, deletable=True),
    _Kind(IDENTITIES, writable=True, deletable=True),
    _Kind(NETWORKS, writable=True),
    _Kind(SUBNETS, writable=True, by_subscription=False),
    _Kind(SCALE_SETS, deletable=True),
    _Kind(INSTANCES, by_subscription=False),
    _Kind(LABS),
)


class Inventory:
    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric
        fabric.records.reap_with(ACCOUNTS, self._reap_account)

    def routes(self) -> list[Route]:
        return [route for kind in KINDS for route in self._routes_of(kind)]

    def add_account(
        self, group_id: str, name: str, *, sku: str = "Standard_LRS", tags: Mapping[str, str] | None = None
    ) -> Resource:
        """A storage account in the list of its group; the storage itself is made by whoever adds it."""
        account = self._seed(group_id, ACCOUNTS, name, tags)
        account.extra = {"sku": {"name": sku, "tier": "Standard"}, "kind": "StorageV2"}
        account.properties = {
            "provisioningState": "Succeeded",
            "allowBlobPublicAccess": False,
            "allowSharedKeyAccess": False,
            "minimumTlsVersion": "TLS1_2",
            "primaryEndpoints": {"blob": self._blob_endpoint(name)},
            "statusOfPrimary": "available",
            "primaryLocation": account.location,
        }
        return account

    def add_identity(self, group_id: str, name: str) -> Resource:
        identity = self._seed(group_id, IDENTITIES, name, None)
        identity.properties = self._identity_properties()
        return identity

    def add_subnet(self, group_id: str, network: str, subnet: str) -> Resource:
        """The subnet's record; its virtual network is made where it is missing."""
        if self._fabric.records.get(f"{group_id}/providers/{NETWORKS}/{network}") is None:
            self._seed(group_id, NETWORKS, network, None)
        return self._seed(group_id, SUBNETS, f"{network}/{subnet}", None)

    def add(
        self,
        group_id: str,
        kind: str,
        names: str,
        properties: Mapping[str, Any],
        tags: Mapping[str, str] | None = None,
    ) -> Resource:
        """Anything else that is only read, such as a scale set, one of its instances (`set/0`), or a lab."""
        resource = self._seed(group_id, kind, names, tags)
        resource.properties = {"provisioningState": "Succeeded", **properties}
        return resource

    def account(self, name: str) -> Record | None:
        """The storage account of that name, wherever it is: the names are unique in the whole cloud."""
        ending = f"/{name.lower()}"
        found = self._fabric.records.of_kind(ACCOUNTS, "/subscriptions")
        return next((record for record in found if record.id.lower().endswith(ending)), None)

    def _seed(self, group_id: str, kind: str, names: str, tags: Mapping[str, str] | None) -> Resource:
        parsed = ids.parse_group(group_id)
        group = self._fabric.records.group(*parsed) if parsed else None
        if group is None:
            raise ValueError(f"no resource group {group_id!r}: add the group before what is in it")
        namespace, *types = kind.split("/")
        tail = "/".join(part for pair in zip(types, names.split("/"), strict=True) for part in pair)
        resource = Resource(
            f"{group.id}/providers/{namespace}/{tail}", kind, group.location, dict(tags or {})
        )
        self._fabric.records.put(resource)
        return resource

    def _blob_endpoint(self, account: str) -> str:
        return self._fabric.storage.url(BlobAddress(account, "c", "n")).removesuffix("c/n")

    def _identity_properties(self) -> dict[str, Any]:
        fabric = self._fabric
        return {"tenantId": fabric.tenant, "principalId": fabric.guid(), "clientId": fabric.guid()}

    def _reap_account(self, account: Record, _now: datetime) -> None:
        self._fabric.storage.delete_account(account.id.rsplit("/", 1)[1])

    def _routes_of(self, kind: _Kind) -> list[Route]:
        namespace, *types = kind.name.split("/")
        parents = "".join(f"/{each}/{{name{at}}}" for at, each in enumerate(types[:-1]))
        below = f"/providers/{namespace}{parents}/{types[-1]}"
        group = "/subscriptions/{subscription}/resourceGroups/{group}"
        read, write = f"{kind.name}/read", f"{kind.name}/write"
        routes = [
            Route("GET", f"{group}{below}/{{name}}", lambda context: self._get(kind, context), read),
            Route("GET", f"{group}{below}", lambda context: self._list(kind, context), read),
        ]
        if kind.by_subscription:
            everywhere = f"/subscriptions/{{subscription}}{below}"
            routes.append(Route("GET", everywhere, lambda context: self._list(kind, context), read))
        one = f"{group}{below}/{{name}}"
        if kind.writable:
            routes.append(Route("PUT", one, lambda context: self._put(kind, context), write))
        if kind.deletable:
            delete = f"{kind.name}/delete"
            routes.append(Route("DELETE", one, lambda context: self._delete(kind, context), delete))
        return routes

    def _get(self, kind: _Kind, context: Context) -> Response:
        found = self._fabric.records.get(context.request.path)
        if not isinstance(found, Resource) or found.kind != kind.name:
            names = _names(context.request.path)
            raise resource_not_found(kind.name, names, context.params["group"])
        return Response.of(200, self._document(found))

    def _list(self, kind: _Kind, context: Context) -> Response:
        found = self._fabric.records.of_kind(kind.name, context.request.path.lower().split("/providers/")[0])
        parent = context.request.path.rsplit("/", 1)[0].lower() + "/"
        rows = [
            self._document(record)
            for record in found
            if isinstance(record, Resource)
            and (not context.params.get("name0") or record.id.lower().startswith(parent))
        ]
        return paging.page(context.request, rows, self._fabric.page_size)

    def _put(self, kind: _Kind, context: Context) -> Response:
        body, fabric = context.body(), self._fabric
        names, known = _names(context.request.path), fabric.records.get(context.request.path)
        if "/" in names:
            parent = context.request.path.rsplit("/", 2)[0]
            if fabric.records.get(parent) is None:
                raise parent_not_found(parent.rsplit("/", 1)[1])
        if isinstance(known, Resource):
            resource = known
        else:
            resource = self._seed(context.group_id, kind.name, names, None)
            resource.properties = self._identity_properties() if kind.name == IDENTITIES else {}
        resource.tags = dict(body.get("tags") or {})
        if kind.name != IDENTITIES:
            resource.properties = {**(body.get("properties") or {}), "provisioningState": "Succeeded"}
        events.publish(fabric, context.origin, resource.id, f"{kind.name}/write", "Success", context.now)
        return Response.of(200 if known else 201, self._document(resource))

    def _delete(self, kind: _Kind, context: Context) -> Response:
        gone = self._fabric.records.remove(context.request.path)
        if gone is None:
            return Response(204)
        if kind.name == ACCOUNTS:
            self._reap_account(gone, context.now)
        events.publish(self._fabric, context.origin, gone.id, f"{kind.name}/delete", "Success", context.now)
        return Response(200)

    def _document(self, record: Resource) -> dict[str, Any]:
        document = record.document()
        if record.kind == NETWORKS:
            subnets = [
                child.document()
                for child in self._fabric.records.of_kind(SUBNETS, record.id)
                if isinstance(child, Resource)
            ]
            document["properties"] = {**record.properties, "subnets": subnets}
        return document


def _names(path: str) -> str:
    parts = path.split("/")
    return "/".join(parts[8::2])
