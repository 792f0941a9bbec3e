"""How a VHD gets into the archive: what to copy, what to check, and what makes it lost."""

import itertools
import struct
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import vhd
from shared.domain.factory import Archive
from shared.domain.ids import ImageName
from shared.domain.templates import PageRange
from shared.planning import archive
from shared.planning.archive import CHUNK, FOOTER, MIB, SAMPLES, Traces

from .cases import FIRST, SECOND

ARCHIVE = Archive("archive", "vhds")
UBUNTU = ImageName("ubuntu")
PAGES = 40
"""So small a disk that its bytes can be a set."""


def ranges(*pairs: tuple[int, int]) -> list[PageRange]:
    return [PageRange(start, end) for start, end in pairs]


def bytes_of(found: list[PageRange]) -> set[int]:
    return {byte for each in found for byte in range(each.start, each.end)}


def runs_of(held: set[int]) -> list[PageRange]:
    """The fewest ranges that hold these bytes: the oracle."""
    found: list[PageRange] = []
    for byte in sorted(held):
        if found and found[-1].end == byte:
            found[-1] = PageRange(found[-1].start, byte + 1)
        else:
            found.append(PageRange(byte, byte + 1))
    return found


def _cut(held: set[int], cuts: set[int]) -> list[PageRange]:
    """The same bytes in ranges that may touch, as some services list them."""
    pieces = []
    for run in runs_of(held):
        edges = [run.start, *sorted(c for c in cuts if run.start < c < run.end), run.end]
        pieces += [PageRange(a, b) for a, b in itertools.pairwise(edges)]
    return pieces


_sets = st.sets(st.integers(0, PAGES - 1))
_listed = st.builds(_cut, _sets, _sets)


class TestPlaces:
    def test_an_output_has_one_place_and_other_outputs_have_others(self) -> None:
        at = archive.place(ARCHIVE, UBUNTU, FIRST, "vhd")
        assert str(at) == "archive/vhds/ubuntu/20261110T110000.123456789Z/vhd.vhd"
        assert at == archive.place(ARCHIVE, UBUNTU, FIRST, "vhd")
        others = {
            archive.place(ARCHIVE, UBUNTU, SECOND, "vhd"),
            archive.place(ARCHIVE, ImageName("debian"), FIRST, "vhd"),
            archive.place(ARCHIVE, UBUNTU, FIRST, "vhd2"),
        }
        assert len(others | {at}) == 4

    @pytest.mark.parametrize("name", ["../../etc", "a/b", "a b", "ä", "x" * 500, "a?sig=1", "A"])
    def test_no_name_of_an_output_leaves_its_folder(self, name: str) -> None:
        at = archive.place(ARCHIVE, UBUNTU, FIRST, name)
        folder, _, file = at.name.rpartition("/")
        assert folder == "ubuntu/20261110T110000.123456789Z"
        assert file.endswith(".vhd")
        assert len(at.name) < 200

    def test_a_manifest_lies_beside_its_vhd_and_tells_the_run_where_the_vhd_cannot(self) -> None:
        at = archive.place(ARCHIVE, UBUNTU, FIRST, "vhd")
        assert archive.manifest_place(at, FIRST, in_place=False).name == at.name[: -len("vhd")] + "json"
        first, second = (archive.manifest_place(at, run, in_place=True) for run in (FIRST, SECOND))
        assert first != second


class TestRanges:
    @given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 30_000)), max_size=5))
    def test_chunks_are_the_ranges_in_order_none_larger_than_one_call(
        self, pages: list[tuple[int, int]]
    ) -> None:
        allocated, at = [], 0
        for gap, length in pages:
            allocated.append(PageRange(at + gap * 512, at + (gap + length) * 512))
            at = allocated[-1].end
        chunks = list(archive.chunks(allocated))
        assert list(archive.merged(chunks)) == list(archive.merged(allocated))
        assert all(0 < chunk.size <= CHUNK and chunk.start % 512 == 0 for chunk in chunks)
        assert len(chunks) == sum(-(-each.size // CHUNK) for each in allocated)
        assert chunks == sorted(chunks)

    @given(_listed, _listed)
    def test_what_is_missing_is_what_is_wanted_and_not_there(
        self, wanted: list[PageRange], there: list[PageRange]
    ) -> None:
        missing = list(archive.missing(wanted, there))
        assert bytes_of(missing) == bytes_of(wanted) - bytes_of(there)
        assert sum(each.size for each in missing) == len(bytes_of(missing))
        assert missing == sorted(missing)

    @given(_listed)
    def test_merged_ranges_are_the_fewest_for_the_same_bytes(self, listed: list[PageRange]) -> None:
        assert list(archive.merged(listed)) == runs_of(bytes_of(listed))

    @given(_listed, st.integers(0, 20))
    def test_a_copy_that_is_taken_up_again_ends_with_every_byte_once(
        self, wanted: list[PageRange], done: int
    ) -> None:
        first = wanted[:done]
        rest = list(archive.missing(wanted, archive.merged(first)))
        assert sorted(first + rest) == wanted

    def test_ranges_are_never_read_further_than_needed(self) -> None:
        """A disk may have hundreds of thousands of them."""
        seen = 0

        def endless() -> Iterator[PageRange]:
            nonlocal seen
            while True:
                yield PageRange(seen * 1024, seen * 1024 + 512)
                seen += 1

        chunks = archive.chunks(archive.missing(endless(), archive.merged(ranges((0, 512)))))
        assert next(chunks) == PageRange(1024, 1536)
        assert seen <= 2


class TestLength:
    @pytest.mark.parametrize("length", [MIB + FOOTER, 64 * MIB + FOOTER, 4095 * 1024 * MIB + FOOTER])
    def test_whole_mebibytes_and_a_footer_are_sound(self, length: int) -> None:
        assert archive.length_fault(length) == ""

    @pytest.mark.parametrize("length", [0, 511, FOOTER, MIB, MIB + FOOTER + 512, 2 * MIB - FOOTER])
    def test_any_other_length_is_no_fixed_vhd(self, length: int) -> None:
        assert archive.length_fault(length)


class TestFooter:
    SIZE = 64 * MIB
    SOUND = vhd.footer(SIZE, uuid.UUID(int=7))

    def test_the_footer_of_a_fixed_vhd_is_sound(self) -> None:
        assert archive.footer_fault(self.SOUND, self.SIZE + FOOTER) == ""

    @given(st.integers(1, 2**20))
    def test_of_whatever_size_it_tells_if_it_is_the_size_of_the_blob(self, mib: int) -> None:
        footer = vhd.footer(mib * MIB, uuid.UUID(int=mib))
        assert archive.footer_fault(footer, mib * MIB + FOOTER) == ""
        assert archive.footer_fault(footer, (mib + 1) * MIB + FOOTER) == (
            f"its footer tells {mib * MIB} bytes, the blob holds {(mib + 1) * MIB}"
        )

    @given(st.integers(0, FOOTER - 1), st.integers(0, 7))
    def test_no_flipped_bit_passes(self, at: int, bit: int) -> None:
        spoilt = bytearray(self.SOUND)
        spoilt[at] ^= 1 << bit
        assert archive.footer_fault(bytes(spoilt), self.SIZE + FOOTER)

    @pytest.mark.parametrize("footer", [b"", b"conectix", b"\0" * FOOTER, SOUND[:-1], SOUND + b"\0"])
    def test_what_is_no_footer_is_called_that(self, footer: bytes) -> None:
        assert "no VHD footer" in archive.footer_fault(footer, self.SIZE + FOOTER)

    @pytest.mark.parametrize(("kind", "named"), [(3, "dynamic"), (4, "differencing"), (9, "of type 9")])
    def test_another_type_of_vhd_is_named(self, kind: int, named: str) -> None:
        footer = vhd.footer(self.SIZE, uuid.UUID(int=7), disk_type=kind)
        assert struct.unpack_from(">I", footer, 60)[0] == kind
        assert archive.footer_fault(footer, self.SIZE + FOOTER) == (
            f"it is {named}, expected a fixed VHD (type 2)"
        )


class TestSample:
    @given(st.integers(0, 300), st.text(max_size=5))
    def test_the_ends_and_sixteen_more_in_order_whatever_the_disk(self, count: int, seed: str) -> None:
        chunks = [PageRange(n * CHUNK, (n + 1) * CHUNK) for n in range(count)]
        picked = archive.sample(iter(chunks), seed)
        assert len(picked) == min(count, SAMPLES + 2)
        assert list(picked) == sorted(set(picked))
        assert set(picked) <= set(chunks)
        assert not chunks or {chunks[0], chunks[-1]} <= set(picked)
        assert picked == archive.sample(chunks, seed)

    def test_another_seed_draws_others(self) -> None:
        chunks = [PageRange(n * CHUNK, (n + 1) * CHUNK) for n in range(1000)]
        drawn = {archive.sample(chunks, f"output {n}") for n in range(20)}
        assert len(drawn) == 20

    def test_every_chunk_has_its_chance(self) -> None:
        chunks = [PageRange(n * CHUNK, (n + 1) * CHUNK) for n in range(60)]
        drawn = {chunk for n in range(60) for chunk in archive.sample(chunks, str(n))}
        assert drawn == set(chunks)


@pytest.mark.parametrize(
    ("missing", "unreachable", "template", "account", "lost"),
    [
        (False, False, True, True, False),
        (False, False, False, False, False),
        (True, False, True, True, False),
        (True, False, True, None, False),
        (True, False, True, False, True),
        (True, False, False, True, True),
        (True, False, False, None, True),
        (False, True, True, True, False),
        (False, True, True, None, False),
        (False, True, True, False, True),
        (False, True, False, None, True),
        (False, True, False, True, True),
    ],
)
def test_lost_is_only_what_cannot_be_read_and_resource_manager_says_why(
    missing: bool, unreachable: bool, template: bool, account: bool | None, lost: bool
) -> None:
    """No answer about the account is no proof that it is gone."""
    assert archive.is_lost(Traces(missing, unreachable, template, account)) is lost
