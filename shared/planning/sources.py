"""What is new at a source: numbers are compared as numbers, and a deprecated version is no news."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from shared.domain.records import SourceRecord
from shared.domain.sources import ListedVersion
from shared.domain.versions import Version


class SourceNews(msgspec.Struct, frozen=True):
    """What a look at a source found: the record to write, and what to tell."""

    record: SourceRecord
    found: Version | None
    """A version to announce. None at the first look, which only records."""
    first: bool
    newly_deprecated: tuple[str, ...]


def plan(key: str, record: SourceRecord | None, listed: Iterable[ListedVersion], now: datetime) -> SourceNews:
    """Compare the list with what is known. Nothing is new when `news.record` equals the record given."""
    versions = tuple(listed)
    alive = [v.version for v in versions if not v.deprecated]
    newest = max(alive, key=lambda v: v.rank, default=None)
    known = record or SourceRecord(key)
    deprecated = tuple(sorted(v.version.text for v in versions if v.deprecated))
    found = newest if newest and newest.newer_than(known.newest) else None
    after = replace(known, deprecated=deprecated, trouble=None)
    if found:
        after = replace(after, newest=found, newest_since=now)
    fresh = () if known.newest is None else tuple(v for v in deprecated if v not in known.deprecated)
    return SourceNews(after, found if known.newest else None, known.newest is None, fresh)
