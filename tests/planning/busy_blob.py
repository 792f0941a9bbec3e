"""A copy in virtual time: workers at one pace, and a page blob that refuses what comes too fast.

The service is the sandbox's own limiter; only its clock and the way to it are of this file.
"""

import heapq
import itertools
import random
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from sandbox.clock import VirtualClock
from sandbox.storage.limits import Limits, PageBlobs
from shared.planning import pacing
from shared.planning.archive import MIB


class Copy(NamedTuple):
    """What became of a copy; times in seconds."""

    seconds: float
    bound: float
    """No copy could be faster: bytes over their rate, calls over theirs, or the workers' round trips."""
    calls: int
    refused: int

    @property
    def over(self) -> float:
        return self.seconds / self.bound


class Service(NamedTuple):
    """The true limits, which the pace is not told."""

    mib_per_s: float
    calls_per_s: float
    latency: tuple[float, float] = (0.005, 0.040)


def copy(
    sizes: Iterable[int],
    service: Service,
    *,
    workers: int = 16,
    start: pacing.Pace | None = None,
    seed: int = 1,
) -> Copy:
    """Copy chunks of these sizes in order, as `usecases.copying` does."""
    return _Simulation(list(sizes), service, workers, start or pacing.Pace(60 * MIB, 500), seed).run()


class _Simulation:
    def __init__(
        self, sizes: list[int], service: Service, workers: int, pace: pacing.Pace, seed: int
    ) -> None:
        self._sizes, self._service, self._workers, self._pace = sizes, service, workers, pace
        self._random = random.Random(seed)
        self._clock = VirtualClock()
        self._zero = self._clock.now()
        self._blob = PageBlobs(self._clock)
        self._blob.limit(Limits(service.mib_per_s * MIB, service.calls_per_s))
        self._events: list[tuple[float, int, str, int]] = []
        self._order = itertools.count()
        self._calls = self._refused = 0
        self._trips = 0.0

    def run(self) -> Copy:
        chunks = iter(self._sizes)
        for size in itertools.islice(chunks, self._workers):
            self._at(0.0, "admit", size)
        now = 0.0
        while self._events:
            now, _, what, size = heapq.heappop(self._events)
            match what:
                case "admit":
                    self._pace, delay = pacing.admit(self._pace, size, now)
                    self._at(now + delay, "send", size)
                case "send":
                    self._send(size, now)
                case "answer":
                    self._pace = pacing.succeeded(self._pace, size, now)
                    if (following := next(chunks, None)) is not None:
                        self._at(now, "admit", following)
                case "refusal":
                    self._pace = pacing.refused(self._pace, now)
                    self._at(now + pacing.REFUSAL_PAUSE, "admit", size)
        by_bytes = sum(self._sizes) / (self._service.mib_per_s * MIB)
        by_calls = len(self._sizes) / self._service.calls_per_s
        bound = max(by_bytes, by_calls, self._trips / self._workers)
        return Copy(now, bound, self._calls, self._refused)

    def _send(self, size: int, now: float) -> None:
        trip = self._random.uniform(*self._service.latency)
        self._clock.set(self._zero + timedelta(seconds=now))
        self._calls += 1
        if self._blob.admit(("blob", size)):
            self._trips += trip
            self._at(now + trip, "answer", size)
        else:
            self._refused += 1
            self._at(now + trip, "refusal", size)

    def _at(self, moment: float, what: str, size: int) -> None:
        heapq.heappush(self._events, (moment, next(self._order), what, size))
