"""Templates that an image has left: what still runs in them is recorded, and they go once that is safe.

Read by a look only where the image's record names some; the look then goes on with the template in use.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import AccessDenied, Throttled, WrongState
from shared.domain.ids import ImageName, RunStart, TemplateId
from shared.domain.records import OutputRecord, OutputState, RunRecord
from shared.domain.templates import OutputKind
from shared.planning import actions, deployment
from shared.ports import Outside

from .ends import record_end
from .journal import image_line
from .turn import Turn, save

SAFE = (OutputState.ARCHIVED, OutputState.LOST, OutputState.RETIRED)
"""What the template of a VHD need not be kept for."""


def look_at_former(turn: Turn) -> Turn:
    """One GET for each template that was left."""
    record = turn.record
    if not record.former:
        return turn
    seen = {each.id: turn.out.templates.get(each.id) for each in record.former}
    for action in deployment.former(record, turn.image, seen, turn.factory.timing, turn.now):
        turn = APPLY[type(action)](turn, action)
    return turn


def unsafe(out: Outside, image: ImageName, run: RunStart | None) -> tuple[str, ...]:
    """What a run has left that would be lost with its template, each as a person would want it told."""
    if run is None:
        return ()
    held = out.ledger.read(keys.run_key(image, run), RunRecord)
    if held is None:
        return (f"the end of the run of {run} is not recorded",)
    found = (out.ledger.read(keys.output_key(image, run, name), OutputRecord) for name in held.record.outputs)
    outputs = (each.record for each in found if each is not None)
    return tuple(
        f"the output {each.id} is not archived ({each.state.value})"
        for each in outputs
        if each.kind is OutputKind.VHD and each.state not in SAFE
    )


def _delete(turn: Turn, action: actions.DeleteFormer) -> Turn:
    """By the ledger every VHD of its last run is safe; by Azure, read once more, that is its last run."""
    if left := unsafe(turn.out, turn.image.name, action.run):
        return _keep(turn, action.id, left[0])
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
    told = f"the former template {action.id.name} is left alone from now on: {action.why}"
    return _tell(
        replace(turn, record=deployment.forgotten(turn.record, action.id)), "former-template-forgotten", told
    )


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
