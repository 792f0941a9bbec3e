"""A look at an image: read the ledger and the template, plan, and carry the plan out.

An effect on Azure is recorded before it happens, so that the journal tells of it even if the answer is lost;
each has a deterministic name or, for the run, a claim. An event is published first and recorded after.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import AccessDenied, Missing, PermanentError, Throttled, WrongState
from shared.domain.events import EventType
from shared.domain.factory import Factory, Image
from shared.domain.looks import Look
from shared.domain.orders import OrderKind
from shared.domain.records import ImageRecord
from shared.domain.sources import GallerySource
from shared.domain.templates import Template
from shared.planning import actions, builds, clock, deployment, orders, runs
from shared.planning.looks import arm
from shared.ports import Outside

from . import byhand
from .ancestors import moving
from .deleting import delete, unsafe
from .deployment import look_at_former
from .ends import record_end
from .ingredients import ingredients
from .slots import leave_slot, take_slot
from .turn import Turn, due, save, says, send

BUILDING = (actions.CreateTemplate, actions.RequestRun)


def look_at_image(out: Outside, factory: Factory, look: Look) -> None:
    """One ledger read and one Resource Manager GET; more only where there is something to do."""
    turn = look_at_former(begin(out, factory, factory.image(look.id), look))
    template, turn = observe(turn)
    for action in plan(turn, template):
        turn = APPLY[type(action)](turn, action)
    if turn.record.trouble:
        save(replace(turn, record=replace(turn.record, trouble=None)), "trouble-over")


def begin(out: Outside, factory: Factory, image: Image, look: Look) -> Turn:
    now = out.clock.now()
    held = out.ledger.read(keys.image_key(image.name), ImageRecord)
    known = held.record if held else ImageRecord(image.name)
    record = deployment.renamed(clock.follow_schedule(known, image, now), image)
    return Turn(out, factory, image, look, now, held, deployment.sourced(record, image))


def observe(turn: Turn) -> tuple[Template | None, Turn]:
    """The template in use."""
    template = turn.out.templates.get(turn.image.in_use(turn.record))
    return template, replace(turn, record=deployment.follow(turn.record, turn.image, template))


def plan(turn: Turn, template: Template | None) -> tuple[actions.Action, ...]:
    """Ancestors and ingredients are asked for only where the image would be built."""
    situation = builds.Situation(turn.image, turn.factory.timing, turn.record, template, turn.now)
    planned = builds.plan(situation)
    if builds.asks_what_changed(situation, planned):
        situation = replace(situation, found=ingredients(turn.out, turn.image, turn.record))
        planned = builds.plan(situation)
    if not isinstance(turn.image.source, GallerySource) or not isinstance(planned[0], BUILDING):
        return planned
    return builds.plan(replace(situation, moving=moving(turn.out, turn.factory, turn.image, turn.now)))


def _nothing(turn: Turn, action: actions.Nothing) -> Turn:
    answered = turn.look.due is not None and turn.look.due == turn.record.look_due
    due = None if answered else turn.record.look_due
    return save(says(turn, action.why, look_due=due), "decided")


def _wait(turn: Turn, action: actions.Wait) -> Turn:
    return _armed(says(turn, action.why), action.until, "decided")


def _armed(turn: Turn, until: datetime, what: str) -> Turn:
    """Save with a look at `until` pending, unless one is already."""
    needed = arm(turn.record.look_due, turn.look.due, until, turn.now - turn.factory.timing.overdue)
    saved = save(due(turn, until) if needed else turn, what)
    if needed:
        send(saved, until)
    return saved


def _create(turn: Turn, action: actions.CreateTemplate) -> Turn:
    soon = turn.now + turn.factory.timing.look_again
    here = deployment.aim(turn.record, turn.image)
    turn = replace(turn, record=deployment.moved(turn.record, turn.image, here, None, turn.now))
    turn = save(
        says(turn, f"making the template: {action.why}", template_failed=False, deleting=None, patched=""),
        "template-requested",
    )
    try:
        body, owner = bytes(turn.image.body), turn.image.name
        turn.out.templates.create(here, body, owner, turn.out.clock.now())
    except WrongState:
        telemetry.event("template-exists", image=turn.image.name)
    except PermanentError as error:
        return _count(turn, actions.CountFailure(f"the template was refused: {error}"))
    return _armed(turn, soon, "template-requested")


def _delete(turn: Turn, action: actions.DeleteTemplate) -> Turn:
    """One that failed to be patched may hold a VHD that was set aside, and is nowhere else."""
    if left := unsafe(turn.out, turn.image.name, action.run):
        why = f"the template is not deleted, although {action.why}: not archived: {', '.join(left)}"
        return save(says(turn, why), "template-kept")
    return delete(turn, action)


def _replace(turn: Turn, action: actions.ReplaceTemplate) -> Turn:
    """What the template has left is safe. The next look sees to it, and makes another one if a run is due."""
    record = deployment.left(turn.record, turn.image, action.template, turn.now)
    left, why = action.template.id.name, f"leaving the template {action.template.id.name}: {action.why}"
    turn = save(says(replace(turn, record=record), why), "template-left")
    telemetry.event("template-left", image=turn.image.name, template=left)
    send(turn)
    return turn


def _patch(turn: Turn, action: actions.PatchTemplate) -> Turn:
    soon = turn.now + turn.factory.timing.look_again
    turn = save(says(turn, f"patching the template: {action.why}"), "template-patched")
    try:
        body, owner = bytes(turn.image.body), turn.image.name
        turn.out.templates.patch(action.template.id, body, owner, action.template.tags)
    except Missing:
        send(turn)
        return turn
    except PermanentError as error:
        return _count(turn, actions.CountFailure(f"the patch of the template was refused: {error}"))
    record = replace(turn.record, patched=str(turn.image.form))
    return _armed(replace(turn, record=record), soon, "template-patched")


def _request(turn: Turn, action: actions.RequestRun) -> Turn:
    slot = take_slot(turn.out, turn.factory, turn.image, turn.now)
    if slot is None:
        limit, region = turn.factory.limits.runs_at_once, turn.image.location
        why = f"{limit} runs are under way in {region}, as many as limits.runs_at_once allows"
        return _wait(turn, actions.Wait(turn.now + turn.factory.timing.stagger, why))
    claim = replace(action.claim, slot=slot)
    visible = turn.now + turn.factory.timing.claim
    turn = replace(turn, record=runs.requested(turn.record, claim))
    turn = save(
        due(says(turn, f"run requested (attempt {claim.attempt}): {claim.why}"), visible), "run-requested"
    )
    try:
        turn.out.templates.run(turn.image.in_use(turn.record))
    except (WrongState, Throttled, AccessDenied, Missing) as error:
        # Certainly not carried out: the claim is given back, so that the next look may ask again at once.
        # A lack of roles or of calls is no reason of the image's: it is kept as the trouble of the look.
        kept = isinstance(error, (Throttled, AccessDenied))
        turn = _give_back(turn, claim.slot, turn.record.reason if kept else f"run refused: {error}")
        if isinstance(error, Missing):
            send(turn)
            return turn
        raise
    except PermanentError as error:
        leave_slot(turn.out, turn.image, claim.slot)
        return _count(turn, actions.CountFailure(f"run refused: {error}"))
    send(turn, visible)
    return turn


def _give_back(turn: Turn, slot: int, why: str) -> Turn:
    turn = replace(turn, record=replace(runs.refused(turn.record), look_due=None))
    turn = save(says(turn, why), "run-refused")
    leave_slot(turn.out, turn.image, slot)
    return turn


def _note(turn: Turn, action: actions.NoteRun) -> Turn:
    run = action.run
    turn.event(
        EventType.BUILD_STARTED,
        image=turn.image.name,
        run=run.start,
        requested=run.claim is not None,
        why=run.claim.why if run.claim else "started by somebody else",
    )
    turn = replace(turn, record=runs.noted(turn.record, run))
    why = f"run {run.start} is visible: {run.claim.why if run.claim else 'not requested by the factory'}"
    turn = save(says(turn, why), "run-started")
    if orders.open_order(turn.record, OrderKind.CANCEL):
        send(turn)
    return turn


def _forget(turn: Turn, action: actions.ForgetRun) -> Turn:
    run = action.run
    turn.event(EventType.WORK_FAILED, image=turn.image.name, run=run.start, why=action.why)
    turn = save(says(replace(turn, record=runs.forgotten(turn.record)), action.why), "run-vanished")
    if run.claim:
        leave_slot(turn.out, turn.image, run.claim.slot)
    send(turn)
    return turn


def _count(turn: Turn, action: actions.CountFailure) -> Turn:
    was_paused = turn.record.paused
    record = orders.refused(turn.record, OrderKind.START, action.why, turn.now)
    record = runs.failed(record, action.why, turn.factory.timing, turn.now)
    failed = record.template_failed or action.template
    turn = says(replace(turn, record=record), action.why, template_failed=failed, look_due=None)
    if record.paused and not was_paused:
        turn.event(
            EventType.WORK_FAILED, image=turn.image.name, why=f"automatic runs are paused: {record.paused}"
        )
    turn = save(turn, "failure-counted")
    send(turn)
    return turn


def _pass(turn: Turn, action: actions.PassSchedule) -> Turn:
    record = runs.passed(turn.record, turn.now)
    turn = save(says(replace(turn, record=record), action.why), "schedule-passed")
    send(turn)
    return turn


APPLY: dict[type, Callable[[Turn, Any], Turn]] = {
    actions.Nothing: _nothing,
    actions.Wait: _wait,
    actions.CreateTemplate: _create,
    actions.DeleteTemplate: _delete,
    actions.ReplaceTemplate: _replace,
    actions.PatchTemplate: _patch,
    actions.RequestRun: _request,
    actions.NoteRun: _note,
    actions.RecordEnd: record_end,
    actions.ForgetRun: _forget,
    actions.CountFailure: _count,
    actions.RefuseOrder: byhand.refuse,
    actions.CallOff: byhand.call_off,
    actions.CancelRun: byhand.cancel,
    actions.DeleteByHand: byhand.delete,
    actions.MeetOrder: byhand.meet,
    actions.PassSchedule: _pass,
}
