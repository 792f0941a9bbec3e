"""Blobs, in memory and in reality alike."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.domain.errors import (
    AccessDenied,
    Busy,
    Changed,
    Conflict,
    Exists,
    Invalid,
    Missing,
    Unreachable,
)
from shared.domain.ids import BlobAddress
from shared.domain.templates import PageRange
from tests.memory import MemoryBlobs

if TYPE_CHECKING:
    from shared.ports import Blobs

    from .conftest import BlobPlace

MIB = 1024 * 1024
MINUTE = timedelta(minutes=1)
PIECES = (
    (0, b"a" * 512),
    (4 * MIB, b"b" * 1024),
    (4 * MIB + 1024, b"c" * 512),
    (6 * MIB, b"d" * 512),
    (7 * MIB, b"e" * 512),
)
RANGES = (
    PageRange(0, 512),
    PageRange(4 * MIB, 4 * MIB + 1536),
    PageRange(6 * MIB, 6 * MIB + 512),
    PageRange(7 * MIB, 7 * MIB + 512),
)


def lease() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def source(place: BlobPlace) -> BlobAddress:
    """A page blob of 8 MiB with four allocated ranges."""
    at = place.fresh("source.vhd")
    place.plant(at, PIECES, 8 * MIB)
    return at


@pytest.fixture
def target(place: BlobPlace) -> BlobAddress:
    at = place.fresh("target.vhd")
    place.blobs.create_pages(at, 8 * MIB, {})
    return at


def all_ranges(blobs: Blobs, at: BlobAddress) -> list[PageRange]:
    first = blobs.ranges(at)
    found, after = list(first.ranges), first.after
    while after is not None:
        page = blobs.ranges(at, after=after)
        found, after = found + list(page.ranges), page.after
    return found


def test_facts_tell_what_a_blob_is(place: BlobPlace) -> None:
    at = place.fresh()
    etag = place.blobs.create_pages(at, 1024, {"sourceetag": "0x1", "state": "copying"})
    facts = place.blobs.facts(at)
    assert (facts.etag, facts.length, facts.page_blob) == (etag, 1024, True)
    assert facts.metadata == {"sourceetag": "0x1", "state": "copying"}
    assert facts.modified.tzinfo is not None


def test_a_name_is_given_once(place: BlobPlace) -> None:
    at = place.fresh()
    place.blobs.create_pages(at, 1024, {})
    with pytest.raises(Exists):
        place.blobs.create_pages(at, 2048, {})
    assert place.blobs.facts(at).length == 1024


def test_ranges_are_what_is_allocated_page_by_page(place: BlobPlace, source: BlobAddress) -> None:
    assert tuple(all_ranges(place.blobs, source)) == RANGES
    if isinstance(place.blobs, MemoryBlobs):  # Azurite gives all of them at once, whatever it is asked for
        assert len(place.blobs.ranges(source).ranges) == 2


def test_an_empty_page_blob_has_no_ranges(place: BlobPlace, target: BlobAddress) -> None:
    page = place.blobs.ranges(target)
    assert (page.ranges, page.after) == ((), None)


def test_bytes_are_read_by_range_holes_as_zeroes(place: BlobPlace, source: BlobAddress) -> None:
    found = place.blobs.read(source, 4 * MIB - 2, 4 * MIB + 2)
    assert found == b"\0\0bb"
    assert place.blobs.read(source, 8 * MIB - 512, 8 * MIB) == bytes(512)
    assert place.blobs.read(source, 8 * MIB - 2, 9 * MIB) == bytes(2)  # no more than there is


@pytest.mark.parametrize(("start", "end"), [(8 * MIB, 8 * MIB + 512), (5, 5), (9, 5)])
def test_bytes_that_are_not_there_cannot_be_read(
    place: BlobPlace, source: BlobAddress, start: int, end: int
) -> None:
    with pytest.raises(Invalid):
        place.blobs.read(source, start, end)


def test_a_pinned_blob_that_changed_is_known_as_changed(place: BlobPlace, source: BlobAddress) -> None:
    etag = place.blobs.facts(source).etag
    assert place.blobs.read(source, 0, 1, if_match=etag) == b"a"
    assert place.blobs.ranges(source, if_match=etag).ranges
    place.plant(source, PIECES[:1], 8 * MIB)
    with pytest.raises(Changed):
        place.blobs.read(source, 0, 1, if_match=etag)
    with pytest.raises(Changed):
        place.blobs.ranges(source, if_match=etag)


def test_a_copied_chunk_is_the_same_at_the_target_and_nothing_else_is(
    place: BlobPlace, source: BlobAddress, target: BlobAddress
) -> None:
    etag, held = place.blobs.facts(source).etag, lease()
    place.blobs.acquire(target, held, MINUTE)
    for chunk in RANGES[1:3]:
        place.blobs.copy_pages(source, etag, target, held, chunk)
        place.blobs.copy_pages(source, etag, target, held, chunk)  # twice is as good as once
    assert tuple(all_ranges(place.blobs, target)) == RANGES[1:3]
    expected = bytearray(8 * MIB)
    for at, content in PIECES[1:4]:
        expected[at : at + len(content)] = content
    assert place.content(target) == bytes(expected)


def test_a_chunk_that_reaches_over_holes_is_copied_with_its_zeroes(
    place: BlobPlace, source: BlobAddress, target: BlobAddress
) -> None:
    held = lease()
    place.blobs.acquire(target, held, MINUTE)
    chunk = PageRange(4 * MIB, 8 * MIB)
    place.blobs.copy_pages(source, place.blobs.facts(source).etag, target, held, chunk)
    assert tuple(all_ranges(place.blobs, target)) == (chunk,)
    assert place.blobs.read(target, 6 * MIB - 1, 6 * MIB + 1) == b"\0d"


def test_a_copy_from_a_changed_source_writes_nothing(
    place: BlobPlace, source: BlobAddress, target: BlobAddress
) -> None:
    etag, held = place.blobs.facts(source).etag, lease()
    place.blobs.acquire(target, held, MINUTE)
    place.plant(source, PIECES[:1], 8 * MIB)
    with pytest.raises(Changed):
        place.blobs.copy_pages(source, etag, target, held, RANGES[0])
    assert place.blobs.ranges(target).ranges == ()


@pytest.mark.parametrize("whose", ["nobody", "somebody"])
def test_a_copy_without_the_lease_writes_nothing(
    place: BlobPlace, source: BlobAddress, target: BlobAddress, whose: str
) -> None:
    if whose == "somebody":
        place.blobs.acquire(target, lease(), MINUTE)
    with pytest.raises(Conflict):
        place.blobs.copy_pages(source, place.blobs.facts(source).etag, target, lease(), RANGES[0])
    assert place.blobs.ranges(target).ranges == ()


def test_a_copy_names_which_of_its_two_blobs_is_missing(
    place: BlobPlace, source: BlobAddress, target: BlobAddress
) -> None:
    held = lease()
    place.blobs.acquire(target, held, MINUTE)
    # Azurite looks at the condition first: that a pinned source is gone is then for `facts` to tell.
    with pytest.raises((Missing, Changed)):
        place.blobs.copy_pages(place.fresh(), '"0x1"', target, held, RANGES[0])
    with pytest.raises(Missing):
        place.blobs.copy_pages(source, place.blobs.facts(source).etag, place.fresh(), held, RANGES[0])


def test_a_copy_from_an_account_that_is_gone_has_no_answer(place: BlobPlace, target: BlobAddress) -> None:
    account, held = place.new_account(), lease()
    source = BlobAddress(account, "vhds", "source.vhd")
    place.plant(source, PIECES, 8 * MIB)
    etag = place.blobs.facts(source).etag
    place.blobs.acquire(target, held, MINUTE)
    place.delete_account(account)
    with pytest.raises(Unreachable):
        place.blobs.copy_pages(source, etag, target, held, RANGES[0])
    with pytest.raises(Unreachable):
        place.blobs.facts(source)
    with pytest.raises(Unreachable):
        place.blobs.read(source, 0, 512)


def test_a_label_replaces_the_metadata_under_the_lease(place: BlobPlace, target: BlobAddress) -> None:
    held = lease()
    place.blobs.acquire(target, held, MINUTE)
    etag = place.blobs.label(target, {"state": "lost"}, held)
    facts = place.blobs.facts(target)
    assert (facts.metadata, facts.etag) == ({"state": "lost"}, etag)
    with pytest.raises(Conflict):
        place.blobs.label(target, {"state": "mine"}, lease())


def test_a_leased_blob_is_busy_for_everybody_else(place: BlobPlace, target: BlobAddress) -> None:
    held = lease()
    place.blobs.acquire(target, held, MINUTE)
    with pytest.raises(Busy):
        place.blobs.acquire(target, lease(), MINUTE)
    place.blobs.acquire(target, held, MINUTE)  # one's own is renewed
    place.blobs.renew(target, held)
    place.blobs.release(target, held)
    place.blobs.acquire(target, lease(), MINUTE)


def test_a_lease_that_went_to_somebody_else_is_not_ours_any_more(
    place: BlobPlace, target: BlobAddress
) -> None:
    ours = lease()
    place.blobs.acquire(target, ours, MINUTE)
    place.blobs.release(target, ours)
    place.blobs.acquire(target, lease(), MINUTE)
    for act in (place.blobs.renew, place.blobs.release):
        with pytest.raises(Conflict):
            act(target, ours)
    with pytest.raises(Conflict):
        place.blobs.label(target, {}, ours)


def test_leasing_changes_no_etag(place: BlobPlace, target: BlobAddress) -> None:
    before, held = place.blobs.facts(target).etag, lease()
    place.blobs.acquire(target, held, MINUTE)
    place.blobs.renew(target, held)
    assert place.blobs.facts(target).etag == before


def test_a_small_blob_is_written_whole(place: BlobPlace) -> None:
    at = place.fresh("manifest.json")
    etag = place.blobs.write(at, b'{"v":1}', if_none_match=True)
    facts = place.blobs.facts(at)
    assert (facts.etag, facts.length, facts.page_blob) == (etag, 7, False)
    assert place.blobs.read(at, 0, 7, if_match=etag) == b'{"v":1}'
    with pytest.raises(Exists):
        place.blobs.write(at, b"other", if_none_match=True)
    assert place.blobs.write(at, b"other", if_none_match=False) != etag
    assert place.content(at) == b"other"


def test_a_block_blob_has_no_page_ranges(place: BlobPlace) -> None:
    at = place.fresh("manifest.json")
    place.blobs.write(at, b"{}", if_none_match=True)
    with pytest.raises(Invalid):
        place.blobs.ranges(at)


def test_names_are_listed_by_prefix(place: BlobPlace) -> None:
    at = place.fresh("b/customization.log")
    folder = at.name.split("/")[0]
    place.blobs.write(at, b"x", if_none_match=True)
    place.blobs.write(BlobAddress(at.account, at.container, f"{folder}/a"), b"x", if_none_match=True)
    page = place.blobs.list(at.account, at.container, f"{folder}/")
    assert [each.name for each in page.blobs] == [f"{folder}/a", at.name]
    assert page.after is None
    assert place.blobs.list(at.account, at.container, "nothing/").blobs == ()


def test_a_list_tells_etags_and_metadata(place: BlobPlace) -> None:
    at = place.fresh("c/disk.vhd")
    etag = place.blobs.create_pages(at, 512, {"image": "ubuntu"})
    (listed,) = place.blobs.list(at.account, at.container, at.name).blobs
    assert listed.etag.strip('"') == etag.strip('"')
    assert listed.metadata == {"image": "ubuntu"}


def test_a_mark_is_written_and_a_blob_deleted_only_as_it_was_seen(place: BlobPlace) -> None:
    at = place.fresh("d/disk.vhd")
    first = place.blobs.create_pages(at, 512, {"image": "ubuntu"})
    place.blobs.mark(at, {"image": "ubuntu", "mark": "x"}, first)
    second = place.blobs.facts(at).etag
    assert place.blobs.facts(at).metadata == {"image": "ubuntu", "mark": "x"}
    with pytest.raises(Changed):
        place.blobs.mark(at, {}, first)
    with pytest.raises(Changed):
        place.blobs.delete(at, first)
    place.blobs.delete(at, second)
    with pytest.raises(Missing):
        place.blobs.facts(at)
    with pytest.raises((Missing, Changed)):
        place.blobs.delete(at, second)


def test_what_is_leased_is_neither_marked_nor_deleted(place: BlobPlace) -> None:
    at = place.fresh("e/disk.vhd")
    etag = place.blobs.create_pages(at, 512, {})
    place.blobs.acquire(at, lease(), MINUTE)
    with pytest.raises(Conflict):
        place.blobs.mark(at, {}, etag)
    with pytest.raises(Conflict):
        place.blobs.delete(at, etag)


def test_odd_names_are_one_blob_each(place: BlobPlace) -> None:
    at = place.fresh("Größe 5%/a+b?c#d&e=f ~x.json")
    place.blobs.write(at, b"x", if_none_match=True)
    assert [b.name for b in place.blobs.list(at.account, at.container, at.name[:5]).blobs] == [at.name]
    assert place.blobs.read(at, 0, 1) == b"x"


def test_what_is_not_there_is_missing(place: BlobPlace) -> None:
    for at in (place.fresh(), BlobAddress(place.account, "nothing", "x.vhd")):
        with pytest.raises(Missing):
            place.blobs.facts(at)
        with pytest.raises(Missing):
            place.blobs.read(at, 0, 512)
        with pytest.raises(Missing):
            place.blobs.acquire(at, lease(), MINUTE)
    with pytest.raises(Missing):
        place.blobs.create_pages(BlobAddress(place.account, "nothing", "x.vhd"), 512, {})
    with pytest.raises(Missing):
        place.blobs.list(place.account, "nothing", "")


def test_a_missing_role_is_access_denied_with_what_to_grant_and_where(
    place: BlobPlace, source: BlobAddress, target: BlobAddress
) -> None:
    account, held = place.new_account(), lease()
    at = BlobAddress(account, "vhds", "there.vhd")
    place.plant(at, PIECES, 8 * MIB)
    place.revoke(account, "write")
    assert place.blobs.facts(at).length == 8 * MIB
    with pytest.raises(AccessDenied) as caught:
        place.blobs.acquire(at, held, MINUTE)
    assert caught.value.action == "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
    assert caught.value.scope == f"storage account {account}"
    place.revoke(account, "read")
    place.blobs.acquire(target, held, MINUTE)
    with pytest.raises(AccessDenied) as caught:
        place.blobs.facts(at)
    assert caught.value.action.endswith("blobs/read")
    with pytest.raises(AccessDenied) as caught:
        place.blobs.copy_pages(at, '"0x1"', target, held, RANGES[0])
    assert caught.value.action.endswith("blobs/read")
    assert caught.value.scope == f"storage account {account}"
