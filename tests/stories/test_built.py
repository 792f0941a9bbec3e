"""Which version was really built is observed, never assumed."""

from pathlib import Path

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.arm.marketplace import Deprecation
from sandbox.switches import Switches
from shared.domain.records import JournalLine, RunRecord

from .endings import NEW, NEWER, OLD
from .scenes import IMAGE, KEEP, factory_file
from .world import UBUNTU, World


def wanting(tmp_path: Path, switches: Switches | None = None) -> World:
    world = World(config=factory_file(tmp_path, options=KEEP), switches=switches)
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    return world


def built(world: World) -> list[tuple[str, bool]]:
    runs = sorted(world.records(RunRecord), key=lambda run: run.start)
    return [(str(run.version), run.inferred) for run in runs]


@pytest.mark.parametrize("refreshed", [True, False])
def test_the_tag_of_the_artifact_tells_the_version(tmp_path: Path, refreshed: bool) -> None:
    """NEWER appears after the run for NEW was asked for, and Azure already builds from it."""
    world = wanting(tmp_path, Switches(exact_version_refreshed=refreshed, visible_run_delay=60))
    world.play(lambda w: w.requested_runs() == 1, at_once=True)
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    world.go_on(hours=2)
    assert built(world) == [(NEWER, False)]
    assert world.requested_runs() == 1


@pytest.mark.parametrize("refreshed", [True, False])
def test_without_an_artifact_a_changed_exact_version_tells_it_else_it_is_inferred(
    tmp_path: Path, refreshed: bool
) -> None:
    """A failed run leaves no artifact: the second one of a template shows whether exactVersion moved."""
    world = wanting(tmp_path, Switches(exact_version_refreshed=refreshed))
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    world.plan(IMAGE, Outcome(result="failure"))
    world.publish_version(NEWER)
    world.play(lambda w: len(w.records(RunRecord)) == 2, at_once=True)
    assert built(world) == [(NEW, False), (NEWER, not refreshed)]


def test_an_older_version_than_wanted_is_tried_again_three_times_and_then_settled_for(tmp_path: Path) -> None:
    """The list had NEW when it was wanted, and Image Builder still takes the one before."""
    world = wanting(tmp_path)
    world.play(lambda w: str(w.known().wanted) == NEW, at_once=True)
    world.azure.catalogue.deprecate(*UBUNTU, NEW, Deprecation("Deprecated"))
    world.play(lambda w: w.known().older == 4)
    world.go_on(hours=24)
    assert built(world) == [(OLD, False)] * 4
    expected = f"4 runs in a row built {OLD} although {NEW} is listed; waiting for the next version"
    assert expected in world.known().reason
    said = [line for line in world.records(JournalLine) if expected in line.why]
    assert len(said) == 1
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER)
    assert world.requested_runs() == 5


def test_an_older_version_is_made_good_by_the_next_try(tmp_path: Path) -> None:
    """It reached the region of the build a little later than its list."""
    world = wanting(tmp_path)
    world.play(lambda w: str(w.known().wanted) == NEW, at_once=True)
    world.azure.catalogue.deprecate(*UBUNTU, NEW, Deprecation("Deprecated"))
    world.play(lambda w: w.known().older == 1, at_once=True)
    world.azure.catalogue.deprecate(*UBUNTU, NEW, Deprecation())
    world.play(lambda w: str(w.known().built) == NEW)
    assert built(world) == [(OLD, False), (NEW, False)]
    assert world.known().older == 0
