"""Copying a VHD from service to service: allocated ranges alone, in parallel, resumable, under a lease.

What the destination holds is what has been copied: there is no other book-keeping, so a killed worker costs
at most the chunks that it had under way.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

import msgspec

from shared import telemetry
from shared.domain.errors import Busy, Exists, FactoryError, Missing, Throttled
from shared.domain.factory import Factory, Limits
from shared.domain.ids import BlobAddress
from shared.domain.records import OutputRecord
from shared.domain.templates import PageRange
from shared.planning import archive as rules
from shared.planning import pacing
from shared.ports import Outside

T = TypeVar("T")
TRIES = 50
"""How often one chunk may be refused for being too fast before the slice is given up."""


class Copied(msgspec.Struct, frozen=True):
    """What a slice has moved, in bytes, and whether all is there now."""

    moved: int
    complete: bool


def copy_slice(out: Outside, factory: Factory, record: OutputRecord, until: datetime) -> Copied:
    """Copy until all is there or the slice is over."""
    source, target = record.source, record.target
    if source is None or target is None:
        raise Missing(f"{record.id} has no address")
    _make_target(out, record, target)
    with leased(out, target, factory) as lease:
        wanted = ranges_of(out, source, record.etag, lease)
        left = rules.missing(wanted, ranges_of(out, target, None, lease))
        began = out.clock.now()
        copied = _copy(out, record, lease, rules.chunks(left), until)
        seconds = max((out.clock.now() - began).total_seconds(), 0.001)
        rate = copied.moved / seconds / rules.MIB
        telemetry.metric("copy-rate", rate, "MiB/s", output=record.id, bytes=copied.moved)
        return copied


def ranges_of(
    out: Outside, at: BlobAddress, etag: str | None = None, lease: "Lease | None" = None
) -> Iterator[PageRange]:
    """Every allocated range in order, touching ones merged; a page is asked for when it is needed.

    A disk in many pieces takes long to list: `lease` is kept meanwhile.
    """
    return rules.merged(_pages(out, at, etag, lease))


def _pages(out: Outside, at: BlobAddress, etag: str | None, lease: "Lease | None") -> Iterator[PageRange]:
    after: str | None = None
    while True:
        if lease:
            lease.keep()
        page = out.blobs.ranges(at, if_match=etag, after=after)
        yield from page.ranges
        after = page.after
        if after is None:
            return


def marks(record: OutputRecord) -> dict[str, str]:
    """What a copy carries of where it comes from."""
    return {
        "source_etag": record.etag.strip('"'),
        "source_length": str(record.length),
        "image": record.image,
        "run": record.run,
        "state": "copying",
    }


def _make_target(out: Outside, record: OutputRecord, target: BlobAddress) -> None:
    """Made once; one that is there must be of the same source."""
    try:
        out.blobs.create_pages(target, record.length, marks(record))
    except Exists:
        found = out.blobs.facts(target)
        own = {k: v for k, v in marks(record).items() if k != "state"}
        if found.length != record.length or any(found.metadata.get(k) != v for k, v in own.items()):
            raise Exists(f"{target} exists and is a copy of something else") from None


class Lease:
    """A lease that is renewed as time goes by, at the pace of the blob that it is on."""

    def __init__(self, out: Outside, target: BlobAddress, factory: Factory) -> None:
        self.id = out.new_id()
        self.pace = Pacer(out, factory.limits)
        self._out, self._target, self._duration = out, target, factory.timing.copy_lease
        self._renewed = out.clock.now()
        self.pace.run(0, lambda: out.blobs.acquire(target, self.id, self._duration))

    def keep(self) -> None:
        """Renews it once a third of its time is over. Raises Conflict if it was lost."""
        now = self._out.clock.now()
        if now - self._renewed > self._duration / 3:
            self.pace.run(0, lambda: self._out.blobs.renew(self._target, self.id))
            self._renewed = now

    def release(self) -> None:
        self.pace.run(0, lambda: self._out.blobs.release(self._target, self.id))


@contextlib.contextmanager
def leased(out: Outside, target: BlobAddress, factory: Factory) -> Iterator[Lease]:
    """Nobody else writes the target meanwhile. Raises Busy if somebody does; a killed one is waited out."""
    try:
        lease = Lease(out, target, factory)
    except Busy as error:
        raise Busy(f"another worker is at {target}", factory.timing.copy_lease / 4) from error
    try:
        yield lease
    except FactoryError:
        with contextlib.suppress(FactoryError):
            lease.release()
        raise
    lease.release()


def _copy(
    out: Outside,
    record: OutputRecord,
    lease: Lease,
    chunks: Iterator[PageRange],
    until: datetime,
) -> Copied:
    """Chunks are taken lazily, so that none begins after the slice is over."""
    complete = True

    def in_time() -> Iterator[PageRange]:
        nonlocal complete
        for chunk in chunks:
            if out.clock.now() >= until:
                complete = False
                return
            yield chunk

    def copy(chunk: PageRange) -> int:
        source, target = record.source, record.target
        if source is None or target is None:
            raise Missing(f"{record.id} has no address")
        lease.pace.run(chunk.size, lambda: out.blobs.copy_pages(source, record.etag, target, lease.id, chunk))
        return chunk.size

    moved = 0
    for size in out.workers.run(in_time(), copy):
        moved += size
        lease.keep()
    return Copied(moved, complete)


class Pacer:
    """The pace that all workers share who read or write one page blob."""

    def __init__(self, out: Outside, limits: Limits) -> None:
        self._clock = out.clock
        self._lock = threading.Lock()
        self._pace = pacing.Pace(limits.copy_rate_mib * rules.MIB, limits.copy_requests)
        self._zero = out.clock.now()

    def run(self, size: int, call: Callable[[], T]) -> T:
        """Call when it is time, and again when it was too fast."""
        for _ in range(TRIES):
            with self._lock:
                self._pace, delay = pacing.admit(self._pace, size, self._now())
            if delay > 0:
                self._clock.pause(delay)
            try:
                answer = call()
            except Throttled:
                with self._lock:
                    self._pace = pacing.refused(self._pace, self._now())
                self._clock.pause(pacing.REFUSAL_PAUSE)
                continue
            with self._lock:
                self._pace = pacing.succeeded(self._pace, size, self._now())
            return answer
        raise Throttled(f"the service refused a chunk {TRIES} times for being too fast")

    def _now(self) -> float:
        return (self._clock.now() - self._zero).total_seconds()
