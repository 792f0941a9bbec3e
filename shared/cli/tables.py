"""What the command line prints: tables, moments, and what there is instead of nothing."""

from collections.abc import Iterable
from datetime import datetime

from shared.domain.records import ImageRecord, OutputRecord
from shared.domain.releases import ReleaseRecord

BY = "command line"
"""Who the journal says it was: somebody who may write the ledger, and has told no name."""


def stands(record: ImageRecord | OutputRecord | ReleaseRecord | None) -> str:
    if record is None:
        return "not looked at yet"
    return f"{record.trouble.why} (tried again)" if record.trouble else record.reason


def at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "-"


def text(value: object) -> str:
    return str(value) if value else "-"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Columns as wide as they need to be; the last one takes what is left."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head) - 1)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        print("  ".join((*cells, line[-1])).rstrip())
