"""Every event of a release may be lost, late or repeated, and every request may fail: the end is the same."""

from collections.abc import Callable
from typing import Literal

import azure.functions as func
import pytest

from sandbox.faults import Fault
from sandbox.switches import Switches
from shared.domain.records import FailedWork

from .gallery import GalleryWorld, assert_released, begun, rebuilt
from .scenes import arm_calls
from .test_deliveries import Deliveries

Service = Literal["arm", "eventgrid"]
FAULTS: dict[str, dict[str, object]] = {
    "throttled": {"status": 429, "code": "TooManyRequests", "retry_after": 17},
    "throttled by Compute": {"status": 429, "code": "OperationNotAllowed", "retry_after": 180},
    "internal error": {"status": 500, "code": "InternalServerError"},
    "unavailable": {"status": 503, "code": "ServiceUnavailable"},
    "gateway timeout, done all the same": {"status": 504, "code": "GatewayTimeout", "when": "after"},
    "forbidden": {"status": 403, "code": "AuthorizationFailed"},
    "not found without a code": {"status": 404, "code": ""},
    "dropped": {"action": "drop"},
    "dropped, done all the same": {"action": "drop", "when": "after"},
}
BRIEFLY = {
    "throttled by Compute": 12,
    "internal error": 12,
    "gateway timeout, done all the same": 8,
    "forbidden": 12,
}
"""In the usual run: these alone, and every n-th request of them."""
CASES = [
    pytest.param(service, fault, step, marks=[] if step > 1 else [pytest.mark.long])
    for service in ("arm", "eventgrid")
    for fault in FAULTS
    for step in ([BRIEFLY[fault], 1] if fault in BRIEFLY and service == "arm" else [1])
    if (service, fault) != ("eventgrid", "not found without a code")
]


def play(service: Service, fault: str | None, nth: int) -> int:
    """The release and the rebuild with one request failing; how many requests the service got."""
    world = begun(switches=Switches(update_while_updating="refused"))
    world.azure.calls.clear()
    armed = None
    if fault:
        options = {"action": "status", **FAULTS[fault]}
        armed = world.azure.faults.add(Fault(service, nth=nth, **options))  # type: ignore[arg-type]  # a table
    world.make()
    world.play(rebuilt)
    assert armed is None or world.azure.faults.fired(armed.id)
    assert_released(world, unanswered=bool(fault and "all the same" in fault))
    return len(world.azure.calls.list(service))


@pytest.mark.parametrize(("service", "fault", "step"), CASES)
def test_any_one_request_of_a_release_may_fail(service: Service, fault: str, step: int) -> None:
    """Throttled, forbidden, broken, or gone, with the effect or without it."""
    for nth in range(1, play(service, None, 0) + 1, step):
        try:
            play(service, fault, nth)
        except AssertionError as error:
            error.add_note(f"{fault} at request {nth} to {service}")
            raise


def test_the_service_says_when_an_update_may_come_again() -> None:
    """Retry-After of Compute's own limits: the sweep sends nothing until then either."""
    world = begun()
    options = {"status": 429, "code": "OperationNotAllowed", "retry_after": 400}
    world.azure.faults.add(Fault("arm", "status", method="PATCH", nth=2, **options))  # type: ignore[arg-type]  # a table
    world.make()
    world.play(rebuilt)
    _, refused, again, *_ = [call.at for call in world.azure.calls.list("arm") if call.method == "PATCH"]
    assert (again - refused).total_seconds() >= 400
    assert_released(world)


def test_a_service_that_is_down_for_hours_delays_a_release_and_nothing_else() -> None:
    world = begun()
    world.make()
    world.play(lambda w: world.latest("westeurope") == "1.0.0", at_once=True)
    fault = world.azure.faults.add(Fault("arm", "status", count=1_000_000))
    world.go_on(hours=10)
    assert len(world.azure.faults.fired(fault.id)) < 10 * 6 * 6, (
        "the service is not hammered while it is down"
    )
    assert len(world.queues.waiting()) <= 4
    world.azure.faults.remove(fault.id)
    world.play(rebuilt)
    assert_released(world)


Deliver = Callable[[list[func.EventGridEvent]], list[func.EventGridEvent]]


def delivered(deliver: Deliver) -> GalleryWorld:
    world = begun()
    world.deliver = deliver
    world.make()
    world.play(rebuilt)
    assert_released(world)
    return world


def test_every_event_of_a_release_three_times_and_in_reverse_order() -> None:
    """Each delivery brings back all that was ever delivered, newest first."""
    events = Deliveries()
    delivered(events.all_again)
    assert len(events.seen) > 6


def test_any_one_event_of_a_release_may_be_lost() -> None:
    events = Deliveries()
    delivered(events.once)
    for number in range(len(events.seen)):
        delivered(Deliveries(frozenset({number})).once)


@pytest.mark.long
@pytest.mark.parametrize("lost", range(0, 2**9, 3))
def test_many_subsets_of_the_events_of_a_release_lost(lost: int) -> None:
    delivered(Deliveries(frozenset(n for n in range(9) if lost >> n & 1)).once)


def test_events_that_come_when_a_release_is_over_change_nothing() -> None:
    """Not a row of the ledger, and nothing is written at Azure."""
    events = Deliveries()
    world = delivered(events.once)
    world.go_on(minutes=30)
    before = list(world.ledger.rows())
    world.azure.calls.clear()
    for event in list(reversed(events.seen)) * 3:
        world._deliver_event(event)
    world.play(rebuilt)
    assert list(world.ledger.rows()) == before
    assert not any(arm_calls(world, method) for method in ("PUT", "POST", "PATCH", "DELETE"))
    assert not world.records(FailedWork)
