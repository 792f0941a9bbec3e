"""Orders in an image's record: what plainly cannot be, and how they end. At most one of a kind is open."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from shared.domain.factory import Image, Mode, Timing
from shared.domain.ids import RunStart
from shared.domain.orders import Order, OrderKind, OrderState
from shared.domain.records import Claim, ImageRecord
from shared.domain.templates import RunState


def open_order(record: ImageRecord, kind: OrderKind) -> Order | None:
    return next((o for o in record.orders if o.open and o.kind == kind), None)


def cannot_be(image: Image, record: ImageRecord, kind: OrderKind, timing: Timing, now: datetime) -> str:
    """Why the order can plainly not be given now, as far as the ledger tells; empty if it can.

    A claim that nothing has come of in its time stands in nobody's way.
    """
    if record.claim and now >= record.claim.at + timing.claim:
        record = replace(record, claim=None)
    if other := open_order(record, kind):
        return f"order {other.id} is open already: {other.said}"
    return next((why for rule in PLAINLY[kind] if (why := rule(image, record))), "")


def _observes(image: Image, _: ImageRecord) -> str:
    if image.mode is Mode.ACT:
        return ""
    return f"mode of {image.name} is observe: nothing is done, by hand neither; set mode: act first"


def _is_busy(image: Image, record: ImageRecord) -> str:
    if record.run:
        return f"{image.name} is being built: the run of {record.run.start} is under way"
    if record.claim:
        at = f"{record.claim.at:%H:%M:%S} UTC"
        return f"{image.name} is about to be built: a run was requested at {at} ({record.claim.why})"
    return ""


def _is_idle(image: Image, record: ImageRecord) -> str:
    return "" if record.run or record.claim else f"no run of {image.name} is under way"


def _is_unsafe(image: Image, record: ImageRecord) -> str:
    return unsafe(tuple(f"{image.name}/{each}" for each in record.unsettled))


def unsafe(outputs: tuple[str, ...]) -> str:
    """Why the template stays, with all that would go with it; empty if nothing would."""
    named = ", ".join(outputs)
    return f"the template is not deleted while not archived: {named}" if named else ""


PLAINLY: dict[OrderKind, tuple[Callable[[Image, ImageRecord], str], ...]] = {
    OrderKind.START: (_observes, _is_busy),
    OrderKind.CANCEL: (_observes, _is_idle),
    OrderKind.DELETE: (_observes, _is_busy, _is_unsafe),
}
"""Of each kind, what tells at once that it cannot be. Everything else is found by the look that follows."""


def another(record: ImageRecord, run: str | None) -> str:
    """Why an order about this very run cannot be given; empty if it can, or if any run is meant."""
    if run is None or (record.run and record.run.start == run):
        return ""
    now = f"; under way is that of {record.run.start}" if record.run else ""
    return f"the run of {run} is not under way{now}"


def placed(record: ImageRecord, order: Order) -> ImageRecord:
    return replace(record, orders=(*record.orders, order))


def met(record: ImageRecord, claim: Claim | None, run: RunStart, now: datetime) -> ImageRecord:
    """The run that an order asked for is visible, or over already."""
    if claim is None or not claim.order:
        return record
    done = {"state": OrderState.DONE, "why": f"run {run} is visible", "run": run, "ended": now}
    return _changed(record, lambda o: o.id == claim.order, done)


def over(record: ImageRecord, run: RunStart, state: RunState, now: datetime) -> ImageRecord:
    """A run has ended: an order to cancel it is done, or came too late."""
    ended = OrderState.DONE if state is RunState.CANCELED else OrderState.REFUSED
    changes = {"state": ended, "why": f"run {run} ended: {state.value}", "run": run, "ended": now}
    return _changed(record, lambda o: o.kind is OrderKind.CANCEL, changes)


def sent(record: ImageRecord, kind: OrderKind, now: datetime | None) -> ImageRecord:
    """What the order asks for is about to be asked of Azure."""
    return _changed(record, lambda o: o.kind is kind, {"sent": now})


def done(record: ImageRecord, kind: OrderKind, why: str, now: datetime) -> ImageRecord:
    return _changed(
        record, lambda o: o.kind is kind, {"state": OrderState.DONE, "why": why[:2000], "ended": now}
    )


def refused(record: ImageRecord, kind: OrderKind, why: str, now: datetime) -> ImageRecord:
    """The open order of this kind, if there is one, cannot be."""
    return _changed(
        record, lambda o: o.kind is kind, {"state": OrderState.REFUSED, "why": why[:2000], "ended": now}
    )


def _changed(record: ImageRecord, which: Callable[[Order], bool], changes: dict[str, object]) -> ImageRecord:
    orders = tuple(replace(o, **changes) if o.open and which(o) else o for o in record.orders)
    return replace(record, orders=orders)
