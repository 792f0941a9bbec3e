"""Runs that the factory did not start: a person's, or Azure's own. They are handled just the same."""

from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.switches import Switches
from shared.domain.records import JournalLine, OutputRecord, OutputState, RunRecord
from shared.domain.templates import RunState

from .endings import NEW, NEWER, OLD, assert_same
from .scenes import IMAGE, KEEP, Operator, factory_file
from .world import World

SHORTLY = timedelta(minutes=8)
"""More than Azure takes to react to a new version."""


def built_once(tmp_path: Path, switches: Switches | None = None) -> World:
    """NEW is built and archived, and the template stays."""
    world = World(config=factory_file(tmp_path, options=KEEP), switches=switches)
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    return world


def runs(world: World) -> list[RunRecord]:
    return sorted(world.records(RunRecord), key=lambda run: run.start)


@pytest.mark.parametrize("events", [True, False])
def test_a_run_by_hand_is_recorded_archived_and_journalled(tmp_path: Path, events: bool) -> None:
    """Announced by an event, or found by the sweep."""
    world = built_once(tmp_path)
    world.lose_events = not events
    Operator(world).run()
    world.play(lambda w: len(runs(w)) == 2 and not w.known().unsettled)
    first, second = runs(world)
    assert (first.ours, second.ours, second.why) == (True, False, "started by somebody else")
    assert (second.state, str(second.version), second.inferred) == (RunState.SUCCEEDED, NEW, False)
    assert {o.state for o in world.records(OutputRecord)} == {OutputState.ARCHIVED}
    vhds = [at for at in world.archived() if at.name.endswith(".vhd")]
    assert len(vhds) == 2
    for at, made in zip(vhds, world.storage.made, strict=True):
        assert_same(world, at, made)
    told = [line.what for line in world.records(JournalLine) if second.start in f"{line.thing} {line.why}"]
    assert {"run-ended", "archive-started", "archived"} <= set(told)


def test_versions_that_appear_during_a_run_by_hand_lead_to_exactly_one_more(tmp_path: Path) -> None:
    """The factory waits for somebody else's run as for its own."""
    world = built_once(tmp_path)
    Operator(world).run()
    world.go_on(minutes=1)
    for version in ("22.04.209901020", NEWER):
        world.publish_version(version)
        world.go_on(minutes=1)
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    assert [(str(run.version), run.ours) for run in runs(world)] == [
        (NEW, True),
        (NEW, False),
        (NEWER, True),
    ]


@pytest.mark.parametrize("announced", [True, False])
def test_a_run_that_azure_triggered_builds_the_version_once(tmp_path: Path, announced: bool) -> None:
    """Trigger and factory see the same new version; whoever is first, it is built by one of them."""
    world = built_once(tmp_path, Switches(triggered_run_events=announced))
    world.go_on(minutes=11)  # past the factory's next look at the source, so that the trigger comes first
    Operator(world).trigger()
    world.go_on(minutes=1)
    while world.clock.now() + SHORTLY > world._watch_due:
        world.go_on(minutes=1)
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    world.go_on(hours=1)
    assert [(str(run.version), run.ours) for run in runs(world)] == [(NEW, True), (NEWER, False)]
    assert {o.state for o in world.records(OutputRecord)} == {OutputState.ARCHIVED}


def test_a_run_that_meets_a_claim_is_the_claimed_one(tmp_path: Path) -> None:
    """Somebody starts a run at the very moment: refused as running already, and nothing is built twice."""
    world = built_once(tmp_path)
    operator = Operator(world)
    armed = [True]

    def first(_count: int) -> None:
        if armed and world.gate.names[-1].endswith("/run"):
            armed.clear()
            operator.run()

    world.gate.before = first
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    assert not armed
    assert [str(run.version) for run in runs(world)] == [NEW, NEWER]


def test_a_template_that_somebody_else_made_is_used_and_never_deleted(tmp_path: Path) -> None:
    """after_archive is delete_template, but it is not the factory's to delete."""
    world = World(config=factory_file(tmp_path))
    world.play(lambda w: w.image() is not None)
    Operator(world).put_template(world.worker.factory().image(IMAGE).body)
    world.publish_version(NEW)
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    world.go_on(hours=1)
    assert [template.name for template in world.azure.imagebuilder.templates()] == [IMAGE]
    assert world.known().reason == f"already built from {NEW}; template kept: it was not made by the factory"


def test_what_was_first_built_by_hand_is_recorded_too(tmp_path: Path) -> None:
    """Before the factory ever started a run: the template was there when it came."""
    world = World(config=factory_file(tmp_path, options=KEEP))
    operator = Operator(world)
    operator.put_template(world.worker.factory().image(IMAGE).body)
    world.go_on(minutes=2)
    operator.run()
    world.play(lambda w: len(runs(w)) == 1 and not w.known().unsettled)
    assert [(str(run.version), run.ours) for run in runs(world)] == [(OLD, False)]
    assert [o.state for o in world.records(OutputRecord)] == [OutputState.ARCHIVED]
