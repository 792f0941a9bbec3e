"""The form of `factory.yaml`. The JSON Schema for editors is generated from it.

Descriptions say what is expected, since they are what editors and messages about faults show. What is left
out is filled in from the defaults of `domain.factory`.
"""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from shared.domain.factory import AfterArchive, Mode, Verification
from shared.domain.releases import Promotion, ReplicationMode
from shared.domain.schedules import Start

from .forms import (
    Account,
    Container,
    Cron,
    DefinitionKey,
    Duration,
    GalleryName,
    Group,
    Hours,
    ImageKey,
    NameOfDefinition,
    OrNone,
    Region,
    RegionKey,
    RingName,
    Storage,
    Strict,
    Subscription,
    TemplateFile,
    TemplateName,
    TimeZone,
)
from .retention_parts import PoliciesPart, RetentionPart


class ArchivePart(Strict, frozen=True, kw_only=True):
    """Where archived VHDs are kept: a storage account and a container of it."""

    account: Account
    container: Container


class SchedulePart(Strict, frozen=True, kw_only=True):
    """When the image is built even though its source has nothing new."""

    cron: Cron
    time_zone: TimeZone | UnsetType = UNSET
    start: Annotated[Start, Meta(title="Whether something has to have changed as well")] | UnsetType = UNSET


class WindowPart(Strict, frozen=True, kw_only=True):
    """When automatic runs may start: in what is allowed, or at any time, but not in what is forbidden."""

    allow: Annotated[list[Hours], Meta(max_length=50)] | UnsetType = UNSET
    forbid: Annotated[list[Hours], Meta(max_length=50)] | UnsetType = UNSET
    time_zone: TimeZone | UnsetType = UNSET


class Options(Strict, frozen=True, kw_only=True):
    """What holds for every image that does not say otherwise."""

    after_archive: AfterArchive | UnsetType = UNSET
    verification: Verification | UnsetType = UNSET
    build_at_first_sight: (
        Annotated[
            bool,
            Meta(title="Whether the version that the source has at the first look is built"),
        ]
        | UnsetType
    ) = UNSET
    window: WindowPart | UnsetType = UNSET


class ImagePart(Options, frozen=True, kw_only=True):
    """An image: the template it is built in, and what becomes of its outputs."""

    template: TemplateFile
    template_name: TemplateName | UnsetType = UNSET
    resource_group: Group | UnsetType = UNSET
    subscription: Subscription | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    schedule: SchedulePart | UnsetType = UNSET
    retention: PoliciesPart | UnsetType = UNSET


class RegionPart(Strict, frozen=True, kw_only=True):
    """What a version gets in one region."""

    replicas: (
        Annotated[int, Meta(ge=1, le=50, title="Copies; one for every 20 to 50 machines made at once")]
        | UnsetType
    ) = UNSET
    storage: Storage | UnsetType = UNSET


class RingPart(Strict, frozen=True, kw_only=True):
    """Regions that get a version together."""

    name: RingName
    regions: dict[RegionKey, RegionPart]
    soak: Annotated[OrNone, Meta(title="How long it stands complete before it goes on")] | UnsetType = UNSET
    promotion: Promotion | UnsetType = UNSET


class DefinitionPart(Strict, frozen=True, kw_only=True):
    """An image definition in a compute gallery, and how its versions reach their regions."""

    gallery: GalleryName
    location: Region
    rings: Annotated[list[RingPart], Meta(min_length=1)]
    definition: NameOfDefinition | UnsetType = UNSET
    resource_group: Group | UnsetType = UNSET
    subscription: Subscription | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    end_of_life: (
        Annotated[Duration, Meta(title="When a version's life ends, from its publishing")] | UnsetType
    ) = UNSET
    block_deletion: (
        Annotated[bool, Meta(title="Whether Azure refuses to delete a version before its end of life")]
        | UnsetType
    ) = UNSET
    replication: ReplicationMode | UnsetType = UNSET
    in_flight: (
        Annotated[int, Meta(ge=1, le=1000, title="Versions that may be replicating at once")] | UnsetType
    ) = UNSET
    deadline: (
        Annotated[Duration, Meta(title="How long a region may take before its ring goes on without it")]
        | UnsetType
    ) = UNSET
    withdraw_with_source: (
        Annotated[bool, Meta(title="Whether a version goes when the one that it was built from is withdrawn")]
        | UnsetType
    ) = UNSET


class LimitsPart(Strict, frozen=True, kw_only=True):
    """How much happens at once."""

    runs_at_once: (
        Annotated[int, Meta(ge=1, le=1000, title="Runs per subscription and region")] | UnsetType
    ) = UNSET
    copy_workers: Annotated[int, Meta(ge=1, le=64, title="Parallel requests per copy")] | UnsetType = UNSET
    copy_rate_mib: (
        Annotated[int, Meta(ge=1, le=10_000, title="MiB per second that a copy starts with")] | UnsetType
    ) = UNSET
    copy_requests: (
        Annotated[int, Meta(ge=1, le=20_000, title="Requests per second that a copy starts with")] | UnsetType
    ) = UNSET


class TimingPart(Strict, frozen=True, kw_only=True):
    """How long things are given."""

    claim: (
        Annotated[Duration, Meta(title="How long a requested run may stay invisible until requested again")]
        | UnsetType
    ) = UNSET
    look_again: (
        Annotated[Duration, Meta(title="Between looks while something short is under way")] | UnsetType
    ) = UNSET
    stagger: (
        Annotated[Duration, Meta(title="Between looks while too many runs are under way")] | UnsetType
    ) = UNSET
    retry_after: (
        Annotated[
            list[Duration],
            Meta(
                min_length=1,
                max_length=20,
                title="After the first, second, third ... failure in a row; the last one repeats",
                description="a list of 1 to 20 durations",
                examples=[["30m", "2h", "8h"]],
            ),
        ]
        | UnsetType
    ) = UNSET
    pause_after: (
        Annotated[
            int,
            Meta(ge=1, le=100, title="Failures in a row after which automatic runs pause"),
        ]
        | UnsetType
    ) = UNSET
    older_tries: (
        Annotated[
            int,
            Meta(ge=1, le=100, title="Runs in a row that may yield an older version than wanted"),
        ]
        | UnsetType
    ) = UNSET
    copy_slice: Annotated[Duration, Meta(title="How long one function copies")] | UnsetType = UNSET
    copy_lease: (
        Annotated[Duration, Meta(title="The lease on the VHD that is written: 15s to 60s")] | UnsetType
    ) = UNSET
    give_up: (
        Annotated[Duration, Meta(title="How long a look is retried before it is reported as failed work")]
        | UnsetType
    ) = UNSET
    overdue: (
        Annotated[Duration, Meta(title="How late a look may be before the sweep sends it again")] | UnsetType
    ) = UNSET
    journal: Annotated[Duration, Meta(title="How long the journal is kept")] | UnsetType = UNSET
    follow: Annotated[Duration, Meta(title="Between looks at a version that replicates")] | UnsetType = UNSET
    update_claim: (
        Annotated[Duration, Meta(title="How long one worker alone may update a version")] | UnsetType
    ) = UNSET
    cascade: (
        Annotated[Duration, Meta(title="How long an image waits at most for what it is made from")]
        | UnsetType
    ) = UNSET


class Document(Strict, frozen=True, kw_only=True):
    """The factory: which images there are, where they are built, and where their VHDs are kept."""

    archive: ArchivePart
    images: dict[ImageKey, ImagePart]
    mode: Mode | UnsetType = UNSET
    subscription: Subscription | UnsetType = UNSET
    resource_group: Group | UnsetType = UNSET
    defaults: Options | UnsetType = UNSET
    definitions: dict[DefinitionKey, DefinitionPart] | UnsetType = UNSET
    more_regions: (
        Annotated[list[Region], Meta(title="Regions that are younger than this release")] | UnsetType
    ) = UNSET
    retention: RetentionPart | UnsetType = UNSET
    limits: LimitsPart | UnsetType = UNSET
    timing: TimingPart | UnsetType = UNSET
