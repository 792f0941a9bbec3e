"""The ledger, in memory and in tables alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from shared.domain.errors import Conflict, PermanentError
from shared.domain.keys import FACTORY, Key, image_key, key_of, of_image
from shared.domain.records import FailedWork, ImageRecord, JournalLine
from shared.ports import Insert, Put, Remove, Replace, Write

from .records import AT, line, new_image, record

if TYPE_CHECKING:
    from shared.domain.records import Record
    from shared.ports import Ledger


def all_rows(ledger: Ledger, partition: str, prefix: str, limit: int) -> list[Record]:
    found, after, pages = [], None, 0
    while pages == 0 or after is not None:
        page = ledger.scan(partition, prefix, after=after, limit=limit)
        assert len(page.rows) <= limit
        found += [held.record for held in page.rows]
        after, pages = page.after, pages + 1
    return found


def test_what_was_written_is_read_back_to_the_letter(ledger: Ledger) -> None:
    name = new_image()
    written = record(name, "why – ✓ 'quoted' \"so\" \n next line")
    (etag,) = ledger.commit(of_image(name), [Insert(written)])
    held = ledger.read(image_key(name), ImageRecord)
    assert held is not None
    assert held.record == written
    assert held.etag == etag


def test_an_absent_record_is_none(ledger: Ledger) -> None:
    assert ledger.read(image_key(new_image()), ImageRecord) is None


def test_insert_demands_absence(ledger: Ledger) -> None:
    name = new_image()
    ledger.commit(of_image(name), [Insert(record(name, "first"))])
    with pytest.raises(Conflict):
        ledger.commit(of_image(name), [Insert(record(name, "second"))])
    held = ledger.read(image_key(name), ImageRecord)
    assert held is not None
    assert held.record.reason == "first"


def test_replace_demands_that_nobody_wrote_in_between(ledger: Ledger) -> None:
    name = new_image()
    (first,) = ledger.commit(of_image(name), [Insert(record(name))])
    (second,) = ledger.commit(of_image(name), [Replace(record(name, "mine"), first)])
    assert second != first
    with pytest.raises(Conflict):
        ledger.commit(of_image(name), [Replace(record(name, "too late"), first)])
    ledger.commit(of_image(name), [Replace(record(name, "again mine"), second)])


def test_replacing_what_is_gone_is_a_conflict(ledger: Ledger) -> None:
    name = new_image()
    (etag,) = ledger.commit(of_image(name), [Insert(record(name))])
    assert ledger.commit(of_image(name), [Remove(image_key(name), etag)]) == ("",)
    with pytest.raises(Conflict):
        ledger.commit(of_image(name), [Replace(record(name), etag)])


def test_put_writes_whatever_is_there(ledger: Ledger) -> None:
    name = new_image()
    for reason in ("new", "over it"):
        ledger.commit(of_image(name), [Put(record(name, reason))])
        held = ledger.read(image_key(name), ImageRecord)
        assert held is not None
        assert held.record.reason == reason


def test_remove_demands_what_was_read(ledger: Ledger) -> None:
    name = new_image()
    (first,) = ledger.commit(of_image(name), [Insert(record(name))])
    (second,) = ledger.commit(of_image(name), [Put(record(name, "changed"))])
    with pytest.raises(Conflict):
        ledger.commit(of_image(name), [Remove(image_key(name), first)])
    ledger.commit(of_image(name), [Remove(image_key(name), second)])
    assert ledger.read(image_key(name), ImageRecord) is None
    with pytest.raises(Conflict):
        ledger.commit(of_image(name), [Remove(image_key(name), second)])


def test_a_transaction_is_done_whole_with_an_etag_for_each_write(ledger: Ledger) -> None:
    name = new_image()
    partition = of_image(name)
    (old,) = ledger.commit(partition, [Insert(line(name, 9))])
    etags = ledger.commit(
        partition, [Insert(record(name)), Remove(key_of(line(name, 9)), old), Put(line(name, 1))]
    )
    assert etags[1] == ""
    assert ledger.commit(partition, [Replace(record(name, "x"), etags[0]), Replace(line(name, 1), etags[2])])
    assert ledger.read(key_of(line(name, 9)), JournalLine) is None


@pytest.mark.parametrize("refused", ["insert", "replace", "remove"])
def test_a_transaction_with_one_broken_condition_does_nothing(ledger: Ledger, refused: str) -> None:
    name = new_image()
    partition = of_image(name)
    (stale,) = ledger.commit(partition, [Insert(record(name, "before"))])
    ledger.commit(partition, [Put(record(name, "now"))])
    broken: dict[str, Write] = {
        "insert": Insert(record(name, "mine")),
        "replace": Replace(record(name, "mine"), stale),
        "remove": Remove(image_key(name), stale),
    }
    writes: list[Write] = [Insert(line(name, 1)), broken[refused], Insert(line(name, 2))]
    with pytest.raises(Conflict):
        ledger.commit(partition, writes)
    held = ledger.read(image_key(name), ImageRecord)
    assert held is not None
    assert held.record.reason == "now"
    assert ledger.scan(partition, "journal:").rows == ()


def test_a_scan_gives_the_rows_of_a_prefix_in_key_order_page_by_page(ledger: Ledger) -> None:
    name = new_image()
    partition = of_image(name)
    lines = [line(name, number) for number in range(7)]
    writes: list[Write] = [Insert(record(name)), *(Insert(each) for each in lines)]
    ledger.commit(partition, writes)
    assert all_rows(ledger, partition, "journal:", 3) == lines[::-1]  # the newest first
    assert len(all_rows(ledger, partition, "", 3)) == 8
    assert all_rows(ledger, partition, "nothing:", 3) == []
    assert all_rows(ledger, of_image(new_image()), "", 3) == []


def test_a_scan_across_finds_the_same_row_of_every_partition(ledger: Ledger) -> None:
    names = [new_image() for _ in range(5)]
    for name in names:
        ledger.commit(of_image(name), [Insert(record(name)), Insert(line(name, 1))])
    found, after, first = [], None, True
    while first or after is not None:
        page = ledger.scan_across("image", after=after, limit=2)
        found += [held.record for held in page.rows]
        after, first = page.after, False
    assert all(isinstance(each, ImageRecord) for each in found)
    assert set(names) <= {each.name for each in found if isinstance(each, ImageRecord)}


def test_nothing_to_write_writes_nothing(ledger: Ledger) -> None:
    assert ledger.commit("image:none", []) == ()


def test_what_no_row_can_hold_is_refused_before_it_is_sent(ledger: Ledger) -> None:
    work = FailedWork(id="x", lane="builds", body="é" * 33_000, look=None, why="", at=AT)
    with pytest.raises(PermanentError, match=r"ledger row factory / failed:x is too long.*33,\d+ characters"):
        ledger.commit(FACTORY, [Put(work)])
    fits = msgspec.structs.replace(work, body="é" * 31_000)
    ledger.commit(FACTORY, [Put(fits)])
    held = ledger.read(key_of(fits), FailedWork)
    assert held is not None
    assert held.record == fits


@pytest.mark.parametrize("wrong", ["other partition", "twice", "too many"])
def test_a_transaction_that_the_service_cannot_carry_out_is_refused_before_it_is_sent(
    ledger: Ledger, wrong: str
) -> None:
    name, other = new_image(), new_image()
    writes = {
        "other partition": [Put(record(name)), Put(record(other))],
        "twice": [Put(record(name)), Put(record(name))],
        "too many": [Put(line(name, number)) for number in range(101)],
    }[wrong]
    with pytest.raises(PermanentError):
        ledger.commit(of_image(name), writes)
    assert ledger.read(image_key(name), ImageRecord) is None


def test_a_record_of_another_kind_is_an_error_and_never_half_read(ledger: Ledger) -> None:
    name = new_image()
    ledger.commit(of_image(name), [Put(record(name))])
    with pytest.raises(PermanentError, match="ImageRecord"):
        ledger.read(image_key(name), JournalLine)
    assert ledger.read(Key(of_image(name), "nothing"), JournalLine) is None
