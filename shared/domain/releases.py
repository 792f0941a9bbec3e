"""Releases as the owners want them, and what the ledger remembers of each version's way.

A *definition* here is one that `factory.yaml` configures under a name; a version of it is named
`definition/version` in messages, in the journal and on the command line.
"""

import enum
from datetime import datetime, timedelta
from typing import NewType

import msgspec

from .galleries import DefinitionId, VersionId
from .ids import ImageName, RunStart
from .looks import Trouble
from .versions import Version

DefinitionName = NewType("DefinitionName", str)


class Promotion(enum.Enum):
    """How a version goes on from a ring whose soak is over."""

    AUTOMATIC = "automatic"
    BY_HAND = "by_hand"


class ReplicationMode(enum.Enum):
    FULL = "full"
    SHALLOW = "shallow"


class RingRegion(msgspec.Struct, frozen=True):
    name: str
    """In the plain spelling, such as `eastus2`."""
    replicas: int = 1
    storage: str = "Standard_LRS"
    """Of the region when it is added: Azure does not change it afterwards."""


class Ring(msgspec.Struct, frozen=True):
    """Regions that get a version together."""

    name: str
    regions: tuple[RingRegion, ...]
    soak: timedelta = timedelta(0)
    """How long it stands complete before it goes on."""
    promotion: Promotion = Promotion.AUTOMATIC


class Definition(msgspec.Struct, frozen=True):
    """A configured image definition and how its versions are released."""

    name: DefinitionName
    id: DefinitionId
    home: str
    """Its region. It is in one of the rings, and among the target regions from the beginning."""
    rings: tuple[Ring, ...]
    act: bool = False
    """Whether plans are carried out (`mode: act`) or only journalled."""
    end_of_life: timedelta | None = None
    """From the publishing of a version."""
    block_deletion: bool = False
    """Whether Azure itself shall refuse to delete a version before its end of life."""
    replication: ReplicationMode = ReplicationMode.FULL
    in_flight: int = 3
    """How many of its versions may be replicating at once."""
    deadline: timedelta = timedelta(hours=24)
    """How long a region may take before the others of its ring go on without it."""
    withdraw_with_source: bool = False
    """Whether its versions are withdrawn together with the version that they were built from."""

    def ring_of(self, region: str) -> int | None:
        """The number of the ring that has the region."""
        found = (i for i, ring in enumerate(self.rings) if any(r.name == region for r in ring.regions))
        return next(found, None)


class Stage(enum.Enum):
    """Where a version stands, for lists and for its siblings."""

    MAKING = "making"
    """It is being made, or could not be read yet."""
    WAITING = "waiting"
    """Made, and given no region yet: as many as may be are in flight."""
    REPLICATING = "replicating"
    SOAKING = "soaking"
    RELEASED = "released"
    OVERTAKEN = "overtaken"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"
    GONE = "gone"

    @property
    def good(self) -> bool:
        """An older version need not go on: this one is there, or comes."""
        return self in (Stage.WAITING, Stage.REPLICATING, Stage.SOAKING, Stage.RELEASED)


class Failures(enum.Enum):
    """What has been done about a region that failed: each step once, in this order."""

    NONE = 0
    RETRIED = 1
    REMOVING = 2
    ADDED_AGAIN = 3


class RegionRecord(msgspec.Struct, frozen=True, array_like=True):
    """What is remembered of one region of a version."""

    name: str
    seen: datetime
    """When it was first seen among, or asked for as one of, the target regions."""
    replicated: datetime | None = None
    latest: datetime | None = None
    """Since when the version is no longer excluded from latest there."""
    taken_back: bool = False
    """Somebody else has excluded it there since: it is not made latest again without a person's word."""
    failures: Failures = Failures.NONE
    given_up: str = ""
    """Why its ring no longer waits for it."""
    replicas: int = 1
    storage: str = "Standard_LRS"
    suspended: bool = False
    """A hold has taken it from being latest there: it is so again when the hold ends."""


class WriteClaim(msgspec.Struct, frozen=True):
    """A worker may write the version until then: gallery updates know no ETag."""

    by: str
    until: datetime


class ReleaseRecord(msgspec.Struct, frozen=True, tag="release"):
    """The way of one gallery version."""

    definition: DefinitionName
    version: Version
    id: VersionId
    found: datetime
    stage: Stage = Stage.MAKING
    ring: int = -1
    """The ring that it is getting, from 0; -1 before the first, the number of rings after the last."""
    ring_since: datetime | None = None
    complete_since: datetime | None = None
    """Since when its ring is complete: the soak counts from there."""
    history: bool = False
    """It was there before the factory and is released by a person's word: where it is latest, it stays so."""
    promoted: int = 0
    """Rings before this number need no soak and no further person."""
    insists: bool = False
    """A person has just promoted it: where others excluded it from latest, it is made so again."""
    regions: tuple[RegionRecord, ...] = ()
    held: str = ""
    """Why it is held; empty when it is not."""
    withdrawn: str = ""
    withdrawn_at: datetime | None = None
    withdrawn_everywhere: datetime | None = None
    """When it was seen to be excluded from latest in every region."""
    descends_from: str = ""
    """The withdrawn version that it was built from, at any depth."""
    descendants_told: bool = False
    """Every version built from it knows that it descends from a withdrawn one."""
    made: datetime | None = None
    """`publishedDate`."""
    busy: bool = False
    """Azure was replicating it when it was last seen."""
    image: ImageName | None = None
    """The image whose run made it; None if the factory does not know."""
    run: RunStart | None = None
    claim: WriteClaim | None = None
    refusals: int = 0
    """Updates in a row that Azure refused."""
    denials: int = 0
    """How many of them it refused for good, such as for a region that the subscription cannot use."""
    retry_at: datetime | None = None
    look_due: datetime | None = None
    reason: str = ""
    """The current answer to: why is it not further?"""
    since: datetime | None = None
    """When that became the answer."""
    trouble: Trouble | None = None
    words: tuple[str, ...] = ()
    """The ids of what people said of it last, so that the same word said again is no second one."""
    v: int = 1

    @property
    def name(self) -> str:
        """Names the version in messages: `definition/version`."""
        return f"{self.definition}/{self.version}"

    def region(self, name: str) -> RegionRecord | None:
        return next((r for r in self.regions if r.name == name), None)


class DefinitionRecord(msgspec.Struct, frozen=True, tag="definition"):
    """When the factory first looked at a definition: versions made before are history, left as they are."""

    name: DefinitionName
    since: datetime
    v: int = 1


class Descent(msgspec.Struct, frozen=True, tag="descent"):
    """A run was built from this version of this source: the way down from a source to what was made of it."""

    source: str
    """A definition's id, or `publisher:offer:sku`."""
    version: Version
    image: ImageName
    run: RunStart
    inferred: bool
    at: datetime
    v: int = 1
