"""How a VHD gets into the archive: what to copy, what to check, and what makes it lost."""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence

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
    moment = run.replace("-", "").replace(":", "")
    return BlobAddress(archive.account, archive.container, f"{image}/{moment}/{fit(output)}.vhd")


def chunks(allocated: Iterable[PageRange]) -> tuple[PageRange, ...]:
    """Allocated ranges in pieces that one call moves. The same ranges give the same chunks."""
    return tuple(
        PageRange(start, min(start + CHUNK, r.end))
        for r in allocated
        for start in range(r.start, r.end, CHUNK)
    )


def missing(wanted: Sequence[PageRange], there: Sequence[PageRange]) -> tuple[PageRange, ...]:
    """The parts of `wanted` that `there` does not cover. Both sorted, without overlaps."""
    return tuple(_gaps(wanted, merged(there)))


def merged(ranges: Iterable[PageRange]) -> list[PageRange]:
    """Touching ranges made one: the service may report them either way."""
    whole: list[PageRange] = []
    for r in ranges:
        if whole and r.start <= whole[-1].end:
            whole[-1] = PageRange(whole[-1].start, max(whole[-1].end, r.end))
        else:
            whole.append(r)
    return whole


def _gaps(wanted: Sequence[PageRange], there: Sequence[PageRange]) -> Iterator[PageRange]:
    at = 0
    for want in wanted:
        start = want.start
        while at < len(there) and there[at].end <= start:
            at += 1
        index = at
        while index < len(there) and there[index].start < want.end:
            if there[index].start > start:
                yield PageRange(start, there[index].start)
            start = max(start, there[index].end)
            index += 1
        if start < want.end:
            yield PageRange(start, want.end)


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


def sample(all_chunks: Sequence[PageRange], seed: str) -> tuple[PageRange, ...]:
    """The first, the last and 16 more chunks, chosen by a seed."""
    if len(all_chunks) <= SAMPLES + 2:
        return tuple(all_chunks)
    inner = range(1, len(all_chunks) - 1)
    drawn = sorted(inner, key=lambda i: hashlib.sha256(f"{seed}:{i}".encode()).digest())[:SAMPLES]
    return tuple(all_chunks[i] for i in (0, *sorted(drawn), len(all_chunks) - 1))


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
