"""What is kept and what goes: the rules, the facts about each thing, and how far its going is.

A *thing* is whatever retention can retire. All kinds go the same way: marked, excluded, deleted.
"""

import enum
from datetime import datetime, timedelta

import msgspec

from .ids import ImageName


class Kind(enum.Enum):
    """What can be retired, in the order in which it goes: what was made of something goes before it."""

    GALLERY_VERSION = "gallery_version"
    MANAGED_IMAGE = "managed_image"
    ARCHIVED_VHD = "archived_vhd"
    TEMPLATE = "template"
    STAGING_GROUP = "staging_group"

    @property
    def counted(self) -> bool:
        """Versions of an image are counted; templates and groups are needed or they are not."""
        return self not in (Kind.TEMPLATE, Kind.STAGING_GROUP)


class Policy(msgspec.Struct, frozen=True):
    """Kept if any part says so; a part that is None says nothing."""

    newest: int | None = 3
    """So many of an image in a place."""
    younger: timedelta | None = timedelta(days=90)
    superseded: timedelta | None = timedelta(days=30)
    """For so long after a newer good one was there."""
    until_end_of_life: bool = True
    floor: int = 2
    """Never fewer good ones of an image in a place than that: the newest of them stay."""


class Trip(msgspec.Struct, frozen=True):
    """How many of an image's things of a kind one plan may newly retire: the larger of the two."""

    number: int = 3
    percent: int = 10

    def limit(self, total: int) -> int:
        return max(self.number, total * self.percent // 100)


class Patience(msgspec.Struct, frozen=True):
    """How long a template may take before it counts as stuck."""

    creating: timedelta = timedelta(hours=2)
    running: timedelta = timedelta(hours=2)
    """Beyond the time limit of its build."""
    cancelling: timedelta = timedelta(hours=2)


class TagRule(msgspec.Struct, frozen=True):
    """A tag by its name, and if a value is given by that as well.

    Azure compares names without case. Values are compared so too, and without blanks around them: what is
    meant to keep a thing shall keep it.
    """

    name: str
    value: str | None = None

    def fits(self, tags: dict[str, str]) -> bool:
        name, value = _plain(self.name), None if self.value is None else _plain(self.value)
        return any(_plain(n) == name and value in (None, _plain(v)) for n, v in tags.items())


def _plain(text: str) -> str:
    return text.strip().casefold()


PIN = "imageFactoryKeep"
"""The tag that pins a thing wherever it stands; its value is for people."""
MARK = "imageFactoryRetire"
"""The tag that announces a deletion: since when, and why."""
OWNER = "imageFactoryImage"
"""On every template that the factory has made, and on what is built in it: the name of the image."""
MADE = "imageFactoryMade"
"""On every template that the factory has made: when that was."""


def tag_of(tags: dict[str, str], name: str) -> str:
    """The value of a tag; empty if there is none. Azure compares names of tags without regard to case."""
    wanted = name.lower()
    return next((value for found, value in tags.items() if found.lower() == wanted), "")


class Retention(msgspec.Struct, frozen=True):
    """The rules as the owners want them."""

    enforce: bool = False
    """Whether plans are carried out; else they are only told."""
    policies: dict[Kind, Policy] = {}
    of_images: dict[tuple[ImageName, Kind], Policy] = {}
    left: Policy = Policy(newest=None, superseded=None)
    """For what belongs to an image that left the configuration."""
    subscriptions: tuple[str, ...] = ()
    """Where images may be in use, besides the subscriptions of images and definitions."""
    out_of_scope: tuple[str, ...] = ()
    """Subscriptions where images were made once, and surely are in use no more: they are not asked."""
    minimum_age: timedelta = timedelta(days=1)
    notice: timedelta = timedelta(days=7)
    """Between the mark and the exclusion: the time in which owners can pin."""
    grace: timedelta = timedelta(days=3)
    """Between the exclusion and the deletion."""
    per_sweep: int = 10
    """So many of a kind are excluded, and so many deleted, by one sweep; the oldest first."""
    trip: Trip = Trip()
    keep_parents: bool = True
    """Whether what something that is kept was built from is kept too."""
    pins: tuple[TagRule, ...] = ()
    """Besides the tag `imageFactoryKeep`."""
    exclusions: tuple[TagRule, ...] = ()
    """What bears one of these tags is none of retention's business: it stays, and is not counted."""
    patience: Patience = Patience()

    def policy(self, image: ImageName, kind: Kind, *, configured: bool) -> Policy:
        if not configured:
            return self.left
        return self.of_images.get((image, kind)) or self.policies.get(kind) or Policy()

    def pinned(self, tags: dict[str, str]) -> bool:
        return any(rule.fits(tags) for rule in (TagRule(PIN), *self.pins))

    def excluded(self, tags: dict[str, str]) -> bool:
        return any(rule.fits(tags) for rule in self.exclusions)


class Stage(enum.Enum):
    """How far the going of a thing is."""

    NONE = "none"
    MARKED = "marked"
    EXCLUDED = "excluded"
    DELETING = "deleting"


class Going(msgspec.Struct, frozen=True):
    """What the ledger remembers, and the thing's own tag confirms."""

    stage: Stage = Stage.NONE
    since: datetime | None = None
    """When it came to the stage."""
    row: bool = False
    """The ledger has a row of its going, whatever its mark says: it goes when the thing is kept."""


class Thing(msgspec.Struct, frozen=True):
    """One thing that may be retired, with everything that its verdict depends on."""

    kind: Kind
    id: str
    """Unique: a resource id or a blob address, in lower case."""
    name: str
    """As people know it, such as `windows-2022/1.0.3`."""
    image: ImageName
    """The image that it belongs to; empty if that is not known."""
    place: str
    """Where it is counted: a definition, a resource group and region, a container."""
    configured: bool = True
    """Whether its image still is in the configuration."""
    act: bool = True
    """Whether plans about its image are carried out (`mode: act`)."""
    owned: bool = True
    """It bears the factory's ownership tag."""
    recorded: bool = True
    """The ledger knows that the factory made it, or took it over."""
    rank: tuple[int, ...] = ()
    """Its version number; things without one are ordered by their date."""
    made: datetime | None = None
    good: bool = True
    """Made without fault, and not withdrawn."""
    tags: dict[str, str] = {}
    end_of_life: datetime | None = None
    guarded: bool = False
    """Azure itself refuses its deletion before the end of life."""
    offered: tuple[str, ...] = ()
    """Regions in which `latest` may mean it: it is there, or on its way, and not excluded."""
    taken: tuple[str, ...] = ()
    """Regions in which `latest` might mean it, had retention not excluded it there."""
    settled: bool = True
    """Its last replication is over, without fault, and nobody takes it back from being latest."""
    busy: str = ""
    """Why it must be left alone for now, such as `it is soaking`."""
    source_of: tuple[str, ...] = ()
    """Templates that are, or will be, built from it."""
    used_by: tuple[str, ...] = ()
    parent: str = ""
    """The id of what it was built from."""
    doubts: tuple[str, ...] = ()
    """Facts that are missing, unreadable or contradict one another."""
    stuck: str = ""
    """Why it counts as stuck; such a thing is reported and never deleted."""
    cancellable: bool = False
    """Being stuck, it can be cancelled."""
    going: Going = Going()


class Inventory(msgspec.Struct, frozen=True):
    """Everything at one moment."""

    things: tuple[Thing, ...]
    blind: tuple[str, ...] = ()
    """What could not be seen, such as a subscription: then everything stays."""
    approved: dict[Kind, str] = {}
    """The digest that a person has approved."""


class Step(enum.Enum):
    """What comes next for a thing."""

    NOTHING = "nothing"
    UNMARK = "unmark"
    MARK = "mark"
    EXCLUDE = "exclude"
    DELETE = "delete"
    WAIT = "wait"
    CANCEL = "cancel"


class Verdict(msgspec.Struct, frozen=True):
    """Retention's answer about one thing."""

    kind: Kind
    name: str
    id: str
    image: str
    place: str
    keep: bool
    rule: str
    """The rule that decided, as a stable word."""
    reason: str
    made: datetime | None
    stage: Stage
    step: Step
    due: datetime | None = None
    """Until when it waits."""
    parent: str = ""
    """The id of what it was built from."""


class KindPlan(msgspec.Struct, frozen=True):
    """What would become of all things of one kind."""

    kind: Kind
    kept: int
    going: int
    digest: str
    """Of everything of the kind that would go, whatever stage it has reached: the same while that is so."""
    tripped: str = ""
    """Why nothing of the kind goes; empty when it may."""
    approved: bool = False
    """A person has approved this very digest."""

    @property
    def stopped(self) -> bool:
        return bool(self.tripped) and not self.approved


class Plan(msgspec.Struct, frozen=True):
    """Verdicts about everything; the same for the same inventory, rules and moment."""

    kinds: tuple[KindPlan, ...]
    verdicts: tuple[Verdict, ...]
    digest: str
    enforce: bool
    blind: tuple[str, ...] = ()


class RetentionRecord(msgspec.Struct, frozen=True, tag="retention"):
    """A thing that is going. The row is there from its mark until it is gone, or kept after all."""

    kind: Kind
    id: str
    name: str
    image: ImageName
    place: str
    made: datetime
    """With the id it says which thing is meant: another one may come to bear its name."""
    marked: datetime
    reason: str
    stage: Stage = Stage.NONE
    """NONE while its mark is being written."""
    excluded: datetime | None = None
    deleting: datetime | None = None
    latest: tuple[str, ...] = ()
    """Where it was not excluded from latest before: there it comes back if it is kept after all."""
    tried: datetime | None = None
    """When a sweep last sent a look to bring it on."""
    v: int = 1

    @property
    def since(self) -> datetime:
        return self.deleting or self.excluded or self.marked

    @property
    def tag(self) -> str:
        """The value of its mark."""
        return f"{self.marked:%Y-%m-%dT%H:%M:%SZ} {self.reason}"[:256]


class RetentionKind(msgspec.Struct, frozen=True, tag="retention-kind"):
    """What holds for all things of a kind."""

    kind: Kind
    stopped: str = ""
    """Why nothing of it goes: the last sweep's plan is abnormal and not approved."""
    digest: str = ""
    """The plan that is stopped."""
    approved: str = ""
    """The digest that a person has approved."""
    approved_by: str = ""
    stuck: tuple[str, ...] = ()
    """Names of what is stuck, and has been told."""
    scope: tuple[str, ...] = ()
    """Every subscription that was in scope so far: who left the configuration still may be in use there."""
    v: int = 1
