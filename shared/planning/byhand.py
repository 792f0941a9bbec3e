"""What a look does about orders to cancel a run, and to delete a template: carried out, refused, or not yet.

An order to start a run is a reason for one, and is planned where runs are.
"""

from datetime import datetime, timedelta

from shared.domain.factory import Image, Mode
from shared.domain.orders import Order, OrderKind
from shared.domain.records import ImageRecord
from shared.domain.templates import Provisioning, RunState, Template

from . import orders
from .actions import Action, CallOff, CancelRun, DeleteByHand, MeetOrder, RefuseOrder, Wait

Answer = tuple[Action, ...] | None


def cancels(
    record: ImageRecord, image: Image, template: Template | None, patience: timedelta, now: datetime
) -> Answer:
    """None as well while it is not known which run: the next rules see to that.

    A request of which nothing has come in its time is not made again.
    """
    order, run = orders.open_order(record, OrderKind.CANCEL), template.last_run if template else None
    if order is None:
        return None
    if image.mode is not Mode.ACT:
        return (RefuseOrder(order.kind, "mode is observe by now: nothing is cancelled"),)
    if run is None or run.state.over:
        if record.claim is None:
            return (RefuseOrder(order.kind, "no run is under way any more"),)
        lost = now >= record.claim.at + patience
        return (CallOff(record.claim, order, template),) if lost else None
    noted = record.run is not None and record.run.start == run.start
    if not noted or run.state is RunState.CANCELING or _just_sent(order, patience, now):
        return None
    return (CancelRun(run.start, order),)


def ends_deletion(record: ImageRecord, image: Image, template: Template | None) -> Answer:
    """An order to delete the template that cannot be, or has come about. Outputs are never waited for."""
    order = orders.open_order(record, OrderKind.DELETE)
    if order is None:
        return None
    if why := _never(record, image, template):
        return (RefuseOrder(order.kind, why),)
    if template is not None:
        return None
    if order.sent is None:
        return (RefuseOrder(order.kind, "there is no template"),)
    return (MeetOrder(order.kind, "the template is gone"),)


def deletes(record: ImageRecord, template: Template | None, again: timedelta, now: datetime) -> Answer:
    """Where nothing speaks against it, and no deletion is on its way."""
    order = orders.open_order(record, OrderKind.DELETE)
    if order is None or template is None:
        return None
    if _just_sent(order, again, now):
        return (Wait(now + again, "the deletion of the template was asked for just now"),)
    if template.provisioning in (Provisioning.CREATING, Provisioning.UPDATING):
        return (Wait(now + again, f"the template is {template.provisioning.value.lower()}; then it goes"),)
    return (DeleteByHand(template.last_run.start if template.last_run else None, order),)


def _never(record: ImageRecord, image: Image, template: Template | None) -> str:
    if image.mode is not Mode.ACT:
        return "mode is observe by now: nothing is deleted"
    if template and template.last_run and not template.last_run.state.over:
        return f"the run of {template.last_run.start} is under way"
    if record.claim:
        return f"a run was requested at {record.claim.at:%H:%M:%S} UTC: {record.claim.why}"
    if why := orders.unsafe(tuple(f"{image.name}/{each}" for each in record.unsettled)):
        return why
    if template and template.owner != image.name:
        return f"the template {template.id.name} is not the factory's: whoever made it may delete it"
    return ""


def _just_sent(order: Order, patience: timedelta, now: datetime) -> bool:
    return order.sent is not None and now < order.sent + patience
