"""What retention decides in any world, against an oracle that looks at everything from everywhere."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.retention import PIN, Going, Kind, Plan, Stage, Step
from shared.planning.retention import plan, turn

from .cases import NOW
from .retention_oracle import complaints, in_turn, thresholds
from .retention_worlds import DAY, TICK, World, world

SHARE = 1250


def planned(world: World) -> Plan:
    return plan(world.inventory, world.rules, NOW, world.lag)


def digests(plan: Plan) -> dict[Kind, str]:
    return {kind.kind: kind.digest for kind in plan.kinds}


def of(world: World, **inventory: object) -> World:
    return replace(world, inventory=replace(world.inventory, **inventory))


def is_right(world: World, random: Random) -> None:
    """Everything that holds of every plan."""
    first = planned(world)
    assert not complaints(world, first, NOW)
    turns_are_fair(world, first)
    order_does_not_matter(world, first, random)
    time_alone_does_not_matter(world, first)


def digests_are_right(world: World, random: Random) -> None:
    """Everything that holds of a plan and the next one, after a change."""
    first = planned(world)
    stages_leave_the_digest(world, first)
    leaving_voids_the_digest(world, first, random)
    approval_lets_it_go(world, first)


def turns_are_fair(world: World, first: Plan) -> None:
    taken = turn(first, world.rules, world.tried)
    ids = [verdict.id for verdict in taken]
    assert set(ids) == in_turn(world, first)
    assert len(ids) == len(set(ids))


def order_does_not_matter(world: World, first: Plan, random: Random) -> None:
    things = list(world.inventory.things)
    random.shuffle(things)
    assert msgspec.json.encode(planned(of(world, things=tuple(things)))) == msgspec.json.encode(first)


def time_alone_does_not_matter(world: World, first: Plan) -> None:
    """Up to the last moment before a rule comes to say something else."""
    ahead = [moment for moment in thresholds(world) if moment > NOW]
    later = min(ahead, default=NOW + 400 * DAY) - TICK
    assert plan(world.inventory, world.rules, later, world.lag) == first


def stages_leave_the_digest(world: World, first: Plan) -> None:
    marked = Going(Stage.MARKED, NOW)
    things = tuple(replace(thing, going=marked) for thing in world.inventory.things)
    again = planned(of(world, things=things))
    assert (digests(again), again.digest) == (digests(first), first.digest)
    assert not any(kind.tripped for kind in again.kinds), "what is marked already does not trip"


def leaving_voids_the_digest(world: World, first: Plan, random: Random) -> None:
    going = sorted(verdict.id for verdict in first.verdicts if not verdict.keep)
    if not going:
        return
    lucky = going[int(random.random() * len(going))]
    things = tuple(replace(t, tags={PIN: ""}) if t.id == lucky else t for t in world.inventory.things)
    again = planned(of(world, things=things))
    remaining = {verdict.id for verdict in again.verdicts if not verdict.keep}
    assert lucky not in remaining
    before, after = digests(first), digests(again)
    for kind in Kind:
        was = {v.id for v in first.verdicts if not v.keep and v.kind is kind}
        now = {v.id for v in again.verdicts if not v.keep and v.kind is kind}
        assert (before[kind] == after[kind]) == (was == now)
    assert again.digest != first.digest


def approval_lets_it_go(world: World, first: Plan) -> None:
    """The digest that a person approves is the one that goes; any other is none."""
    tripped = [kind for kind in first.kinds if kind.tripped]
    if not tripped:
        return
    approved = of(world, approved={kind.kind: kind.digest for kind in tripped})
    again = planned(approved)
    assert digests(again) == digests(first)
    assert not any(kind.stopped for kind in again.kinds)
    assert not complaints(approved, again, NOW)
    for kind in tripped:
        steps = {verdict.step for verdict in first.verdicts if verdict.kind is kind.kind}
        assert not steps & {Step.MARK, Step.EXCLUDE, Step.DELETE}
        wrong = planned(of(world, approved={kind.kind: kind.digest[:-1]}))
        assert next(k for k in wrong.kinds if k.kind is kind.kind).stopped


def check(first: int, last: int) -> None:
    for seed in range(first, last):
        random = Random(seed)
        try:
            drawn = world(random)
            is_right(drawn, random)
            if seed % 3 == 0:  # three more plans each
                digests_are_right(drawn, random)
        except AssertionError as wrong:
            wrong.add_note(f"in the world of seed {seed}")
            raise


@pytest.mark.parametrize("share", range(8))
def test_ten_thousand_inventories_are_planned_as_the_oracle_says(share: int) -> None:
    check(share * SHARE, (share + 1) * SHARE)


@pytest.mark.long
@pytest.mark.parametrize("share", range(8, 80))
def test_a_hundred_thousand_inventories_are_planned_as_the_oracle_says(share: int) -> None:
    check(share * SHARE, (share + 1) * SHARE)


@given(st.randoms(use_true_random=False).map(world))
@settings(max_examples=100)
def test_any_inventory_is_planned_as_the_oracle_says(world: World) -> None:
    """As above, but whatever is wrong is told of the smallest world in which it is."""
    is_right(world, Random(0))
    digests_are_right(world, Random(0))
