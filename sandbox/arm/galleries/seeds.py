"""Versions that are put into the world by hand: long there, half replicated, excluded, failed somewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from sandbox.arm import ids
from sandbox.arm.context import Origin
from sandbox.arm.galleries import profiles
from sandbox.arm.galleries.model import Content, Disk, RegionState, Version
from sandbox.arm.galleries.versions import check_name
from sandbox.arm.inventory import IMAGES, VERSIONS

if TYPE_CHECKING:
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.provider import Galleries
    from sandbox.arm.inventory import Inventory

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_WHOLE = (IMAGES.lower(), VERSIONS.lower())


class RegionSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One region. `Replicating` begins when the version is seeded; `details` is why it failed."""

    name: str
    state: RegionState = "Completed"
    replicas: Annotated[int, msgspec.Meta(ge=1)] = 1
    storage: str = "Standard_LRS"
    exclude_from_latest: bool | None = None
    details: str = ""


class VersionSeed(msgspec.Struct, frozen=True, kw_only=True):
    """A version in its definition's location; without regions it is there alone.

    `source` is the id of a managed image or of another version, or the address of a VHD. `soft_deleted`: when
    it was deleted, in a gallery that keeps such versions.
    """

    published: Moment | None = None
    regions: tuple[RegionSeed, ...] = ()
    exclude_from_latest: bool = False
    end_of_life: Moment | None = None
    allow_deletion: bool = False
    block_deletion: bool = False
    source: str | None = None
    size_gb: Annotated[int, msgspec.Meta(ge=1)] = 30
    tags: dict[str, str] = {}
    soft_deleted: Moment | None = None


class VersionSeeds:
    def __init__(self, fabric: Fabric, inventory: Inventory, galleries: Galleries) -> None:
        self._fabric, self._inventory, self._galleries = fabric, inventory, galleries

    def put(self, version_id: str, seed: VersionSeed) -> Version:
        """Raises ValueError or ArmError for what Azure would not have taken either."""
        definition_id, name = version_id.rsplit("/versions/", 1)
        definition = self._galleries.definition(definition_id)
        if definition is None:
            raise ValueError(f"no image definition {definition_id!r}: seed it before its versions")
        if self._galleries.version(version_id) is not None:
            raise ValueError(f"the version {version_id!r} is there already")
        check_name(name)
        now = self._fabric.clock.now()
        profile = profiles.read({"publishingProfile": _profile(seed)}, definition.location)
        version = self._galleries.versions.build(
            version_id,
            definition,
            self._content(seed),
            profile,
            dict(seed.tags),
            (seed.published or now).astimezone(UTC),
            {
                "allowDeletionOfReplicatedLocations": seed.allow_deletion,
                "blockDeletionBeforeEndOfLife": seed.block_deletion,
            },
        )
        for region, wanted in zip(version.regions, seed.regions, strict=False):
            region.state = "Unknown" if wanted.state == "Replicating" else wanted.state
            region.details = wanted.details
        if not seed.regions:
            version.regions[0].state = "Completed"
        self._fabric.records.put(version)
        self._set_going(version, seed, now)
        if seed.soft_deleted is not None:
            self._bury(version, seed.soft_deleted.astimezone(UTC), now)
        return version

    def _bury(self, version: Version, at: datetime, now: datetime) -> None:
        deleted = self._galleries.versions.deleted
        if not deleted.keeps(version.id):
            raise ValueError(
                f"the gallery of {version.id!r} keeps no deleted versions: give it soft_delete_days"
            )
        self._galleries.replication.abandon(version, now)
        self._fabric.records.remove(version.id)
        deleted.bury(version, at)

    def _set_going(self, version: Version, seed: VersionSeed, now: datetime) -> None:
        """What is on its way goes on, and ends with an event; the rest is over."""
        home = version.region(version.location)
        version.made = home is not None and home.state == "Completed"
        states = {each.state for each in seed.regions}
        if "Replicating" in states:
            version.state = "Updating" if version.made else "Creating"
            self._galleries.make(version, Origin(None, self._fabric.guid(), None, "PUT", version.id), now)
        else:
            version.state = "Failed" if "Failed" in states else "Succeeded"

    def _content(self, seed: VersionSeed) -> Content:
        source = seed.source or ""
        parsed = ids.parse(source)
        if parsed is not None and parsed.kind.lower() in _WHOLE:
            return Content({"id": source}, Disk({}, seed.size_gb, "ReadWrite", at_once=False))
        if not source:
            return Content(None, Disk({}, seed.size_gb, "ReadWrite"))
        address = self._fabric.storage.parse(source)
        account = self._inventory.account(address.account) if address and address.name else None
        if account is None:
            raise ValueError(
                f"source {source!r}: expected the id of a managed image or version, or the address of a VHD "
                "in a storage account of this world"
            )
        return Content(None, Disk({"uri": source, "storageAccountId": account.id}, seed.size_gb, "ReadWrite"))


def _profile(seed: VersionSeed) -> dict[str, Any]:
    regions = [
        {
            "name": each.name,
            "regionalReplicaCount": each.replicas,
            "storageAccountType": each.storage,
            "excludeFromLatest": each.exclude_from_latest,
        }
        for each in seed.regions
    ]
    return {
        "targetRegions": regions,
        "excludeFromLatest": seed.exclude_from_latest,
        "endOfLifeDate": seed.end_of_life.isoformat() if seed.end_of_life else None,
        "replicationMode": "Full",
    }
