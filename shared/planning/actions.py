"""What a plan can say. `Wait` and `Nothing` are answers too: every look has one."""

from datetime import datetime

import msgspec

from shared.domain.galleries import Update
from shared.domain.ids import RunStart, TemplateId
from shared.domain.orders import Order, OrderKind
from shared.domain.records import Claim, CurrentRun
from shared.domain.releases import ReleaseRecord
from shared.domain.templates import LastRun, Template


class CreateTemplate(msgspec.Struct, frozen=True):
    """Put the template from its file."""

    why: str


class DeleteTemplate(msgspec.Struct, frozen=True):
    """Delete the template, and with it the staging group. `run` is the last run that may be there."""

    run: RunStart | None
    why: str


class ReplaceTemplate(msgspec.Struct, frozen=True):
    """Leave the template: the file says what only another one can say, and that is made when a run is due."""

    template: Template
    why: str


class PatchTemplate(msgspec.Struct, frozen=True):
    """Bring the template up to its file."""

    template: Template
    why: str


class DeleteFormer(msgspec.Struct, frozen=True):
    """Delete a template that the image has left, as `DeleteTemplate` does."""

    id: TemplateId
    run: RunStart | None
    why: str


class ForgetFormer(msgspec.Struct, frozen=True):
    """A template that the image has left is no concern of the factory's any more."""

    id: TemplateId
    why: str
    deleted: bool = False


class RequestRun(msgspec.Struct, frozen=True):
    """Claim, then ask for a run."""

    claim: Claim


class NoteRun(msgspec.Struct, frozen=True):
    """A run has become visible."""

    run: CurrentRun


class RecordEnd(msgspec.Struct, frozen=True):
    """A run is over and not yet recorded."""

    run: LastRun
    claim: Claim | None
    template: Template


class ForgetRun(msgspec.Struct, frozen=True):
    """A run that was seen is gone, and so is whatever it might have left."""

    run: CurrentRun
    why: str


class CountFailure(msgspec.Struct, frozen=True):
    """No run could come about: a failure like that of a run. `template`: since the one there failed."""

    why: str
    template: bool = False


class RefuseOrder(msgspec.Struct, frozen=True):
    """What a person asked for cannot be."""

    kind: OrderKind
    why: str


class PassSchedule(msgspec.Struct, frozen=True):
    """The schedule is due, and its start condition does not hold."""

    why: str


class CallOff(msgspec.Struct, frozen=True):
    """Ask no more for a run that was requested and never became visible."""

    claim: Claim
    order: Order
    template: Template | None


class CancelRun(msgspec.Struct, frozen=True):
    """Somebody wants no more of the run that is under way."""

    run: RunStart
    order: Order


class DeleteByHand(msgspec.Struct, frozen=True):
    """Somebody wants the template deleted: if the ledger agrees that nothing would be lost with it."""

    run: RunStart | None
    order: Order


class MeetOrder(msgspec.Struct, frozen=True):
    """What a person asked for has come about."""

    kind: OrderKind
    why: str


class UpdateVersion(msgspec.Struct, frozen=True):
    """Send the whole list of regions. `update` is None if only the record goes on."""

    update: Update | None
    record: ReleaseRecord
    """As it shall be once the update is accepted."""
    why: str


class MarkDescendants(msgspec.Struct, frozen=True):
    """Tell every version that was built from this one that it descends from the withdrawn `ancestor`."""

    ancestor: str


class Wait(msgspec.Struct, frozen=True):
    """Look again at a time."""

    until: datetime
    why: str


class Nothing(msgspec.Struct, frozen=True):
    """There is nothing to do until something happens."""

    why: str


Action = (
    CreateTemplate
    | DeleteTemplate
    | ReplaceTemplate
    | PatchTemplate
    | DeleteFormer
    | ForgetFormer
    | RequestRun
    | NoteRun
    | RecordEnd
    | ForgetRun
    | CountFailure
    | RefuseOrder
    | CallOff
    | CancelRun
    | DeleteByHand
    | MeetOrder
    | PassSchedule
    | Wait
    | Nothing
)
EFFECTS = (
    CreateTemplate,
    DeleteTemplate,
    ReplaceTemplate,
    PatchTemplate,
    DeleteFormer,
    ForgetFormer,
    RequestRun,
    NoteRun,
    RecordEnd,
    ForgetRun,
    CountFailure,
    RefuseOrder,
    CallOff,
    CancelRun,
    DeleteByHand,
    MeetOrder,
    PassSchedule,
)
"""Actions for which a sweep sends a look."""
