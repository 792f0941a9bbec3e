import json
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.eventgrid.outbox import Disturbance
from sandbox.eventgrid.retry import Again, Dead, Delivered
from tests.sandbox.eventgrid.parts import World, event, subscription


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(dead_letters=tmp_path / "dead.jsonl")
    world.grid.subscribe(subscription())
    return world


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204])
def test_only_200_to_204_complete_a_delivery(world: World, status: int) -> None:
    world.post([event()])
    (delivery,) = world.outbox.take_due(world.clock.now())
    assert isinstance(world.outbox.settle(delivery, status, world.clock.now()), Delivered)
    assert world.outbox.pending() == ()


def test_failures_come_back_on_azures_schedule_until_the_day_is_over(world: World) -> None:
    world.post([event()])
    waits = []
    while world.outbox.pending():
        (delivery,) = world.outbox.take_due(world.clock.now())
        assert world.outbox.take_due(world.clock.now()) == ()  # under way, so nobody else delivers it
        outcome = world.outbox.settle(delivery, 500, world.clock.now())
        if isinstance(outcome, Again):
            waits.append(outcome.delivery.due - world.clock.now())
            world.clock.set(outcome.delivery.due)
    seconds = [wait.total_seconds() for wait in waits]
    assert seconds == [10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200]
    assert world.outbox.dead[0]["deadLetterReason"] == "TimeToLiveExceeded"


def test_speed_divides_the_waits() -> None:
    world = World(speed=100)
    world.grid.subscribe(subscription())
    world.post([event()])
    (delivery,) = world.outbox.take_due(world.clock.now())
    world.outbox.settle(delivery, None, world.clock.now())
    assert world.outbox.next_due() == world.clock.now() + timedelta(seconds=0.1)


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        (400, "UndeliverableDueToHttpBadRequest", "BadRequest"),
        (401, "UndeliverableDueToHttpUnauthorized", "Unauthorized"),
        (413, "UndeliverableDueToHttpRequestEntityTooLarge", "RequestEntityTooLarge"),
    ],
)
def test_what_can_never_work_is_dead_at_once_and_kept(
    world: World, tmp_path: Path, status: int, reason: str, outcome: str
) -> None:
    world.post([event("lost")])
    (delivery,) = world.outbox.take_due(world.clock.now())
    assert isinstance(world.outbox.settle(delivery, status, world.clock.now()), Dead)
    (line,) = (tmp_path / "dead.jsonl").read_text().splitlines()
    letter = json.loads(line)
    assert (letter["subject"], letter["deliveryAttempts"]) == ("lost", 1)
    assert (letter["deadLetterReason"], letter["lastDeliveryOutcome"]) == (reason, outcome)
    assert letter["publishTime"] == letter["lastDeliveryAttemptTime"] == "2026-11-21T09:00:00Z"


def test_the_subscriptions_own_number_of_attempts_is_kept(world: World) -> None:
    world.grid.subscribe(subscription(max_delivery_attempts=2))
    world.post([event()])
    (delivery,) = world.outbox.pending()
    world.outbox.settle(delivery, 503, world.clock.now())
    world.outbox.settle(delivery, None, world.clock.now())
    assert world.outbox.dead[0]["deadLetterReason"] == "MaxDeliveryAttemptsExceeded"
    assert world.outbox.dead[0]["lastDeliveryOutcome"] == "TimedOut"


def test_events_come_several_times_in_any_order_and_not_at_all_on_demand(world: World) -> None:
    world.outbox.disturbance = Disturbance(copies=3, shuffle_seed=4, drop="sources/lost$")
    world.post([event("sources/a"), event("sources/lost"), event("sources/b")])
    assert sorted(world.subjects()) == ["sources/a"] * 3 + ["sources/b"] * 3
    assert world.subjects() != sorted(world.subjects())
    assert [each["subject"] for each in world.outbox.dropped] == ["sources/lost"]


def test_the_same_seed_gives_the_same_order(world: World) -> None:
    orders = []
    for _ in range(2):
        world.outbox.disturbance = Disturbance(shuffle_seed=7)
        world.post([event(str(number)) for number in range(9)])
        orders.append(world.subjects())
        for delivery in world.outbox.pending():
            world.outbox.discard(delivery)
    assert orders[0] == orders[1] != sorted(orders[0])


@pytest.mark.parametrize("wanted", [Disturbance(copies=0), Disturbance(spread=-1), Disturbance(drop="(")])
def test_a_disturbance_that_cannot_be_is_refused(world: World, wanted: Disturbance) -> None:
    with pytest.raises(ValueError, match=r"copies|regular expression"):
        world.outbox.disturbance = wanted
