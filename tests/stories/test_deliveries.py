"""Event Grid delivers at least once, in any order, late, or not at all: the story ends the same."""

from typing import TYPE_CHECKING

import azure.functions as func
import pytest

from sandbox.switches import Switches

from .endings import NEW, NEWER, assert_fault_free, released
from .scenes import arm_calls
from .world import World

if TYPE_CHECKING:
    from shared.domain.records import Record


class Deliveries:
    """Event Grid's part: what has been published, and which of it is let through."""

    def __init__(self, lost: frozenset[int] = frozenset()) -> None:
        self.lost = lost
        self.seen: list[func.EventGridEvent] = []

    def once(self, events: list[func.EventGridEvent]) -> list[func.EventGridEvent]:
        first = len(self.seen)
        self.seen += events
        return [event for number, event in enumerate(events, first) if number not in self.lost]

    def all_again(self, events: list[func.EventGridEvent]) -> list[func.EventGridEvent]:
        """Whatever was published so far, newest first, three times."""
        self.seen += events
        return list(reversed(self.seen)) * 3


def two_versions(world: World) -> None:
    """One version after the other, each built, archived, and its template gone."""
    world.play(lambda w: w.image() is not None)
    for version in (NEW, NEWER):
        world.publish_version(version)
        world.play(released(version))


@pytest.mark.parametrize("delay", [0.0, 60.0])
def test_every_event_three_times_and_in_reverse_order(delay: float) -> None:
    """Each delivery brings back everything that was ever delivered, newest first."""
    world = World(switches=Switches(visible_run_delay=delay))
    events = Deliveries()
    world.deliver = events.all_again
    two_versions(world)
    assert_fault_free(world, NEW, NEWER)
    assert len(events.seen) == 4


def test_events_that_come_when_all_is_over_change_nothing() -> None:
    """Late copies lead to looks that find nothing to do."""
    world = World()
    events = Deliveries()
    world.deliver = events.once
    two_versions(world)
    before: list[Record] = []
    for times in (1, 3):
        before = [record for _, record in world.ledger.rows()]
        world.azure.calls.clear()
        for event in list(reversed(events.seen)) * times:
            world._deliver_event(event)
        world.play(released(NEWER))
    assert [record for _, record in world.ledger.rows()] == before
    assert not any(arm_calls(world, method) for method in ("PUT", "POST", "DELETE"))


@pytest.mark.parametrize("lost", range(16))
def test_every_subset_of_the_events_lost(lost: int) -> None:
    """Two versions make four events: whichever are lost, only time is."""
    world = World()
    events = Deliveries(frozenset(n for n in range(4) if lost >> n & 1))
    world.deliver = events.once
    two_versions(world)
    assert_fault_free(world, NEW, NEWER)
    assert len(events.seen) == 4


@pytest.mark.parametrize("completion", [True, False])
@pytest.mark.parametrize("events", [True, False])
def test_the_sweep_alone_reaches_the_same_end(events: bool, completion: bool) -> None:
    """With every event lost, or none published at the end of a run."""
    world = World(switches=Switches(completion_events=completion))
    world.lose_events = not events
    two_versions(world)
    assert_fault_free(world, NEW, NEWER)
