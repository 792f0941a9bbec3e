"""A build window is open by the clock on the wall of its place, on every night of the year."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.windows import DAY, Hours, Window

ALL = tuple(range(7))
MINUTE = timedelta(minutes=1)
NIGHTS = Window(allow=(Hours(ALL, 22 * 60, 6 * 60),), time_zone="Europe/Paris")
OFFICE = Window(forbid=(Hours((0, 1, 2, 3, 4), 7 * 60, 19 * 60),), time_zone="Europe/Paris")
FRIDAY_NIGHT = Window(allow=(Hours((4,), 22 * 60, 6 * 60),), time_zone="Europe/Paris")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("window", "moment", "opens"),
    [
        (NIGHTS, utc(2026, 11, 10, 12), utc(2026, 11, 10, 21)),
        (NIGHTS, utc(2026, 11, 10, 23), utc(2026, 11, 10, 23)),
        (NIGHTS, utc(2026, 11, 11, 4, 59), utc(2026, 11, 11, 4, 59)),
        (NIGHTS, utc(2026, 11, 11, 5), utc(2026, 11, 11, 21)),
        (NIGHTS, utc(2026, 7, 10, 12), utc(2026, 7, 10, 20)),
        (OFFICE, utc(2026, 11, 13, 7), utc(2026, 11, 13, 18)),
        (OFFICE, utc(2026, 11, 14, 7), utc(2026, 11, 14, 7)),
        (FRIDAY_NIGHT, utc(2026, 11, 14, 4), utc(2026, 11, 14, 4)),
        (FRIDAY_NIGHT, utc(2026, 11, 14, 5), utc(2026, 11, 20, 21)),
        (Window(allow=(Hours((6,), 2 * 60, 3 * 60),), time_zone="Europe/Paris"),
         utc(2026, 3, 22, 3), utc(2026, 4, 5)),
        (Window(forbid=(Hours((6,), 0, 2 * 60 + 30),), time_zone="Europe/Paris"),
         utc(2026, 3, 28, 23), utc(2026, 3, 29, 1)),
    ],
    ids=["by day", "at night", "to the last minute", "when it closes", "in summer", "in office hours",
         "on a Saturday", "past midnight", "a week later", "an hour that is skipped", "clocks open it"],
)  # fmt: skip
def test_when_it_opens(window: Window, moment: datetime, opens: datetime) -> None:
    assert window.opens(moment) == opens
    assert window.open_at(moment) == (moment == opens)


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    """From two to half past two, before the clocks go back and after."""
    window = Window(allow=(Hours(ALL, 2 * 60, 2 * 60 + 30),), time_zone="Europe/Paris")
    assert window.opens(utc(2026, 10, 24, 12)) == utc(2026, 10, 25, 0)
    assert window.opens(utc(2026, 10, 25, 0, 30)) == utc(2026, 10, 25, 1)


def test_what_is_never_open_says_so() -> None:
    assert Window(forbid=(Hours(ALL),)).never_opens
    assert Window(allow=(Hours((5,)),), forbid=(Hours((5, 6)),)).never_opens
    assert Window(allow=(Hours((5,), 23 * 60, 60),), forbid=(Hours((5,)), Hours((6,), 0, 60))).never_opens
    assert not Window(allow=(Hours((5,), 23 * 60, 60),), forbid=(Hours((5,)),)).never_opens
    assert not Window().never_opens


TURNS = (
    utc(2026, 3, 28, 12),
    utc(2026, 10, 24, 12),
    utc(2026, 4, 4, 6),
    utc(2026, 10, 3, 6),
    utc(2026, 6, 3),
)
_edges = st.integers(0, 12 * 4).map(lambda quarter: quarter * 15) | st.integers(0, DAY - 1)
_hours = st.builds(
    Hours, st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True).map(tuple), _edges, _edges
).filter(lambda hours: hours.start != hours.end)
_windows = st.builds(
    Window,
    st.lists(_hours, max_size=2).map(tuple),
    st.lists(_hours, max_size=2).map(tuple),
    st.sampled_from(["Europe/Paris", "Australia/Lord_Howe", "Australia/Adelaide", "Asia/Kolkata", "UTC"]),
).filter(lambda window: not window.never_opens)


def brute_force(window: Window, moment: datetime, end: datetime) -> datetime | None:
    """Minute by minute, by what the wall clock shows."""
    zone, allow, forbid = ZoneInfo(window.time_zone), window.allow, window.forbid
    while moment < end:
        local = moment.astimezone(zone)
        day, minute = local.weekday(), local.hour * 60 + local.minute
        allowed = not allow or any(within(hours, day, minute) for hours in allow)
        if allowed and not any(within(hours, day, minute) for hours in forbid):
            return moment
        moment = (moment + MINUTE).replace(second=0)
    return None


def within(hours: Hours, day: int, minute: int) -> bool:
    """As somebody would count it on a calendar: from midnight of each of the days on."""
    length = (hours.end - hours.start) % DAY or DAY
    return any(0 <= ((day - begin) % 7) * DAY + minute - hours.start < length for begin in hours.days)


@given(_windows, st.sampled_from(TURNS), st.integers(0, 36 * 3600))
@settings(max_examples=60, deadline=None)
def test_it_opens_when_the_wall_clock_says_so(window: Window, turn: datetime, after: int) -> None:
    """Around the nights in which clocks change, and in a zone of half hours."""
    moment = turn + timedelta(seconds=after)
    opens, end = window.opens(moment), moment + timedelta(days=2)
    expected = brute_force(window, moment, end)
    assert opens == expected if expected else opens >= end
    assert window.open_at(opens)
