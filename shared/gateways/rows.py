"""How a record becomes a table row: kind and version beside it, so that a newer one is known unread."""

import functools
from collections.abc import Iterable, Sequence
from typing import cast, get_args

import msgspec

from shared import telemetry
from shared.domain.errors import PermanentError
from shared.domain.keys import Key, key_of
from shared.domain.records import Record
from shared.ports import MOST_WRITES, Held, Insert, Put, Remove, Replace, Write

LONGEST = 32_000
"""Characters of one record. A string property of a table holds 32,768; longer texts belong into blobs."""


class Row(msgspec.Struct, frozen=True):
    """The columns of a record."""

    kind: str
    v: int
    data: str


_KINDS: dict[str, type[Record]] = {str(cls.__struct_config__.tag): cls for cls in get_args(Record)}
_VERSIONS = {
    kind: dict(zip(reversed(cls.__struct_fields__), reversed(cls.__struct_defaults__), strict=False))["v"]
    for kind, cls in _KINDS.items()
}


def row_of(record: Record) -> Row:
    """Raises PermanentError for a record that no row can hold."""
    data = msgspec.json.encode(record).decode()
    size = len(data) if data.isascii() else len(data.encode("utf-16-le")) // 2
    if size > LONGEST:
        raise PermanentError(
            f"{_named(key_of(record))} is too long for the ledger: {size:,} characters, at most {LONGEST:,}"
            " fit; long texts belong into a blob"
        )
    return Row(str(record.__struct_config__.tag), record.v, data)


def record_of(key: Key, row: Row) -> Record:
    """Raises PermanentError, naming the row, for what this version of the app cannot read whole."""
    known = _VERSIONS.get(row.kind)
    if known is None or row.v > known:
        raise PermanentError(
            f"{_named(key)} was written by a newer version of the factory (kind {row.kind!r}, schema {row.v};"
            f" this one reads {'no such kind' if known is None else f'schema {known}'}): upgrade this app"
        )
    try:
        record = _decoder().decode(row.data)
    except msgspec.DecodeError as error:
        raise PermanentError(f"{_named(key)} cannot be read: {error}") from error
    if not isinstance(record, _KINDS[row.kind]):
        raise PermanentError(f"{_named(key)} is marked {row.kind!r} but holds another kind of record")
    return record


def readable(rows: Iterable[tuple[Key, Row, str]]) -> tuple[Held[Record], ...]:
    """Rows with their ETags as records. One that cannot be read is told, and does not hide the others."""
    held = []
    for key, row, etag in rows:
        try:
            held.append(Held(record_of(key, row), etag))
        except PermanentError as error:
            telemetry.event("row-unreadable", partition=key.partition, row=key.row, why=str(error))
    return tuple(held)


def key_of_write(write: Write) -> Key:
    return write.key if isinstance(write, Remove) else key_of(write.record)


def check(partition: str, writes: Sequence[Write]) -> None:
    """Raises PermanentError for a transaction that the table service would refuse, before it is sent."""
    keys = [key_of_write(write) for write in writes]
    strange = next((key for key in keys if key.partition != partition), None)
    if len(writes) > MOST_WRITES:
        raise PermanentError(
            f"{len(writes)} writes in one transaction of {partition}; at most {MOST_WRITES} fit"
        )
    if strange is not None:
        raise PermanentError(f"{_named(strange)} cannot be written in a transaction of {partition}")
    if len(set(keys)) != len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise PermanentError(f"{_named(twice)} is written twice in one transaction")


def expected(write: Write) -> str:
    """What a write relies on, for the message of a conflict."""
    return {
        Insert: "that it is absent",
        Replace: "that it is as it was read",
        Put: "nothing",
        Remove: "that it is as it was read",
    }[type(write)]


def _named(key: Key) -> str:
    return f"ledger row {key.partition} / {key.row}"


@functools.cache
def _decoder() -> msgspec.json.Decoder[Record]:
    return cast("msgspec.json.Decoder[Record]", msgspec.json.Decoder(Record))
