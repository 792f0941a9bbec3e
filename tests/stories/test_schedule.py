"""Images that are built by the calendar, whether their source has news or not."""

from datetime import timedelta
from pathlib import Path

from sandbox.arm.imagebuilder.outcomes import Outcome
from shared.domain.records import RunRecord

from .endings import OLD
from .scenes import IMAGE, KEEP, factory_file, source
from .world import World

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
