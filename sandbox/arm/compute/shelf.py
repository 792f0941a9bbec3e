"""What all resources of Compute have in common: reading, listing, deleting, operations that take a while."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.arm import events, ids, paging
from sandbox.arm.compute import reading
from sandbox.arm.errors import ArmError, conflict, resource_not_found
from sandbox.arm.records import Resource
from sandbox.arm.router import Handler, Route
from sandbox.http import Headers, Response

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.operations import Operation

NAMESPACE = "Microsoft.Compute"
BOTH = ("Azure-AsyncOperation", "Location")
ASYNC_ONLY = ("Azure-AsyncOperation",)
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_TRANSIENT = ("Creating", "Updating", "Deleting")

Done = Callable[["datetime"], Any]
Document = Callable[[Resource, "Context"], dict[str, Any]]
Hook = Callable[[Resource], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """`polling` is the collection of its operations' URLs: disks have one of their own."""

    name: str
    noun: str
    polling: str = "operations"
    deleting: float = 1.0

    @property
    def segment(self) -> str:
        return self.name.split("/")[1]


DISKS = Kind(f"{NAMESPACE}/disks", "disk", "DiskOperations")
SNAPSHOTS = Kind(f"{NAMESPACE}/snapshots", "snapshot", "DiskOperations")
IMAGES = Kind(f"{NAMESPACE}/images", "image", deleting=20.0)
MACHINES = Kind(f"{NAMESPACE}/virtualMachines", "vm", deleting=45.0)


@dataclass(slots=True)
class Shelf:
    """The resources of one kind. The hooks may refuse a deletion, and clean up behind one."""

    fabric: Fabric
    kind: Kind
    document: Document = lambda resource, _context: resource.document()
    before_delete: Hook = lambda _resource: None
    after_delete: Hook = lambda _resource: None
    one: str = field(init=False)

    def __post_init__(self) -> None:
        self.one = f"{_GROUP}/providers/{self.kind.name}/{{name}}"

    def routes(self, put: Handler, patch: Handler) -> list[Route]:
        everywhere = f"/subscriptions/{{subscription}}/providers/{self.kind.name}"
        table: tuple[tuple[str, str, Handler, str], ...] = (
            ("GET", self.one, self._get, "read"),
            ("PUT", self.one, put, "write"),
            ("PATCH", self.one, patch, "write"),
            ("DELETE", self.one, self._delete, "delete"),
            ("GET", f"{_GROUP}/providers/{self.kind.name}", self._list, "read"),
            ("GET", everywhere, self._list, "read"),
        )
        return [Route(verb, path, handler, f"{self.kind.name}/{end}") for verb, path, handler, end in table]

    def get(self, resource_id: str) -> Resource | None:
        found = self.fabric.records.get(resource_id)
        return found if isinstance(found, Resource) and found.kind == self.kind.name else None

    def known(self, context: Context) -> Resource:
        """The resource that the path names, whatever is asked of it. Raises ArmError 404."""
        found = self.get("/".join(context.request.path.split("/")[:9]))
        if found is None:
            raise resource_not_found(self.kind.name, context.params["name"], context.params["group"])
        return found

    def writable(self, context: Context, body: dict[str, Any]) -> Resource | None:
        """What a PUT would change, None where it makes something new. Raises ArmError where it may not."""
        reading.check_name(self.kind.noun, context.params["name"])
        known, location = self.get(context.request.path), reading.location(body)
        if known is not None and known.location != location:
            raise conflict(
                f"The resource '{known.name}' already exists in location '{known.location}' in resource "
                f"group '{context.params['group']}'. A resource with the same name cannot be created in "
                f"location '{location}'. Please select a new resource name.",
                "InvalidResourceLocation",
            )
        return self.settled(known) if known is not None else None

    def settled(self, resource: Resource) -> Resource:
        """The resource itself. Raises ArmError 409 while something else is being done to it."""
        if resource.properties.get("provisioningState") in _TRANSIENT:
            raise conflict(
                "The request failed due to conflict with a concurrent request. To resolve it, please refer "
                "to https://aka.ms/activitylog to get more details on the conflicting requests."
            )
        return resource

    def begin(self, context: Context, resource: Resource, seconds: float, verb: str, done: Done) -> Operation:
        """Start an operation. `done` makes its effect when it is over; what it returns is its output."""
        fabric, origin = self.fabric, context.origin
        subscription = context.params["subscription"]
        where = f"providers/{NAMESPACE}/locations/{resource.location}/{self.kind.polling}"
        # One for all operations of a subscription in a region, as recorded.
        partition = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{subscription}/{resource.location}".lower()))
        operation = fabric.operations.start("compute", subscription, where, context.now, partition)

        def ended(at: datetime) -> None:
            if fabric.records.get(resource.id) is not resource:  # deleted meanwhile, or its group
                operation.finish(at, ("NotFound", "The entity was not found in this Azure location."))
                return
            operation.output = done(at)
            operation.finish(at)
            events.publish(fabric, origin, resource.id, f"{self.kind.name}/{verb}", "Success", at)

        fabric.after(context.now, seconds, ended)
        return operation

    def answer(
        self,
        context: Context,
        operation: Operation,
        status: int,
        names: tuple[str, ...] = BOTH,
        document: dict[str, Any] | None = None,
    ) -> Response:
        headers = self.fabric.operations.headers(operation, context.request, *names)
        if self.kind.polling == "operations":
            headers["azure-asyncnotification"] = "Enabled"
        return Response.of(status, document, headers)

    def finish(self, resource: Resource) -> None:
        """The resource is as it was asked to be, unless it is to go by now."""
        if resource.properties.get("provisioningState") != "Deleting":
            resource.properties["provisioningState"] = "Succeeded"

    def _get(self, context: Context) -> Response:
        return Response.of(200, self.document(self.known(context), context))

    def _list(self, context: Context) -> Response:
        scope = context.request.path.lower().split("/providers/")[0]
        found = self.fabric.records.of_kind(self.kind.name, scope)
        rows = [self.document(each, context) for each in found if isinstance(each, Resource)]
        return paging.page(context.request, rows, self.fabric.page_size)

    def _delete(self, context: Context) -> Response:
        resource = self.get(context.request.path)
        if resource is None:
            return Response(204, Headers())
        self.before_delete(resource)
        resource.properties["provisioningState"] = "Deleting"

        def gone(_at: datetime) -> None:
            self.fabric.records.remove(resource.id)
            self.after_delete(resource)

        return self.answer(context, self.begin(context, resource, self.kind.deleting, "delete", gone), 202)


def kind_of(resource_id: str, kinds: tuple[Kind, ...], path: str) -> Kind:
    """The kind of a resource that a body refers to. Raises ArmError 400 for what is no id of these kinds."""
    parsed = ids.parse(resource_id)
    if parsed is None:
        raise ArmError(
            400,
            "LinkedInvalidPropertyId",
            f"Property id '{resource_id}' at path '{path}' is invalid. Expect fully qualified resource Id "
            "that start with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
        )
    found = next((kind for kind in kinds if kind.name.lower() == parsed.kind.lower()), None)
    if found is None:
        words = ", ".join(kind.name for kind in kinds)
        raise reading.invalid(path, f"The id '{resource_id}' of parameter '{path}' is none of {words}.")
    return found
