"""What is new at a source: numbers are compared as numbers, and a deprecated version is no news."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec.structs import replace

from shared.domain.galleries import GalleryVersion, Provisioning
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
    taken_back: Version | None = None
    """What was newest and is no longer offered: withdrawn, say."""


def plan(
    key: str,
    record: SourceRecord | None,
    listed: Iterable[ListedVersion],
    now: datetime,
    *,
    may_go_back: bool = False,
) -> SourceNews:
    """Compare the list with what is known. Nothing is new when `news.record` equals the record given.

    `may_go_back`: the newest version counts even if it is older than before, as in a gallery, where `latest`
    is what somebody says. A marketplace may leave versions out of a list without meaning anything by it.
    """
    versions = tuple(listed)
    alive = [v.version for v in versions if not v.deprecated]
    newest = max(alive, key=lambda v: v.rank, default=None)
    known = record or SourceRecord(key)
    first = known.since is None and known.newest is None
    deprecated = tuple(sorted(v.version.text for v in versions if v.deprecated))
    after = replace(known, deprecated=deprecated, since=known.since or now, trouble=None)
    found = newest if newest and newest.newer_than(known.newest) else None
    gone = known.newest if may_go_back and known.newest and newest != known.newest and not found else None
    if found or gone:
        after = replace(after, newest=newest, newest_since=now)
    fresh = () if first else tuple(v for v in deprecated if v not in known.deprecated)
    return SourceNews(after, None if first else found, first, fresh, gone)


def latest_in(region: str, versions: Iterable[GalleryVersion]) -> Iterator[GalleryVersion]:
    """The versions that `latest` may mean in the region, newest first: the first that has replicated there.

    A list tells nothing of replication, but that of a version that is wholly done is.
    """
    there = (v for v in versions if v.provisioning is not Provisioning.DELETING)
    yield from sorted(
        (v for v in there if not v.excluded_in(region)), key=lambda v: v.version.rank, reverse=True
    )
