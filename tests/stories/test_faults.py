"""Every request to Resource Manager and Event Grid fails once: the story ends the same."""

from typing import Literal

import pytest

from sandbox.faults import Fault
from sandbox.switches import Switches
from shared.domain.records import FailedWork

from .endings import NEW, assert_fault_free, released
from .world import World

Service = Literal["arm", "eventgrid"]
FAULTS: dict[str, dict[str, object]] = {
    "throttled": {"status": 429, "code": "TooManyRequests", "retry_after": 17},
    "throttled for long": {"status": 429, "code": "TooManyRequests", "retry_after": 3600},
    "internal error": {"status": 500, "code": "InternalServerError"},
    "unavailable": {"status": 503, "code": "ServiceUnavailable"},
    "gateway timeout, done all the same": {"status": 504, "code": "GatewayTimeout", "when": "after"},
    "not found without a code": {"status": 404, "code": ""},
    "dropped": {"action": "drop"},
    "dropped, done all the same": {"action": "drop", "when": "after"},
}


def play(service: Service, fault: str | None, nth: int, switches: Switches | None = None) -> int:
    """The story of one version with one request failing; how many requests the service got."""
    world = World(switches=switches)
    world.play(lambda w: w.image() is not None)
    world.azure.calls.clear()
    armed = None
    if fault:
        options = {"action": "status", **FAULTS[fault]}
        armed = world.azure.faults.add(Fault(service, nth=nth, **options))  # type: ignore[arg-type]  # a table
    world.publish_version(NEW)
    world.play(released(NEW))
    assert armed is None or world.azure.faults.fired(armed.id)
    assert_fault_free(world, NEW, unanswered=bool(fault and "all the same" in fault))
    return len(world.azure.calls.list(service))


DEEPER = {"throttled for long", "unavailable"}
"""Much like another one of them: for make test-long."""
CASES = [
    pytest.param(service, fault, marks=[pytest.mark.long] if fault in DEEPER else [])
    for service in ("arm", "eventgrid")
    for fault in FAULTS
    if (service, fault) != ("eventgrid", "not found without a code")
]


@pytest.mark.parametrize(("service", "fault"), CASES)
def test_any_one_request_may_fail(service: Service, fault: str) -> None:
    """Throttled, broken, or gone, with the effect or without it."""
    for nth in range(1, play(service, None, 0) + 1):
        try:
            play(service, fault, nth)
        except AssertionError as error:
            error.add_note(f"{fault} at request {nth} to {service}")
            raise


def test_the_service_says_when_to_come_again() -> None:
    """Retry-After of the run request: nothing is asked of Resource Manager about the image until then."""
    world = World()
    world.play(lambda w: w.image() is not None)
    options = {"status": 429, "code": "TooManyRequests", "retry_after": 300}
    world.azure.faults.add(Fault("arm", "status", method="POST", path="/run", **options))  # type: ignore[arg-type]  # a table
    world.publish_version(NEW)
    world.play(released(NEW))
    tried = [call.at for call in world.azure.calls.list("arm") if call.path.endswith("/run")]
    assert len(tried) == 2
    assert (tried[1] - tried[0]).total_seconds() >= 300
    assert_fault_free(world, NEW)


def test_a_topic_that_is_gone_is_failed_work_and_not_the_end() -> None:
    """It is recorded although nobody can be told by event; with the topic back, the story ends."""
    world = World()
    world.play(lambda w: w.image() is not None)
    fault = world.azure.faults.add(Fault("eventgrid", "status", status=404, code="", count=1_000_000))
    world.publish_version(NEW)
    world.go_on(hours=5)
    assert [work.lane for work in world.records(FailedWork)] == ["sources"]
    world.azure.faults.remove(fault.id)
    world.play(released(NEW))


def test_a_service_that_is_down_for_hours_loses_nothing() -> None:
    """Resource Manager answers nothing but 503 from the run on; then it is back."""
    world = World()
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: w.known().run is not None, at_once=True)
    fault = world.azure.faults.add(Fault("arm", "status", count=1_000_000))
    world.go_on(hours=10)
    asked = len(world.azure.faults.fired(fault.id))
    assert asked < 10 * 6 * 6, "the service is not hammered while it is down"
    assert len(world.queues.waiting()) <= 3
    world.azure.faults.remove(fault.id)
    world.play(released(NEW))
    assert_fault_free(world, NEW)
