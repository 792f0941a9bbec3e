"""Templates that go with a run under way, and templates that an image comes back to."""

from pathlib import Path

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from shared.domain.records import JournalLine, OutputRecord, OutputState, RunRecord, Slot

from .endings import NEW, NEWER
from .scenes import DELETE, IMAGE, KEEP, Operator, arm_calls, factory_file
from .test_lost import delete_template
from .world import World

NEWEST = "22.04.209903010"


def running(tmp_path: Path) -> World:
    """The run for NEW is under way and has been seen."""
    world = World(config=factory_file(tmp_path, options=KEEP, limits={"runs_at_once": 1}))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: w.known().run is not None, at_once=True)
    return world


def lines(world: World, what: str) -> list[str]:
    return [line.why for line in world.records(JournalLine) if line.what == what]


@pytest.mark.parametrize("made_again", [False, True])
def test_a_run_that_vanishes_with_its_template_is_told_and_built_again_once(
    tmp_path: Path, made_again: bool
) -> None:
    """Also if somebody has made the template anew before the factory looks: the new run has its own claim."""
    world = running(tmp_path)
    first = world.known().run
    delete_template(world)
    gone = world.clock.now()
    if made_again:
        Operator(world).put_template(world.worker.factory().image(IMAGE).body)
    world.play(lambda w: w.known().run is None, at_once=True)
    assert not world.records(Slot)
    world.play(lambda w: w.known().run is not None, at_once=True)
    second = world.known().run
    assert first is not None
    assert second is not None
    assert second.start != first.start
    assert second.claim is not None
    assert (second.claim.attempt, second.claim.at > gone) == (1, True)
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    world.go_on(hours=3)
    told = f"the run of {first.start} has vanished with its template"
    assert lines(world, "run-vanished") == [told]
    failed = [event["data"] for event in world.published if event["eventType"] == "ImageFactory.WorkFailed"]
    assert [(each["run"], each["why"]) for each in failed] == [(first.start, told)]
    assert world.requested_runs() == 2
    assert [run.start for run in world.records(RunRecord)] == [second.start]
    assert not world.records(Slot)


def built_in(world: World, folder: Path, name: str, version: str, **options: str) -> None:
    """The image is built from the version in the template of that name."""
    factory_file(folder, options={**options, "template_name": name})
    world.publish_version(version)
    world.play(lambda w: str(w.known().built) == version and not w.known().unsettled)


def test_an_image_may_come_back_to_a_template_that_it_was_built_in_before(tmp_path: Path) -> None:
    """The last run there is known: nothing is recorded twice, and the next version is built in it."""
    world = World(config=factory_file(tmp_path, options=KEEP))
    world.play(lambda w: w.image() is not None)
    built_in(world, tmp_path, "first", NEW, **KEEP)
    built_in(world, tmp_path, "second", NEWER, **KEEP)
    built_in(world, tmp_path, "first", NEWEST, **KEEP)
    assert len(lines(world, "run-known")) == 1
    runs = sorted(world.records(RunRecord), key=lambda run: run.start)
    assert [(run.template.rsplit("/", 1)[1], str(run.version)) for run in runs] == [
        ("first", NEW),
        ("second", NEWER),
        ("first", NEWEST),
    ]
    assert {o.state for o in world.records(OutputRecord)} == {OutputState.ARCHIVED}
    assert world.requested_runs() == 3


def test_a_template_whose_vhd_was_never_archived_is_not_deleted_on_coming_back(tmp_path: Path) -> None:
    """What the run in another template left in the archive proves nothing for this one."""
    world = World(config=factory_file(tmp_path, options={**DELETE, "template_name": "first"}))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    world.plan("first", Outcome(vhd="dynamic"))
    world.play(lambda w: [o.state for o in w.records(OutputRecord)] == [OutputState.REFUSED])
    Operator(world).resume()
    built_in(world, tmp_path, "second", NEWER, **DELETE)
    factory_file(tmp_path, options={**DELETE, "template_name": "first"})
    world.go_on(hours=3)
    assert len(lines(world, "run-known")) == 1
    assert "template kept: 0 of 1 VHD of its last run archived" in world.known().reason
    assert arm_calls(world, "DELETE", "/first") == 0
