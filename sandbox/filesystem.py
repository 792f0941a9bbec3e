"""A disk with a partition table and one FAT32 volume, written as a sparse list of extents.

An archived VHD is worth something only if a machine could read it, so the sandbox's images hold a file system
that any tool mounts, and not just noise between holes.
"""

import random
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

Extent = tuple[int, bytes]

SECTOR: Final = 512
MIB: Final = 1024 * 1024
PARTITION_START: Final = MIB  # where every partitioning tool of the last fifteen years begins
PAYLOAD_NAME: Final = "payload.bin"

_ENTRY: Final = 32  # bytes of a directory entry
_LAST: Final = 0x0FFFFFFF
_LABEL: Final = b"IMAGE      "
_DOS_DATE: Final = 0x0021  # 1 January 1980: content depends on nothing but the arguments
_CLUSTERS: Final = ((260, 1), (8 * 1024, 8), (16 * 1024, 16), (32 * 1024, 32))  # up to MiB: sectors each


class Payload(msgspec.Struct, frozen=True):
    """Bulk that makes a copy take its time; `fragment` scatters it over the disk in pieces of that size."""

    size: int
    seed: str
    fragment: int | None = None


class _Layout(msgspec.Struct, frozen=True):
    sectors: int
    per_cluster: int
    reserved: int
    fat_sectors: int

    @property
    def cluster(self) -> int:
        return self.per_cluster * SECTOR

    @property
    def data(self) -> int:
        """Byte in the volume at which cluster 2 begins."""
        return (self.reserved + 2 * self.fat_sectors) * SECTOR

    @property
    def clusters(self) -> int:
        return (self.sectors * SECTOR - self.data) // self.cluster


def disk(size: int, files: Mapping[str, bytes], payload: Payload) -> Iterator[Extent]:
    """Yield what is not a hole in a disk of `size` bytes, in no particular order."""
    signature = random.Random(payload.seed).getrandbits(32)
    sectors = (size - PARTITION_START) // SECTOR
    yield 0, _partition_table(sectors, signature)
    volume = _Volume(_layout(sectors))
    root = volume.take(1)
    volume.write_tree(root, files, payload)
    for offset, content in volume.extents(signature):
        yield PARTITION_START + offset, content


def _layout(sectors: int) -> _Layout:
    per_cluster = next((each for limit, each in _CLUSTERS if sectors * SECTOR <= limit * MIB), 64)
    entries = sectors // per_cluster + 2
    fat_sectors = -(-entries * 4 // SECTOR)
    # Data begin on a whole 64 KiB, as mkfs aligns them, so that fragments do not straddle.
    reserved = 32 + (-(32 + 2 * fat_sectors)) % 128
    return _Layout(sectors=sectors, per_cluster=per_cluster, reserved=reserved, fat_sectors=fat_sectors)


def _partition_table(sectors: int, signature: int) -> bytes:
    beyond_chs = b"\xfe\xff\xff"
    entry = struct.pack("<B3sB3sII", 0x80, beyond_chs, 0x0C, beyond_chs, PARTITION_START // SECTOR, sectors)
    return struct.pack("<440xIH", signature, 0) + entry + bytes(48) + b"\x55\xaa"


class _Volume:
    """The volume while it is filled: clusters are given out in rising order, so nothing is ever freed."""

    def __init__(self, layout: _Layout) -> None:
        self._layout = layout
        self._fat = bytearray(layout.fat_sectors * SECTOR)
        struct.pack_into("<II", self._fat, 0, 0x0FFFFFF8, _LAST)
        self._next = 2
        self._taken = 0
        self._written: list[Extent] = []

    def take(self, count: int, run: int = 0, gap: int = 0) -> Sequence[int]:
        """Chain `count` clusters, leaving `gap` of them free after each `run`, and return them."""
        chosen: list[int] = []
        while len(chosen) < count:
            step = min(run or count, count - len(chosen))
            chosen.extend(range(self._next, self._next + step))
            self._next += step + gap
        if chosen and chosen[-1] >= self._layout.clusters + 2:
            raise ValueError(f"{count} clusters do not fit on a volume of {self._layout.clusters}")
        for here, following in zip(chosen, [*chosen[1:], _LAST], strict=True):
            struct.pack_into("<I", self._fat, here * 4, following)
        self._taken += count
        return chosen

    def write_tree(
        self, directory: Sequence[int], files: Mapping[str, bytes], payload: Payload | None
    ) -> None:
        """Fill the root directory: files, folders named in their paths, and last the payload."""
        self._write_folder(directory, parent=None, files=files, payload=payload)

    def _write_folder(
        self,
        clusters: Sequence[int],
        parent: int | None,
        files: Mapping[str, bytes],
        payload: Payload | None = None,
    ) -> None:
        entries = bytearray(_entry(_LABEL, 0x08, 0, 0) if parent is None else b"")
        if parent is not None:
            entries += _entry(b".          ", 0x10, clusters[0], 0) + _entry(b"..         ", 0x10, parent, 0)
        folders: dict[str, dict[str, bytes]] = {}
        for path, content in sorted(files.items()):
            folder, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(folder, {})[rest] = content
                continue
            first = self._write_file(content)
            entries += _named(path, 0x20, first, len(content), len(entries))
        for folder, inside in folders.items():
            place = self.take(self._clusters(_ENTRY * (2 + sum(2 + len(name) // 13 + 1 for name in inside))))
            self._write_folder(place, parent=0 if parent is None else clusters[0], files=inside)
            entries += _named(folder, 0x10, place[0], 0, len(entries))
        if payload is not None and payload.size:
            first = self._write_payload(payload)
            entries += _named(PAYLOAD_NAME, 0x20, first, payload.size, len(entries))
        self._write_entries(clusters, bytes(entries))

    def _write_entries(self, clusters: Sequence[int], entries: bytes) -> None:
        missing = self._clusters(len(entries)) - len(clusters)
        if (
            missing > 0
        ):  # the root grows behind what it lists; its first cluster stays where the boot sector says
            more = self.take(missing)
            struct.pack_into("<I", self._fat, clusters[-1] * 4, more[0])
            clusters = [*clusters, *more]
        self._put(clusters, entries)

    def _write_file(self, content: bytes) -> int:
        if not content:
            return 0
        clusters = self.take(self._clusters(len(content)))
        self._put(clusters, content)
        return clusters[0]

    def _write_payload(self, payload: Payload) -> int:
        count = self._clusters(payload.size)
        run = gap = 0
        if payload.fragment:
            run = payload.fragment // self._layout.cluster
            align = -(self._next - 2) % run
            self._next += align
            free = self._layout.clusters + 2 - self._next - count
            gap = max(0, free // -(-count // run) // run * run)
        clusters = self.take(count, run, gap)
        noise = random.Random(payload.seed)
        for piece in range(0, count, run or MIB // self._layout.cluster):
            part = clusters[piece : piece + (run or MIB // self._layout.cluster)]
            length = min(len(part) * self._layout.cluster, payload.size - piece * self._layout.cluster)
            self._put(part, noise.randbytes(length))
        return clusters[0]

    def _put(self, clusters: Sequence[int], content: bytes) -> None:
        size = self._layout.cluster
        start = 0
        while start * size < len(content):
            end = start + 1
            while (
                end < len(clusters) and clusters[end] == clusters[end - 1] + 1 and end * size < len(content)
            ):
                end += 1
            part = content[start * size : end * size]
            offset = self._layout.data + (clusters[start] - 2) * size
            self._written.append((offset, part + bytes(-len(part) % SECTOR)))
            start = end

    def _clusters(self, length: int) -> int:
        return max(1, -(-length // self._layout.cluster))

    def extents(self, serial: int) -> Iterator[Extent]:
        boot = _boot_sector(self._layout, serial)
        info = struct.pack(
            "<I480xIII12xI",
            0x41615252,
            0x61417272,
            self._layout.clusters - self._taken,
            self._next,
            0xAA550000,
        )
        yield from ((0, boot + info), (6 * SECTOR, boot + info))
        for copy in range(2):
            base = (self._layout.reserved + copy * self._layout.fat_sectors) * SECTOR
            for start in range(0, len(self._fat), 4096):
                page = bytes(self._fat[start : start + 4096])
                if any(page):
                    yield base + start, page
        yield from self._written


def _boot_sector(layout: _Layout, serial: int) -> bytes:
    head = struct.pack(
        "<3s8sHBHBHHBHHHII",
        b"\xeb\x58\x90",
        b"MSWIN4.1",
        SECTOR,
        layout.per_cluster,
        layout.reserved,
        2,  # copies of the allocation table
        *(0, 0, 0xF8, 0, 63, 255),  # no fixed root, small size not used, a hard disk, heads and tracks
        PARTITION_START // SECTOR,
        layout.sectors,
    )
    tail = struct.pack(
        "<IHHIHH12xBBBI11s8s",
        layout.fat_sectors,
        *(0, 0, 2, 1, 6),  # mirrored, version, root cluster, sectors of the information and of the backup
        *(0x80, 0, 0x29),
        serial,
        _LABEL,
        b"FAT32   ",
    )
    return (head + tail).ljust(510, b"\0") + b"\x55\xaa"


def _entry(short: bytes, attributes: int, cluster: int, size: int) -> bytes:
    high, low = divmod(cluster, 0x10000)
    return struct.pack(
        "<11sBBBHHHHHHHI", short, attributes, 0, 0, 0, _DOS_DATE, _DOS_DATE, high, 0, _DOS_DATE, low, size
    )


def _named(name: str, attributes: int, cluster: int, size: int, position: int) -> bytes:
    """Return the entry, its long name before it; the short one is made from the position, hence unique."""
    stem = "".join(char for char in name.upper() if char.isascii() and char.isalnum())[:2] or "_"
    short = f"{stem}~{position // _ENTRY:X}".ljust(11).encode()[:11]
    checksum = 0
    for byte in short:
        checksum = ((checksum >> 1) + ((checksum & 1) << 7) + byte) & 0xFF
    text = name.encode("utf-16-le")
    parts = [text[at : at + 26] for at in range(0, len(text), 26)]
    long = bytearray()
    for number in range(len(parts), 0, -1):
        part = parts[number - 1]
        if len(part) < 26:
            part = (part + b"\0\0").ljust(26, b"\xff")
        order = number | (0x40 if number == len(parts) else 0)
        long += struct.pack("<B10sBBB12sH4s", order, part[:10], 0x0F, 0, checksum, part[10:22], 0, part[22:])
    return bytes(long) + _entry(short, attributes, cluster, size)
