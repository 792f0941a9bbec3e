"""What an earlier run left is never taken for the output of a later one, nor waited for."""

from pathlib import Path

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.switches import Switches
from shared.domain.records import OutputRecord, OutputState, RunRecord

from .endings import NEW, NEWER
from .scenes import IMAGE, KEEP, factory_file
from .world import World

FAILURE = Outcome(result="failure")


def built_once(tmp_path: Path, **switches: bool) -> World:
    """NEW is built and archived, and the run for NEWER is going to fail."""
    config = factory_file(tmp_path, options=KEEP)
    world = World(config=config, switches=Switches().with_values({"old_outputs_survive": True, **switches}))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    world.plan(IMAGE, FAILURE)
    return world


def runs_and_outputs(world: World) -> list[tuple[str, int]]:
    """How each run ended, and how many outputs are recorded as its own."""
    outputs = [output.run for output in world.records(OutputRecord)]
    runs = sorted(world.records(RunRecord), key=lambda run: run.start)
    return [(run.state.value, outputs.count(run.start)) for run in runs]


@pytest.mark.parametrize("removed", [False, True])
def test_a_failed_run_that_lists_the_output_of_the_run_before_is_tried_again(
    tmp_path: Path, removed: bool
) -> None:
    """Whether that VHD is still there or was removed as the failed run began."""
    world = built_once(tmp_path, run_removes_old_vhds=removed)
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    assert runs_and_outputs(world) == [("Succeeded", 1), ("Failed", 0), ("Succeeded", 1)]
    assert {o.state for o in world.records(OutputRecord)} == {OutputState.ARCHIVED}


def test_an_output_that_nobody_may_read_at_first_turns_out_to_be_an_earlier_run_s(tmp_path: Path) -> None:
    """It could be anything as long as it cannot be read; then its age tells, and it is set aside."""
    world = built_once(tmp_path)
    (staging,) = world.staging_accounts()
    world.blobs.denied.add((staging, "read"))
    world.publish_version(NEWER)
    world.go_on(hours=2)
    assert runs_and_outputs(world) == [("Succeeded", 1), ("Failed", 1)]
    assert world.known().unsettled
    world.blobs.denied.clear()
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    first, second, third = sorted(world.records(OutputRecord), key=lambda output: output.run)
    assert (first.state, third.state) == (OutputState.ARCHIVED, OutputState.ARCHIVED)
    assert second.state is OutputState.DISMISSED
    assert "left by an earlier run" in second.reason
    vhds = [at for at in world.archived() if at.name.endswith(".vhd")]
    assert vhds == [first.target, third.target]
