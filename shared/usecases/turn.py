"""One look at one image on its way: what was read, what it should become, and how that is written."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.events import EventType, FactoryEvent
from shared.domain.factory import Factory, Image
from shared.domain.looks import Lane, Look, Thing
from shared.domain.orders import Order, OrderState
from shared.domain.records import ImageRecord
from shared.ports import Held, Insert, Outside, Put, Replace, Write

from . import listing
from .journal import image_line


class Turn(msgspec.Struct, frozen=True):
    """One look at one image, as far as it has come."""

    out: Outside
    factory: Factory
    image: Image
    look: Look
    now: datetime
    held: Held[ImageRecord] | None
    record: ImageRecord
    """As it should be: written by `save`."""

    def event(self, kind: EventType, **data: str | int | bool | None) -> None:
        self.out.events.publish(FactoryEvent(kind, self.image.name, self.now, data, self.look.correlation))


def save(turn: Turn, what: str, *more: Write) -> Turn:
    """Write the record if it changed, with a journal line if its reason did, and `more` with it.

    Orders that have ended leave the record here, and their own rows tell how.
    """
    before = turn.held.record if turn.held else None
    if turn.record == before and not more:
        return turn
    over = tuple(order for order in turn.record.orders if not order.open)
    turn = replace(turn, record=replace(turn.record, orders=tuple(o for o in turn.record.orders if o.open)))
    row: Write = Replace(turn.record, turn.held.etag) if turn.held else Insert(turn.record)
    lines = list(listing.run_lines(before, turn.record, more))
    writes = [row, *more, *lines, *map(Put, over), *_refusals(turn, over)]
    if before is None or before.reason != turn.record.reason:
        now = turn.out.clock.now()  # not the look's: its lines are read in the order of their times
        writes.append(image_line(turn.image.name, turn.image.name, what, turn.record.reason, turn.look, now))
        telemetry.event(what, image=turn.image.name, why=turn.record.reason)
    listing.tell_runs(turn.out, lines)
    etags = turn.out.ledger.commit(keys.of_image(turn.image.name), writes)
    listing.tell(turn.out, before, turn.record)
    return replace(turn, held=Held(turn.record, etags[0]))


def _refusals(turn: Turn, over: tuple[Order, ...]) -> list[Put]:
    """A line for each order that cannot be; one that is done is told by its run."""
    now, name = turn.out.clock.now(), turn.image.name
    return [
        image_line(name, name, "order-refused", f"not {o.said}: {o.why}", turn.look, now, by=o.by)
        for o in over
        if o.state is OrderState.REFUSED
    ]


def says(turn: Turn, why: str, **changes: Any) -> Turn:
    return replace(turn, record=replace(turn.record, reason=why, **changes))


def due(turn: Turn, until: datetime) -> Turn:
    return replace(turn, record=replace(turn.record, look_due=until))


def send(turn: Turn, until: datetime | None = None) -> None:
    look = Look(Lane.BUILDS, Thing.IMAGE, turn.image.name, turn.look.correlation, due=until)
    turn.out.queues.send(look, max(until - turn.now, timedelta(0)) if until else timedelta(0))
