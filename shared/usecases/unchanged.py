"""`If-Match`: what an action relies on is as it was when its ETag was told, to the very write.

The thing is read once to compare, and again by whoever acts. Between the two anybody may write. So the ledger
remembers what was read of each row, and refuses to go on with another state of it; the write carries the
ETag of that very row.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from shared.domain.errors import Changed
from shared.domain.keys import Key
from shared.ports import Held, Ledger, Page, Rec, Write

from .asking import Ask


class UnchangedLedger:
    """`ports.Ledger`. For one request."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._read: dict[Key, str | None] = {}

    def read(self, key: Key, kind: type[Rec]) -> Held[Rec] | None:
        held = self._ledger.read(key, kind)
        etag = held.etag if held else None
        if self._read.setdefault(key, etag) != etag:
            raise Changed(
                f"{key.partition} has changed since it was compared; read it again and decide again"
            )
        return held

    def scan(
        self,
        partition: str,
        prefix: str,
        *,
        start: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Page:
        return self._ledger.scan(partition, prefix, start=start, after=after, limit=limit)

    def scan_across(self, row: str, *, after: str | None = None, limit: int = 1000) -> Page:
        return self._ledger.scan_across(row, after=after, limit=limit)

    def commit(self, partition: str, writes: Sequence[Write]) -> tuple[str, ...]:
        done = self._ledger.commit(partition, writes)
        self._read.clear()  # from here on what is read is our own
        return done


def pinned(ask: Ask) -> Ask:
    """The same request, from whose first look at a row on that row must stay as it is."""
    return replace(ask, out=replace(ask.out, ledger=UnchangedLedger(ask.out.ledger)))
