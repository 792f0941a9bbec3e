"""A page of rows for people: as many as they want, from a key on, with one request as a rule."""

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from shared.domain import keys
from shared.domain.records import Record
from shared.ports import Outside

R = TypeVar("R", bound=Record)


class Rows(msgspec.Struct, Generic[R], frozen=True):
    records: tuple[R, ...]
    more: bool
    """Whether there are others after these."""

    def until(self, fits: Callable[[R], bool]) -> "Rows[R]":
        """Those before the first that does not fit."""
        end = next((i for i, record in enumerate(self.records) if not fits(record)), None)
        return self if end is None else Rows(self.records[:end], more=False)

    @property
    def last(self) -> str | None:
        """The key where the next page begins; None at the end."""
        return f"{keys.key_of(self.records[-1]).row} " if self.more and self.records else None


class Span(msgspec.Struct, frozen=True):
    """What is wanted of a list that is kept newest first: of [since, until), and after the page before."""

    since: datetime | None
    until: datetime | None
    after: str | None
    limit: int


def newest_first(
    out: Outside,
    partition: str,
    prefix: str,
    kind: type[R],
    span: Span,
    before: Callable[[datetime], str],
    at: Callable[[R], datetime],
) -> Rows[R]:
    """`before` is the key from which on rows are older than a moment; `at` is the moment of a row."""
    start = span.after or (before(span.until) if span.until else None)
    found = rows_from(out, partition, prefix, kind, start, span.limit)
    since = span.since
    return found if since is None else found.until(lambda record: at(record) >= since)


def rows_from(
    out: Outside, partition: str, prefix: str, kind: type[R], start: str | None, limit: int
) -> Rows[R]:
    """Azure may answer with nothing and a token to go on: then it is asked on."""
    found: list[R] = []
    after: str | None = None
    while True:
        wanted = limit - len(found)
        page = out.ledger.scan(partition, prefix, start=start, after=after, limit=wanted)
        found += [row.record for row in page.rows if isinstance(row.record, kind)]
        after = page.after
        if after is None or found:
            return Rows(tuple(found), after is not None)
