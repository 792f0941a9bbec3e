"""What galleries, definitions and versions have in common: ids in three levels, operations, deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm import events, regions
from sandbox.arm.errors import ArmError, conflict, parent_not_found, resource_not_found
from sandbox.arm.records import Resource
from sandbox.http import Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.operations import Operation
    from sandbox.arm.records import Record

ASYNC = ("Azure-AsyncOperation",)
BOTH = ("Azure-AsyncOperation", "Location")


def names(path: str) -> str:
    return "/".join(path.split("/")[8::2])


def not_found(kind: str, context: Context) -> ArmError:
    return resource_not_found(kind, names(context.request.path), context.params["group"])


def parent(fabric: Fabric, path: str, kind: str) -> Resource:
    """The resource that the last two segments of a path stand in. Raises ArmError 404."""
    above = path.rsplit("/", 2)[0]
    found = fabric.records.get(above)
    if not isinstance(found, Resource) or found.kind != kind:
        raise parent_not_found(above.rsplit("/", 1)[1])
    return found


def begin(fabric: Fabric, context: Context, location: str) -> Operation:
    """Galleries poll at capsOperations, and spell the location as they like."""
    spelt = regions.display(location).replace(" ", "")
    where = f"providers/Microsoft.Compute/locations/{spelt if spelt != location else location}/capsOperations"
    return fabric.operations.start("compute", context.params["subscription"], where, context.now)


def answer(
    fabric: Fabric,
    context: Context,
    operation: Operation,
    status: int,
    document: dict[str, Any] | None = None,
) -> Response:
    wanted = BOTH if document is None else ASYNC
    return Response.of(status, document, fabric.operations.headers(operation, context.request, *wanted))


def finish_after(
    fabric: Fabric,
    context: Context,
    operation: Operation,
    resource_id: str,
    seconds: float,
    verb: str,
    kind: str,
    effect: Callable[[datetime], None],
) -> None:
    """The effect, the end of the operation and its event, when so many seconds are over."""
    origin = context.origin

    def ended(at: datetime) -> None:
        effect(at)
        operation.finish(at)
        events.publish(fabric, origin, resource_id, f"{kind}/{verb}", "Success", at)

    fabric.after(context.now, seconds, ended)


def nested() -> ArmError:
    """[Azure/azure-sdk-for-python 25506], also for some seconds after the last of them has gone."""
    return conflict("Can not delete resource before nested resources are deleted.", "CannotDeleteResource")


def stay(resource: Record, location: str) -> None:
    """Nothing moves by being put again. Raises ArmError 409 with the documented sentence."""
    if regions.plain(resource.location) == location:
        return
    parts = resource.id.split("/")
    raise conflict(
        f"The resource '{'/'.join(parts[8::2])}' already exists in location '{resource.location}' in "
        f"resource group '{parts[4]}'. A resource with the same name cannot be created in location "
        f"'{location}'. Please select a new resource name.",
        "InvalidResourceLocation",
    )
