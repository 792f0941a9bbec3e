"""The ledger in Azure Tables: one entity per record, its ETag before every write that relies on a read."""

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from shared.domain.errors import Conflict, Missing, PermanentError, RetryableError
from shared.domain.keys import Key, key_of
from shared.ports import Held, Insert, Page, Put, Rec, Remove, Replace, Write

from .connection import Connection
from .errors import Call, Meaning, Need, saying, translated
from .rows import Row, check, expected, key_of_write, readable, record_of, row_of

if TYPE_CHECKING:
    from azure.data.tables import TableClient

TABLE = "ledger"
_Meanings = dict[int | tuple[int, str], Meaning]
_ROLE = "Storage Table Data Contributor"
_ENTITIES = "Microsoft.Storage/storageAccounts/tableServices/tables/entities"


class TableLedger:
    """`ports.Ledger`."""

    def __init__(self, uri: str, connection: Connection, table: str = TABLE) -> None:
        self._uri = uri
        self._table = table
        self._connection = connection
        self._client: TableClient | None = None
        self._lock = threading.Lock()

    def read(self, key: Key, kind: type[Rec]) -> Held[Rec] | None:
        try:
            with translated(self._call(f"reading {_named(key)}", "read", _TABLE_MISSING)):
                entity = self._tables().get_entity(key.partition, key.row)
        except Missing:
            return None
        held = _held(entity)
        if not isinstance(held.record, kind):
            raise PermanentError(f"{_named(key)} holds a {type(held.record).__name__}, not a {kind.__name__}")
        return Held(held.record, held.etag)

    def scan(
        self,
        partition: str,
        prefix: str,
        *,
        start: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Page:
        where, values = "PartitionKey eq @partition", {"partition": partition}
        if prefix:
            where += " and RowKey ge @low and RowKey lt @high"
            values |= {"low": start or prefix, "high": prefix[:-1] + chr(ord(prefix[-1]) + 1)}
        return self._page(f"listing {partition} / {prefix}*", where, values, after, limit)

    def scan_across(self, row: str, *, after: str | None = None, limit: int = 1000) -> Page:
        return self._page(f"listing * / {row}", "RowKey eq @row", {"row": row}, after, limit)

    def commit(self, partition: str, writes: Sequence[Write]) -> tuple[str, ...]:
        check(partition, writes)
        if not writes:
            return ()
        # The SDK is silent about a single deletion of what is not there; within a transaction it is not.
        if len(writes) == 1 and not isinstance(writes[0], Remove):
            return (self._single(writes[0]),)
        return self._transaction(partition, writes)

    def _single(self, write: Insert | Replace | Put) -> str:
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        entity, key = _entity(write), key_of(write.record)
        call = self._call(f"writing {_named(key)}", "write", _refusals(expected(write)))
        with translated(call):
            if isinstance(write, Insert):
                answer = self._tables().create_entity(entity)
            elif isinstance(write, Put):
                answer = self._tables().upsert_entity(entity, mode=UpdateMode.REPLACE)
            else:
                answer = self._tables().update_entity(
                    entity,
                    mode=UpdateMode.REPLACE,
                    etag=write.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
        return str(answer["etag"])

    def _transaction(self, partition: str, writes: Sequence[Write]) -> tuple[str, ...]:
        operations = [_operation(write) for write in writes]
        names = ", ".join(key_of_write(write).row for write in writes)
        refusals = _refusals("all of them being as they were read")
        call = self._call(f"writing {partition} / {names[:200]}", "write", refusals)
        with translated(call):
            answers = self._tables().submit_transaction(operations)
        etags = (str(answer.get("etag") or "") for answer in answers)
        return tuple("" if isinstance(w, Remove) else e for w, e in zip(writes, etags, strict=True))

    def _page(self, doing: str, where: str, values: Mapping[str, str], after: str | None, limit: int) -> Page:
        token = msgspec.json.decode(after) if after else None
        with translated(self._call(doing, "read", _TABLE_MISSING)):
            found = self._tables().query_entities(where, parameters=dict(values), results_per_page=limit)
            pages: Any = found.by_page(continuation_token=token)
            rows = readable(map(_row, next(pages, ())))
        token = pages.continuation_token
        return Page(rows, msgspec.json.encode(token).decode() if token else None)

    def _tables(self) -> "TableClient":
        with self._lock:
            if self._client is None:
                from azure.data.tables import TableClient

                self._client = TableClient(
                    endpoint=self._uri, table_name=self._table, **self._connection.options(self._uri)
                )
            return self._client

    def _call(self, doing: str, verb: str, but: _Meanings) -> Call:
        scope = f"table {self._uri}/{self._table}"
        return Call(f"ledger: {doing}", Need(f"{_ENTITIES}/{verb}", _ROLE, scope), but)


_TABLE_MISSING: _Meanings = {
    (404, "TableNotFound"): saying(RetryableError, "there is no such table: create it, then the work goes on")
}


def _refusals(relied_on: str) -> _Meanings:
    lost = saying(Conflict, f"the write relies on {relied_on}; read again")
    return {**dict.fromkeys((404, 409, 412), lost), **_TABLE_MISSING}


def _operation(write: Write) -> Any:
    from azure.core import MatchConditions
    from azure.data.tables import UpdateMode

    if isinstance(write, Insert):
        return ("create", _entity(write))
    if isinstance(write, Put):
        return ("upsert", _entity(write), {"mode": UpdateMode.REPLACE})
    unchanged = {"etag": write.etag, "match_condition": MatchConditions.IfNotModified}
    if isinstance(write, Remove):
        return ("delete", {"PartitionKey": write.key.partition, "RowKey": write.key.row}, unchanged)
    return ("update", _entity(write), {"mode": UpdateMode.REPLACE, **unchanged})


def _entity(write: Insert | Replace | Put) -> dict[str, str | int]:
    key, row = key_of(write.record), row_of(write.record)
    return {"PartitionKey": key.partition, "RowKey": key.row, "kind": row.kind, "v": row.v, "data": row.data}


def _held(entity: Any) -> Held[Any]:
    key, row, etag = _row(entity)
    return Held(record_of(key, row), etag)


def _row(entity: Any) -> tuple[Key, Row, str]:
    key = Key(entity["PartitionKey"], entity["RowKey"])
    row = Row(str(entity.get("kind", "")), int(entity.get("v", 0)), str(entity.get("data", "")))
    return key, row, str(entity.metadata["etag"])


def _named(key: Key) -> str:
    return f"{key.partition} / {key.row}"
