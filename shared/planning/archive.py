"""How a VHD gets into the archive: what to copy, what to check, and what makes it lost."""

import bisect
import hashlib
import struct
from collections.abc import Iterable, Iterator

import msgspec

from shared.domain.factory import Archive
from shared.domain.ids import BlobAddress, ImageName, RunStart
from shared.domain.keys import fit
from shared.domain.templates import PageRange

CHUNK = 4 * 1024 * 1024
"""The most that one Put Page From URL moves."""
FOOTER = 512
MIB = 1024 * 1024
SAMPLES = 16


def place(archive: Archive, image: ImageName, run: RunStart, output: str) -> BlobAddress:
    """Where an output is archived: the same for the same run and output, so that copying twice is once."""
    return BlobAddress(archive.account, archive.container, f"{image}/{_moment(run)}/{fit(output)}.vhd")


def manifest_place(vhd: BlobAddress, run: RunStart, *, in_place: bool) -> BlobAddress:
    """Beside the VHD. One that was distributed into the archive may have the name of the run before it.

    Its manifest tells the run in its name, lest the manifest of the overwritten VHD pass for that of the new.
    """
    return vhd.beside(f".{_moment(run)}.json" if in_place else ".json")


def _moment(run: RunStart) -> str:
    return run.replace("-", "").replace(":", "")


def chunks(allocated: Iterable[PageRange]) -> Iterator[PageRange]:
    """Allocated ranges in pieces that one call moves. The same ranges give the same chunks."""
    for r in allocated:
        for start in range(r.start, r.end, CHUNK):
            yield PageRange(start, min(start + CHUNK, r.end))


def missing(wanted: Iterable[PageRange], there: Iterable[PageRange]) -> Iterator[PageRange]:
    """The parts of `wanted` that `there` does not cover. Both in order and without overlaps, read lazily.

    A disk may have hundreds of thousands of ranges: neither side is ever held as a whole.
    """
    others = iter(there)
    other = next(others, None)
    for want in wanted:
        start = want.start
        while other is not None and other.start < want.end:
            if other.start > start:
                yield PageRange(start, other.start)
            start = max(start, other.end)
            if other.end > want.end:
                break
            other = next(others, None)
        if start < want.end:
            yield PageRange(start, want.end)


def merged(ranges: Iterable[PageRange]) -> Iterator[PageRange]:
    """Touching ranges made one: the service may report them either way."""
    last: PageRange | None = None
    for r in ranges:
        if last and r.start <= last.end:
            last = PageRange(last.start, max(last.end, r.end))
        else:
            if last:
                yield last
            last = r
    if last:
        yield last


def length_fault(length: int) -> str:
    """Why a blob of this length is no fixed VHD, empty if it may be one."""
    if length <= FOOTER:
        return f"it is {length} bytes long, too short for a VHD: expected 1 MiB or more, and a footer"
    if (length - FOOTER) % MIB:
        return f"its size without the footer is {length - FOOTER} bytes, expected a whole number of MiB"
    return ""


def footer_fault(footer: bytes, length: int) -> str:
    """Why these last 512 bytes are not the footer of a fixed VHD of `length` bytes, empty if they are."""
    if len(footer) != FOOTER or footer[:8] != b"conectix":
        return "its last 512 bytes are no VHD footer: expected the cookie 'conectix'"
    kind, checksum = struct.unpack_from(">I", footer, 60)[0], struct.unpack_from(">I", footer, 64)[0]
    if kind != 2:
        named = {3: "dynamic", 4: "differencing"}.get(kind, f"of type {kind}")
        return f"it is {named}, expected a fixed VHD (type 2)"
    if checksum != (~(sum(footer) - sum(footer[64:68])) & 0xFFFFFFFF):
        return "the checksum of its footer does not match"
    size = struct.unpack_from(">Q", footer, 48)[0]
    if size != length - FOOTER:
        return f"its footer tells {size} bytes, the blob holds {length - FOOTER}"
    return ""


def sample(all_chunks: Iterable[PageRange], seed: str) -> tuple[PageRange, ...]:
    """The first, the last and 16 more chunks, chosen by a seed."""
    first = last = None
    drawn: list[tuple[bytes, PageRange]] = []
    for chunk in all_chunks:
        first, last = first or chunk, chunk
        bisect.insort(drawn, (hashlib.sha256(f"{seed}:{chunk.start}".encode()).digest(), chunk))
        del drawn[SAMPLES + 2 :]
    ends = {chunk for chunk in (first, last) if chunk}
    inner = [chunk for _, chunk in drawn if chunk not in ends][:SAMPLES]
    return tuple(sorted({*ends, *inner}))


def digest_of(digests: bytes) -> str:
    """SHA-256 over the ordered 32-byte digests of the allocated chunks."""
    return hashlib.sha256(digests).hexdigest()


class Traces(msgspec.Struct, frozen=True):
    """What is left of an output whose source cannot be read."""

    blob_missing: bool
    """The storage service says that the blob does not exist."""
    unreachable: bool
    """The storage service does not answer."""
    template: bool
    """Resource Manager knows the template."""
    account: bool | None
    """Resource Manager knows the storage account; None if it cannot be asked."""


def is_lost(t: Traces) -> bool:
    """Nothing can be read *and* the template or the account is gone, as Resource Manager says."""
    return (t.blob_missing or t.unreachable) and (not t.template or t.account is False)
