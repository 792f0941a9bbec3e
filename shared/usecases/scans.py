"""Every row of a scan, whatever the pages: one request a page, no page before it is wanted."""

from collections.abc import Iterator
from typing import TypeVar

from shared.domain.records import Record
from shared.ports import Held, Outside

Rec = TypeVar("Rec", bound=Record)


def scanned(out: Outside, partition: str, prefix: str, start: str | None = None) -> Iterator[Held[Record]]:
    """The rows of a partition whose key begins with `prefix`, in the order of keys, from `start` on."""
    after: str | None = None
    while True:
        page = out.ledger.scan(partition, prefix, start=start, after=after)
        yield from page.rows
        after = page.after
        if after is None:
            return


def scanned_across(out: Outside, row: str) -> Iterator[Held[Record]]:
    """The rows with exactly this key in all partitions."""
    after: str | None = None
    while True:
        page = out.ledger.scan_across(row, after=after)
        yield from page.rows
        after = page.after
        if after is None:
            return


def of_kind(rows: Iterator[Held[Record]], kind: type[Rec]) -> Iterator[Held[Rec]]:
    """Those of one kind."""
    return (Held(row.record, row.etag) for row in rows if isinstance(row.record, kind))
