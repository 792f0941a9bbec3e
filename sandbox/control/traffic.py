"""Orders about requests: which were made, which shall fail, how Azure behaves, how events are delivered."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from sandbox.calls import Call
from sandbox.control import orders
from sandbox.control.orders import Refused
from sandbox.eventgrid.outbox import Disturbance
from sandbox.faults import Fault
from sandbox.storage.limits import Limits

if TYPE_CHECKING:
    from sandbox.running import RunningSandbox

_FILTERS: Final = ("service", "principal", "method", "action", "path", "correlation")


class Traffic:
    def __init__(self, sandbox: "RunningSandbox") -> None:
        self._sandbox = sandbox

    def calls(self, query: Mapping[str, str]) -> object:
        """`path` is searched, everything else compared; `after` leaves out that many of the first calls."""
        unknown = set(query) - {*_FILTERS, "after"}
        if unknown:
            raise Refused(
                f"Calls cannot be filtered by {', '.join(unknown)}; by {', '.join(_FILTERS)}, after."
            )
        log = self._sandbox.azure.calls
        found = tuple(log)[int(query.get("after", 0)) :]
        wanted = [(name, value) for name, value in query.items() if name != "after"]
        return {"total": len(log), "calls": [call for call in found if _matches(call, wanted)]}

    def forget_calls(self) -> object:
        forgotten = len(self._sandbox.azure.calls)
        self._sandbox.azure.calls.clear()
        return {"forgotten": forgotten}

    def faults(self) -> object:
        return [self._told(fault) for fault in self._sandbox.azure.faults.list()]

    def fault(self, name: str) -> object:
        found = next((each for each in self._sandbox.azure.faults.list() if each.id == name), None)
        if found is None:
            raise Refused(f"There is no fault {name!r}.", 404)
        return self._told(found)

    def add_fault(self, order: orders.NewFault) -> object:
        return self._told(self._sandbox.azure.faults.add(Fault(**msgspec.structs.asdict(order))))

    def remove_fault(self, name: str) -> object:
        if not self._sandbox.azure.faults.remove(name):
            raise Refused(f"There is no fault {name!r}.", 404)
        return {"removed": name}

    def clear_faults(self) -> object:
        removed = [fault.id for fault in self._sandbox.azure.faults.list()]
        self._sandbox.azure.faults.clear()
        return {"removed": removed}

    def _told(self, fault: Fault) -> dict[str, Any]:
        return {**dataclasses.asdict(fault), "fired": self._sandbox.azure.faults.fired(fault.id)}

    def switches(self) -> object:
        return self._sandbox.azure.switches

    def switch(self, values: dict[str, Any]) -> object:
        self._sandbox.azure.switches = self._sandbox.azure.switches.with_values(values)
        return self._sandbox.azure.switches

    def limits(self) -> object:
        return self._sandbox.storage.page_blobs.limits

    def limit(self, values: dict[str, Any]) -> object:
        current = msgspec.structs.asdict(self._sandbox.storage.page_blobs.limits)
        try:
            self._sandbox.storage.page_blobs.limit(msgspec.convert(current | values, Limits))
        except msgspec.ValidationError as error:
            raise Refused(f"{error}. The keys are: {', '.join(Limits.__struct_fields__)}.") from error
        return self.limits()

    def events(self) -> object:
        outbox = self._sandbox.azure.eventgrid.outbox
        return {
            "disturbance": outbox.disturbance,
            "subscriptions": [each.name for each in self._sandbox.azure.eventgrid.subscriptions],
            "pending": [_delivery(each) for each in outbox.pending()],
            "attempts": [_delivery(each) for each in outbox.attempts],
            "dropped": outbox.dropped,
            "dead": outbox.dead,
        }

    def disturb(self, order: orders.Disturb) -> object:
        outbox = self._sandbox.azure.eventgrid.outbox
        outbox.disturbance = Disturbance(**msgspec.structs.asdict(order))
        return outbox.disturbance


def _matches(call: Call, wanted: list[tuple[str, str]]) -> bool:
    for name, value in wanted:
        held = str(getattr(call, name) or "")
        if value.lower() not in held.lower() if name == "path" else value.lower() != held.lower():
            return False
    return True


def _delivery(delivery: Any) -> dict[str, object]:
    return {
        "subscription": delivery.subscription.name,
        "event": delivery.event.get("eventType", delivery.event.get("type")),
        "subject": delivery.event.get("subject"),
        "attempts": delivery.attempts,
        "due": delivery.due,
    }
