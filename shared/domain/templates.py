"""What Azure says of a template, its last run and its outputs: observed, never remembered."""

import enum
from datetime import datetime

import msgspec

from .deployment import Form
from .ids import BlobAddress, ResourceId, RunStart, TemplateId


class Provisioning(enum.Enum):
    """`provisioningState` of a template; it says nothing about runs."""

    CREATING = "Creating"
    UPDATING = "Updating"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    DELETING = "Deleting"
    CANCELED = "Canceled"


class RunState(enum.Enum):
    """`lastRunStatus.runState`."""

    RUNNING = "Running"
    CANCELING = "Canceling"
    SUCCEEDED = "Succeeded"
    PARTIALLY_SUCCEEDED = "PartiallySucceeded"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def over(self) -> bool:
        return self not in (RunState.RUNNING, RunState.CANCELING)


class LastRun(msgspec.Struct, frozen=True):
    """The latest run: Azure tells of no other."""

    start: RunStart
    state: RunState
    started: datetime
    ended: datetime | None = None
    message: str = ""
    log: BlobAddress | None = None
    """Where the message says that customization.log is. Told, not proven: the account may be anybody's."""


class Origin(msgspec.Struct, frozen=True):
    """What a template is built from, as it says itself: its image may have another file by now."""

    root: str = ""
    """A definition's id, a managed image's, or `publisher:offer:sku`; empty for what is none of these."""
    version: str = ""
    """The version that it names; empty where it takes the latest."""


class Template(msgspec.Struct, frozen=True):
    """A template as read just now."""

    id: TemplateId
    location: str
    provisioning: Provisioning
    owner: str | None
    """The image that the factory's ownership tag names; None for a template that the factory did not make."""
    exact_version: str | None = None
    staging_group: str | None = None
    """Name of the staging resource group (`exactStagingResourceGroup`)."""
    last_run: LastRun | None = None
    trouble: str = ""
    """Why provisioning failed."""
    generalized_by: str = ""
    """The command that it brings to generalize its image; empty for Image Builder's own."""
    origin: Origin = Origin()
    form: Form | None = None
    """What the factory made it from; None where its tag does not tell."""
    tags: dict[str, str] = {}
    content: bytes = b""
    """The document itself, of a template of the factory's whose tag does not tell what it was made from."""


class OutputKind(enum.Enum):
    VHD = "vhd"
    GALLERY_VERSION = "gallery_version"
    MANAGED_IMAGE = "managed_image"


class RunOutput(msgspec.Struct, frozen=True):
    """One run output as Azure lists it: a VHD has an address, the others an id."""

    name: str
    kind: OutputKind
    address: BlobAddress | None = None
    artifact: ResourceId | None = None


class BlobFacts(msgspec.Struct, frozen=True):
    """What a HEAD says of a blob."""

    etag: str
    length: int
    modified: datetime
    metadata: dict[str, str]
    page_blob: bool = True


class PageRange(msgspec.Struct, frozen=True, order=True):
    """Allocated bytes [start, end) of a page blob; both are multiples of 512."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start
