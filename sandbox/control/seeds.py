"""The order that puts things into the world which nobody asked Resource Manager for.

Without a location of its own a thing is where its resource group is.
"""

from typing import Any, Literal

import msgspec

from sandbox.arm.compute.seeds import DiskSeed, MachineSeed
from sandbox.arm.galleries.seeds import VersionSeed
from sandbox.arm.imagebuilder.seeds import StagingSeed, TemplateSeed
from sandbox.control.orders import NewVersion, Order

OsType = Literal["Windows", "Linux"]
Generation = Literal["V1", "V2"]


class SeedGroup(Order, frozen=True):
    name: str
    location: str = "westeurope"


class SeedSubnet(Order, frozen=True):
    group: str
    network: str
    subnet: str


class SeedNamed(Order, frozen=True):
    group: str
    name: str


class SeedBlob(Order, frozen=True):
    account: str
    container: str
    name: str
    text: str


class SeedGallery(Order, frozen=True):
    """`soft_delete_days`: how long deleted versions are kept; without it they are gone.

    `grace_days`: for how long after that they can be restored, though not be used.
    """

    group: str
    name: str
    soft_delete_days: int | None = None
    grace_days: int | None = None


class SeedDefinition(Order, frozen=True):
    """With its gallery, where that is missing."""

    group: str
    gallery: str
    name: str
    os_type: OsType = "Windows"
    os_state: Literal["Generalized", "Specialized"] = "Generalized"
    generation: Generation = "V2"
    location: str | None = None


class SeedGalleryVersion(VersionSeed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    group: str
    gallery: str
    definition: str
    version: str


class SeedDisk(DiskSeed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A disk, or a snapshot, as the list says in which it stands."""

    group: str
    name: str
    os_type: OsType | None = None
    generation: Generation | None = None
    location: str | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class SeedMachine(MachineSeed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A virtual machine with its disks."""

    group: str
    name: str
    os_type: OsType = "Linux"
    generation: Generation = "V2"
    location: str | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class SeedImage(Order, frozen=True):
    """A managed image of a generalized machine that is long gone; `source`: what it shows as its origin."""

    group: str
    name: str
    location: str | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    os_type: OsType = "Linux"
    generation: Generation = "V2"
    disk_gb: int = 30
    data_disks_gb: tuple[int, ...] = ()
    sku: str = "Premium_LRS"
    source: str | None = None


class SeedTemplate(TemplateSeed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    group: str
    name: str
    location: str | None = None


class SeedStagingGroup(StagingSeed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    location: str = "westeurope"


class SeedResource(Order, frozen=True):
    """Anything that only refers to others: a scale set, an instance of one (`name` is `set/0`), a lab."""

    group: str
    type: str
    name: str
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class Seed(Order, frozen=True):
    """What shall exist, in this order: one thing can be in another. `versions` are the marketplace's."""

    groups: tuple[SeedGroup, ...] = ()
    staging_groups: tuple[SeedStagingGroup, ...] = ()
    accounts: tuple[SeedNamed, ...] = ()
    identities: tuple[SeedNamed, ...] = ()
    subnets: tuple[SeedSubnet, ...] = ()
    versions: tuple[NewVersion, ...] = ()
    blobs: tuple[SeedBlob, ...] = ()
    disks: tuple[SeedDisk, ...] = ()
    snapshots: tuple[SeedDisk, ...] = ()
    machines: tuple[SeedMachine, ...] = ()
    images: tuple[SeedImage, ...] = ()
    galleries: tuple[SeedGallery, ...] = ()
    definitions: tuple[SeedDefinition, ...] = ()
    gallery_versions: tuple[SeedGalleryVersion, ...] = ()
    templates: tuple[SeedTemplate, ...] = ()
    resources: tuple[SeedResource, ...] = ()
