"""The one clock of a world: the wall in a running sandbox, a virtual one in process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The time in UTC, aware."""
        ...


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class VirtualClock:
    """Stands still until it is moved, so that a test decides what "later" means."""

    def __init__(self, start: datetime = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware start time, such as datetime(2026, 1, 1, tzinfo=UTC)")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        return self.set(self._now + by)

    def set(self, to: datetime) -> datetime:
        if to < self._now:
            raise ValueError(
                f"a clock does not go back: it is {self._now.isoformat()}, asked for {to.isoformat()}"
            )
        self._now = to.astimezone(UTC)
        return self._now
