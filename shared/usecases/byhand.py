"""What people order of an image besides a run: its cancellation, and the deletion of a template."""

from msgspec.structs import replace

from shared.domain.errors import AccessDenied, Throttled, WrongState
from shared.domain.orders import OrderKind
from shared.domain.templates import RunState
from shared.planning import actions, deployment, orders, runs

from . import deleting
from .slots import leave_slot
from .turn import Turn, save, says, send


def cancel(turn: Turn, action: actions.CancelRun) -> Turn:
    """Done once the run has ended: until then nobody knows whether it was in time."""
    record = orders.sent(turn.record, OrderKind.CANCEL, turn.now)
    why = f"the run of {action.run} is being {action.order.said}"
    turn = save(says(replace(turn, record=record), why), "run-cancelled")
    try:
        turn.out.templates.cancel(turn.image.in_use(turn.record))
    except WrongState:
        send(turn)  # it is over, or being cancelled already: the next look sees which
    except (Throttled, AccessDenied):
        save(replace(turn, record=orders.sent(turn.record, OrderKind.CANCEL, None)), "run-cancelled")
        raise
    return turn


def call_off(turn: Turn, action: actions.CallOff) -> Turn:
    """Should the run show itself after all, it is one that the factory has not asked for."""
    asked = f"no run became visible that was requested at {action.claim.at:%H:%M:%S} UTC"
    why = f"{action.order.said}: {asked}"
    record = runs.called_off(turn.record, action.claim, why, turn.now)
    if action.template:
        record = deployment.done(record, action.template, RunState.CANCELED)
    turn = says(replace(turn, record=record), why)
    turn = save(turn, "run-cancelled")
    leave_slot(turn.out, turn.image, action.claim.slot)
    send(turn)
    return turn


def delete(turn: Turn, action: actions.DeleteByHand) -> Turn:
    """There is no force: with an output that is not archived it is refused, whoever asks."""
    if why := orders.unsafe(deleting.unsafe(turn.out, turn.image.name, action.run)):
        return refuse(turn, actions.RefuseOrder(OrderKind.DELETE, why))
    record = orders.sent(turn.record, OrderKind.DELETE, turn.now)
    return deleting.delete(
        replace(turn, record=record), actions.DeleteTemplate(action.run, action.order.said)
    )


def refuse(turn: Turn, action: actions.RefuseOrder) -> Turn:
    record = orders.refused(turn.record, action.kind, action.why, turn.now)
    turn = save(replace(turn, record=record), "order-refused")
    send(turn)
    return turn


def meet(turn: Turn, action: actions.MeetOrder) -> Turn:
    record = orders.done(turn.record, action.kind, action.why, turn.now)
    turn = save(replace(turn, record=record), "order-met")
    send(turn)
    return turn
