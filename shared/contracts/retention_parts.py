"""The form of retention's rules in `factory.yaml`."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from .forms import Duration, OrNone, Strict, Subscription, TagName


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
    out_of_scope: (
        Annotated[
            list[Subscription],
            Meta(title="Where images were made once and surely are in use no more: asked no longer"),
        ]
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
    pins: Annotated[list[TagName], Meta(title="Tags that pin, besides imageFactoryKeep")] | UnsetType = UNSET
    exclude: (
        Annotated[list[TagName], Meta(title="Tags of what retention leaves alone and does not count")]
        | UnsetType
    ) = UNSET
    stuck: PatiencePart | UnsetType = UNSET
