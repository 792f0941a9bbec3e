"""The VHDs that the sandbox builds are VHDs, by the specification and by tools that know nothing of it."""

import shutil
import struct
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.filesystem import MIB
from sandbox.vhd import Vhd, broken_footer, checksum, dynamic, footer, geometry, make_vhd, truncated

FILES = {
    "image-release.json": b'{"version": "22.04.202611010"}',
    "empty.txt": b"",
    "customizers/01-install the agent.sh": b"echo hello\n" * 500,
    "customizers/02-trim.sh": b"exit 0\n",
    "etc/deep/er/motd": b"welcome",
    "grüße.txt": b"hallo",
}


class FatReader:
    """Reads a FAT32 volume by the published on-disk format; shares no line with the writer."""

    def __init__(self, image: Vhd) -> None:
        table = image.read(0, 512)
        assert table[510:] == b"\x55\xaa"
        self.kind = table[446 + 4]
        start, sectors = struct.unpack_from("<II", table, 446 + 8)
        self.base = start * 512
        assert self.base + sectors * 512 == image.size - 512
        self.image = image
        boot = image.read(self.base, 512)
        assert boot == image.read(self.base + 6 * 512, 512), "backup boot sector"
        self.cluster = boot[13] * 512
        reserved, fats = struct.unpack_from("<HB", boot, 14)
        size = struct.unpack_from("<I", boot, 36)[0] * 512
        self.root = struct.unpack_from("<I", boot, 44)[0]
        fat_at = self.base + reserved * 512
        self.fat = image.read(fat_at, size)
        assert self.fat == image.read(fat_at + size, size), "the two allocation tables"
        self.data = fat_at + fats * size
        self.clusters = (sectors * 512 - (self.data - self.base)) // self.cluster
        self.free = struct.unpack_from("<I", image.read(self.base + 512, 512), 488)[0]

    def chain(self, cluster: int) -> Iterator[int]:
        while 2 <= cluster < 0x0FFFFFF8:
            yield cluster
            cluster = struct.unpack_from("<I", self.fat, cluster * 4)[0] & 0x0FFFFFFF

    def content(self, cluster: int) -> bytes:
        at = (self.data + (each - 2) * self.cluster for each in self.chain(cluster))
        return b"".join(self.image.read(offset, self.cluster) for offset in at)

    def files(self, cluster: int | None = None, prefix: str = "") -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        name = b""
        raw = self.content(cluster or self.root)
        for at in range(0, len(raw), 32):
            entry = raw[at : at + 32]
            if entry[0] == 0:
                break
            if entry[11] == 0x0F:
                name = entry[1:11] + entry[14:26] + entry[28:32] + name
                continue
            if entry[11] & 0x08:
                continue
            text = name.decode("utf-16-le").split("\0")[0]
            high, low, size = struct.unpack_from("<H4xHI", entry, 20)
            first, name = high << 16 | low, b""
            if entry[11] & 0x10 and entry[:1] != b".":
                found |= self.files(first, f"{prefix}{text}/")
            elif not entry[11] & 0x10:
                found[prefix + text] = self.content(first)[:size] if first else b""
        return found


def test_a_vhd_ends_with_a_footer_by_the_specification() -> None:
    vhd = make_vhd(FILES, size_mib=64, payload_mib=1, seed="a")
    raw = vhd.read(vhd.size - 512, 512)
    cookie, features, version, data_offset = struct.unpack_from(">8sIIQ", raw)
    original, current = struct.unpack_from(">QQ", raw, 40)
    assert vhd.size == 64 * MIB + 512
    assert (cookie, features, version, data_offset) == (b"conectix", 2, 0x10000, 2**64 - 1)
    assert original == current == 64 * MIB
    assert struct.unpack_from(">I", raw, 60)[0] == 2
    assert struct.unpack_from(">I", raw, 64)[0] == ~sum(raw[:64] + raw[68:]) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("mib", "expected"),
    [
        (64, (963, 8, 17)),
        (1024, (2080, 16, 63)),
        (127 * 1024, (65535, 16, 253)),
    ],
)
def test_geometry_is_close_to_the_size_and_never_above_it(mib: int, expected: tuple[int, int, int]) -> None:
    cylinders, heads, sectors = geometry(mib * MIB)
    assert cylinders * heads * sectors * 512 <= mib * MIB
    if mib <= 1024:
        assert (cylinders, heads, sectors) == expected
        assert cylinders * heads * sectors * 512 > 0.99 * mib * MIB
    else:
        assert (heads, sectors) == (16, 255)


@pytest.mark.parametrize("size_mib", [64, 300])
def test_an_independent_reader_finds_every_file(size_mib: int) -> None:
    reader = FatReader(make_vhd(FILES, size_mib=size_mib, payload_mib=3, seed="a"))
    found = reader.files()
    payload = found.pop("payload.bin")
    assert found == FILES
    assert len(payload) == 3 * MIB
    assert reader.kind == 0x0C
    assert reader.clusters >= 65525, "fewer would make it FAT16 by definition"


def test_free_space_is_counted_right() -> None:
    reader = FatReader(make_vhd(FILES, size_mib=64, payload_mib=2, seed="a"))
    used = sum(1 for at in range(2, reader.clusters + 2) if any(reader.fat[at * 4 : at * 4 + 4]))
    assert reader.free == reader.clusters - used


def test_many_files_make_the_root_directory_grow() -> None:
    many = {f"a rather long name of a file, number {number}.txt": b"%d" % number for number in range(200)}
    found = FatReader(make_vhd(many, size_mib=64, payload_mib=0, seed="a")).files()
    assert found == many


def test_a_vhd_is_mostly_holes_and_its_extents_are_aligned_and_apart() -> None:
    vhd = make_vhd(FILES, size_mib=256, payload_mib=4, seed="a")
    end = -1
    for start, content in vhd.extents:
        assert start > end
        assert start % 512 == len(content) % 512 == 0
        end = start + len(content)
    assert end == vhd.size
    assert 4 * MIB < vhd.allocated < 5 * MIB


def test_a_fragmented_payload_lies_scattered_over_the_disk() -> None:
    vhd = make_vhd(FILES, size_mib=128, payload_mib=8, seed="a", fragment_kib=64)
    pieces = [start for start, content in vhd.extents if len(content) == 65536]
    assert len(pieces) >= 126
    assert all(start % 65536 == 0 for start in pieces)
    assert pieces[-1] > 100 * MIB
    assert len(FatReader(vhd).files()["payload.bin"]) == 8 * MIB


def test_equal_arguments_give_equal_bytes_and_the_seed_changes_them() -> None:
    first, again, other = (make_vhd(FILES, size_mib=64, payload_mib=1, seed=seed) for seed in "aab")
    assert first == again
    assert first.sha256() == again.sha256() != other.sha256()


def test_a_disk_below_64_mib_is_not_made() -> None:
    with pytest.raises(ValueError, match="too small"):
        make_vhd({}, size_mib=32, payload_mib=0, seed="a")


def test_spoilt_vhds_are_spoilt_in_one_way_each() -> None:
    vhd = make_vhd(FILES, size_mib=64, payload_mib=1, seed="a")
    broken, expanding = broken_footer(vhd), dynamic(vhd)
    raw = broken.read(broken.size - 512, 512)
    assert broken.size == expanding.size == vhd.size
    assert checksum(raw) != struct.unpack_from(">I", raw, 64)[0]
    raw = expanding.read(expanding.size - 512, 512)
    assert checksum(raw) == struct.unpack_from(">I", raw, 64)[0]
    assert struct.unpack_from(">I", raw, 60)[0] == 3
    assert truncated(vhd).size == 0
    assert truncated(vhd, 512).read(0, 1024) == vhd.read(0, 512)


def test_footer_carries_the_disk_id() -> None:
    name = uuid.uuid4()
    assert footer(64 * MIB, name)[68:84] == name.bytes


@pytest.mark.skipif(shutil.which("fsck.fat") is None, reason="dosfstools is not installed")
def test_fsck_finds_nothing_to_mend(tmp_path: Path) -> None:
    vhd = make_vhd(FILES, size_mib=64, payload_mib=2, seed="a")
    volume = tmp_path / "volume"
    volume.write_bytes(vhd.read(MIB, vhd.size - 512 - MIB))
    done = subprocess.run(["fsck.fat", "-nv", volume], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
