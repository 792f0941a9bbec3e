"""The form of `factory.yaml`. The JSON Schema for editors is generated from it.

Descriptions say what is expected, since they are what editors and messages about faults show. What is left
out is filled in from the defaults of `domain.factory`.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.domain.factory import AfterArchive, Mode, Verification
from shared.domain.releases import Promotion, ReplicationMode

from .durations import OR_NONE, PATTERN

Subscription = Annotated[
    str,
    Meta(
        pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        description="the id of a subscription",
        examples=["00000000-0000-0000-0000-000000000000"],
    ),
]
Group = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_().\-]{0,89}[A-Za-z0-9_()\-]$",
        description="the name of a resource group",
        examples=["image-factory"],
    ),
]
ImageKey = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]([a-z0-9\-]{0,62}[a-z0-9])?$",
        description="the name of an image: at most 64 lower case letters, digits and hyphens",
        examples=["ubuntu-22"],
    ),
]
TemplateName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9\-_.]{0,63}[A-Za-z0-9\-_]$",
        description="the name of an image template: at most 64 letters, digits, hyphens and dots",
        examples=["ubuntu-22"],
    ),
]
TemplateFile = Annotated[
    str,
    Meta(
        min_length=1,
        description="the path of an Image Builder template file, relative to this file",
        examples=["templates/ubuntu-22.json"],
    ),
]
Account = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9]{3,24}$",
        description="the name of a storage account: 3 to 24 lower case letters and digits",
        examples=["archive"],
    ),
]
Container = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9](-?[a-z0-9]){2,62}$",
        description="the name of a blob container: 3 to 63 lower case letters, digits and single hyphens",
        examples=["images"],
    ),
]
Duration = Annotated[
    str,
    Meta(
        pattern=PATTERN,
        description="a duration: a whole number of seconds, minutes, hours or days",
        examples=["30m", "2h", "90s", "1d"],
    ),
]
OrNone = Annotated[
    str,
    Meta(pattern=OR_NONE, description="a duration, or 0s for none", examples=["12h"]),
]
TagName = Annotated[
    str,
    Meta(
        pattern=r"^[^<>%&\\?/=]{1,512}(=.{0,256})?$",
        description="the name of a tag, or a name and a value",
        examples=["keep", "team=labs"],
    ),
]
Cron = Annotated[
    str,
    Meta(
        description="five fields: minute, hour, day of month, month, day of week",
        examples=["0 3 * * 1"],
    ),
]
TimeZone = Annotated[str, Meta(description="the name of a time zone", examples=["Europe/Paris"])]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing that is not known, since a misspelt setting would silently keep its default."""


class ArchivePart(Strict, frozen=True, kw_only=True):
    """Where archived VHDs are kept: a storage account and a container of it."""

    account: Account
    container: Container


class SchedulePart(Strict, frozen=True, kw_only=True):
    """When the image is built even though its source has nothing new."""

    cron: Cron
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


class PolicyPart(Strict, frozen=True, kw_only=True):
    """What is kept: a thing stays if any part says so."""

    newest: (
        Annotated[int, Meta(ge=0, le=10_000, title="So many stay, of an image in a place")] | UnsetType
    ) = UNSET
    younger: (
        Annotated[OrNone, Meta(title="What is younger stays; 0s for no matter how young")] | UnsetType
    ) = UNSET
    superseded: (
        Annotated[OrNone, Meta(title="It stays so long after a newer good one is there")] | UnsetType
    ) = UNSET
    until_end_of_life: Annotated[bool, Meta(title="It stays until its end of life")] | UnsetType = UNSET
    floor: (
        Annotated[int, Meta(ge=0, le=10_000, title="Never fewer good ones of an image in a place")]
        | UnsetType
    ) = UNSET


class PoliciesPart(Strict, frozen=True, kw_only=True):
    """Policies by the kind of thing."""

    gallery_versions: PolicyPart | UnsetType = UNSET
    managed_images: PolicyPart | UnsetType = UNSET
    archived_vhds: PolicyPart | UnsetType = UNSET


class ImagePart(Options, frozen=True, kw_only=True):
    """An image: the template it is built in, and what becomes of its outputs."""

    template: TemplateFile
    template_name: TemplateName | UnsetType = UNSET
    resource_group: Group | UnsetType = UNSET
    subscription: Subscription | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    schedule: SchedulePart | UnsetType = UNSET
    retention: PoliciesPart | UnsetType = UNSET


DefinitionKey = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]([a-z0-9\-]{0,62}[a-z0-9])?$",
        description="a name for an image definition: at most 64 lower case letters, digits and hyphens",
        examples=["windows-2022"],
    ),
]
Region = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9 ]{1,64}$",
        description="the name of a region",
        examples=["westeurope"],
    ),
]
RegionKey = Annotated[str, Meta(description="the name of a region", examples=["westeurope"])]
"""Of any form: what is not known as a region is told with the nearest one that is."""
GALLERY: Final = r"^[A-Za-z0-9]([A-Za-z0-9_.]{0,78}[A-Za-z0-9])?$"
DEFINITION: Final = r"^[A-Za-z0-9]([A-Za-z0-9_.\-]{0,78}[A-Za-z0-9])?$"
GalleryName = Annotated[
    str,
    Meta(
        pattern=GALLERY,
        description="the name of a compute gallery: at most 80 letters, digits, underscores and dots",
        examples=["images"],
    ),
]
NameOfDefinition = Annotated[
    str,
    Meta(
        pattern=DEFINITION,
        description="the name of an image definition: at most 80 letters, digits, _ . and hyphens",
        examples=["windows-2022"],
    ),
]
RingName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$",
        description="the name of a ring: at most 64 letters, digits, underscores, dots and hyphens",
        examples=["canary"],
    ),
]
Storage = Literal["Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS"]


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


class TripPart(Strict, frozen=True, kw_only=True):
    """When a plan is abnormal: it would newly retire more of an image's things than the larger of these."""

    number: Annotated[int, Meta(ge=0, le=10_000, title="So many things of one image")] | UnsetType = UNSET
    percent: Annotated[int, Meta(ge=0, le=100, title="Of the image's things of the kind")] | UnsetType = UNSET


class PatiencePart(Strict, frozen=True, kw_only=True):
    """How long a template may take before it is reported as stuck."""

    creating: Duration | UnsetType = UNSET
    running: Annotated[Duration, Meta(title="Beyond the time limit of its build")] | UnsetType = UNSET
    cancelling: Duration | UnsetType = UNSET


class RetentionPart(PoliciesPart, frozen=True, kw_only=True):
    """What is kept and what goes. Without `mode: enforce` it is only told what would go."""

    mode: Literal["dry_run", "enforce"] | UnsetType = UNSET
    left_configuration: (
        Annotated[PolicyPart, Meta(title="For what belongs to an image that is configured no more")]
        | UnsetType
    ) = UNSET
    subscriptions: (
        Annotated[list[Subscription], Meta(title="Where images may be in use, besides where they are made")]
        | UnsetType
    ) = UNSET
    minimum_age: Annotated[OrNone, Meta(title="What is younger always stays")] | UnsetType = UNSET
    notice: (
        Annotated[Duration, Meta(title="Between the mark and the exclusion: the time to pin")] | UnsetType
    ) = UNSET
    grace: Annotated[Duration, Meta(title="Between the exclusion and the deletion")] | UnsetType = UNSET
    per_sweep: Annotated[int, Meta(ge=1, le=1000, title="So many of a kind go at a time")] | UnsetType = UNSET
    trip: TripPart | UnsetType = UNSET
    keep_parents: (
        Annotated[bool, Meta(title="Whether what something kept was built from is kept too")] | UnsetType
    ) = UNSET
    pins: Annotated[list[TagName], Meta(title="Tags that pin, besides image-factory-keep")] | UnsetType = (
        UNSET
    )
    exclude: (
        Annotated[list[TagName], Meta(title="Tags of what retention leaves alone and does not count")]
        | UnsetType
    ) = UNSET
    stuck: PatiencePart | UnsetType = UNSET


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
