"""What is not settled about Azure is a switch of the sandbox: the story stands every position."""

from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.switches import Switches
from shared.domain.records import OutputRecord, OutputState, RunRecord
from shared.domain.templates import RunState

from .endings import NEW, NEWER, assert_fault_free, released
from .scenes import IMAGE, KEEP, Operator, factory_file
from .world import World

AMOUNTS = (0, 30, 300)
"""Of seconds; a delay of 300 is half of what a claim is given."""


TOGETHER = {"run_removes_old_vhds": True, "old_outputs_survive": True}
"""A run that fails lists a VHD that is not there any more: neither switch alone comes to that."""


ELSEWHERE = {
    *("update_while_updating", "failed_region_removal", "protected_region_status", "failed_region_retried"),
    *("stale_parent_seconds", "restore_needs_flag", "second_group_deletion"),
    *("graph_lag_seconds", "graph_pages_move"),
}
"""Of galleries, groups and Resource Graph, which these stories do not come to."""


def positions() -> list[dict[str, Any]]:
    kinds = get_type_hints(Switches)
    single = [
        {field.name: value}
        for field in fields(Switches)
        if field.name not in ELSEWHERE
        for value in (
            get_args(kinds[field.name])
            or ((False, True) if kinds[field.name] is bool else map(kinds[field.name], AMOUNTS))
        )
    ]
    return [*single, TOGETHER]


def halved(first: int) -> list[Any]:
    """The usual run plays one of the two stories in each position; the long one both."""
    return [
        pytest.param(position, marks=pytest.mark.long if (number + first) % 2 else ())
        for number, position in enumerate(positions())
    ]


def named(position: dict[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in position.items())


@pytest.mark.parametrize("position", halved(0), ids=named)
def test_two_versions_are_built_and_archived_in_every_position(position: dict[str, Any]) -> None:
    """The plain story, with the template made and deleted twice."""
    world = World(switches=Switches().with_values(position))
    world.play(lambda w: w.image() is not None)
    for version in (NEW, NEWER):
        world.publish_version(version)
        world.play(released(version))
    assert_fault_free(world, NEW, NEWER)


@pytest.mark.parametrize("position", halved(1), ids=named)
def test_failed_cancelled_and_partly_succeeded_runs_are_recorded_in_every_position(
    position: dict[str, Any], tmp_path: Path
) -> None:
    """On a template that stays: nothing of an earlier run is taken for an output of a later one."""
    names = (f"{IMAGE}-vhd", f"{IMAGE}-second")
    targets = {"distribute": [{"type": "VHD", "runOutputName": each} for each in names]}
    config = factory_file(tmp_path, options=KEEP, properties=targets)
    world = World(config=config, switches=Switches().with_values(position))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    world.plan(IMAGE, Outcome(result="failure"), Outcome(result="partial"), Outcome())
    world.publish_version(NEWER)
    world.play(lambda w: len(w.records(RunRecord)) == 3 and w.known().run is not None, at_once=True)
    Operator(world).cancel()
    world.play(lambda w: len(w.records(RunRecord)) == 4 and not w.known().unsettled)
    runs = sorted(world.records(RunRecord), key=lambda run: run.start)
    assert [run.state for run in runs] == [
        RunState.SUCCEEDED,
        RunState.FAILED,
        RunState.PARTIALLY_SUCCEEDED,
        RunState.CANCELED,
    ]
    assert [len(run.outputs) for run in runs] == [2, 0, 1, 0]
    outputs = world.records(OutputRecord)
    assert [o.state for o in outputs] == [OutputState.ARCHIVED] * 3
    assert len([at for at in world.archived() if at.name.endswith(".vhd")]) == 3
