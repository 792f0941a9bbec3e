"""Keys are fit for a table, and different things have different ones."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain import keys
from shared.domain.ids import ImageName, RunStart
from shared.domain.records import FailedWork, ImageRecord, JournalLine, Slot, SourceRecord

FORBIDDEN = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
NOW = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
LINE = JournalLine(NOW, "ubuntu", "run-requested", "1.0.1 is newer", "c", keys.of_image("ubuntu"))

_moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.text(max_size=2000))
def test_any_text_fits_into_a_key(text: str) -> None:
    fit = keys.fit(text)
    assert not FORBIDDEN.search(fit)
    assert fit == fit.lower()
    assert len(fit) <= 120
    assert fit.isascii()


@given(st.text(max_size=200), st.text(max_size=200))
def test_different_texts_have_different_keys(one: str, other: str) -> None:
    """But for their casing, in which no two things of Azure differ."""
    assert (keys.fit(one) == keys.fit(other)) == (one.lower() == other.lower())


def test_long_texts_that_begin_alike_stay_different() -> None:
    assert keys.fit("x" * 500 + "a") != keys.fit("x" * 500 + "b")


@given(st.text(max_size=200))
def test_no_text_can_pretend_to_be_the_key_of_another(text: str) -> None:
    """Ids of events and messages are what their senders like them to be."""
    fit = keys.fit(text)
    assert fit == text.lower() or keys.fit(fit) != fit


@given(_moments, _moments)
def test_the_journal_is_read_newest_first(one: datetime, other: datetime) -> None:
    first, second = (keys.journal_row(replace(LINE, at=at)) for at in (one, other))
    assert one == other or (first < second) == (one > other)


@given(_moments, st.timedeltas(timedelta(microseconds=1), timedelta(days=800)))
def test_older_lines_lie_behind_the_mark_and_newer_ones_before_it(at: datetime, apart: timedelta) -> None:
    mark = keys.journal_before(at)
    assert keys.journal_row(replace(LINE, at=at - apart)) > mark
    assert keys.journal_row(replace(LINE, at=at + apart)) < mark


def test_the_same_line_written_twice_is_one_and_another_is_another() -> None:
    assert keys.key_of(LINE) == keys.key_of(replace(LINE))
    for other in (replace(LINE, why="x"), replace(LINE, thing="x"), replace(LINE, correlation="x")):
        assert keys.key_of(other) != keys.key_of(LINE)


def test_all_that_belongs_to_an_image_shares_its_partition() -> None:
    name, run = ImageName("ubuntu"), RunStart("2026-11-10T11:00:00.123456789Z")
    found = {
        keys.key_of(ImageRecord(name)),
        keys.run_key(name, run),
        keys.output_key(name, run, "vhd"),
        keys.key_of(LINE),
    }
    assert {key.partition for key in found} == {keys.of_image("ubuntu")}
    assert len(found) == 4


def test_images_sources_slots_and_failed_work_never_share_a_partition() -> None:
    same = "factory"
    found = [
        keys.key_of(ImageRecord(ImageName(same))),
        keys.key_of(SourceRecord(same)),
        keys.key_of(Slot(same, 0, ImageName(same), NOW)),
        keys.key_of(FailedWork(same, "builds", None, "", "", NOW)),
    ]
    assert len({key.partition for key in found}) == len(found)
