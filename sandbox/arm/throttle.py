"""Token buckets of Resource Manager: per principal, subscription and kind of request, as of 2024.

The subscription as a whole has fifteen times as much, whoever asks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.arm.errors import ArmError

if TYPE_CHECKING:
    from datetime import datetime

KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


@dataclass(frozen=True, slots=True)
class Rate:
    bucket: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Limits:
    reads: Rate = Rate(250, 25)
    writes: Rate = Rate(200, 10)
    deletes: Rate = Rate(200, 10)
    whole_subscription: int = 15

    def of(self, kind: str) -> Rate:
        return {"reads": self.reads, "writes": self.writes, "deletes": self.deletes}[kind]


@dataclass(slots=True)
class _Bucket:
    size: int
    per_second: float
    level: float
    at: datetime

    def refill(self, now: datetime) -> None:
        gone = max(0.0, (now - self.at).total_seconds())
        self.level, self.at = min(self.size, self.level + gone * self.per_second), now


@dataclass(slots=True)
class Throttle:
    limits: Limits = field(default_factory=Limits)
    _buckets: dict[tuple[str, str, str], _Bucket] = field(default_factory=dict)

    def take(self, method: str, principal: str, subscription: str | None, now: datetime) -> dict[str, str]:
        """Spend one token; the headers that say what is left. Raises ArmError 429 where none is."""
        kind = KINDS.get(method, "writes")
        rate, where = self.limits.of(kind), (subscription or "").lower()
        own = self._bucket((principal, where, kind), rate, now)
        whole = Rate(
            rate.bucket * self.limits.whole_subscription, rate.per_second * self.limits.whole_subscription
        )
        common = self._bucket(("", where, kind), whole, now)
        if own.level < 1 or common.level < 1:
            empty = own if own.level < 1 else common
            raise _exceeded(kind, principal, subscription, math.ceil((1 - empty.level) / empty.per_second))
        own.level -= 1
        common.level -= 1
        scope = "subscription" if subscription else "tenant"
        return {
            f"x-ms-ratelimit-remaining-{scope}-{kind}": str(int(own.level)),
            f"x-ms-ratelimit-remaining-{scope}-global-{kind}": str(int(common.level)),
        }

    def _bucket(self, key: tuple[str, str, str], rate: Rate, now: datetime) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(rate.bucket, rate.per_second, rate.bucket, now)
        bucket.refill(now)
        return bucket


def _exceeded(kind: str, principal: str, subscription: str | None, seconds: int) -> ArmError:
    whom = (
        f"subscription '{subscription}' actor '{principal}'"
        if subscription
        else f"tenant actor '{principal}'"
    )
    return ArmError(
        429,
        "SubscriptionRequestsThrottled" if subscription else "TenantRequestsThrottled",
        f"Number of '{kind}' requests for {whom} exceeded. Please try again after '{seconds}' seconds after "
        "additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.",
        headers={"Retry-After": str(max(1, seconds))},
    )
