"""Many images never move at once: runs are capped per subscription and region."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.arm.imagebuilder.outcomes import Outcome
from shared.domain import keys
from shared.domain.ids import ImageName
from shared.domain.records import OutputRecord, OutputState, RunRecord, Slot
from shared.domain.templates import RunState
from shared.gateways.rows import Row, row_of
from shared.ports import Insert
from shared.usecases.slots import place_of
from shared.usecases.sweep import sweep

from .endings import NEW
from .scenes import DELETE, IMAGE, KEEP, Operator, factory_file
from .world import World

LIMIT = 3
NAMES = tuple(f"image-{number:02d}" for number in range(12))


def fleet(tmp_path: Path, **options: str) -> World:
    config = factory_file(tmp_path, *NAMES, options=options, limits={"runs_at_once": LIMIT})
    world = World(config=config)
    world.play(lambda w: all(w.image(name) for name in NAMES))
    return world


def running(world: World) -> int:
    return sum(template.run is not None for template in world.azure.imagebuilder.templates())


def all_built(world: World) -> bool:
    known = [world.known(name) for name in NAMES]
    return all(str(image.built) == NEW and not image.unsettled for image in known)


def test_never_more_runs_at_once_than_allowed_and_all_are_built_in_the_end(tmp_path: Path) -> None:
    """Twelve images, three at a time; nobody starves, and every slot is given back."""
    world = fleet(tmp_path, **DELETE)
    most = [0]

    def count(_request: int) -> None:
        most.append(running(world))

    world.gate.before = count
    world.publish_version(NEW)
    world.play(all_built)
    assert max(most) == LIMIT
    assert len(world.records(RunRecord)) == world.requested_runs() == len(NAMES)
    assert {o.state for o in world.records(OutputRecord)} == {OutputState.ARCHIVED}
    assert not world.records(Slot)


def test_the_journal_says_what_an_image_waits_for(tmp_path: Path) -> None:
    """An image that has to wait its turn."""
    world = fleet(tmp_path, **KEEP)
    world.publish_version(NEW)
    world.play(lambda w: running(w) == LIMIT, at_once=True)
    world.go_on(minutes=1)
    waiting = [world.known(name).reason for name in NAMES if world.known(name).claim is None]
    expected = "3 runs are under way in westeurope, as many as limits.runs_at_once allows"
    assert waiting.count(expected) == len(NAMES) - LIMIT


def test_slots_are_given_back_however_a_run_ends(tmp_path: Path) -> None:
    """Failed, cancelled, or never started since the template could not be made."""
    world = World(config=factory_file(tmp_path, options=KEEP, limits={"runs_at_once": 1}))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    world.plan(IMAGE, Outcome(result="failure"))
    world.play(lambda w: len(w.records(RunRecord)) == 1, at_once=True)
    assert not world.records(Slot)
    world.play(lambda w: w.known().run is not None, at_once=True)
    assert len(world.records(Slot)) == 1
    Operator(world).cancel()
    world.play(lambda w: len(w.records(RunRecord)) == 2)
    assert [run.state for run in world.records(RunRecord)] == [RunState.FAILED, RunState.CANCELED]
    assert not world.records(Slot)


def test_slots_that_dead_workers_left_are_freed_by_the_sweep(tmp_path: Path) -> None:
    """All slots are taken by images that neither wait for a run nor have one."""
    world = fleet(tmp_path, **KEEP)
    place = place_of(world.worker.factory().image(NAMES[0]))
    for number in range(LIMIT):
        slot = Slot(place, number, ImageName(NAMES[number]), world.clock.now())
        world.ledger.commit(keys.SLOTS, (Insert(slot),))
    before = world.clock.now()
    world.publish_version(NEW)
    world.play(lambda w: running(w) == LIMIT, at_once=True)
    assert world.clock.now() - before < timedelta(minutes=30)
    world.play(all_built)
    assert not world.records(Slot)


def test_the_slot_of_an_image_that_left_the_configuration_is_freed(tmp_path: Path) -> None:
    """Nobody looks at the image any more: its run's end gives nothing back, and others wait for the place."""
    top: dict[str, Any] = {"options": KEEP, "limits": {"runs_at_once": 1}}
    world = World(config=factory_file(tmp_path, "db", "web", **top))
    world.play(lambda w: all(w.image(name) for name in ("db", "web")))
    world.publish_version(NEW)
    world.play(lambda w: any(w.known(name).run for name in ("db", "web")), at_once=True)
    first, second = sorted(("db", "web"), key=lambda name: world.known(name).run is None)
    factory_file(tmp_path, second, **top)
    world.play(lambda w: str(w.known(second).built) == NEW and not w.known(second).unsettled)
    assert str(world.known(first).built) != NEW
    assert not world.records(Slot)


def test_a_slot_is_kept_as_long_as_its_image_s_run_goes_on(tmp_path: Path) -> None:
    """Even if the image's row cannot be read for now: one run more would be one too many."""
    world = World(config=factory_file(tmp_path, options=KEEP))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: w.known().run is not None, at_once=True)
    world.clock.advance(timedelta(minutes=11))
    key = keys.image_key(IMAGE)
    row = row_of(world.known())
    world.ledger.plant(key, Row(row.kind, row.v + 1, row.data))
    sweep(world.worker.outside, world.worker.factory(), "by-a-test")
    world.ledger.plant(key, row)
    assert len(world.records(Slot)) == 1


def test_regions_do_not_share_their_slots(tmp_path: Path) -> None:
    """The cap is per subscription and region."""
    config = factory_file(tmp_path, "west", "north", limits={"runs_at_once": 1}, options=KEEP)
    text = (tmp_path / "template.json").read_text(encoding="utf-8")
    (tmp_path / "north.json").write_text(text.replace('"westeurope"', '"northeurope"'), encoding="utf-8")
    document = config.read_text(encoding="utf-8")
    north = document.rindex('"template.json"')
    config.write_text(f'{document[:north]}"north.json"{document[north + 15 :]}', encoding="utf-8")
    world = World(config=config)
    world.play(lambda w: all(w.image(name) for name in ("west", "north")))
    world.publish_version(NEW)
    world.play(lambda w: running(w) == 2, at_once=True)
