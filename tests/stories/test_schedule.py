"""Images that are built by the calendar, whether their source has news or not."""

from datetime import timedelta
from pathlib import Path

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.arm.marketplace import Deprecation
from shared.domain.records import RunRecord
from shared.domain.templates import RunState

from .endings import NEW, OLD
from .scenes import IMAGE, KEEP, Operator, factory_file, source
from .world import UBUNTU, World

AT_THREE = {"schedule": {"cron": "0 3 * * *"}}


def scheduled(tmp_path: Path, **options: object) -> World:
    world = World(config=factory_file(tmp_path, options={**KEEP, **AT_THREE, **options}))
    world.play(lambda w: w.image() is not None)
    return world


def runs(world: World) -> list[RunRecord]:
    return sorted(world.records(RunRecord), key=lambda run: run.start)


def test_a_run_is_requested_when_it_is_due(tmp_path: Path) -> None:
    """At three, once; the next day again."""
    world = scheduled(tmp_path)
    world.go_on(hours=36)
    assert [f"{run.started:%d %H}" for run in runs(world)] == ["22 03"]
    world.go_on(hours=24)
    assert [f"{run.started:%d %H}" for run in runs(world)] == ["22 03", "23 03"]
    assert [run.why for run in runs(world)] == [
        "scheduled for 2026-11-22 03:00 UTC",
        "scheduled for 2026-11-23 03:00 UTC",
    ]
    assert [str(run.version) for run in runs(world)] == [OLD, OLD]


def test_days_missed_while_the_factory_was_down_are_made_up_once(tmp_path: Path) -> None:
    """Not once per day."""
    world = scheduled(tmp_path)
    world.clock.advance(timedelta(days=5))
    world.go_on(hours=12)
    assert [run.why for run in runs(world)] == ["scheduled for 2026-11-22 03:00 UTC"]


def test_a_scheduled_run_that_fails_stays_owed(tmp_path: Path) -> None:
    """It is tried again by the back-off, not on the next day."""
    world = scheduled(tmp_path)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    world.plan(IMAGE, Outcome(result="failure"))
    world.play(lambda w: len(runs(w)) == 2)
    first, second = runs(world)
    assert second.why == first.why
    assert second.started - first.started < timedelta(hours=1)


def test_a_fixed_version_is_built_by_its_schedule_alone(tmp_path: Path) -> None:
    """There is no source to watch."""
    world = World(config=factory_file(tmp_path, options={**KEEP, **AT_THREE}, properties=source(version=OLD)))
    world.play(lambda w: w.image() is not None)
    world.go_on(hours=20)
    assert [run.why for run in runs(world)] == ["scheduled for 2026-11-22 03:00 UTC"]


def test_a_time_zone_is_obeyed(tmp_path: Path) -> None:
    """Three in Paris is two in winter."""
    world = scheduled(tmp_path, schedule={"cron": "0 3 * * *", "time_zone": "Europe/Paris"})
    world.go_on(hours=20)
    assert [f"{run.started:%d %H}" for run in runs(world)] == ["22 02"]


def starts(world: World) -> list[str]:
    return [f"{run.started:%d %H}" for run in runs(world)]


def test_a_schedule_that_is_added_counts_from_then_on(tmp_path: Path) -> None:
    """What was missed before somebody wished for it is not made up; changed hours count anew as well."""
    world = World(config=factory_file(tmp_path, options=KEEP))
    world.play(lambda w: w.image() is not None)
    world.clock.advance(timedelta(days=5))
    world.go_on(hours=1)
    factory_file(tmp_path, options={**KEEP, **AT_THREE})
    world.go_on(hours=12)
    assert starts(world) == []
    world.go_on(hours=8)
    assert starts(world) == ["27 03"]
    factory_file(tmp_path, options={**KEEP, "schedule": {"cron": "0 4 * * *"}})
    world.go_on(hours=12)
    assert starts(world) == ["27 03"]
    world.go_on(hours=12)
    assert starts(world) == ["27 03", "28 04"]


def test_a_cancelled_version_does_not_stop_the_schedule(tmp_path: Path) -> None:
    """Nor does it come back because a person cancels the scheduled run too."""
    world = scheduled(tmp_path)
    world.publish_version(NEW)
    for _ in range(2):
        world.play(lambda w: w.known().run is not None, at_once=True)
        Operator(world).cancel()
        world.play(lambda w: w.known().run is None)
    world.go_on(hours=20)
    assert [run.state for run in runs(world)] == [RunState.CANCELED] * 2
    assert starts(world)[1:] == ["22 03"]
    assert f"the run for {NEW} was cancelled" in world.known().reason
    world.go_on(hours=6)
    assert starts(world)[1:] == ["22 03", "23 03"]
    assert str(world.known().built) == NEW


def test_an_older_version_that_was_settled_for_does_not_stop_the_schedule(tmp_path: Path) -> None:
    """One run a night, and no further tries for the version that cannot be had."""
    world = scheduled(tmp_path)
    world.publish_version(NEW)
    world.play(lambda w: str(w.known().wanted) == NEW, at_once=True)
    world.azure.catalogue.deprecate(*UBUNTU, NEW, Deprecation("Deprecated"))
    world.play(lambda w: w.known().older == 4)
    world.go_on(hours=48)
    assert starts(world)[4:] == ["22 03", "23 03"]
    assert {str(run.version) for run in runs(world)} == {OLD}
    assert "waiting for the next version" in world.known().reason
