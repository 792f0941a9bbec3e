"""Schedules that start a run only for a change, build windows, and the minute at which things happen."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from shared.domain.ids import BlobAddress
from shared.domain.records import JournalLine, RunRecord
from shared.usecases import orders, status

from .endings import NEW
from .scenes import IMAGE, KEEP, Operator, factory_file
from .test_budgets import requests
from .test_orders import order
from .test_schedule import runs
from .world import World

SCRIPTS = "https://scripts.blob.core.windows.net/scripts"
STEPS = {"customize": [{"type": "Shell", "name": "install", "scriptUri": f"{SCRIPTS}/install-agents.sh"}]}
HOURLY = {"schedule": {"cron": "0 * * * *", "start": "if_changed"}}
INSTALL = BlobAddress("scripts", "scripts", "install-agents.sh")


def hourly(tmp_path: Path, **options: Any) -> World:
    """Built once at ten, since what it was made from was not known before."""
    world = World(config=factory_file(tmp_path, options={**KEEP, **HOURLY, **options}, properties=STEPS))
    world.play(lambda w: w.image() is not None)
    world.go_on(minutes=90)
    assert whys(world) == [
        "scheduled for 2026-11-21 10:00 UTC: what the last build was made from is not known"
    ]
    return world


def whys(world: World) -> list[str]:
    return [run.why for run in runs(world)]


def passed(world: World) -> list[str]:
    return [line.why for line in world.records(JournalLine) if line.what == "schedule-passed"]


def test_a_conditional_schedule_passes_until_a_script_changes(tmp_path: Path) -> None:
    """The same template and source, hour after hour; then somebody uploads a script anew."""
    world = hourly(tmp_path)
    world.go_on(hours=2)
    nothing = "but nothing that it is made from has changed since the last build"
    assert sorted(passed(world)) == [
        f"scheduled for 2026-11-21 {hour}:00 UTC, {nothing}" for hour in (11, 12)
    ]
    world.blobs.plant(INSTALL, [(0, b"#!/bin/sh\n")], length=10, page_blob=False)
    world.go_on(hours=2)
    assert whys(world)[1:] == [f"scheduled for 2026-11-21 13:00 UTC: {SCRIPTS}/{INSTALL.name} has changed"]
    assert len(passed(world)) == 3


def test_a_conditional_schedule_sees_a_template_that_is_edited(tmp_path: Path) -> None:
    """Also one that names a further script; what lies with others is never asked for."""
    world = hourly(tmp_path)
    elsewhere = {"type": "Shell", "name": "x", "scriptUri": "https://raw.githubusercontent.com/a/b/c.sh"}
    options = {**KEEP, **HOURLY}
    factory_file(tmp_path, options=options, properties={"customize": [elsewhere]})
    before = len(world.gate.asked)
    world.go_on(hours=2)
    assert whys(world)[1] == "scheduled for 2026-11-21 11:00 UTC: its template has changed"
    assert len(whys(world)) == 2
    assert not [args for name, args in world.gate.asked[before:] if name == "blobs.facts" and INSTALL in args]


def test_a_script_that_cannot_be_read_is_told_and_does_not_start_a_run(tmp_path: Path) -> None:
    """Nor does it forget what was built: once it can be read, a change shows."""
    world = hourly(tmp_path)
    world.blobs.denied.add(("scripts", "read"))
    world.go_on(hours=1)
    assert f"{SCRIPTS}/{INSTALL.name} could not be read: " in passed(world)[0]
    world.blobs.plant(INSTALL, [(0, b"#!/bin/sh\n")], length=10, page_blob=False)
    world.blobs.denied.clear()
    world.go_on(hours=1)
    assert whys(world)[1:] == [f"scheduled for 2026-11-21 12:00 UTC: {SCRIPTS}/{INSTALL.name} has changed"]


def test_a_new_version_is_built_at_once_and_is_no_change_later(tmp_path: Path) -> None:
    """It is what the last build was made from by then."""
    world = hourly(tmp_path)
    world.publish_version(NEW)
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    world.go_on(hours=1)
    assert len(whys(world)) == 2
    assert len(passed(world)) == 1


def test_a_window_keeps_automatic_runs_until_it_opens_and_no_others(tmp_path: Path) -> None:
    """The new version waits for ten in the evening; a person does not."""
    window = {"window": {"allow": ["22:00-06:00"], "time_zone": "Europe/Paris"}}
    world = World(config=factory_file(tmp_path, options={**KEEP, **window}))
    world.play(lambda w: w.image() is not None)
    order(world)
    world.play(lambda w: not w.known().orders and not w.known().unsettled and not w.known().run)
    world.publish_version(NEW)
    world.go_on(hours=1)
    assert world.known().reason.startswith(
        "its build window opens at 2026-11-21 21:00 UTC; wanted, since source"
    )
    world.play(lambda w: len(runs(w)) == 2)
    first, second = runs(world)
    assert [f"{run.started:%H:%M}" for run in (first, second)] == ["09:01", "21:00"]
    assert str(second.version) == NEW


def test_a_schedule_is_kept_to_the_minute_and_costs_nothing_until_then(tmp_path: Path) -> None:
    """A look at an image that rests is one read and one GET; no sweep is needed when it is due."""
    world = World(config=factory_file(tmp_path, options={**KEEP, "schedule": {"cron": "7 12 * * *"}}))
    world.play(lambda w: w.image() is not None)
    requests(world)
    assert requests(world) == ["ledger.read", f"GET {IMAGE}"]
    (told,) = status.status(world.worker.outside, world.worker.factory()).images
    assert told.next is not None
    assert f"{told.next:%d %H:%M}" == "21 12:07"
    world.go_on(hours=30)
    assert [f"{run.started:%d %H:%M}" for run in runs(world)] == ["21 12:08", "22 12:07"]


def test_a_pause_of_weeks_is_made_up_for_once(tmp_path: Path) -> None:
    """And so is a time in which the app was down, whatever was edited meanwhile."""
    daily = {"schedule": {"cron": "0 3 * * *"}}
    world = World(config=factory_file(tmp_path, options={**KEEP, **daily}))
    world.play(lambda w: w.image() is not None)
    this = world.worker
    orders.pause(this.outside, this.factory(), IMAGE, "ada", "holidays", "a-pause")
    world.go_on(hours=24)
    world.clock.advance(timedelta(days=20))
    Operator(world).resume()
    world.go_on(hours=4)
    assert whys(world) == ["scheduled for 2026-11-22 03:00 UTC"]
    world.clock.advance(timedelta(days=5))
    factory_file(tmp_path, options={**KEEP, **daily, "verification": "footer"})
    world.go_on(hours=4)
    assert whys(world)[1:] == ["scheduled for 2026-12-13 03:00 UTC"]
    assert len(world.records(RunRecord)) == 2
