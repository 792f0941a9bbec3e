"""The service limits of a page blob, switchable: beyond them Azure answers 503 Server Busy.

What counts: every accepted request on one page blob, reads and writes alike, is one request, and the bytes
that it carries count at that blob. Put Page From URL counts twice, once at the source and once at the
destination, each against that blob's own limits. Refused requests cost nothing. Metadata, leases and page
lists carry no bytes.
"""

from datetime import datetime
from typing import Final

import msgspec

from sandbox.clock import Clock

BURST: Final = (
    0.1  # seconds of the rate that may come at once: enough to be even, too little to beat the rate
)


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Per page blob; None is unlimited. Azure's own targets are 60 MiB/s and 500 requests/s."""

    bytes_per_second: float | None = None
    requests_per_second: float | None = None

    def __post_init__(self) -> None:
        for name in ("bytes_per_second", "requests_per_second"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be above 0 (or null for no limit), got {value}.")


class _Bucket:
    """May go into debt by one request: so one that is larger than the burst still passes, at the rate."""

    def __init__(self, rate: float, at: datetime, *, needed: float) -> None:
        self._rate = rate
        self._needed = needed
        self._full = max(needed, rate * BURST)
        self._level = self._full
        self._at = at

    def has_room(self, now: datetime) -> bool:
        gained = (now - self._at).total_seconds() * self._rate
        self._level = min(self._full, self._level + gained)
        self._at = now
        return self._level >= self._needed

    def take(self, amount: float) -> None:
        self._level -= amount


class PageBlobs:
    """Which blobs (account/container/name) are page blobs, and what each may still do at this moment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: set[str] = set()
        self._buckets: dict[str, tuple[_Bucket | None, _Bucket | None]] = {}
        self._limits = Limits()

    @property
    def limits(self) -> Limits:
        return self._limits

    def limit(self, limits: Limits) -> None:
        self._limits = limits
        self._buckets.clear()

    def note(self, blob: str) -> None:
        self._known.add(blob)

    def forget(self, account: str) -> None:
        gone = {blob for blob in self._known if blob.startswith(account + "/")}
        self._known -= gone
        for blob in gone:
            self._buckets.pop(blob, None)

    def known(self, blob: str) -> bool:
        return blob in self._known

    def admit(self, *wanted: tuple[str, int]) -> bool:
        """Take a request and so many bytes from each of these blobs, from all or from none."""
        if self._limits == Limits():
            return True
        now = self._clock.now()
        buckets = [(self._of(blob, now), amount) for blob, amount in wanted]
        if not all(each.has_room(now) for pair, _ in buckets for each in pair if each is not None):
            return False
        for (by_bytes, by_requests), amount in buckets:
            if by_bytes is not None:
                by_bytes.take(amount)
            if by_requests is not None:
                by_requests.take(1)
        return True

    def carried(self, blob: str, amount: int) -> None:
        """Charge bytes that are known only from the answer: those of a read."""
        if self._limits.bytes_per_second is not None:
            by_bytes, _ = self._of(blob, self._clock.now())
            if by_bytes is not None:
                by_bytes.take(amount)

    def _of(self, blob: str, now: datetime) -> tuple[_Bucket | None, _Bucket | None]:
        if blob not in self._buckets:
            by_bytes, by_requests = self._limits.bytes_per_second, self._limits.requests_per_second
            self._buckets[blob] = (
                None if by_bytes is None else _Bucket(by_bytes, now, needed=0),
                None if by_requests is None else _Bucket(by_requests, now, needed=1),
            )
        return self._buckets[blob]
