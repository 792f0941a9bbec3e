"""What is new at a source."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.looks import Trouble
from shared.domain.records import SourceRecord
from shared.domain.sources import ListedVersion
from shared.planning.sources import SourceNews, plan

from .cases import MINUTE, NOW, SOURCE, v

KEY = SOURCE.key
KNOWN = SourceRecord(KEY, newest=v("1.0.9"), newest_since=NOW - MINUTE, since=NOW - MINUTE)


def look(record: SourceRecord | None, *alive: str, deprecated: tuple[str, ...] = ()) -> SourceNews:
    listed = [ListedVersion(v(text)) for text in alive]
    listed += [ListedVersion(v(text), deprecated=True) for text in deprecated]
    return plan(KEY, record, listed, NOW)


def test_the_first_look_records_and_announces_nothing() -> None:
    news = look(None, "1.0.1", "1.0.9", deprecated=("1.0.0",))
    assert (news.first, news.found, news.newly_deprecated) == (True, None, ())
    assert news.record == SourceRecord(KEY, v("1.0.9"), NOW, ("1.0.0",), since=NOW)


def test_a_newer_version_is_announced_by_number_not_by_spelling() -> None:
    news = look(KNOWN, "1.0.9", "1.0.10", "1.0.8")
    assert (news.first, news.found) == (False, v("1.0.10"))
    assert (news.record.newest, news.record.newest_since) == (v("1.0.10"), NOW)


def test_nothing_new_changes_nothing() -> None:
    assert look(KNOWN, "1.0.9", "1.0.8").record == KNOWN
    assert look(KNOWN, "1.0.09").record == KNOWN


def test_a_list_that_shrank_takes_nothing_back() -> None:
    assert look(KNOWN, "1.0.1") == SourceNews(KNOWN, None, first=False, newly_deprecated=())
    assert look(KNOWN) == SourceNews(KNOWN, None, first=False, newly_deprecated=())


def test_a_deprecated_version_is_no_news_however_new() -> None:
    news = look(KNOWN, "1.0.9", deprecated=("1.0.10",))
    assert news.found is None
    assert news.newly_deprecated == ("1.0.10",)


def test_a_deprecation_is_told_once() -> None:
    once = look(KNOWN, "1.0.9", deprecated=("1.0.8",))
    assert once.newly_deprecated == ("1.0.8",)
    assert look(once.record, "1.0.9", deprecated=("1.0.8",)).newly_deprecated == ()


def test_the_first_version_of_a_source_that_was_seen_empty_is_news() -> None:
    empty = look(None)
    assert (empty.first, empty.record) == (True, SourceRecord(KEY, since=NOW))
    news = look(empty.record, "1.0.1")
    assert (news.first, news.found) == (False, v("1.0.1"))


def test_a_source_that_only_ever_failed_is_still_at_its_first_look() -> None:
    failed = SourceRecord(KEY, trouble=Trouble(NOW, NOW, "unreachable"))
    assert (look(failed, "1.0.1").first, look(failed, "1.0.1").found) == (True, None)


def test_what_is_latest_in_a_gallery_may_go_back() -> None:
    """A withdrawn version is no longer what is built from; the one before it is no news."""
    listed = (ListedVersion(v("1.0.8")),)
    news = plan(KEY, KNOWN, listed, NOW, may_go_back=True)
    assert (news.taken_back, news.found, news.record.newest) == (v("1.0.9"), None, v("1.0.8"))
    gone = plan(KEY, KNOWN, (), NOW, may_go_back=True)
    assert (gone.taken_back, gone.record.newest) == (v("1.0.9"), None)


def test_a_look_that_went_well_ends_the_trouble() -> None:
    troubled = replace(KNOWN, trouble=Trouble(NOW, NOW, "unreachable"))
    assert look(troubled, "1.0.9").record == KNOWN


_versions = st.builds(
    lambda major, minor, patch: v(f"{major}.{minor:02d}.{patch}"),
    *(st.integers(0, 3), st.integers(0, 12), st.integers(0, 12)),
)


@given(st.lists(st.lists(st.builds(ListedVersion, _versions, st.booleans()), max_size=6), max_size=6))
def test_what_is_announced_only_ever_rises(lists: list[list[ListedVersion]]) -> None:
    """Whatever the marketplace lists, in whatever order: no version is announced twice or out of order."""
    record, announced = None, []
    for listed in lists:
        news = plan(KEY, record, listed, NOW)
        if news.found:
            announced.append(news.found.rank)
            assert ListedVersion(news.found) in listed
        record = news.record
        alive = [each.version.rank for each in listed if not each.deprecated]
        assert not alive or (record.newest is not None and record.newest.rank >= max(alive))
    assert announced == sorted(set(announced))
