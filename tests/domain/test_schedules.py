"""A schedule is due in the time of its place, and a missed one once."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.schedules import Schedule

NIGHTLY = Schedule("0 3 * * *", "Europe/Paris")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (utc(2026, 11, 10, 12), utc(2026, 11, 11, 2)),
        (utc(2026, 7, 10, 12), utc(2026, 7, 11, 1)),
        (utc(2026, 11, 11, 2), utc(2026, 11, 12, 2)),
        (utc(2026, 3, 28, 12), utc(2026, 3, 29, 1)),
        (utc(2026, 10, 24, 12), utc(2026, 10, 25, 2)),
    ],
    ids=["in winter", "in summer", "when it is just due", "when summer begins", "when summer ends"],
)
def test_it_is_due_at_the_hour_of_its_time_zone(after: datetime, due: datetime) -> None:
    assert NIGHTLY.next_after(after) == due


@pytest.mark.parametrize(
    ("cron", "zone", "after", "due"),
    [
        ("30 2 * * *", "Europe/Paris", utc(2026, 3, 28, 12), [utc(2026, 3, 29, 1), utc(2026, 3, 30, 0, 30)]),
        ("30 2 * * *", "Europe/Paris", utc(2026, 10, 24, 12),
         [utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30)]),
        ("0 * * * *", "Europe/Paris", utc(2026, 10, 24, 23), [utc(2026, 10, 25, h) for h in (0, 1, 2)]),
        ("15 2 * * *", "Australia/Lord_Howe", utc(2026, 10, 3, 3),
         [utc(2026, 10, 3, 15, 30), utc(2026, 10, 4, 15, 15)]),
        ("45 1 * * *", "Australia/Lord_Howe", utc(2026, 4, 4, 3),
         [utc(2026, 4, 4, 14, 45), utc(2026, 4, 5, 15, 15)]),
        ("30 4 * * *", "Asia/Kolkata", utc(2026, 3, 28, 12), [utc(2026, 3, 28, 23), utc(2026, 3, 29, 23)]),
    ],
    ids=["skipped", "twice", "every hour", "half an hour skipped", "half an hour twice", "half hours"],
)  # fmt: skip
def test_nights_in_which_clocks_change(cron: str, zone: str, after: datetime, due: list[datetime]) -> None:
    """An hour that is skipped is made up for right after it; one that comes twice is due once."""
    schedule, moment = Schedule(cron, zone), after
    for expected in due:
        moment = schedule.next_after(moment)
        assert moment == expected


def test_it_is_told_in_utc() -> None:
    assert NIGHTLY.next_after(utc(2026, 11, 10)).tzinfo is UTC


@given(st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_next_time_is_always_ahead_and_within_a_day(moment: datetime) -> None:
    ahead = NIGHTLY.next_after(moment) - moment
    assert timedelta(0) < ahead <= timedelta(hours=25)
