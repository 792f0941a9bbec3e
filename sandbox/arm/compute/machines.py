"""Virtual machines as sources of images: seeded, then stopped, generalized and deleted.

Nothing runs in them. Their disks are records of their own, held as long as the machine is there. Generalizing
is no long operation, and final: whoever wants the machine again works on a copy of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sandbox.arm import events
from sandbox.arm.compute import reading
from sandbox.arm.compute.capture import SECONDS as CAPTURE_SECONDS
from sandbox.arm.compute.capture import capture
from sandbox.arm.compute.instanceview import instance_view
from sandbox.arm.compute.shelf import ASYNC_ONLY, MACHINES, Shelf
from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.records import Resource
from sandbox.arm.router import Handler, Route
from sandbox.http import Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.operations import Operation

Power = Literal["running", "stopped", "deallocated"]
UPDATE_SECONDS = 5.0


@dataclass(slots=True)
class Machine(Resource):
    """`agent` is what the guest agent tells while the machine is allocated; `revision` makes the etag."""

    power: Power = "running"
    generalized: bool = False
    specialized: bool = False
    generation: str = "V1"
    agent: dict[str, Any] = field(default_factory=dict)
    revision: int = 1

    @property
    def managed_disks(self) -> list[str]:
        profile = self.properties.get("storageProfile", {})
        disks = [profile.get("osDisk", {}), *profile.get("dataDisks", ())]
        return [each["managedDisk"]["id"] for each in disks if each.get("managedDisk", {}).get("id")]


@dataclass(frozen=True, slots=True)
class Step:
    """A power action: how the refusal of a generalized machine calls it, how long it takes, where it ends."""

    words: str
    seconds: float
    ends: Power
    of_generalized: bool = True


# As long as recorded: the medians of deallocate and powerOff. A start was not recorded.
_STEPS = {
    "deallocate": Step("deallocate", 18.0, "deallocated"),
    "powerOff": Step("powerOff", 8.0, "stopped"),
    "start": Step("start", 20.0, "running", of_generalized=False),
    "restart": Step("restart", 20.0, "running", of_generalized=False),
}


class Machines:
    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric
        self.shelf = Shelf(fabric, MACHINES, self._document, after_delete=self._let_go)

    def routes(self) -> list[Route]:
        one, kind = self.shelf.one, self.shelf.kind.name
        actions = [
            Route("POST", f"{one}/{verb}", self._stepper(verb), f"{kind}/{verb}/action") for verb in _STEPS
        ]
        generalize = Route("POST", f"{one}/generalize", self._generalize, f"{kind}/generalize/action")
        captured = Route("POST", f"{one}/capture", self._capture, f"{kind}/capture/action")
        view = Route("GET", f"{one}/instanceView", self._view, f"{kind}/instanceView/read")
        return [*self.shelf.routes(self._put, self._patch), *actions, generalize, captured, view]

    def get(self, resource_id: str) -> Machine | None:
        found = self._fabric.records.get(resource_id)
        return found if isinstance(found, Machine) else None

    def place(self, machine: Machine) -> Machine:
        """A machine that is there from now on, with the disks that it says it has taken."""
        self._fabric.records.put(machine)
        self._mark_disks(machine)
        return machine

    def _put(self, context: Context) -> Response:
        """Of a machine that is there; making one takes networks and images, which are not simulated."""
        body = context.body()
        if self.shelf.writable(context, body) is None:
            raise bad_request(
                "OperationNotAllowed",
                f"This sandbox does not make virtual machines: seed '{context.params['name']}' first.",
            )
        return self._update(context, body)

    def _patch(self, context: Context) -> Response:
        return self._update(context, context.body())

    def _update(self, context: Context, body: Mapping[str, Any]) -> Response:
        """Tags, and members that are no disks; the answer shows the machine in the making."""
        machine = self._known(context)
        self.shelf.settled(machine)
        if body.get("tags") is not None:
            machine.tags = dict(reading.section(body, "tags", "vm"))
        sent = reading.section(body, "properties", "vm")
        fixed = ("storageProfile", "osProfile", "vmId", "timeCreated", "instanceView", "provisioningState")
        machine.properties |= {name: value for name, value in sent.items() if name not in fixed}
        operation = self._begin(context, machine, UPDATE_SECONDS, "write", machine.power)
        return self.shelf.answer(context, operation, 200, ASYNC_ONLY, self._document(machine, context))

    def _stepper(self, verb: str) -> Handler:
        step = _STEPS[verb]

        def act(context: Context) -> Response:
            machine = self._known(context)
            if machine.generalized and not step.of_generalized:
                raise self._refused(step.words, machine, "generalized")
            self.shelf.settled(machine)
            operation = self._begin(context, machine, step.seconds, f"{verb}/action", step.ends)
            return self.shelf.answer(context, operation, 202)

        return act

    def _begin(self, context: Context, machine: Machine, seconds: float, verb: str, ends: Power) -> Operation:
        machine.properties["provisioningState"] = "Updating"

        def done(_at: datetime) -> None:
            machine.power = ends
            machine.revision += 1
            self._mark_disks(machine)
            self.shelf.finish(machine)

        return self.shelf.begin(context, machine, seconds, verb, done)

    def _generalize(self, context: Context) -> Response:
        machine = self._known(context)
        self.shelf.settled(machine)
        if machine.power == "running":
            raise self._refused("generalize", machine, "running")
        machine.generalized, machine.specialized = True, False
        machine.revision += 1
        action = f"{self.shelf.kind.name}/generalize/action"
        events.publish(self._fabric, context.origin, machine.id, action, "Success", context.now)
        return Response.of(200, None, {"azure-asyncnotification": "Enabled"})

    def _capture(self, context: Context) -> Response:
        machine, copy = self._known(context), self._fabric.guid()
        self.shelf.settled(machine)
        template = capture(machine, context.body(), context.version, copy)
        operation = self.shelf.begin(
            context, machine, CAPTURE_SECONDS, "capture/action", lambda _at: template
        )
        return self.shelf.answer(context, operation, 202)

    def _refused(self, verb: str, machine: Machine, state: str) -> ArmError:
        """[Azure/azure-powershell 2818, MicrosoftDocs/azure-docs 86809]."""
        return conflict(
            f"Operation '{verb}' is not allowed on VM '{machine.name}' since the VM is {state}.",
            "OperationNotAllowed",
        )

    def _known(self, context: Context) -> Machine:
        found = self.shelf.known(context)
        assert isinstance(found, Machine), "nothing else of this type is ever put"
        return found

    def _view(self, context: Context) -> Response:
        return Response.of(200, instance_view(self._known(context)))

    def _document(self, resource: Resource, context: Context) -> dict[str, Any]:
        assert isinstance(resource, Machine), "nothing else of this type is ever put"
        properties = {**resource.properties, "storageProfile": shown_storage(resource)}
        if (context.request.param("$expand") or "").lower() == "instanceview":
            properties["instanceView"] = instance_view(resource)
        document = resource.document()
        return {**document, "properties": properties, "etag": f'"{resource.revision}"'}

    def _mark_disks(self, machine: Machine) -> None:
        """A disk says who has it; while the machine is deallocated it is kept for it."""
        for disk_id in machine.managed_disks:
            disk = self._fabric.records.get(disk_id)
            if isinstance(disk, Resource):
                disk.extra["managedBy"] = machine.id
                disk.properties["diskState"] = "Reserved" if machine.power == "deallocated" else "Attached"

    def _let_go(self, resource: Resource) -> None:
        """Disks stay unless the machine said that they go with it."""
        profile = resource.properties.get("storageProfile", {})
        for each in (profile.get("osDisk", {}), *profile.get("dataDisks", ())):
            disk = self._fabric.records.get(each.get("managedDisk", {}).get("id", ""))
            if not isinstance(disk, Resource):
                continue
            disk.extra.pop("managedBy", None)
            disk.properties["diskState"] = "Unattached"
            if each.get("deleteOption") == "Delete":
                self._fabric.records.remove(disk.id)


def shown_storage(machine: Machine) -> dict[str, Any]:
    """The disks of a machine as they are read: kind and size of managed ones only while it is allocated."""
    profile = dict(machine.properties.get("storageProfile", {}))
    if machine.power != "deallocated":
        return profile

    def bare(disk: Mapping[str, Any]) -> dict[str, Any]:
        if not disk.get("managedDisk"):
            return dict(disk)
        managed = {n: value for n, value in disk["managedDisk"].items() if n != "storageAccountType"}
        return {**{n: value for n, value in disk.items() if n != "diskSizeGB"}, "managedDisk": managed}

    return {
        **profile,
        "osDisk": bare(profile.get("osDisk", {})),
        "dataDisks": [bare(disk) for disk in profile.get("dataDisks", ())],
    }
