"""What happens by itself, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sandbox.clock import VirtualClock
from sandbox.schedule import Schedule

MINUTE = timedelta(minutes=1)


def test_chain_keeps_its_times_however_far_the_clock_jumped() -> None:
    """A callback gets the time at which it was due, and may go on from there."""
    clock, schedule, seen = VirtualClock(), Schedule(), list[datetime]()
    start = clock.now()

    def step(due: datetime) -> None:
        seen.append(due)
        if len(seen) < 3:
            schedule.at(due + MINUTE, step)

    schedule.at(start + MINUTE, step)
    assert schedule.run_due(clock.now()) == 0
    clock.advance(timedelta(days=1))
    assert schedule.run_due(clock.now()) == 3
    assert seen == [start + MINUTE, start + 2 * MINUTE, start + 3 * MINUTE]
    assert schedule.next_due() is None


def test_cancelled_timer_neither_runs_nor_is_next() -> None:
    """Whoever looks at the next due time does not see it either."""
    clock, schedule = VirtualClock(), Schedule()
    timer = schedule.at(clock.now() + MINUTE, lambda _due: pytest.fail("it was cancelled"))
    later = schedule.at(clock.now() + 2 * MINUTE, lambda _due: None)
    timer.cancel()
    assert schedule.next_due() == later.due
    clock.advance(timedelta(hours=1))
    assert schedule.run_due(clock.now()) == 1


def test_virtual_clock_does_not_go_back() -> None:
    """Time in a world is monotonic."""
    clock = VirtualClock()
    with pytest.raises(ValueError, match="does not go back"):
        clock.set(clock.now() - MINUTE)
    with pytest.raises(ValueError, match="aware"):
        VirtualClock(datetime(2026, 1, 1))  # noqa: DTZ001  the point of the test
