"""What the ledger holds: what Azure does not remember. Their transitions are in `planning`.

All records of an image share its partition, so that a run, its outputs and the journal line go in one
transaction. Each record carries the schema version it was written with.
"""

import enum
from datetime import datetime

import msgspec

from .ids import BlobAddress, ImageName, ResourceId, RunStart, TemplateId
from .ingredients import Marks
from .listings import ImageLine, RunLine, VhdLine
from .looks import Look, Trouble
from .orders import Order
from .releases import DefinitionRecord, Descent, ReleaseRecord
from .requests import RequestRecord
from .retention import RetentionKind, RetentionRecord
from .templates import OutputKind, RunState
from .versions import Version


class Claim(msgspec.Struct, frozen=True):
    """A run requested and not yet seen. Keyed by the run before it: any other start time meets the claim."""

    previous: RunStart | None
    at: datetime
    attempt: int
    version: Version | None
    """What it was wanted for; None for a run that no new version asked for."""
    exact_before: str | None
    """The template's exactVersion before the run: only a change since then tells what was built."""
    why: str
    slot: int = 0
    order: str = ""
    """The id of the order that asked for it; empty for an automatic run."""
    made_of: Marks | None = None
    """What the image is made from at the request; None where its schedule does not ask."""


class CurrentRun(msgspec.Struct, frozen=True):
    """A run seen but not yet recorded as ended. `claim` is None when the factory did not start it."""

    start: RunStart
    seen: datetime
    claim: Claim | None
    started: datetime | None = None
    """As Azure tells it."""


class Former(msgspec.Struct, frozen=True):
    """A template that the image was built in before its file changed; it goes once its outputs are safe."""

    id: TemplateId
    since: datetime
    """When another one took its place."""
    run: RunStart | None = None
    """The last run of it whose end is recorded."""
    deleting: datetime | None = None
    """When the factory last set out to delete it."""
    kept: str = ""
    """Why the factory does not delete it by itself; empty while it will."""


class ImageRecord(msgspec.Struct, frozen=True, tag="image"):
    """Where an image stands. The one row that a look at an image reads."""

    name: ImageName
    source: str = ""
    """Of what the versions below are: the root of the image's source. Empty if nobody has noted it yet."""
    baseline: Version | None = None
    """What counts as not new: first seen, or last built from."""
    wanted: Version | None = None
    """The newest source version that the image should be built from."""
    wanted_since: datetime | None = None
    built: Version | None = None
    built_inferred: bool = False
    claim: Claim | None = None
    run: CurrentRun | None = None
    recorded: RunStart | None = None
    """The last run whose end is recorded."""
    recorded_state: RunState | None = None
    vhds: int = 0
    """How many VHDs that run left: none archived out of none proves nothing."""
    manifests: int = 0
    """How many of those have their manifest."""
    unsettled: tuple[str, ...] = ()
    """Outputs (as `run/name`) neither archived nor known to be lost."""
    owed: str = ""
    """Why a run is owed that no new version asks for, such as a schedule; empty when none is."""
    failures: int = 0
    template_failed: bool = False
    """The template that is there now failed to be made, and that has been counted."""
    deleting: datetime | None = None
    """When the factory last set out to delete the template; None once it is made again."""
    retry_at: datetime | None = None
    paused: str = ""
    """Why automatic runs are paused; empty when they are not."""
    paused_by: str = ""
    """Who paused them by hand: then no success ends the pause. Empty for a pause after failures."""
    made_of: Marks | None = None
    """What the last run that succeeded was made from, as far as anybody asked."""
    orders: tuple[Order, ...] = ()
    """What people asked for and is not done yet."""
    cancelled: Version | None = None
    """The version whose run somebody cancelled: not tried again."""
    older: int = 0
    """Runs in a row that built an older version than wanted."""
    template: TemplateId | None = None
    """Where the image is built since its file changed; None while that is under its configured name."""
    form: str = ""
    """What the file said (the fixed part of its form) when it was last built, or first seen."""
    patched: str = ""
    """The form that the last PATCH which Azure accepted was to bring about: it is not sent twice."""
    former: tuple[Former, ...] = ()
    """Templates whose place another one has taken."""
    schedule: str = ""
    """The schedule that `scheduled` is of."""
    scheduled: datetime | None = None
    """Where the schedule counts from: the last run that was requested (of those by hand, that succeeded), or
    when the image was first seen."""
    look_due: datetime | None = None
    reason: str = ""
    """The current answer to: why is it not being built?"""
    trouble: Trouble | None = None
    v: int = 1


class RunRecord(msgspec.Struct, frozen=True, tag="run"):
    """A run that is over."""

    image: ImageName
    template: str
    start: RunStart
    started: datetime
    ended: datetime | None
    state: RunState
    message: str
    version: Version | None
    inferred: bool
    """The version is the newest that was listed, not one that Azure told."""
    ours: bool
    why: str
    outputs: tuple[str, ...]
    log_end: str
    """The end of customization.log, for a run that failed."""
    staging_group: str | None
    correlation: str
    source: str = ""
    """What it was built from: a definition's id, `publisher:offer:sku`, or the id of a managed image."""
    v: int = 1


class OutputState(enum.Enum):
    """The way of a VHD output. Others are `RECORDED` and stay so."""

    RECORDED = "recorded"
    FOUND = "found"
    COPYING = "copying"
    COPIED = "copied"
    VERIFIED = "verified"
    ARCHIVED = "archived"
    LOST = "lost"
    REFUSED = "refused"
    DISMISSED = "dismissed"
    RETIRED = "retired"
    """It was archived; retention has deleted it."""

    @property
    def settled(self) -> bool:
        """Nothing in the factory waits for it any more."""
        return self in SETTLED


SETTLED = frozenset(
    {
        OutputState.RECORDED,
        OutputState.ARCHIVED,
        OutputState.LOST,
        OutputState.DISMISSED,
        OutputState.RETIRED,
    }
)


class OutputRecord(msgspec.Struct, frozen=True, tag="output"):
    """One output of one run. Source address and ETag are pinned here; a fresh listing is never used."""

    image: ImageName
    run: RunStart
    name: str
    kind: OutputKind
    state: OutputState
    template: str
    source: BlobAddress | None = None
    artifact: ResourceId | None = None
    staging_group: str | None = None
    started: datetime | None = None
    """When the run began: what was last written before is not its output."""
    etag: str = ""
    length: int = 0
    version: Version | None = None
    inferred: bool = False
    target: BlobAddress | None = None
    """Where it is archived; the source itself for a VHD that was distributed straight into the archive."""
    target_etag: str = ""
    """Of the verified blob; empty before."""
    allocated: int = 0
    copied: int = 0
    checked: int = 0
    """Chunks whose content has been compared."""
    verification: str = ""
    """`footer`, `sample` or `full`: how it was verified; empty before."""
    digest: str = ""
    """Of the content, as the manifest tells; empty where only footer or sample were checked."""
    generalized_by: str = ""
    """The command of its template that generalized it; empty for Image Builder's own."""
    found: datetime | None = None
    copy_started: datetime | None = None
    copy_ended: datetime | None = None
    verified: datetime | None = None
    look_due: datetime | None = None
    reason: str = ""
    trouble: Trouble | None = None
    v: int = 1

    @property
    def id(self) -> str:
        """Names the output in messages: `image/run/name`."""
        return f"{self.image}/{self.run}/{self.name}"

    @property
    def in_place(self) -> bool:
        return self.source is not None and self.source == self.target


class SourceRecord(msgspec.Struct, frozen=True, tag="source"):
    """What is known of a watched source."""

    key: str
    newest: Version | None = None
    """The newest version that has been announced (or, at the first look, recorded)."""
    newest_since: datetime | None = None
    deprecated: tuple[str, ...] = ()
    trouble: Trouble | None = None
    since: datetime | None = None
    """When the factory first saw what the source offers."""
    v: int = 1


class Slot(msgspec.Struct, frozen=True, tag="slot"):
    """One of the places for runs at once in a subscription and region."""

    place: str
    """`subscription:region`."""
    number: int
    image: ImageName
    since: datetime
    v: int = 1


class JournalLine(msgspec.Struct, frozen=True, tag="journal"):
    """What was decided or done, and why. Written when a reason changes, not at each look."""

    at: datetime
    thing: str
    """The thing's id: an image name, `image/run/output`, a source key, an event."""
    what: str
    """A stable word, such as `run-requested`."""
    why: str
    correlation: str
    partition: str
    by: str = ""
    """Who asked for it; empty for the factory itself."""
    v: int = 1


class FailedWork(msgspec.Struct, frozen=True, tag="failed"):
    """A message that nobody could work off: from a poison queue, or past its deadline. Can be sent again."""

    id: str
    lane: str
    look: Look | None
    """What the message asked for; None if it could not be read."""
    body: str
    """The message as it was, at most 4,000 characters of it."""
    why: str
    at: datetime
    resent: datetime | None = None
    v: int = 1


Record = (
    ImageRecord
    | RunRecord
    | OutputRecord
    | SourceRecord
    | DefinitionRecord
    | ReleaseRecord
    | Descent
    | Slot
    | JournalLine
    | FailedWork
    | Order
    | RetentionRecord
    | RetentionKind
    | RequestRecord
    | ImageLine
    | RunLine
    | VhdLine
)
