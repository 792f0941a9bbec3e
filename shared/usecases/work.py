"""Work that could not be done: tried again for as long as it may help, then recorded where people see it."""

from datetime import timedelta

from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import AccessDenied, FactoryError, Invalid, RetryableError
from shared.domain.events import EventType, FactoryEvent
from shared.domain.looks import Look, Thing
from shared.domain.records import FailedWork, ImageRecord, OutputRecord
from shared.planning.looks import Again, GiveUp, after_error
from shared.ports import Held, Outside, Put, Replace

from .journal import factory_line, image_line

LONGEST_BODY = 4000


def try_again(out: Outside, look: Look, error: RetryableError, patience: timedelta) -> None:
    """Send the look again, later; or report it, if it has been tried for too long."""
    match after_error(look, error, patience, out.clock.now()):
        case Again(look=later, delay=delay):
            telemetry.event("look-again", seconds=delay.total_seconds(), why=str(error), attempt=look.attempt)
            if isinstance(error, AccessDenied):
                _tell(out, look, error)
            out.queues.send(later, delay)
        case GiveUp(why=why):
            give_up(out, look, why)


def give_up(out: Outside, look: Look, why: str) -> None:
    """Record a look as failed work, under a name that is the same each time."""
    report(out, look.lane.value, why, id=_id(look), correlation=look.correlation, look=look)


def report(
    out: Outside, lane: str, why: str, *, id: str, correlation: str, look: Look | None = None, body: str = ""
) -> None:
    """Failed work: published, recorded under `id` and journalled. It can be sent again."""
    now = out.clock.now()
    telemetry.event("work-failed", lane=lane, id=id, why=why)
    known = out.ledger.read(keys.failed_key(id), FailedWork)
    if known and known.record.why == why[:2000] and not known.record.resent:
        return  # published and journalled when it became the reason
    data: dict[str, str | int | bool | None] = {"lane": lane, "why": why[:1000]}
    out.events.publish(FactoryEvent(EventType.WORK_FAILED, id, now, data, correlation))
    record = FailedWork(id, lane, look, body[:LONGEST_BODY], why[:2000], now)
    line = factory_line(id, "work-failed", why, correlation, now)
    out.ledger.commit(keys.FACTORY, (Put(record), line))


def refuse_event(out: Outside, id: str, kind: str, why: str) -> None:
    """An event that can never be acted upon is accepted, since Event Grid cannot be told otherwise."""
    telemetry.event("event-refused", id=id[:200], kind=kind[:200], why=why)
    now = out.clock.now()
    out.ledger.commit(keys.FACTORY, (factory_line(f"event {id[:200]}", "event-refused", why, id[:64], now),))


def failed_work(out: Outside) -> tuple[FailedWork, ...]:
    """What is recorded as failed, newest last."""
    page = out.ledger.scan(keys.FACTORY, "failed:")
    return tuple(
        sorted((r.record for r in page.rows if isinstance(r.record, FailedWork)), key=lambda w: w.at)
    )


def send_again(out: Outside, id: str) -> None:
    """Put failed work into its lane again. Raises Invalid for an unknown one."""
    held = out.ledger.read(keys.failed_key(id), FailedWork)
    if held is None:
        raise Invalid(f"no failed work {id[:200]!r} is recorded; `status` lists what is")
    if held.record.look:
        out.queues.send(replace(held.record.look, attempt=1, first=None, due=None))
    else:
        out.queues.send_raw(held.record.lane, held.record.body)
    out.ledger.commit(keys.FACTORY, (Replace(replace(held.record, resent=out.clock.now()), held.etag),))


def _tell(out: Outside, look: Look, error: AccessDenied) -> None:
    """A missing role is journalled with the thing it stops: once, when it becomes the reason."""
    why = f"access denied: {error}"
    try:
        held = _thing(out, look)
        if held is None or held.record.reason == why:
            return
        name = held.record.name if isinstance(held.record, ImageRecord) else held.record.image
        line = image_line(name, look.id, "access-denied", why, look, out.clock.now())
        out.ledger.commit(keys.of_image(name), (Replace(replace(held.record, reason=why), held.etag), line))
    except FactoryError as trouble:
        telemetry.event("not-journalled", why=str(trouble))


def _thing(out: Outside, look: Look) -> Held[ImageRecord] | Held[OutputRecord] | None:
    match look.thing:
        case Thing.IMAGE:
            return out.ledger.read(keys.image_key(look.id), ImageRecord)
        case Thing.OUTPUT:
            return out.ledger.read(keys.output_key(*look.id.split("/", 2)), OutputRecord)
        case Thing.SOURCE:
            return None


def _id(look: Look) -> str:
    return f"{look.lane.value}:{look.thing.value}:{look.id}"
