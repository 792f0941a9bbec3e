"""Fixed VHDs, as Image Builder distributes them, and the spoilt ones that an archive must turn away.

A fixed VHD is the disk followed by a 512-byte footer. It is kept as a list of extents, since nearly all of it
is a hole and Get Page Ranges has to say so.
"""

import bisect
import hashlib
import struct
import uuid
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from sandbox.filesystem import MIB, SECTOR, Extent, Payload, disk

FOOTER: Final = 512
MINIMUM_MIB: Final = 64
FIXED: Final = 2
DYNAMIC: Final = 3

_FOOTER_FORMAT: Final = ">8sIIQI4sI4sQQHBBI"
_CHECKSUM_AT: Final = 64


class Vhd(msgspec.Struct, frozen=True):
    """`extents` are sorted, apart from one another, aligned to 512 bytes, and include the footer."""

    size: int
    extents: tuple[Extent, ...]

    @property
    def allocated(self) -> int:
        return sum(len(content) for _, content in self.extents)

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes as a client would see them, holes as zeroes."""
        end = min(offset + length, self.size)
        found = bytearray(max(0, end - offset))
        first = bisect.bisect_right(self.extents, offset, key=lambda extent: extent[0]) - 1
        for start, content in self.extents[max(0, first) :]:
            if start >= end:
                break
            low, high = max(start, offset), min(start + len(content), end)
            if low < high:
                found[low - offset : high - offset] = content[low - start : high - start]
        return bytes(found)

    def sha256(self) -> str:
        """Return the digest of the whole blob, holes included."""
        digest = hashlib.sha256()
        for offset in range(0, self.size, 4 * MIB):
            digest.update(self.read(offset, 4 * MIB))
        return digest.hexdigest()


def make_vhd(
    files: Mapping[str, bytes], *, size_mib: int, payload_mib: int, seed: str, fragment_kib: int | None = None
) -> Vhd:
    """Return the VHD of a disk with these files and so much noise; the same arguments give the same bytes."""
    if size_mib < MINIMUM_MIB:
        raise ValueError(
            f"A disk of {size_mib} MiB is too small: Image Builder makes none below {MINIMUM_MIB}."
        )
    size = size_mib * MIB
    payload = Payload(
        size=payload_mib * MIB, seed=seed, fragment=fragment_kib * 1024 if fragment_kib else None
    )
    extents = [*disk(size, files, payload), (size, footer(size, identity(seed)))]
    return Vhd(size=size + FOOTER, extents=_merged(extents))


def identity(seed: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"vhd:{seed}")


def footer(size: int, unique_id: uuid.UUID, *, disk_type: int = FIXED) -> bytes:
    """Return the footer of a disk of `size` bytes (which do not count the footer itself)."""
    cylinders, heads, sectors = geometry(size)
    data_offset = 0xFFFFFFFFFFFFFFFF if disk_type == FIXED else SECTOR
    head = struct.pack(
        _FOOTER_FORMAT,
        *(b"conectix", 2, 0x00010000, data_offset, 0),  # no time stamp: the same disk gives the same footer
        *(b"win ", 0x000A0000, b"Wi2k"),
        *(size, size, cylinders, heads, sectors, disk_type),
    )
    unsigned = (head + struct.pack(">I16sB", 0, unique_id.bytes, 0)).ljust(FOOTER, b"\0")
    return _with_checksum(unsigned)


def checksum(raw: bytes) -> int:
    """Return the one's complement of the sum of the footer's bytes without the checksum itself."""
    return ~(sum(raw) - sum(raw[_CHECKSUM_AT : _CHECKSUM_AT + 4])) & 0xFFFFFFFF


def geometry(size: int) -> tuple[int, int, int]:
    """Return cylinders, heads and sectors per track, by the appendix of the VHD specification."""
    total = min(size // SECTOR, 65535 * 16 * 255)
    if total >= 65535 * 16 * 63:
        sectors, heads, tracks = 255, 16, total // 255
    else:
        sectors, tracks = 17, total // 17
        heads = max(4, (tracks + 1023) // 1024)
        if tracks >= heads * 1024 or heads > 16:
            sectors, heads, tracks = 31, 16, total // 31
        if tracks >= heads * 1024:
            sectors, heads, tracks = 63, 16, total // 63
    return tracks // heads, heads, sectors


def truncated(vhd: Vhd, size: int = 0) -> Vhd:
    """Return its first `size` bytes: what is left when a build was cut short; none has room for a footer."""
    kept = [(start, content[: size - start]) for start, content in vhd.extents if start < size]
    return Vhd(size=size, extents=tuple(kept))


def broken_footer(vhd: Vhd) -> Vhd:
    """Return the VHD with a flipped bit in the footer's disk id, so that its checksum no longer matches."""
    raw = bytearray(vhd.read(vhd.size - FOOTER, FOOTER))
    raw[68] ^= 1
    return _with_footer(vhd, bytes(raw))


def dynamic(vhd: Vhd) -> Vhd:
    """Return the VHD with a sound footer that says: dynamically expanding."""
    raw = vhd.read(vhd.size - FOOTER, FOOTER)
    size = vhd.size - FOOTER
    return _with_footer(vhd, footer(size, uuid.UUID(bytes=raw[68:84]), disk_type=DYNAMIC))


def _with_footer(vhd: Vhd, raw: bytes) -> Vhd:
    end = vhd.size - FOOTER
    kept = [(start, content[: end - start]) for start, content in vhd.extents if start < end]
    return Vhd(size=vhd.size, extents=_merged([*kept, (end, raw)]))


def _with_checksum(raw: bytes) -> bytes:
    return raw[:_CHECKSUM_AT] + struct.pack(">I", checksum(raw)) + raw[_CHECKSUM_AT + 4 :]


def _merged(extents: Iterable[Extent]) -> tuple[Extent, ...]:
    """Join what touches, so that a file is one range as the page blob service would report it."""
    runs: list[tuple[int, list[bytes]]] = []
    end = -1
    for start, content in sorted(extents, key=lambda extent: extent[0]):
        if start == end:
            runs[-1][1].append(content)
        else:
            runs.append((start, [content]))
        end = start + len(content)
    return tuple((start, b"".join(parts)) for start, parts in runs)
