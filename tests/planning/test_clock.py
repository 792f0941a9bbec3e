"""By the clock, and by hand: what starts a run, what keeps it, and what is only made up for once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.factory import Image, Mode, Timing
from shared.domain.ingredients import Ingredient
from shared.domain.records import ImageRecord
from shared.domain.schedules import Schedule, Start
from shared.domain.templates import RunState
from shared.domain.windows import Hours, Window
from shared.planning import actions, builds, clock, ingredients, orders, runs

from .cases import CLAIM, FIRST, IMAGE, MINUTE, NOW, ORDER, READY, archived, current, ran, situation, wanting

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OVER = ran(READY, FIRST, RunState.SUCCEEDED)
BUILT = replace(archived(wanting()), scheduled=NOW - DAY)
NIGHTLY = replace(IMAGE, schedule=Schedule("0 3 * * *"))
CONDITIONAL = replace(IMAGE, schedule=Schedule("0 3 * * *", start=Start.IF_CHANGED))
DUE = "scheduled for 2026-11-10 03:00 UTC"
AT_NIGHT = Window(allow=(Hours(tuple(range(7)), 22 * 60, 6 * 60),))
SCRIPT = "https://scripts.blob.core.windows.net/scripts/install.sh"
MADE = (Ingredient("its template", "t1"), Ingredient("its source", "1.0.1"), Ingredient(SCRIPT, "s1"))
MARKS = ingredients.marks(MADE, None)
UNREADABLE = Ingredient(SCRIPT, "", "it does not exist")


def planned(record: ImageRecord, image: Image, **known: Any) -> actions.Action:
    template = known.pop("template", OVER)
    (action,) = builds.plan(replace(situation(record, template, image), **known))
    return action


@pytest.mark.parametrize(
    ("found", "built", "what"),
    [
        (MADE, MARKS, ""),
        (MADE, None, "what the last build was made from is not known"),
        ((replace(MADE[0], mark="t2"), *MADE[1:]), MARKS, "its template has changed"),
        ((*MADE[:2], replace(MADE[2], mark="s2")), MARKS, f"{SCRIPT} has changed"),
        ((MADE[0], replace(MADE[1], mark="1.0.2"), MADE[2]), MARKS, "its source has changed"),
        ((*MADE, Ingredient("https://x", "x")), MARKS, "https://x was not seen before"),
        ((*MADE[:2], UNREADABLE), MARKS, ""),
        (MADE[:2], MARKS, ""),
    ],
    ids=["same", "unknown", "template", "script", "source", "new", "unreadable", "named no more"],
)
def test_a_conditional_schedule_starts_for_a_change_and_names_it(
    found: tuple[Ingredient, ...], built: dict[str, str] | None, what: str
) -> None:
    action = planned(replace(BUILT, made_of=built), CONDITIONAL, found=found)
    if not what:
        assert isinstance(action, actions.PassSchedule)
    else:
        assert isinstance(action, actions.RequestRun)
        assert action.claim.why == f"{DUE}: {what}"
        assert action.claim.made_of == ingredients.marks(found, built)


def test_what_cannot_be_read_is_told_and_compared_later_with_what_was_built() -> None:
    """Whether it changed while it could not be read shows as soon as it can be."""
    action = planned(replace(BUILT, made_of=MARKS), CONDITIONAL, found=(*MADE[:2], UNREADABLE))
    assert action == actions.PassSchedule(
        f"{DUE}, but nothing that it is made from has changed since the last build "
        f"({SCRIPT} could not be read: it does not exist)"
    )
    kept = ingredients.marks((*MADE[:2], UNREADABLE), MARKS)
    assert kept == MARKS
    assert ingredients.changed((*MADE[:2], replace(MADE[2], mark="s2")), kept) == f"{SCRIPT} has changed"


def test_ingredients_are_asked_for_only_where_a_run_would_be_requested() -> None:
    """Or where one would be if the factory did not only observe."""
    due, rests = replace(BUILT, made_of=MARKS), replace(BUILT, scheduled=NOW)
    watching = replace(CONDITIONAL, mode=Mode.OBSERVE)
    for record, image, asks in (
        (due, CONDITIONAL, True),
        (due, NIGHTLY, False),
        (rests, CONDITIONAL, False),
        (replace(due, paused="by ada"), CONDITIONAL, False),
        (due, watching, True),
        (rests, watching, False),
        (replace(due, unsettled=("x/vhd",)), CONDITIONAL, False),
    ):
        s = situation(record, OVER, image)
        assert builds.asks_what_changed(s, builds.plan(s)) is asks
        assert not builds.asks_what_changed(replace(s, found=MADE), builds.plan(s))


def test_a_run_that_succeeds_is_what_later_ones_are_compared_with() -> None:
    """Not one that failed."""
    claim = replace(CLAIM, made_of=MARKS)
    for state, expected in ((RunState.SUCCEEDED, MARKS), (RunState.FAILED, None)):
        run = ran(READY, FIRST, state).last_run
        assert run is not None
        assert runs.ended(wanting(), run, claim, runs.Built(None), Timing(), NOW).made_of == expected


@pytest.mark.parametrize(
    ("record", "image", "expected"),
    [
        (None, IMAGE, None),
        (None, NIGHTLY, NOW + 15 * HOUR),
        (replace(BUILT, schedule="0 3 * * * UTC"), NIGHTLY, NOW),
        (replace(BUILT, schedule="0 3 * * * UTC"), replace(NIGHTLY, window=AT_NIGHT), NOW + 10 * HOUR),
        (replace(BUILT, schedule="0 9 * * * UTC"), NIGHTLY, NOW + 15 * HOUR),
        (replace(BUILT, schedule="0 3 * * * UTC", scheduled=NOW), NIGHTLY, NOW + 15 * HOUR),
    ],
    ids=["no schedule", "never looked at", "overdue", "waits for its window", "edited", "later"],
)
def test_when_the_schedule_starts_a_run_next(
    record: ImageRecord | None, image: Image, expected: datetime | None
) -> None:
    assert clock.next_scheduled(record, image, NOW) == expected


def test_automatic_runs_wait_for_their_window() -> None:
    """And say so; a run that is under way when it closes goes on."""
    image = replace(IMAGE, window=AT_NIGHT)
    action = planned(wanting(), image, template=READY)
    assert action == actions.Wait(
        NOW + 10 * HOUR,
        "its build window opens at 2026-11-10 22:00 UTC; wanted, since source version 1.0.1 is newer "
        "than 1.0.0; template kept: after_archive is keep_template",
    )
    assert isinstance(planned(wanting(), image, template=READY, now=NOW + 10 * HOUR), actions.RequestRun)
    running = ran(READY, FIRST, RunState.RUNNING)
    noted = replace(wanting(), run=current(FIRST, CLAIM))
    assert isinstance(planned(noted, image, template=running), actions.Nothing)


def test_an_image_that_rests_is_looked_at_when_its_schedule_is_due() -> None:
    action = planned(replace(BUILT, scheduled=NOW), NIGHTLY)
    assert isinstance(action, actions.Wait)
    assert action.until == NOW + 15 * HOUR


@pytest.mark.parametrize(
    "keeps",
    [
        {"wanted": None},
        {"paused": "by ada"},
        {"failures": 1, "retry_at": NOW + HOUR},
        {"cancelled": wanting().wanted},
    ],
    ids=["nothing new", "a pause", "back-off", "a cancelled version"],
)
def test_what_keeps_automatic_runs_does_not_keep_an_order(keeps: dict[str, Any]) -> None:
    record = replace(wanting(), **keeps)
    image = replace(IMAGE, window=AT_NIGHT)
    assert not isinstance(planned(record, image, template=READY), actions.RequestRun)
    action = planned(orders.placed(record, ORDER), image, template=READY, moving="its parent is being built")
    assert isinstance(action, actions.RequestRun)
    assert (action.claim.order, action.claim.why) == ("o1", "started by hand by ada: new agents")
    requested = runs.requested(record, action.claim)
    assert (requested.owed, requested.scheduled) == ("", record.scheduled)


def test_what_is_not_safe_keeps_an_order_too() -> None:
    record = orders.placed(replace(wanting(), unsettled=(f"{FIRST}/vhd",)), ORDER)
    assert isinstance(planned(record, IMAGE), actions.Nothing | actions.RecordEnd)
    claimed = orders.placed(replace(wanting(), claim=CLAIM), ORDER)
    assert isinstance(planned(claimed, IMAGE, template=READY), actions.Wait)


_crons = st.sampled_from(["0 3 * * *", "*/20 * * * *", "30 2 * * 0", "0 23 * * TUE#2", "15 4 1 * *"])
_zones = st.sampled_from(["UTC", "Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe"])


@given(_crons, _zones, st.integers(0, 400 * 24 * 60), st.lists(st.integers(0, 60 * 24 * 60), max_size=6))
@settings(max_examples=80, deadline=None)
def test_however_often_a_schedule_was_missed_it_is_made_up_for_once(
    cron: str, zone: str, start: int, looks: list[int]
) -> None:
    """Looks come when they come; each finds it due at most once for everything that was missed before."""
    image = replace(IMAGE, schedule=Schedule(cron, zone), source=None)
    moment = datetime(2026, 1, 1, tzinfo=UTC) + start * MINUTE
    record = clock.follow_schedule(ImageRecord(IMAGE.name), image, moment)
    for gap in looks:
        before, moment = record.scheduled, moment + gap * MINUTE
        assert before is not None
        missed = Schedule(cron, zone).next_after(before) <= moment
        assert bool(clock.wants(record, image, moment, None)) == missed
        if missed:
            claim = replace(CLAIM, at=moment, version=None)
            record = replace(runs.requested(record, claim), claim=None)
        assert not clock.wants(record, image, moment, None)
        due = clock.next_scheduled(record, image, moment)
        assert due is not None
        assert due > moment


def test_a_request_that_is_repeated_was_made_of_what_the_first_one_was() -> None:
    """The run may come of either: what has changed since the first one is built once more."""
    lost = replace(CLAIM, previous=FIRST, at=NOW - HOUR, made_of=MARKS)
    action = planned(replace(BUILT, claim=lost), CONDITIONAL, found=(*MADE[:2], replace(MADE[2], mark="s2")))
    assert isinstance(action, actions.RequestRun)
    assert (action.claim.attempt, action.claim.made_of) == (2, MARKS)
