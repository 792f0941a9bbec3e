"""What a request says about regions, and whether it may: the list that is sent replaces the stored one.

The sentences are those of Azure's page on troubleshooting shared image galleries, where it has them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.arm import regions
from sandbox.arm.compute import reading
from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.galleries.model import Region, Version
from sandbox.arm.operations import offset

if TYPE_CHECKING:
    from sandbox.switches import Switches

PATH = "galleryImageVersion.properties.publishingProfile"
TARGETS = f"{PATH}.targetRegions"
STORAGE = ("Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS")
MODES = ("Full", "Shallow")
MOST_REPLICAS = 100
_KNOWN = {"name", "regionalReplicaCount", "storageAccountType", "excludeFromLatest"}


def read(properties: dict[str, Any], location: str, now: datetime | None = None) -> dict[str, Any]:
    """The publishing profile of a new version, with its defaults; `targetRegions` are regions already."""
    profile = reading.section(properties, "publishingProfile", "galleryImageVersion.properties")
    count = reading.whole(profile, "replicaCount", PATH) or 1
    storage = reading.choice(
        str(profile.get("storageAccountType") or "Standard_LRS"), STORAGE, f"{PATH}.storageAccountType"
    )
    sent = reading.rows(profile, "targetRegions", PATH) or [{"name": location}]
    return {
        "targetRegions": targets(sent, location, count, storage),
        "replicaCount": count,
        "excludeFromLatest": flag(profile, "excludeFromLatest", PATH) or False,
        "storageAccountType": storage,
        "replicationMode": _mode(profile),
        "endOfLifeDate": end_of_life(profile, PATH, now),
    }


def targets(sent: list[dict[str, Any]], location: str, count: int, storage: str) -> list[Region]:
    """Raises ArmError for a list that cannot be."""
    found = [_target(each, count, storage) for each in sent]
    names = [region.name for region in found]
    if len(set(names)) != len(names):
        raise reading.invalid(TARGETS, "Duplicate regions are not allowed in target publishing regions.")
    if regions.plain(location) not in names:
        listed = ", ".join(regions.display(each) for each in names)
        raise reading.invalid(
            TARGETS,
            f"Gallery image version publishing profile regions '{listed}' must contain the location of image "
            f"version '{regions.display(location)}'.",
        )
    if sum(region.replicas for region in found) > MOST_REPLICAS:
        raise reading.invalid(
            TARGETS, f"The replicas of all target regions together are more than {MOST_REPLICAS}."
        )
    return found


def _target(sent: dict[str, Any], count: int, storage: str) -> Region:
    name = regions.plain(reading.text(sent, "name", TARGETS))
    if name not in regions.DISPLAY:
        known = ", ".join(sorted(regions.DISPLAY))
        raise reading.invalid(
            TARGETS,
            f"The provided location '{sent['name']}' is not available for resource type "
            f"'Microsoft.Compute/galleries'. List of available regions for the resource type is '{known}'.",
        )
    replicas = reading.whole(sent, "regionalReplicaCount", TARGETS) or count
    if replicas > MOST_REPLICAS:
        raise reading.invalid(
            TARGETS,
            f"The value '{replicas}' of parameter '{TARGETS}.regionalReplicaCount' is out of range. The "
            f"value must be between 1 and {MOST_REPLICAS}, inclusive.",
        )
    kind = reading.choice(str(sent.get("storageAccountType") or storage), STORAGE, TARGETS)
    more = {key: value for key, value in sent.items() if key not in _KNOWN and value is not None}
    return Region(name, replicas, kind, flag(sent, "excludeFromLatest", TARGETS), more)


def merge(version: Version, wanted: list[Region], switches: Switches, *, guarded: bool) -> list[Region]:
    """The regions after an update: those that stay keep their state. Raises ArmError where one may not go.

    Nothing is changed before everything has been looked at: a refused update leaves no trace.
    """
    keep = {region.name for region in wanted}
    for region in version.regions:
        failed_too = region.state == "Failed" and switches.failed_region_removal == "refused"
        if region.name not in keep and guarded and (region.state == "Completed" or failed_too):
            raise stale(version, region.name, switches.protected_region_status)
    pairs = [(region, version.region(region.name)) for region in wanted]
    for region, known in pairs:
        if known is not None and known.storage != region.storage:
            raise _other_storage(known)
    merged = []
    for region, known in pairs:
        if known is not None:
            known.replicas, known.excluded, known.more = region.replicas, region.excluded, region.more
        merged.append(known or region)
    return merged


def stale(version: Version, region: str, status: int) -> ArmError:
    """That it is refused is documented and reported; with which status and code was never recorded."""
    return ArmError(
        status,
        "OperationNotAllowed",
        f"The region '{regions.display(region)}' of gallery image version '{version.name}' has been "
        "replicated and cannot be removed, since allowDeletionOfReplicatedLocations is false.",
        target=TARGETS,
    )


def _other_storage(known: Region) -> ArmError:
    """Also where a region's own type was left out and the version's is another [azure-powershell 9911]."""
    return bad_request(
        "InvalidParameter",
        "Global storage account type does not match the storage account type in the existing TargetRegion: "
        f"'{regions.display(known.name)}'. Please specify '{known.storage}' as the storage account type for "
        "this region.",
        f"{TARGETS}.storageAccountType",
    )


def fixed(path: str) -> ArmError:
    refusal = conflict(f"Changing property '{path}' is not allowed.", "PropertyChangeNotAllowed")
    refusal.target = path
    return refusal


def flag(parent: dict[str, Any], name: str, path: str) -> bool | None:
    found = parent.get(name)
    if found is not None and not isinstance(found, bool):
        raise reading.invalid(f"{path}.{name}", f"The value of parameter '{path}.{name}' is not a boolean.")
    return found


def end_of_life(
    profile: dict[str, Any], path: str, now: datetime | None = None, own: str | None = None
) -> str | None:
    """As the service writes it: `...59.000Z` comes back as `...59+00:00`. A new one has to be to come."""
    found, path = profile.get("endOfLifeDate"), f"{path}.endOfLifeDate"
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(str(found))
    except ValueError as error:
        raise reading.invalid(
            path, f"Could not convert string to DateTimeOffset: {found}. Path '{path.split('.', 1)[1]}'"
        ) from error
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    written = offset(moment).replace(".0000000", "")
    if now is not None and moment <= now and written != own:
        raise reading.invalid(path, "EndOfLifeDate must be set to a future date.")
    return written


def _mode(profile: dict[str, Any]) -> str | None:
    sent = profile.get("replicationMode")
    return None if sent is None else reading.choice(str(sent), MODES, f"{PATH}.replicationMode")
