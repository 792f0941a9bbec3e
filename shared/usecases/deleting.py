"""The deletion of a template: what would be lost with it, and the last look before it is sent."""

from msgspec.structs import replace

from shared.domain import keys
from shared.domain.errors import AccessDenied, Throttled, WrongState
from shared.domain.ids import ImageName, RunStart
from shared.domain.records import OutputRecord, OutputState, RunRecord
from shared.domain.templates import OutputKind
from shared.planning import actions
from shared.ports import Outside

from .turn import Turn, save, says, send

SAFE = (OutputState.ARCHIVED, OutputState.LOST, OutputState.RETIRED)
"""What the template of a VHD need not be kept for."""


def unsafe(out: Outside, image: ImageName, run: RunStart | None) -> tuple[str, ...]:
    """What a run has left that would be lost with its template, and how far that is."""
    if run is None:
        return ()
    held = out.ledger.read(keys.run_key(image, run), RunRecord)
    if held is None:
        return (f"{image}/{run} (its end is not recorded)",)
    told = ((name, _danger(out, image, run, name)) for name in held.record.outputs)
    return tuple(f"{image}/{run}/{name} ({danger})" for name, danger in told if danger)


def _danger(out: Outside, image: ImageName, run: RunStart, name: str) -> str:
    """How far an output is that would be lost, empty if it would not be. What is not known is not safe."""
    held = out.ledger.read(keys.output_key(image, run, name), OutputRecord)
    if held is None:
        return "not in the ledger"
    lost = held.record.kind is OutputKind.VHD and held.record.state not in SAFE
    return held.record.state.value if lost else ""


def delete(turn: Turn, action: actions.DeleteTemplate) -> Turn:
    """Just before the DELETE the template is read again: its last run must be the one that is archived."""
    turn = save(says(turn, f"deleting the template: {action.why}", deleting=turn.now), "template-deleted")
    again = turn.out.templates.get(turn.image.in_use(turn.record))
    last = again.last_run.start if again and again.last_run else None
    if again is None:
        return turn
    if last != action.run:
        return spare(turn, f"the template is not deleted: it has run again ({last})")
    try:
        turn.out.templates.delete(again.id)
    except WrongState as error:
        return spare(turn, f"the template is not deleted: {error}")
    except (Throttled, AccessDenied):
        save(replace(turn, record=replace(turn.record, deleting=None)), "template-kept")
        raise
    return turn


def spare(turn: Turn, why: str) -> Turn:
    turn = save(says(turn, why, deleting=None), "template-kept")
    send(turn)
    return turn
