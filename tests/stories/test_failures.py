"""Runs that fail, are cancelled or go half well: tried again for a while, then left to a person."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.switches import Switches
from shared.domain.ids import BlobAddress
from shared.domain.records import JournalLine, OutputRecord, OutputState, RunRecord
from shared.domain.templates import RunState

from .endings import NEW, NEWER, assert_same
from .scenes import IMAGE, KEEP, Operator, factory_file
from .world import World

FAILURE = Outcome(result="failure", message="the script came to grief")
MINUTE = timedelta(minutes=1)


def failing(tmp_path: Path, *outcomes: Outcome, switches: Switches | None = None, **file: Any) -> World:
    """NEW is published, and the runs for it end as planned."""
    world = World(config=factory_file(tmp_path, options=KEEP, **file), switches=switches)
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    world.plan(IMAGE, *outcomes)
    return world


def runs(world: World) -> list[RunRecord]:
    return sorted(world.records(RunRecord), key=lambda run: run.start)


def told(world: World, what: str) -> list[str]:
    return [line.why for line in world.records(JournalLine) if line.what == what]


def published(world: World, kind: str) -> list[dict[str, object]]:
    return [event["data"] for event in world.published if event["eventType"] == kind]


def test_a_failed_run_is_tried_again_after_30_minutes_2_hours_8_hours(tmp_path: Path) -> None:
    """Three failures pause automatic runs: with one event and one journal line, whatever happens next."""
    world = failing(tmp_path, *[FAILURE] * 9, timing={"pause_after": 4})
    world.play(lambda w: bool(w.known().paused))
    ends = [run.ended for run in runs(world)]
    starts = [run.started for run in runs(world)]
    waits = [start - end for end, start in zip(ends, starts[1:], strict=False) if end]
    wanted = [timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8)]
    assert len(waits) == 3
    assert all(want <= wait <= want + 2 * MINUTE for want, wait in zip(wanted, waits, strict=True))


def test_three_failures_pause_automatic_runs_and_say_so_once(tmp_path: Path) -> None:
    """One WorkFailed event and one line of the journal, also when newer versions appear."""
    world = failing(tmp_path, *[FAILURE] * 9)
    world.play(lambda w: bool(w.known().paused))
    world.go_on(hours=10)
    world.publish_version(NEWER)
    world.go_on(hours=10)
    assert [run.state for run in runs(world)] == [RunState.FAILED] * 3
    failures = published(world, "ImageFactory.WorkFailed")
    assert len(failures) == 1
    assert "3 failures in a row" in str(failures[0]["why"])
    assert len([why for why in told(world, "decided") if why.startswith("paused: 3 failures")]) == 1


def test_a_run_by_hand_that_succeeds_resumes_automatic_runs(tmp_path: Path) -> None:
    """A success ends the pause, and the next version is built by itself."""
    world = failing(tmp_path, *[FAILURE] * 3)
    world.play(lambda w: bool(w.known().paused))
    Operator(world).run()
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    assert (world.known().paused, world.known().failures) == ("", 0)
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)


def test_a_person_resumes_automatic_runs(tmp_path: Path) -> None:
    """The wanted version is built at once."""
    world = failing(tmp_path, *[FAILURE] * 3)
    world.play(lambda w: bool(w.known().paused))
    before = world.clock.now()
    Operator(world).resume()
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    assert runs(world)[-1].started - before < MINUTE
    assert "automatic runs resumed by hand" in told(world, "resumed")


def test_a_cancelled_run_is_neither_a_failure_nor_tried_again(tmp_path: Path) -> None:
    """For the same version; the next one is built."""
    world = failing(tmp_path)
    world.play(lambda w: w.known().run is not None, at_once=True)
    Operator(world).cancel()
    world.go_on(hours=12)
    assert [run.state for run in runs(world)] == [RunState.CANCELED]
    assert (world.known().failures, world.known().paused) == (0, "")
    assert f"the run for {NEW} was cancelled" in world.known().reason
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    assert world.requested_runs() == 2


def test_a_partly_succeeded_run_counts_as_a_failure_and_its_outputs_are_archived(tmp_path: Path) -> None:
    """Of two VHDs one came to nothing: the other one is brought to safety, and the run is tried again."""
    names = (f"{IMAGE}-vhd", f"{IMAGE}-second")
    targets = [{"type": "VHD", "runOutputName": name} for name in names]
    world = failing(tmp_path, Outcome(result="partial"), properties={"distribute": targets})
    world.play(lambda w: len(runs(w)) == 1, at_once=True)
    assert world.known().failures == 1
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    first, second = runs(world)
    assert (first.state, second.state) == (RunState.PARTIALLY_SUCCEEDED, RunState.SUCCEEDED)
    assert (first.outputs, set(second.outputs)) == (names[:1], set(names))
    assert {o.state for o in world.records(OutputRecord)} == {OutputState.ARCHIVED}
    vhds = [at for at in world.archived() if at.name.endswith(".vhd")]
    assert len(vhds) == 3
    for at, made in zip(vhds, world.storage.made, strict=True):
        assert_same(world, at, made)


def test_outputs_that_a_failed_run_leaves_are_archived(tmp_path: Path) -> None:
    """Validation failed after the VHD was distributed."""
    world = failing(tmp_path, Outcome(result="failure", at="Distributing", distribute=True))
    world.play(lambda w: len(runs(w)) == 2 and not w.known().unsettled)
    assert [run.state for run in runs(world)] == [RunState.FAILED, RunState.SUCCEEDED]
    assert [o.state for o in world.records(OutputRecord)] == [OutputState.ARCHIVED] * 2


@pytest.mark.parametrize("location", ["arm", "url"])
def test_the_end_of_the_log_is_kept_with_a_failed_run(tmp_path: Path, location: str) -> None:
    """However the message names it."""
    switches = Switches().with_values({"log_location": location})
    world = failing(tmp_path, FAILURE, switches=switches)
    world.play(lambda w: len(runs(w)) == 1, at_once=True)
    (run,) = runs(world)
    assert "Build failed: the script came to grief" in run.log_end
    assert "the script came to grief" in run.message


def test_a_log_in_an_account_of_somebody_else_is_never_read(tmp_path: Path) -> None:
    """The message of a run is partly what its scripts wrote: no token goes where they point."""
    world = failing(tmp_path, switches=Switches(log_location="url"))
    lure = BlobAddress("elsewhere", "packerlogs", "5a9d6d9e-7f36-4c2d-9d31-1c2ac6a4a2ab/customization.log")
    world.blobs.create_account("elsewhere")
    world.blobs.plant(lure, [(0, b"x" * 512)], length=512, page_blob=False)
    message = (
        f"Image Build log location: https://elsewhere.blob.core.windows.net/{lure.container}/{lure.name}."
    )
    world.plan(IMAGE, Outcome(result="failure", message=message))
    world.play(lambda w: len(runs(w)) == 1, at_once=True)
    asked = {each.account for _, args in world.gate.asked for each in args if isinstance(each, BlobAddress)}
    assert "elsewhere" not in asked
    assert "not in the staging group" in runs(world)[0].log_end


def test_retries_survive_a_lost_message(tmp_path: Path) -> None:
    """The look that was to try again is gone from the queue: the sweep finds it overdue."""
    world = failing(tmp_path, FAILURE)
    world.play(lambda w: w.known().retry_at is not None and not w.queues.receive("builds"), at_once=True)
    world.queues.clear()
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    assert [run.state for run in runs(world)] == [RunState.FAILED, RunState.SUCCEEDED]
