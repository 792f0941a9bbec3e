"""What an update of a version may change, and what becomes of its regions by it.

An update is the whole state, whether it comes as PUT or as PATCH: the list of regions that is sent replaces
the one that is there. No ETag guards it; `allowDeletionOfReplicatedLocations: false` does, a little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm.compute import reading
from sandbox.arm.errors import conflict
from sandbox.arm.galleries import profiles

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.model import Region, Version
    from sandbox.arm.galleries.replication import Replication

PROPERTIES = "galleryImageVersion.properties"


class Updates:
    def __init__(self, fabric: Fabric, replication: Replication) -> None:
        self._fabric, self._replication = fabric, replication

    def check(self, version: Version) -> None:
        """Raises ArmError 409 in a state that takes no update."""
        if version.state == "Deleting":
            raise conflict(
                f"The gallery image version '{version.name}' is being deleted: nothing else is allowed.",
                "OperationNotAllowed",
            )
        if version.busy and self._fabric.switches.update_while_updating == "refused":
            raise conflict(
                f"The gallery image version '{version.name}' is being updated: wait until that has ended.",
                "OperationNotAllowed",
            )

    def apply(self, version: Version, properties: dict[str, Any], now: datetime) -> None:
        """Everything is checked before anything is changed. Raises ArmError 400 or 409."""
        profile = reading.section(properties, "publishingProfile", PROPERTIES)
        safety = reading.section(properties, "safetyProfile", PROPERTIES)
        _unchanged(profile, "storageAccountType", version.storage)
        _unchanged(profile, "replicationMode", version.mode or "Full")
        _same_source(version, reading.section(properties, "storageProfile", PROPERTIES))
        allow = profiles.flag(safety, "allowDeletionOfReplicatedLocations", PROPERTIES)
        block = profiles.flag(safety, "blockDeletionBeforeEndOfLife", PROPERTIES)
        allowed = version.allow_deletion if allow is None else allow
        count = reading.whole(profile, "replicaCount", profiles.PATH) or version.replica_count
        excluded = profiles.flag(profile, "excludeFromLatest", profiles.PATH)
        end = profiles.end_of_life(profile, profiles.PATH, now, version.end_of_life)
        sent = reading.rows(profile, "targetRegions", profiles.PATH)
        if sent:
            wanted = profiles.targets(sent, version.location, count, version.storage)
            merged = profiles.merge(version, wanted, self._fabric.switches, guarded=not allowed)
            self._replace(version, merged, now)
        version.replica_count = count
        version.excluded = version.excluded if excluded is None else excluded
        version.end_of_life = end or version.end_of_life
        version.allow_deletion = allowed
        version.block_deletion = version.block_deletion if block is None else block

    def _replace(self, version: Version, merged: list[Region], now: datetime) -> None:
        for region in version.regions:
            if region not in merged:
                self._replication.stop(region)
        version.regions = merged
        again = self._fabric.switches.failed_region_retried
        for region in merged:
            if region.state == "Unknown" or (region.state == "Failed" and again):
                self._replication.start(version, region, now)


def _unchanged(profile: dict[str, Any], name: str, own: str) -> None:
    sent = profile.get(name)
    if sent is not None and str(sent).lower() != own.lower():
        raise profiles.fixed(f"{profiles.PATH}.{name}")


def _same_source(version: Version, storage: dict[str, Any]) -> None:
    """An empty storage profile, or one that names no source, keeps what is there."""
    path, own = f"{PROPERTIES}.storageProfile", version.content
    sent = reading.section(storage, "source", path)
    if sent and _named(sent) != _named(own.source or {}):
        raise profiles.fixed(f"{path}.source.id")
    system = reading.section(reading.section(storage, "osDiskImage", path), "source", path)
    if system and _named(system) != _named(own.system.source):
        raise profiles.fixed(f"{path}.osDiskImage.source.id")
    luns = {each.lun for each in own.data}
    if any(each.get("lun") not in luns for each in reading.rows(storage, "dataDiskImages", path)):
        raise conflict(
            "Adding new Data Disks or changing the LUN of a Data Disk in an existing Image is not allowed.",
            "PropertyChangeNotAllowed",
        )


def _named(source: dict[str, Any]) -> dict[str, str]:
    """Ids and addresses are the same in any case."""
    return {name: str(value).lower() for name, value in source.items() if value}
