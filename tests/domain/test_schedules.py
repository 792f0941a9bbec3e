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


def test_it_is_told_in_utc() -> None:
    assert NIGHTLY.next_after(utc(2026, 11, 10)).tzinfo is UTC


@given(st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_next_time_is_always_ahead_and_within_a_day(moment: datetime) -> None:
    ahead = NIGHTLY.next_after(moment) - moment
    assert timedelta(0) < ahead <= timedelta(hours=25)
