"""Marks: a tag that announces a deletion, with its date and reason, so that owners can pin in time.

Tags are merged and removed one by one, never written with the thing: a pin that somebody sets at the same
moment survives. The mark comes first, then the event, then the row; so a mark without a row is no mark, and
is written anew.
"""

from datetime import datetime

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import Missing
from shared.domain.events import EventType, FactoryEvent
from shared.domain.factory import Factory
from shared.domain.ids import ImageName
from shared.domain.retention import MARK, RetentionRecord, Stage, Verdict
from shared.ports import Held, Insert, Outside, Remove, Replace

from .abnormal import line
from .retiring import WAYS


def mark(
    out: Outside,
    verdict: Verdict,
    held: Held[RetentionRecord] | None,
    correlation: str,
) -> None:
    """Announce that it will go."""
    now = out.clock.now().replace(microsecond=0)
    if verdict.made is None:  # the planner keeps what has no date
        return
    record = RetentionRecord(
        kind=verdict.kind,
        id=verdict.id,
        name=verdict.name,
        image=ImageName(verdict.image),
        place=verdict.place,
        made=verdict.made,
        marked=now,
        reason=verdict.reason,
        stage=Stage.MARKED,
        latest=held.record.latest if held and held.record.made == verdict.made else (),
    )
    WAYS[record.kind].tag(out, record.id, {MARK: record.tag})
    out.events.publish(announced(EventType.VERSION_MARKED, record, now, correlation))
    row = Replace(record, held.etag) if held else Insert(record)
    told = line(out, record.kind, record.name, "thing-marked", record.reason, correlation)
    out.ledger.commit(_partition(record), (row, told))
    telemetry.event("thing-marked", thing=record.name, why=record.reason)


def unmark(
    out: Outside, factory: Factory, held: Held[RetentionRecord], why: str, correlation: str, *, by: str = ""
) -> None:
    """Take it back: it is offered again where it was, bears no mark, and is not going any more."""
    record, way = held.record, WAYS[held.record.kind]
    try:
        if record.latest and not way.include(out, factory, record):
            return  # accepted; when it is seen to be done, the mark goes
        way.untag(out, record.id, {MARK: record.tag})
    except Missing:
        telemetry.event("unmarked-is-gone", thing=record.name)
    key = keys.key_of(record)
    told = line(out, record.kind, record.name, "thing-unmarked", why, correlation, by=by)
    out.ledger.commit(_partition(record), (Remove(key, held.etag), told))


def announced(kind: EventType, record: RetentionRecord, at: datetime, correlation: str) -> FactoryEvent:
    """What others are told of a thing that is going, or gone."""
    data: dict[str, str | int | bool | None] = {
        "kind": record.kind.value,
        "id": record.id,
        "image": record.image,
        "why": record.reason,
    }
    return FactoryEvent(kind, record.name, at, data, correlation)


def _partition(record: RetentionRecord) -> str:
    return keys.of_retention(record.kind.value)
