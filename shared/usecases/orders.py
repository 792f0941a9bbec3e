"""What people ask of an image by hand: orders, which looks carry out, and a pause.

An order, its place in the image's record and its line in the journal are written in one transaction, under an
id that whoever orders has chosen: given again, after an answer that got lost, it is the same order.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from msgspec.structs import replace

from shared.domain import keys
from shared.domain.errors import Conflict, Invalid, WrongState
from shared.domain.factory import Factory
from shared.domain.ids import ImageName
from shared.domain.looks import Lane, Look, Thing
from shared.domain.orders import ORDER_ID, Order, OrderKind
from shared.domain.records import ImageRecord
from shared.planning import orders, runs
from shared.ports import Held, Insert, Outside, Replace, Write

from . import listing
from .journal import image_line

T = TypeVar("T")

TRIES: Final = 5
"""A look may write the image's record at any moment: then what was read is read again."""
LONGEST_REASON: Final = 500
LONGEST_NAME: Final = 200


def order(
    out: Outside,
    factory: Factory,
    image: str,
    kind: OrderKind,
    id: str,
    by: str,
    reason: str,
    correlation: str,
    run: str | None = None,
) -> Order:
    """The order as it is in the ledger; the same id again gives the same one, whatever became of it.

    `run` is the one that is to be cancelled, where it matters which. Raises Invalid for an unknown image and
    WrongState for what plainly cannot be now.
    """
    configured = factory.image(image)
    if not ORDER_ID.fullmatch(id):
        raise Invalid(f"{id[:80]!r} is no id of an order; expected at most 64 of a-z, 0-9 and hyphens")
    asked = Order(id, configured.name, kind, *_said(by, reason), out.clock.now(), correlation)

    def place() -> Order:
        known = out.ledger.read(keys.order_key(configured.name, id), Order)
        if known:
            return _known(known.record, asked)
        held = _read(out, configured.name)
        record = held.record if held else ImageRecord(configured.name, scheduled=asked.at)
        plainly = orders.cannot_be(configured, record, kind, factory.timing, asked.at)
        if why := plainly or orders.another(record, run):
            raise WrongState(why)
        line = image_line(
            configured.name, configured.name, "ordered", asked.said, _look(asked), asked.at, by=by
        )
        writes = (_write(orders.placed(record, asked), held), Insert(asked), line)
        out.ledger.commit(keys.of_image(configured.name), writes)
        return asked

    found = _insist(place)
    if found.open:
        out.queues.send(_look(found))  # also if it was there already: whoever placed it may have been cut off
    return found


def read_order(out: Outside, image: str, id: str) -> Order | None:
    """An order as it stands; of one that is open, `why` is what the image's last look said."""
    found = out.ledger.read(keys.order_key(image, id), Order)
    if found is None or not found.record.open:
        return found.record if found else None
    held = out.ledger.read(keys.image_key(image), ImageRecord)
    if held is None:
        return found.record
    waits = held.record.trouble.why if held.record.trouble else held.record.reason
    return replace(found.record, why=waits)


def pause(out: Outside, factory: Factory, image: str, by: str, reason: str, correlation: str) -> None:
    """No automatic runs until somebody resumes them; runs by hand go on, and do not end the pause."""
    name, now = factory.image(image).name, out.clock.now()
    who, why = _said(by, reason)
    look = Look(Lane.BUILDS, Thing.IMAGE, name, correlation)

    def stop() -> None:
        held = _read(out, name)
        record = runs.paused(held.record if held else ImageRecord(name, scheduled=now), who, why)
        if held and held.record == record:
            return
        line = image_line(
            name, name, "paused", f"automatic runs are paused {record.paused}", look, now, by=by
        )
        out.ledger.commit(keys.of_image(name), (_write(record, held), line))
        listing.tell(out, held.record if held else None, record)

    _insist(stop)
    out.queues.send(look)


def _known(stored: Order, asked: Order) -> Order:
    if stored.kind is not asked.kind:
        raise Invalid(f"order {stored.id} is known as one to {stored.kind.value}; expected an id of its own")
    return stored


def _insist(act: Callable[[], T]) -> T:
    for _ in range(TRIES - 1):
        try:
            return act()
        except Conflict:
            continue
    return act()


def _said(by: str, reason: str) -> tuple[str, str]:
    """On one line each, as journal and tables show them."""
    who, why = " ".join(by.split())[:LONGEST_NAME], " ".join(reason.split())
    if not who:
        raise Invalid("nobody is named as the one who asks; the journal records who did")
    if len(why) > LONGEST_REASON:
        raise Invalid(f"the reason has {len(why)} characters; at most {LONGEST_REASON} are kept")
    return who, why


def _read(out: Outside, name: ImageName) -> Held[ImageRecord] | None:
    return out.ledger.read(keys.image_key(name), ImageRecord)


def _write(record: ImageRecord, held: Held[ImageRecord] | None) -> Write:
    return Replace(record, held.etag) if held else Insert(record)


def _look(of: Order) -> Look:
    return Look(Lane.BUILDS, Thing.IMAGE, of.image, of.correlation)
