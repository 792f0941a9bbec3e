"""Work that could not be done: tried again for as long as it may help, then recorded where people see it."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import (
    AccessDenied,
    Busy,
    Conflict,
    FactoryError,
    PermanentError,
    RetryableError,
    Unknown,
)
from shared.domain.events import EventType, FactoryEvent
from shared.domain.ids import ImageName
from shared.domain.looks import Lane, Look, Thing, Trouble
from shared.domain.records import (
    FailedWork,
    ImageRecord,
    JournalLine,
    OutputRecord,
    SourceRecord,
)
from shared.domain.releases import ReleaseRecord
from shared.domain.versions import Version
from shared.planning.looks import Again, GiveUp, after_error
from shared.ports import Held, Insert, Outside, Put, Replace, Write

from .journal import factory_line

LONGEST_BODY = 4000
SAME_AGAIN = timedelta(days=1)
"""How long the same failure of the same thing is not reported again."""


def try_again(out: Outside, look: Look, error: RetryableError, patience: timedelta) -> None:
    """Send the look again, later; or report it, if it has been tried for too long."""
    held = _thing(out, look)
    now, known = out.clock.now(), held.record.trouble if held else None
    match after_error(look, error, patience, now, known):
        case Again(look=later, delay=delay):
            telemetry.event("look-again", seconds=delay.total_seconds(), why=str(error), attempt=look.attempt)
            out.queues.send(later, delay)
            if isinstance(error, Busy | Conflict):
                return  # somebody is at work on the thing: its row is left to them
            _note(out, look, held, error, Trouble(later.first or now, now + delay, _stable(error)))
        case GiveUp(why=why):
            give_up(out, look, why)
            _note(out, look, held, error, None)
        case None:
            telemetry.event("look-again-pending", why=str(error))


def give_up(out: Outside, look: Look, why: str) -> None:
    """Record a look as failed work, under a name that is the same each time."""
    report(out, look.lane.value, why, id=_id(look), correlation=look.correlation, look=look)


def report(
    out: Outside, lane: str, why: str, *, id: str, correlation: str, look: Look | None = None, body: str = ""
) -> None:
    """Failed work: published, recorded under `id` and journalled. It can be sent again."""
    now = out.clock.now()
    telemetry.event("work-failed", lane=lane, id=id, why=why)
    held = out.ledger.read(keys.failed_key(id), FailedWork)
    known = held.record if held else None
    if known and known.why == why[:2000] and not known.resent and now - known.at < SAME_AGAIN:
        return  # published and journalled not long ago
    data: dict[str, str | int | bool | None] = {"lane": lane, "why": why[:1000]}
    try:
        out.events.publish(FactoryEvent(EventType.WORK_FAILED, id, now, data, correlation))
    except (PermanentError, AccessDenied) as error:
        # It is the topic that is missing, or the role on it: that must not hide what else has failed.
        telemetry.event("not-published", id=id, why=str(error))
    record = FailedWork(id, lane, look, body[:LONGEST_BODY], why[:2000], now)
    line = factory_line(id, "work-failed", why, correlation, now)
    out.ledger.commit(keys.FACTORY, (Put(record), line))


def refuse_event(out: Outside, id: str, kind: str, why: str) -> None:
    """An event that can never be acted upon is accepted, since Event Grid cannot be told otherwise."""
    telemetry.event("event-refused", id=id[:200], kind=kind[:200], why=why)
    line = factory_line(f"event {id[:200]}", "event-refused", why, id[:64], out.clock.now())
    try:
        out.ledger.commit(keys.FACTORY, (line,))
    except FactoryError as error:
        telemetry.event("not-journalled", why=str(error))


def failed_work(out: Outside) -> tuple[FailedWork, ...]:
    """What is recorded as failed, newest last."""
    page = out.ledger.scan(keys.FACTORY, "failed:")
    return tuple(
        sorted((r.record for r in page.rows if isinstance(r.record, FailedWork)), key=lambda w: w.at)
    )


def failed(out: Outside, key: str) -> FailedWork:
    """One piece of failed work, by the end of its row's key. Raises Unknown."""
    held = out.ledger.read(keys.Key(keys.FACTORY, f"{keys.FAILED}{key}"), FailedWork)
    if held is None:
        raise Unknown(f"no failed work {key[:200]!r} is recorded; the list of failed work tells what is")
    return held.record


def send_again(out: Outside, id: str, *, correlation: str = "", by: str = "") -> None:
    """Put failed work into its lane again. Raises Unknown for one that is not recorded."""
    held = out.ledger.read(keys.failed_key(id), FailedWork)
    if held is None:
        raise Unknown(f"no failed work {id[:200]!r} is recorded; `status` lists what is")
    if held.record.look:
        out.queues.send(replace(held.record.look, attempt=1, first=None, due=None))
    else:
        out.queues.send_raw(held.record.lane, held.record.body)
    now = out.clock.now()
    line = factory_line(id, "work-sent-again", "sent again by hand", correlation, now, by=by)
    out.ledger.commit(keys.FACTORY, (Replace(replace(held.record, resent=now), held.etag), line))


_Troubled = Held[ImageRecord] | Held[OutputRecord] | Held[SourceRecord] | Held[ReleaseRecord]


def _note(
    out: Outside, look: Look, held: _Troubled | None, error: RetryableError, trouble: Trouble | None
) -> None:
    """Keep the trouble with the thing. A missing role is journalled: once, when it becomes the trouble."""
    known = held.record.trouble if held else None
    record = replace(held.record, trouble=trouble) if held else _new(look, trouble, out.clock.now())
    if record is None:
        return
    writes: list[Write] = [Replace(record, held.etag) if held else Insert(record)]
    partition = keys.key_of(record).partition
    if trouble and isinstance(error, AccessDenied) and (known is None or known.why != trouble.why):
        why, now = f"access denied: {error}"[:2000], out.clock.now()
        writes.append(Put(JournalLine(now, look.id, "access-denied", why, look.correlation, partition)))
    try:
        out.ledger.commit(partition, writes)
    except FactoryError as fault:
        telemetry.event("not-noted", why=str(fault))


def _stable(error: RetryableError) -> str:
    """The same for the same trouble; Azure's texts hold times and ids."""
    if isinstance(error, AccessDenied):
        return f"access denied: the factory's identity needs {error.action} on {error.scope}"
    return str(error)[:500]


def _thing(out: Outside, look: Look) -> _Troubled | None:
    """None as well if the ledger is what fails."""
    try:
        match look.lane, look.thing:
            case _, Thing.IMAGE:
                return out.ledger.read(keys.image_key(look.id), ImageRecord)
            case _, Thing.OUTPUT:
                return out.ledger.read(keys.output_key(*look.id.split("/", 2)), OutputRecord)
            case _, Thing.VERSION:
                name, _, version = look.id.partition("/")
                return out.ledger.read(keys.release_key(name, Version.parse(version)), ReleaseRecord)
            case Lane.SOURCES, Thing.SOURCE:
                return out.ledger.read(keys.source_key(look.id), SourceRecord)
    except FactoryError as fault:
        telemetry.event("not-read", why=str(fault))
    return None


def _new(look: Look, trouble: Trouble | None, now: datetime) -> ImageRecord | SourceRecord | None:
    """The record of a thing whose very first look failed."""
    match look.lane, look.thing:
        case Lane.BUILDS, Thing.IMAGE:
            return ImageRecord(ImageName(look.id), scheduled=now, trouble=trouble)
        case Lane.SOURCES, Thing.SOURCE:
            return SourceRecord(look.id, trouble=trouble)
    return None


def _id(look: Look) -> str:
    return f"{look.lane.value}:{look.thing.value}:{look.id}"
