"""What people say of a version is heeded wherever it stands, also while Azure takes no updates."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.switches import Switches
from shared.domain.records import FailedWork, RunRecord
from shared.domain.releases import ReleaseRecord, Stage
from shared.usecases import withdrawals

from .gallery import BASE, GalleryWorld, begun, changed, rebuilt, say, stands
from .world import World

NAME = "base/1.0.0"


def in_ring(stage: Stage, ring: int) -> Callable[[World], bool]:
    def reached(world: World) -> bool:
        return any(
            r.name == NAME and r.stage is stage and r.ring == ring for r in world.records(ReleaseRecord)
        )

    return reached


PLACES: dict[str, Callable[[World], bool]] = {
    "being made": stands(NAME, Stage.MAKING),
    "soaking in the first ring": in_ring(Stage.SOAKING, 0),
    "replicating in the second": in_ring(Stage.REPLICATING, 1),
    "soaking in the second": in_ring(Stage.SOAKING, 1),
    "past the last": in_ring(Stage.SOAKING, 2),
    "released": stands(NAME, Stage.RELEASED),
}
POSITIONS = ["refused", pytest.param("accepted", marks=pytest.mark.long)]
everywhere = pytest.mark.parametrize("place", PLACES)
either = pytest.mark.parametrize("position", POSITIONS)


def at(place: str, position: str) -> GalleryWorld:
    switches = Switches(update_while_updating=position)  # type: ignore[arg-type] # of two
    world = begun(switches=switches)
    world.make()
    world.play(PLACES[place], at_once=True)
    return world


def latest(world: GalleryWorld) -> list[str]:
    return [region for region in BASE if world.latest(region)]


def assert_settled(world: GalleryWorld) -> None:
    """Nobody is about to write, nothing waits, nothing went wrong."""
    world.play(lambda w: True)
    assert world.wrong == []
    assert not world.records(FailedWork)
    assert all(record.claim is None for record in world.records(ReleaseRecord))
    assert not world.queues.waiting()


@everywhere
@either
def test_a_held_version_stands_still_and_goes_on_when_resumed(place: str, position: str) -> None:
    """It gets no region that it has not, and is latest nowhere; then everywhere."""
    world = at(place, position)
    say(world, withdrawals.hold)
    there = {region.name for region in world.version().regions}
    world.go_on(hours=3)
    assert latest(world) == []
    assert world.release().stage is Stage.HELD
    assert {region.name for region in world.version().regions} == there
    say(world, withdrawals.resume)
    world.play(rebuilt)
    assert latest(world) == list(BASE)
    assert len(world.records(RunRecord)) == 1
    assert_settled(world)


@everywhere
@either
def test_a_promoted_version_does_not_wait_for_its_ring_to_soak(place: str, position: str) -> None:
    """Through all rings: none soaks; the regions of one still get it before those of the next."""
    world = at(place, position)
    before = world.clock.now()
    say(world, withdrawals.promote, through=True)
    world.play(stands(NAME, Stage.RELEASED), at_once=True)
    assert latest(world) == list(BASE)
    replicated = max(r.replicated or before for r in world.release().regions)
    assert world.clock.now() - max(replicated, before) < world.worker.factory().timing.follow * 2
    world.play(rebuilt)
    assert_settled(world)


@everywhere
@either
def test_a_withdrawn_version_is_latest_nowhere_and_so_is_what_was_built_from_it(
    place: str, position: str
) -> None:
    """Its regions stay, those under way as well; no new one gets it. Nothing is deleted."""
    world = at(place, position)
    say(world, withdrawals.withdraw)
    there = {region.name for region in world.version().regions}
    world.go_on(hours=4)
    assert latest(world) == []
    assert world.release().withdrawn_everywhere is not None
    assert world.release().descendants_told
    assert {region.name for region in world.version().regions} == there
    for built in (r for r in world.records(ReleaseRecord) if r.definition == "dev"):
        assert (built.descends_from, built.stage) == (NAME, Stage.WITHDRAWN)
        assert world.latest("westeurope", "dev") == ""
        assert world.version(built.name).regions
    assert_settled(world)


@either
def test_words_that_contradict_each_other_end_with_the_last_one(position: str) -> None:
    """Held, promoted (which lifts the hold), held again, resumed, withdrawn; then nothing but that."""
    world = at("replicating in the second", position)
    for word in (
        withdrawals.hold,
        withdrawals.promote,
        withdrawals.hold,
        withdrawals.resume,
        withdrawals.withdraw,
    ):
        say(world, word)
        world.go_on(minutes=3)
    world.go_on(hours=2)
    assert latest(world) == []
    assert world.release().stage is Stage.WITHDRAWN
    assert_settled(world)


def test_a_word_that_is_said_twice_is_one() -> None:
    """The second withdrawal writes nothing, not even a line."""
    world = at("soaking in the first ring", "refused")
    say(world, withdrawals.withdraw)
    world.go_on(hours=1)
    before = list(world.ledger.rows())
    say(world, withdrawals.withdraw)
    world.go_on(minutes=5)
    assert list(world.ledger.rows()) == before


def test_a_ring_by_hand_waits_for_a_person_and_says_so(tmp_path: Path) -> None:
    """However long; the word takes it to the next ring at once."""
    config = changed(
        tmp_path, "soak: 10m}\n      - {name: second", "promotion: by_hand}\n      - {name: second"
    )
    world = begun(config=config)
    world.make()
    world.go_on(hours=30)
    assert latest(world) == []
    assert world.release().reason == (
        f"ring first (1 of 2) is complete; it waits for a person: release promote {NAME}"
    )
    assert not world.queues.waiting(), "nobody looks at it meanwhile"
    say(world, withdrawals.promote)
    world.play(stands(NAME, Stage.RELEASED))
    assert latest(world) == list(BASE)
    assert_settled(world)


@pytest.fixture
def world(by_hand: GalleryWorld) -> GalleryWorld:
    return by_hand
