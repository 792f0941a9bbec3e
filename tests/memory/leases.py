"""Leases of blobs as the service keeps them."""

from datetime import datetime, timedelta
from typing import Self

import msgspec

from shared.domain.errors import Busy, Conflict


class Lease(msgspec.Struct, frozen=True):
    id: str
    duration: timedelta
    until: datetime

    def holds(self, now: datetime) -> bool:
        return now < self.until

    def from_now(self, now: datetime) -> Self:
        return type(self)(self.id, self.duration, now + self.duration)


def acquired(held: Lease | None, id: str, duration: timedelta, now: datetime, what: str) -> Lease:
    if held is not None and held.holds(now) and held.id != id:
        raise Busy(f"{what} is leased by somebody else")
    return Lease(id, duration, now + duration)


def own(held: Lease | None, id: str, what: str) -> Lease:
    """For renew and release, which an expired lease allows until somebody else writes or leases."""
    if held is None or held.id != id:
        raise Conflict(f"{what}: the lease is not ours any more")
    return held


def allow_write(held: Lease | None, id: str | None, now: datetime, what: str) -> None:
    """Whether a write that carries the lease `id`, or none, goes through."""
    if held is not None and held.holds(now):
        if held.id != id:
            raise Conflict(f"{what} is leased, and the write does not carry that lease")
    elif id is not None:
        raise Conflict(f"{what}: the lease has expired or was given back")
