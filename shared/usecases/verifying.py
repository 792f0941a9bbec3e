"""Verifying an archived VHD before its manifest: length, allocation, footer and content."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from shared.domain.errors import Missing
from shared.domain.factory import Factory, Verification
from shared.domain.ids import BlobAddress
from shared.domain.records import OutputRecord
from shared.domain.templates import PageRange
from shared.planning import archive as rules
from shared.ports import Outside

from .copying import Lease, Pacer, leased, marks, ranges_of

DIGEST = 32
BATCH = 32
"""Chunks between two looks at the clock."""


class Checked(msgspec.Struct, frozen=True):
    """How far a verification has come."""

    chunks: int = 0
    complete: bool = True
    fault: str = ""
    digest: str = ""
    target_etag: str = ""


class Pair(msgspec.Struct, frozen=True):
    """What is compared with what, and the lease under which that happens (none for one in place).

    Each of the two has limits of its own, hence a pace: the lease's is that of the target.
    """

    out: Outside
    record: OutputRecord
    source: BlobAddress
    target: BlobAddress
    pace: Pacer
    lease: Lease | None

    def chunks(self) -> Iterator[PageRange]:
        """What holds data at the source."""
        return rules.chunks(ranges_of(self.out, self.source, self.record.etag, self.lease))


def verify_slice(
    out: Outside, factory: Factory, record: OutputRecord, kind: Verification, until: datetime
) -> Checked:
    """Verify until all is checked or the slice is over, under the target's lease unless it is the source."""
    if record.source is None or record.target is None:
        raise Missing(f"{record.id} has no address")
    pace = Pacer(out, factory.limits)
    if record.in_place:
        return _verify(Pair(out, record, record.source, record.target, pace, None), kind, until)
    with leased(out, record.target, factory) as lease:
        return _verify(Pair(out, record, record.source, record.target, pace, lease), kind, until)


def _verify(pair: Pair, kind: Verification, until: datetime) -> Checked:
    out, record, target = pair.out, pair.record, pair.target
    facts = out.blobs.facts(target)
    fault = _outer_fault(pair, facts.length)
    if fault:
        return Checked(fault=fault)
    match kind:
        case Verification.FOOTER:
            checked = Checked()
        case Verification.SAMPLE:
            picked = rules.sample(pair.chunks(), record.id)
            checked = Checked(len(picked), fault=_compare(pair, picked)[1])
        case Verification.FULL:
            checked = _compare_all(pair, until)
    if checked.fault or not checked.complete:
        return checked
    # A worker that died after its last word here has left the mark: the verified blob is not touched again.
    etag = facts.etag
    if (lease := pair.lease) and facts.metadata.get("state") != "verified":
        verified = {**marks(record), "state": "verified"}
        etag = lease.pace.run(0, lambda: out.blobs.label(target, verified, lease.id))
    return msgspec.structs.replace(checked, target_etag=etag)


def _outer_fault(pair: Pair, length: int) -> str:
    """What is wrong with the copy's length, its allocation or its footer."""
    out, record, target = pair.out, pair.record, pair.target
    if length != record.length:
        return f"{target} is {length} bytes long, its source {record.length}"
    if not record.in_place:
        wanted = ranges_of(out, pair.source, record.etag, pair.lease)
        gap = next(rules.missing(wanted, ranges_of(out, target, None, pair.lease)), None)
        if gap:
            return f"{gap.size} bytes at {gap.start} hold data at the source and are empty in {target}"
    pin = record.etag if record.in_place else None
    footer = out.blobs.read(target, length - rules.FOOTER, length, if_match=pin)
    return rules.footer_fault(footer, length)


def _compare(pair: Pair, chunks: Iterable[PageRange]) -> tuple[bytes, str]:
    """The digests of the chunks, in order, and what differs (empty if nothing does)."""

    def digest(chunk: PageRange) -> tuple[int, bytes, bool]:
        blobs, pin = pair.out.blobs, pair.record.etag
        original = pair.pace.run(
            chunk.size, lambda: blobs.read(pair.source, chunk.start, chunk.end, if_match=pin)
        )
        same = pair.lease is None or original == pair.lease.pace.run(
            chunk.size, lambda: blobs.read(pair.target, chunk.start, chunk.end)
        )
        return chunk.start, hashlib.sha256(original).digest(), same

    digests: dict[int, bytes] = {}
    for start, told, same in pair.out.workers.run(chunks, digest):
        if not same:
            return b"", f"the content of {pair.target} differs from its source in the chunk at {start}"
        digests[start] = told
        if pair.lease:
            pair.lease.keep()
    return b"".join(digests[start] for start in sorted(digests)), ""


def _compare_all(pair: Pair, until: datetime) -> Checked:
    """Every chunk, in slices. The digests of a slice are kept in a blob beside the copy for the next."""
    at = pair.target.beside(".digests")
    known = _known(pair, at)
    left = itertools.islice(pair.chunks(), len(known) // DIGEST, None)
    while batch := tuple(itertools.islice(left, BATCH)):
        if pair.out.clock.now() >= until:
            pair.out.blobs.write(at, known, if_none_match=False)
            return Checked(len(known) // DIGEST, complete=False)
        digests, fault = _compare(pair, batch)
        if fault:
            return Checked(len(known) // DIGEST, fault=fault)
        known += digests
    return Checked(len(known) // DIGEST, digest=rules.digest_of(known))


def _known(pair: Pair, at: BlobAddress) -> bytes:
    if not pair.record.checked:
        return b""
    try:
        length = pair.out.blobs.facts(at).length
        known = pair.out.blobs.read(at, 0, length) if length else b""
    except Missing:
        return b""
    return known[: len(known) // DIGEST * DIGEST]
