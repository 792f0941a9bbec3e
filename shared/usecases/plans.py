"""What the next look at an image would do: the plan of a look, with nothing carried out or written.

Of an image whose mode is observe it is what it would do if it acted.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from shared.domain.errors import FactoryError
from shared.domain.factory import Factory, Image, Mode
from shared.domain.looks import Lane, Look, Thing
from shared.planning import actions, deployment
from shared.ports import Outside

from .builds import begin, observe, plan
from .deployment import plan_former
from .turn import Turn


class Step(msgspec.Struct, frozen=True):
    """One thing that would be done, or why nothing is."""

    what: str
    """A stable word."""
    why: str


class Planned(msgspec.Struct, frozen=True):
    image: str
    template: str
    """The one in use."""
    acts: bool
    """Whether the steps would be carried out: else the mode is observe."""
    steps: tuple[Step, ...]


def plans(out: Outside, factory: Factory, image: str | None) -> tuple[Planned, ...]:
    """Of one image, or of all by name. Raises Unknown for one that is not configured."""
    chosen = [factory.image(image)] if image else list(factory.images.values())
    found = out.workers.run(chosen, lambda each: _planned(out, factory, each))
    return tuple(sorted(found, key=lambda planned: planned.image))


def _planned(out: Outside, factory: Factory, image: Image) -> Planned:
    """One that cannot be looked at now does not keep the others from being told."""
    acting = msgspec.structs.replace(image, mode=Mode.ACT)
    template, acts = image.template, image.mode is Mode.ACT
    try:
        turn = begin(out, factory, acting, Look(Lane.BUILDS, Thing.IMAGE, image.name, "plan"))
        template = acting.in_use(turn.record)
        former = plan_former(turn)
        found, turn = observe(turn)
        steps = tuple(_step(turn, each) for each in (*former, *plan(turn, found)))
    except FactoryError as error:
        steps = (Step("unknown", str(error)),)
    return Planned(image.name, str(template), acts, steps)


def _step(turn: Turn, action: actions.Action) -> Step:
    what, why = _TOLD[type(action)]
    return Step(what, why(turn, action))


def _why(_: Turn, action: Any) -> str:
    return str(action.why)


def _create(turn: Turn, action: actions.CreateTemplate) -> str:
    return f"{deployment.aim(turn.record, turn.image).name}: {action.why}"


def _replace(turn: Turn, action: actions.ReplaceTemplate) -> str:
    left = deployment.left(turn.record, turn.image, action.template, turn.now)
    return f"by {turn.image.in_use(left).name} once a run is due: {action.why}"


def _delete(_: Turn, action: actions.DeleteFormer) -> str:
    return f"{action.id.name}: {action.why}"


_TOLD: dict[type, tuple[str, Callable[[Turn, Any], str]]] = {
    actions.CreateTemplate: ("create-template", _create),
    actions.DeleteTemplate: ("delete-template", _why),
    actions.ReplaceTemplate: ("replace-template", _replace),
    actions.PatchTemplate: ("patch-template", _why),
    actions.DeleteFormer: ("delete-former-template", _delete),
    actions.ForgetFormer: ("forget-former-template", _delete),
    actions.RequestRun: ("start-run", lambda _, action: str(action.claim.why)),
    actions.NoteRun: ("note-run", lambda _, action: f"the run of {action.run.start} is visible"),
    actions.RecordEnd: (
        "record-run",
        lambda _, action: f"the run of {action.run.start} ended: {action.run.state.value}",
    ),
    actions.ForgetRun: ("forget-run", _why),
    actions.CountFailure: ("count-failure", _why),
    actions.PassSchedule: ("pass-schedule", _why),
    actions.RefuseOrder: ("refuse-order", _why),
    actions.CallOff: ("call-off-run", lambda _, action: str(action.order.said)),
    actions.CancelRun: ("cancel-run", lambda _, action: str(action.order.said)),
    actions.DeleteByHand: ("delete-template", lambda _, action: str(action.order.said)),
    actions.MeetOrder: ("meet-order", _why),
    actions.Wait: ("wait", lambda _, action: f"until {action.until:%Y-%m-%d %H:%M:%S} UTC: {action.why}"),
    actions.Nothing: ("nothing", _why),
}
