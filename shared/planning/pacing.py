"""How fast a copy goes: close under limits that nobody tells, found by what the service refuses.

One page blob has a limit in bytes and one in requests per second; beyond, the service answers 503. The pace
starts at the published targets. A refusal sets it to what has just been getting through; without refusals
it creeps up again. Refused chunks are tried again, so nothing but the refusal itself is lost.
"""

import math

import msgspec
from msgspec.structs import replace

MEMORY = 0.5
"""Seconds after which what got through counts for 1/e in the measured throughput."""
CREEP = 0.04
"""Growth of the pace per second without refusals."""
FLOOR = 0.01
REFUSAL_PAUSE = 0.1
"""Seconds until a refused chunk is tried again."""
SETTLE = 0.5
"""Seconds in which further refusals are echoes of the first."""


class Pace(msgspec.Struct, frozen=True):
    """State of one copy's pacing; times are seconds of a monotonic clock."""

    bytes_per_s: float
    calls_per_s: float
    share: float = 1.0
    """Of the two rates: what is used now."""
    free_at: float = 0.0
    """When the next call may start."""
    changed: float = 0.0
    through: float = 0.0
    """Share that has been getting through lately, as of `measured`."""
    measured: float = 0.0


def admit(pace: Pace, size: int, now: float) -> tuple[Pace, float]:
    """Reserve a call that moves `size` bytes: the pace after it, and the seconds to wait before it starts."""
    start = max(now, pace.free_at)
    return replace(pace, free_at=start + _cost(pace, size) / pace.share), start - now


def succeeded(pace: Pace, size: int, now: float) -> Pace:
    """A call got through."""
    measured = replace(pace, through=_through(pace, now) + _cost(pace, size) / MEMORY, measured=now)
    since = now - pace.changed
    if since < 1.0 or pace.share >= 1.0:
        return measured
    return replace(measured, share=min(1.0, pace.share * (1 + CREEP * min(since, 2.0))), changed=now)


def refused(pace: Pace, now: float) -> Pace:
    """The service was busy: go on as fast as it has been letting through."""
    if now - pace.changed < SETTLE and pace.share < 1.0:
        return pace
    share = min(pace.share * 0.95, max(_through(pace, now), pace.share * 0.5, FLOOR))
    return replace(pace, share=share, changed=now, free_at=min(pace.free_at, now + REFUSAL_PAUSE))


def _through(pace: Pace, now: float) -> float:
    return pace.through * math.exp(-max(0.0, now - pace.measured) / MEMORY)


def _cost(pace: Pace, size: int) -> float:
    """Seconds that a call takes of the full rate: of bytes or of requests, whichever is scarcer for it."""
    return max(size / pace.bytes_per_s, 1 / pace.calls_per_s)
