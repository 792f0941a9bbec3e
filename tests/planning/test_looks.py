"""A thing has at most one pending look, and a look that fails is not tried for ever."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.errors import RetryableError
from shared.domain.looks import Lane, Look, Thing
from shared.planning.looks import FIRST_DELAY, LONGEST_DELAY, Again, GiveUp, after_error, arm

from .cases import MINUTE, NOW

LOOK = Look(Lane.BUILDS, Thing.IMAGE, "ubuntu", "correlation")
PATIENCE = timedelta(hours=24)
OVERDUE = 5 * MINUTE


@pytest.mark.parametrize(
    ("pending", "answered", "wanted", "sent"),
    [
        (None, None, 5, True),
        (5, 5, 10, True),
        (-6, None, 10, True),
        (-5, None, 10, False),
        (5, None, 10, False),
        (5, None, 5, False),
        (5, None, 3, True),
        (5, 2, 10, False),
        (5, 2, 3, True),
    ],
    ids=[
        "none is pending",
        "the pending one is being worked off",
        "the pending one was lost",
        "the pending one is late and may still come",
        "an earlier one is pending",
        "the same one is pending",
        "a later one is pending",
        "a stale message arms no further one",
        "a stale message arms an earlier one",
    ],
)
def test_when_a_look_is_sent(pending: int | None, answered: int | None, wanted: int, sent: bool) -> None:
    """A look that is more than five minutes late counts as lost here."""

    def at(minutes: int | None) -> datetime | None:
        return None if minutes is None else NOW + minutes * MINUTE

    assert arm(at(pending), at(answered), NOW + wanted * MINUTE, NOW - 5 * MINUTE) is sent


_steps = st.tuples(st.sampled_from(["event", "deliver", "deliver twice", "lose"]), st.integers(0, 12))


@given(st.lists(_steps, max_size=60))
def test_looks_do_not_multiply(steps: list[tuple[str, int]]) -> None:
    """Whatever events, late deliveries and losses there are: at most one message is the pending one.

    All others are late ones that it replaced, and they arm nothing.
    """
    now, target, pending, queue = NOW, NOW + 10 * MINUTE, None, list[datetime]()

    def look(answered: datetime | None) -> None:
        nonlocal target, pending
        while target <= now:
            target += 10 * MINUTE
        if arm(pending, answered, target, now - OVERDUE):
            pending = target
            queue.append(target)

    for what, minutes in steps:
        now += minutes * MINUTE
        due = [each for each in queue if each <= now]
        if what == "event":
            look(None)
        elif due:
            first = min(due)
            queue.remove(first)
            for _ in range(("lose", "deliver", "deliver twice").index(what)):
                look(first)
        assert queue.count(pending) <= 1 if pending else not queue
        assert all(each < now for each in queue if each != pending)


@given(st.lists(st.integers(1, 12), min_size=30, max_size=30))
def test_a_lost_look_is_taken_over_by_whoever_comes_round(gaps: list[int]) -> None:
    """However often the queue loses it, a look is pending again by the time that it is overdue."""
    now, pending = NOW, None
    for gap in gaps:
        wanted = now + 10 * MINUTE
        if arm(pending, None, wanted, now - OVERDUE):
            pending = wanted
        assert pending is not None
        assert pending >= now - OVERDUE
        now += gap * MINUTE


def test_a_first_failure_is_dated_and_waits_a_little() -> None:
    again = after_error(LOOK, RetryableError("not now"), PATIENCE, NOW)
    assert again == Again(replace(LOOK, attempt=2, first=NOW), FIRST_DELAY)


@given(st.integers(1, 10_000))
def test_a_back_off_is_never_shorter_nor_longer_than_it_may_be(attempt: int) -> None:
    again = after_error(replace(LOOK, attempt=attempt, first=NOW), RetryableError("x"), PATIENCE, NOW)
    assert isinstance(again, Again)
    assert FIRST_DELAY <= again.delay <= LONGEST_DELAY
    assert (again.look.attempt, again.look.first) == (attempt + 1, NOW)


def test_a_service_that_asks_for_no_delay_is_not_hammered() -> None:
    again = after_error(LOOK, RetryableError("x", timedelta(0)), PATIENCE, NOW)
    assert isinstance(again, Again)
    assert again.delay == FIRST_DELAY


def test_patience_ends_with_the_reason() -> None:
    tried = replace(LOOK, attempt=7, first=NOW - PATIENCE)
    done = after_error(tried, RetryableError("still busy"), PATIENCE, NOW)
    assert done == GiveUp("tried 7 times since 2026-11-09 12:00 UTC; the last error: still busy")
    earlier = replace(tried, first=NOW - PATIENCE + timedelta(seconds=1))
    assert isinstance(after_error(earlier, RetryableError("x"), PATIENCE, NOW), Again)
