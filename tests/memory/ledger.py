"""Azure Tables in memory: one sorted partition each, ETags, all-or-nothing transactions."""

import bisect
import itertools
import threading
from collections.abc import Iterable, Sequence

from shared.domain.errors import Conflict, PermanentError
from shared.domain.keys import Key
from shared.domain.records import Record
from shared.gateways.rows import Row, check, expected, key_of_write, readable, record_of, row_of
from shared.ports import Held, Insert, Page, Rec, Remove, Replace, Write


class MemoryLedger:
    """Rows are kept encoded, so that what is read back has been through the wire format."""

    def __init__(self) -> None:
        self._rows: dict[Key, tuple[Row, str]] = {}
        self._sorted: dict[str, list[str]] = {}
        self._etags = itertools.count(1)
        self._lock = threading.Lock()

    def read(self, key: Key, kind: type[Rec]) -> Held[Rec] | None:
        with self._lock:
            found = self._rows.get(key)
        if found is None:
            return None
        record = record_of(key, found[0])
        if not isinstance(record, kind):
            raise PermanentError(f"{key} holds a {type(record).__name__}, expected a {kind.__name__}")
        return Held(record, found[1])

    def scan(
        self,
        partition: str,
        prefix: str,
        *,
        start: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Page:
        with self._lock:
            rows = self._sorted.get(partition, [])
            low = bisect.bisect_left(rows, after or start or prefix)
            found = [row for row in rows[low : low + limit + 1] if row.startswith(prefix)]
            return self._page([Key(partition, row) for row in found[:limit]], found[limit:])

    def scan_across(self, row: str, *, after: str | None = None, limit: int = 1000) -> Page:
        with self._lock:
            partitions = sorted(key.partition for key in self._rows if key.row == row)
            rest = [each for each in partitions if after is None or each >= after]
            return self._page([Key(each, row) for each in rest[:limit]], rest[limit : limit + 1])

    def commit(self, partition: str, writes: Sequence[Write]) -> tuple[str, ...]:
        check(partition, writes)
        encoded = [None if isinstance(write, Remove) else row_of(write.record) for write in writes]
        with self._lock:
            for write in writes:
                self._demand(write)
            pairs = zip(writes, encoded, strict=True)
            return tuple(self._write(key_of_write(write), row) for write, row in pairs)

    def rows(self) -> tuple[tuple[Key, Record], ...]:
        """Everything, in key order: for assertions."""
        with self._lock:
            return tuple((key, record_of(key, self._rows[key][0])) for key in sorted(self._rows))

    def plant(self, key: Key, row: Row) -> None:
        """A row as some other version of the app might have left it."""
        with self._lock:
            self._write(key, row)

    def _page(self, keys: Iterable[Key], rest: Sequence[str]) -> Page:
        rows = readable((key, *self._rows[key]) for key in keys)
        return Page(rows, rest[0] if rest else None)

    def _demand(self, write: Write) -> None:
        key = key_of_write(write)
        found = self._rows.get(key)
        refused = (isinstance(write, Insert) and found is not None) or (
            isinstance(write, Replace | Remove) and (found is None or found[1] != write.etag)
        )
        if refused:
            raise Conflict(f"ledger row {key.partition} / {key.row}: the write relies on {expected(write)}")

    def _write(self, key: Key, row: Row | None) -> str:
        rows = self._sorted.setdefault(key.partition, [])
        if row is None:
            del self._rows[key]
            rows.remove(key.row)
            return ""
        if key not in self._rows:
            bisect.insort(rows, key.row)
        etag = f"W/\"datetime'{next(self._etags):016d}'\""
        self._rows[key] = (row, etag)
        return etag
