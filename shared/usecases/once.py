"""A repeated request is one request: the first is carried out, the others get its answer.

The row is written before anything is done and holds the answer after. A worker that dies in between leaves
it without one; then the repeated request is carried out again, under the same id, so that what was done
already is found done. What is refused leaves no row.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import Busy, Conflict, FactoryError, Invalid
from shared.domain.requests import KEPT, RequestRecord
from shared.ports import REQUEST_TIMEOUT, Held, Insert, Outside, Remove, Replace

_BATCH: Final = 100


class OtherRequest(Invalid):
    """The key is known with another request."""


class Answer(msgspec.Struct, frozen=True):
    """What is answered, and answered again."""

    status: int
    headers: dict[str, str]
    body: str


def id_of(caller: str, key: str) -> str:
    """Of whatever is made for the request: fit for an order."""
    return hashlib.sha256(f"{caller}\n{key}".encode()).hexdigest()[:32]


def once(out: Outside, id: str, digest: str, act: Callable[[], Answer]) -> Answer:
    """Raises OtherRequest if the id is known with another digest, and Busy while the first is under way."""
    held = _begin(out, id, digest)
    if held.record.status:
        return Answer(held.record.status, held.record.headers, held.record.body)
    try:
        answer = act()
    except Exception:  # refused, in whatever way: the row waits for nobody, and may be had again
        _drop(out, held)
        raise
    _keep(out, held, answer)
    return answer


def _begin(out: Outside, id: str, digest: str) -> Held[RequestRecord]:
    now = out.clock.now()
    mine = RequestRecord(id, digest, now, now + REQUEST_TIMEOUT)
    key = keys.request_key(id)
    try:
        (etag,) = out.ledger.commit(key.partition, (Insert(mine),))
        return Held(mine, etag)
    except Conflict:
        held = out.ledger.read(key, RequestRecord)
    if held is None:
        raise Busy("the same request has just ended; send it again", timedelta(seconds=1))
    known = held.record
    if known.at < now - KEPT:
        return _take(out, held, mine)
    if known.digest != digest:
        raise OtherRequest("this idempotency key was sent with another request; expected a key of its own")
    if known.status:
        return held
    if now < known.until:
        raise Busy("the same request is being carried out", known.until - now)
    return _take(out, held, mine)


def _take(out: Outside, held: Held[RequestRecord], mine: RequestRecord) -> Held[RequestRecord]:
    """Over from a worker that died, or that has been forgotten."""
    try:
        (etag,) = out.ledger.commit(keys.REQUESTS, (Replace(mine, held.etag),))
    except Conflict as error:
        raise Busy("the same request is being carried out", timedelta(seconds=5)) from error
    return Held(mine, etag)


def _keep(out: Outside, held: Held[RequestRecord], answer: Answer) -> None:
    record = replace(held.record, status=answer.status, headers=answer.headers, body=answer.body)
    try:
        out.ledger.commit(keys.REQUESTS, (Replace(record, held.etag),))
    except FactoryError as error:  # it is done all the same, and is found done if it is asked for again
        telemetry.event("answer-not-kept", why=str(error))


def _drop(out: Outside, held: Held[RequestRecord]) -> None:
    try:
        out.ledger.commit(keys.REQUESTS, (Remove(keys.key_of(held.record), held.etag),))
    except FactoryError as error:  # it is carried out again when its time is over
        telemetry.event("answer-not-kept", why=str(error))


def forget(out: Outside, now: datetime) -> None:
    """What is older than it is kept goes: some rows a sweep, from a place that differs each time."""
    drawn = hashlib.sha256(now.isoformat().encode()).hexdigest()[:8]
    rows = out.ledger.scan(keys.REQUESTS, "request:", start=f"request:{drawn}", limit=_BATCH).rows
    old = [
        Remove(keys.key_of(r.record), r.etag)
        for r in rows
        if isinstance(r.record, RequestRecord) and r.record.at < now - KEPT
    ]
    if old:
        out.ledger.commit(keys.REQUESTS, old)
