"""Templates that an image has left: what still runs in them is recorded, and they go once that is safe.

Read by a look only where the image's record names some; the look then goes on with the template in use.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from shared import telemetry
from shared.domain.errors import AccessDenied, Throttled, WrongState
from shared.domain.ids import TemplateId
from shared.planning import actions, deployment

from .deleting import unsafe
from .ends import record_end
from .journal import image_line
from .turn import Turn, save


def look_at_former(turn: Turn) -> Turn:
    for action in plan_former(turn):
        turn = APPLY[type(action)](turn, action)
    return turn


def plan_former(turn: Turn) -> tuple[actions.Action, ...]:
    """One GET for each template that was left."""
    record = turn.record
    seen = {each.id: turn.out.templates.get(each.id) for each in record.former}
    return deployment.former(record, turn.image, seen, turn.factory.timing, turn.now)


def _delete(turn: Turn, action: actions.DeleteFormer) -> Turn:
    """By the ledger every VHD of its last run is safe; by Azure, read once more, that is its last run."""
    if left := unsafe(turn.out, turn.image.name, action.run):
        return _keep(turn, action.id, f"not archived: {', '.join(left)}")
    turn = _tell(
        replace(turn, record=deployment.goes(turn.record, action.id, turn.now)),
        "former-template-deleted",
        f"deleting the former template {action.id.name}: {action.why}",
    )
    again = turn.out.templates.get(action.id)
    last = again.last_run.start if again and again.last_run else None
    if again is None or last != action.run:
        return turn  # gone, or it has run again: the next look finds the run, before the claim is over
    try:
        turn.out.templates.delete(action.id)
    except WrongState as error:
        telemetry.event("former-template-busy", template=str(action.id), why=str(error))
    except (Throttled, AccessDenied):
        save(replace(turn, record=deployment.goes(turn.record, action.id, None)), "template-kept")
        raise
    return turn


def _keep(turn: Turn, id: TemplateId, why: str) -> Turn:
    told = f"the former template {id.name} is kept: {why}; retention may retire it"
    return _tell(replace(turn, record=deployment.stays(turn.record, id, why)), "former-template-kept", told)


def _forget(turn: Turn, action: actions.ForgetFormer) -> Turn:
    """Told only of what the factory has deleted: another was gone before, or never made."""
    turn = replace(turn, record=deployment.forgotten(turn.record, action.id))
    if not action.deleted:
        telemetry.event("former-template-forgotten", template=str(action.id), why=action.why)
        return save(turn, "former-template-forgotten")
    return _tell(turn, "former-template-gone", f"the former template {action.id.name} is gone")


def _tell(turn: Turn, what: str, why: str) -> Turn:
    """The reason of the image stays what it is: why it is not built has nothing to do with this."""
    telemetry.event(what, image=turn.image.name, why=why)
    name, now = turn.image.name, turn.out.clock.now()
    return save(turn, what, image_line(name, name, what, why, turn.look, now))


APPLY: dict[type, Callable[[Turn, Any], Turn]] = {
    actions.DeleteFormer: _delete,
    actions.ForgetFormer: _forget,
    actions.RecordEnd: record_end,
}
