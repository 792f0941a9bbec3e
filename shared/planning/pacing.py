"""How fast a copy goes: close under limits that nobody tells, found by what the service refuses.

One page blob has a limit in bytes and one in requests per second; beyond, the service answers 503 and does
not say which of the two it means. The pace starts at the published targets. A refusal lowers the limit that
the last calls used most, but never far below what it has been seen to carry; without refusals both creep up
again, faster and faster. Refused chunks are tried again, so nothing but the refusal itself is lost: a pace
that is a little too fast costs a few refusals, one that is too slow costs time.
"""

import math

import msgspec
from msgspec.structs import replace

MEMORY = 2.0
"""Seconds after which what got through counts for 1/e in the measured throughput."""
TRUST = 30.0
"""Seconds after which what a limit has once carried counts for 1/e: the service may have less to give."""
CREEP = 0.1
"""Growth per second and second without refusals."""
EASE = 0.9
"""What is left of a share after a refusal at a pace that was nearly right."""
DROP = 0.7
"""The least that is left of it after any."""
FLOOR = 0.005
"""The least share of a published target."""
REFUSAL_PAUSE = 0.1
"""Seconds until a refused chunk is tried again."""
SETTLE = 0.25
"""Seconds in which further refusals are echoes of the first."""
SLACK = 0.1
"""Seconds of a limit that may be made up for when the other one has held calls back."""
RECENT = 1.5
"""The last call counts for one in so many when a refusal is blamed on one of the limits."""
OVER = 1.05
"""What is aimed at, of the measured throughput: a few refusals cost less than time that is not used."""


class Rate(msgspec.Struct, frozen=True):
    """One of the two limits, as far as it is known. Amounts are in seconds of its published target."""

    share: float = 1.0
    """Of the target: what is used now."""
    free_at: float = 0.0
    """When the next call may start."""
    changed: float = 0.0
    through: float = 0.0
    """What got through lately, fading."""
    proven: float = 0.0
    """The most that has been seen to get through, fading slowly."""


class Pace(msgspec.Struct, frozen=True):
    """State of one copy's pacing; times are seconds of a monotonic clock that begins with it."""

    bytes_per_s: float
    calls_per_s: float
    by_bytes: Rate = Rate()
    by_calls: Rate = Rate()
    measured: float = 0.0
    """The time up to which `through` has faded."""
    lately: float = 0.0
    """Bytes per call, of the last few calls."""


def admit(pace: Pace, size: int, now: float) -> tuple[Pace, float]:
    """Reserve a call that moves `size` bytes: the pace after it, and the seconds to wait before it starts."""
    start = max(now, pace.by_bytes.free_at, pace.by_calls.free_at)
    by_bytes = _reserved(pace.by_bytes, size / pace.bytes_per_s, start)
    by_calls = _reserved(pace.by_calls, 1 / pace.calls_per_s, start)
    return replace(pace, by_bytes=by_bytes, by_calls=by_calls), start - now


def succeeded(pace: Pace, size: int, now: float) -> Pace:
    """A call got through."""
    pace = _aged(pace, now)
    span = _span(now)
    return replace(
        pace,
        by_bytes=_carried(pace.by_bytes, size / pace.bytes_per_s, span),
        by_calls=_carried(pace.by_calls, 1 / pace.calls_per_s, span),
        lately=pace.lately + (size - pace.lately) / RECENT,
    )


def refused(pace: Pace, now: float) -> Pace:
    """The service was busy: lower the limit that the last calls used most, or else the other."""
    pace = _aged(pace, now)
    by_bytes, by_calls = pace.by_bytes, pace.by_calls
    if now - max(by_bytes.changed, by_calls.changed) < SETTLE and min(by_bytes.share, by_calls.share) < 1.0:
        return pace
    span = _span(now)
    fewer_bytes, fewer_calls = _slowed(by_bytes, span, now), _slowed(by_calls, span, now)
    bytes_can, calls_can = fewer_bytes.share < by_bytes.share, fewer_calls.share < by_calls.share
    used_by_bytes = pace.lately / pace.bytes_per_s / by_bytes.share
    used_by_calls = 1 / pace.calls_per_s / by_calls.share
    if bytes_can and (used_by_bytes >= used_by_calls or not calls_can):
        return replace(pace, by_bytes=fewer_bytes)
    return replace(pace, by_calls=fewer_calls) if calls_can else pace


def _slowed(rate: Rate, span: float, now: float) -> Rate:
    """Towards what gets through, but neither in too large a step nor below what has been carried before."""
    aim = max(OVER * rate.through / span, FLOOR)
    share = min(rate.share, max(min(rate.share * EASE, aim), rate.proven, rate.share * DROP))
    return replace(rate, share=share, changed=now, free_at=min(rate.free_at, now + REFUSAL_PAUSE))


def _reserved(rate: Rate, amount: float, start: float) -> Rate:
    return replace(rate, free_at=max(rate.free_at, start - SLACK) + amount / rate.share)


def _carried(rate: Rate, amount: float, span: float) -> Rate:
    """The last call does not prove anything: it may have been let in by a limit that is just used up."""
    proven = max(rate.proven, rate.through / span)
    return replace(rate, through=rate.through + amount, proven=proven)


def _aged(pace: Pace, now: float) -> Pace:
    """Up to now what got through fades, and the shares grow."""
    passed = max(0.0, now - pace.measured)
    return replace(
        pace,
        by_bytes=_older(pace.by_bytes, passed, now),
        by_calls=_older(pace.by_calls, passed, now),
        measured=max(now, pace.measured),
    )


def _older(rate: Rate, passed: float, now: float) -> Rate:
    quiet = max(0.0, now - rate.changed - SETTLE)
    return replace(
        rate,
        through=rate.through * math.exp(-passed / MEMORY),
        proven=rate.proven * math.exp(-passed / TRUST),
        share=min(1.0, rate.share * (1 + CREEP * quiet * passed)),
    )


def _span(now: float) -> float:
    """How many seconds `through` stands for."""
    return max(MEMORY * (1 - math.exp(-now / MEMORY)), 0.5)
