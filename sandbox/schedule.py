"""What is going to happen by itself: every long operation is a chain of callbacks in one heap.

A callback gets the time at which it was *due*, not the time at which somebody looked. A chain that schedules
its next link from there stays exact however far the clock jumped in between.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime

Callback = Callable[[datetime], None]


class Timer:
    """Handle of one callback that is to come; `cancel` makes it never happen."""

    __slots__ = ("callback", "due")

    def __init__(self, due: datetime, callback: Callback) -> None:
        self.due = due
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None


class Schedule:
    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._order = itertools.count()
        self.watchers: list[Callback] = []
        """Called after each callback, so that no state is too short to be seen."""

    def at(self, due: datetime, callback: Callback) -> Timer:
        timer = Timer(due, callback)
        heapq.heappush(self._heap, (due, next(self._order), timer))
        return timer

    def run_due(self, now: datetime) -> int:
        """Run all that is due up to `now`, earliest first, with what those callbacks add; how many ran."""
        ran = 0
        while self._heap and self._heap[0][0] <= now:
            due, _, timer = heapq.heappop(self._heap)
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback(due)
                ran += 1
                for watcher in self.watchers:
                    watcher(due)
        return ran

    def next_due(self) -> datetime | None:
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
