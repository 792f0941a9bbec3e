"""Verifying an archived VHD before its manifest: length, allocation, footer and content."""

import hashlib
from datetime import datetime

import msgspec

from shared.domain.errors import Missing
from shared.domain.factory import Factory, Limits, Verification
from shared.domain.ids import BlobAddress
from shared.domain.records import OutputRecord
from shared.domain.templates import PageRange
from shared.planning import archive as rules
from shared.ports import Outside

from .copying import Lease, Pacer, all_ranges, leased, marks

DIGEST = 32
BATCH = 32
"""Chunks between two looks at the clock."""


class Checked(msgspec.Struct, frozen=True):
    """How far a verification has come."""

    chunks: int
    allocated: int
    complete: bool
    fault: str = ""
    digest: str = ""
    target_etag: str = ""


def verify_slice(
    out: Outside, factory: Factory, record: OutputRecord, kind: Verification, until: datetime
) -> Checked:
    """Verify until all is checked or the slice is over, under the target's lease unless it is the source."""
    if record.source is None or record.target is None:
        raise Missing(f"{record.id} has no address")
    if record.in_place:
        return _verify(out, factory, record, record.source, record.target, kind, until, None)
    with leased(out, record.target, factory.timing) as lease:
        return _verify(out, factory, record, record.source, record.target, kind, until, lease)


def _verify(
    out: Outside,
    factory: Factory,
    record: OutputRecord,
    source: BlobAddress,
    target: BlobAddress,
    kind: Verification,
    until: datetime,
    lease: Lease | None,
) -> Checked:
    facts = out.blobs.facts(target)
    wanted = all_ranges(out, source, record.etag)
    allocated = sum(r.size for r in wanted)
    fault = _outer_fault(out, record, target, facts.length, wanted)
    if fault:
        return Checked(0, allocated, complete=True, fault=fault)
    content = Content(out, factory.limits, record, source, target, lease)
    match kind:
        case Verification.FOOTER:
            chunks, complete, fault, digest = 0, True, "", ""
        case Verification.SAMPLE:
            picked = rules.sample(rules.chunks(wanted), record.id)
            chunks, complete, digest = len(picked), True, ""
            fault = content.compare(picked)[1]
        case Verification.FULL:
            chunks, complete, fault, digest = content.compare_all(rules.chunks(wanted), until)
    if fault or not complete:
        return Checked(chunks, allocated, complete=complete, fault=fault)
    etag = out.blobs.label(target, {**marks(record), "state": "verified"}, lease.id) if lease else record.etag
    return Checked(chunks, allocated, complete=True, digest=digest, target_etag=etag)


def _outer_fault(
    out: Outside, record: OutputRecord, target: BlobAddress, length: int, wanted: list[PageRange]
) -> str:
    if length != record.length:
        return f"{target} is {length} bytes long, its source {record.length}"
    gaps = () if record.in_place else rules.missing(wanted, all_ranges(out, target))
    if gaps:
        size = sum(g.size for g in gaps)
        return (
            f"{size} bytes that hold data at the source are empty in {target}, the first at {gaps[0].start}"
        )
    pin = record.etag if record.in_place else None
    footer = out.blobs.read(target, length - rules.FOOTER, length, if_match=pin)
    return rules.footer_fault(footer, length)


class Content:
    """Compares the content of a copy, chunk by chunk, with that of its source; each blob has its own pace."""

    def __init__(
        self,
        out: Outside,
        limits: Limits,
        record: OutputRecord,
        source: BlobAddress,
        target: BlobAddress,
        lease: Lease | None,
    ) -> None:
        self._out, self._record, self._lease = out, record, lease
        self._source, self._target = source, target
        self._source_pace, self._target_pace = Pacer(out, limits), Pacer(out, limits)

    def compare(self, chunks: tuple[PageRange, ...]) -> tuple[bytes, str]:
        """The digests of the chunks, in order, and what differs (empty if nothing does)."""
        digests: dict[int, bytes] = {}
        for start, digest, same in self._out.workers.run(chunks, self._digest):
            if not same:
                return b"", f"the content of {self._target} differs from its source in the chunk at {start}"
            digests[start] = digest
            if self._lease:
                self._lease.keep()
        return b"".join(digests[start] for start in sorted(digests)), ""

    def compare_all(self, chunks: tuple[PageRange, ...], until: datetime) -> tuple[int, bool, str, str]:
        """Chunks compared so far, whether that is all, what differs, and the digest over all of them.

        The digests of earlier slices are kept in a blob beside the copy, so that none is computed twice.
        """
        at = self._target.beside(".digests")
        known = self._known(at)
        while len(known) // DIGEST < len(chunks):
            begin = len(known) // DIGEST
            if self._out.clock.now() >= until:
                self._out.blobs.write(at, known, if_none_match=False)
                return begin, False, "", ""
            digests, fault = self.compare(chunks[begin : begin + BATCH])
            if fault:
                return begin, True, fault, ""
            known += digests
        return len(chunks), True, "", rules.digest_of(known)

    def _known(self, at: BlobAddress) -> bytes:
        if not self._record.checked:
            return b""
        try:
            length = self._out.blobs.facts(at).length
            known = self._out.blobs.read(at, 0, length) if length else b""
        except Missing:
            return b""
        return known[: len(known) // DIGEST * DIGEST]

    def _digest(self, chunk: PageRange) -> tuple[int, bytes, bool]:
        blobs, pin = self._out.blobs, self._record.etag
        original = self._source_pace.run(
            chunk.size, lambda: blobs.read(self._source, chunk.start, chunk.end, if_match=pin)
        )
        same = self._record.in_place or original == self._target_pace.run(
            chunk.size, lambda: blobs.read(self._target, chunk.start, chunk.end)
        )
        return chunk.start, hashlib.sha256(original).digest(), same
