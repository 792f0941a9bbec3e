"""Compute galleries as Azure tells of them: definitions, their versions, and where each version is."""

import enum
from datetime import datetime
from typing import Self

import msgspec

from .errors import Invalid
from .ids import ResourceId
from .versions import Version

VERSIONS_TYPE = "microsoft.compute/galleries/images/versions"
LEGACY_VERSIONS_TYPE = "microsoft.compute/galleries/images/imageversions"
"""As a specification's example spells it; documents and the wire do not."""
DEFINITIONS_TYPE = "microsoft.compute/galleries/images"


class DefinitionId(msgspec.Struct, frozen=True):
    """An image definition in a compute gallery. Lower case throughout, as ARM compares ids."""

    subscription: str
    group: str
    gallery: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Invalid unless it is the id of a definition."""
        found = ResourceId.parse(text)
        if found.type != DEFINITIONS_TYPE:
            raise Invalid(f"{text[:200]!r} is not the id of an image definition in a gallery")
        return cls(found.subscription, found.group, found.names[0].lower(), found.names[1].lower())

    def version(self, text: str) -> "VersionId":
        return VersionId(self, text)

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Compute/galleries/{self.gallery}/images/{self.name}"
        )


class VersionId(msgspec.Struct, frozen=True):
    """One version of a definition: three numbers, or `latest` in a template's source."""

    definition: DefinitionId
    version: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Invalid unless it is the id of a gallery version."""
        return cls.of(ResourceId.parse(text))

    @classmethod
    def of(cls, found: ResourceId) -> Self:
        if found.type not in (VERSIONS_TYPE, LEGACY_VERSIONS_TYPE):
            raise Invalid(f"{str(found)[:200]!r} is not the id of a gallery version")
        gallery, name, version = found.names
        definition = DefinitionId(found.subscription, found.group, gallery.lower(), name.lower())
        return cls(definition, version.lower())

    def __str__(self) -> str:
        return f"{self.definition}/versions/{self.version}"


class Replication(enum.Enum):
    """State of one region in `replicationStatus.summary`."""

    UNKNOWN = "Unknown"
    REPLICATING = "Replicating"
    COMPLETED = "Completed"
    FAILED = "Failed"


class Provisioning(enum.Enum):
    """`provisioningState` of a version."""

    CREATING = "Creating"
    UPDATING = "Updating"
    MIGRATING = "Migrating"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    DELETING = "Deleting"

    @property
    def busy(self) -> bool:
        """An operation is under way: whether a further update is accepted is not settled."""
        return self in (Provisioning.CREATING, Provisioning.UPDATING, Provisioning.MIGRATING)


class Placed(msgspec.Struct, frozen=True):
    """One target region of a version as read, with the state of its replication."""

    name: str
    """In the plain spelling, such as `eastus2`."""
    replicas: int
    storage: str
    excluded: bool
    """Excluded from latest in this region alone; see `GalleryVersion.excluded_in`."""
    state: Replication = Replication.UNKNOWN
    progress: int = 0
    details: str = ""


class GalleryVersion(msgspec.Struct, frozen=True):
    """A gallery version as read just now."""

    id: VersionId
    version: Version
    location: str
    """The definition's region, its home: it must stay among the target regions."""
    provisioning: Provisioning
    excluded: bool
    """Excluded from latest everywhere, whatever the regions say."""
    regions: tuple[Placed, ...]
    tags: dict[str, str]
    published: datetime | None = None
    end_of_life: datetime | None = None
    replication_mode: str = "Full"
    body: msgspec.Raw = msgspec.Raw(b"{}")
    """The resource as read: an update replaces all of its state, so it is the stuff that one is made of."""

    def region(self, name: str) -> Placed | None:
        return next((r for r in self.regions if r.name == name), None)

    def excluded_in(self, name: str) -> bool:
        """Whether `latest` passes it over there; so it does where it has no replica at all."""
        found = self.region(name)
        return self.excluded or found is None or found.excluded


class Target(msgspec.Struct, frozen=True):
    """What one region shall be after an update."""

    name: str
    replicas: int
    storage: str
    excluded: bool


class Update(msgspec.Struct, frozen=True):
    """The whole list of regions that shall be: an update replaces the list."""

    regions: tuple[Target, ...]
    end_of_life: datetime | None = None
    """None leaves it as it is."""
    guarded: bool = False
    """Whether Azure refuses its deletion before then; False leaves that as it is."""

    @property
    def excluded(self) -> bool:
        """Excluded everywhere: told once more at the top, so that no region can be forgotten."""
        return all(r.excluded for r in self.regions)
