"""What a request says about regions, and whether it may: the list that is sent replaces the stored one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.arm import regions
from sandbox.arm.compute import reading
from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.galleries.model import Region, Version
from sandbox.arm.operations import offset

if TYPE_CHECKING:
    from sandbox.switches import Switches

PATH = "galleryImageVersion.properties.publishingProfile"
STORAGE = ("Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS")
MODES = ("Full", "Shallow")
MOST_REPLICAS = 100
MOST_REGIONAL = 50
_KNOWN = {"name", "regionalReplicaCount", "storageAccountType", "excludeFromLatest"}


def read(properties: dict[str, Any], location: str) -> dict[str, Any]:
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
        "endOfLifeDate": end_of_life(profile),
    }


def targets(sent: list[dict[str, Any]], location: str, count: int, storage: str) -> list[Region]:
    """Raises ArmError for a list that cannot be."""
    path, found = f"{PATH}.targetRegions", []
    for each in sent:
        name = regions.plain(reading.text(each, "name", path))
        if name not in regions.DISPLAY:
            raise reading.invalid(path, f"The region '{each['name']}' in '{path}' is not a known location.")
        replicas = reading.whole(each, "regionalReplicaCount", path) or count
        if replicas > MOST_REGIONAL:
            raise reading.invalid(
                path, f"The replica count {replicas} of region '{each['name']}' exceeds {MOST_REGIONAL}."
            )
        kind = reading.choice(str(each.get("storageAccountType") or storage), STORAGE, path)
        more = {key: value for key, value in each.items() if key not in _KNOWN and value is not None}
        found.append(Region(name, replicas, kind, flag(each, "excludeFromLatest", path), more))
    names = [region.name for region in found]
    if len(set(names)) != len(names):
        raise reading.invalid(path, f"A region is in '{path}' more than once.")
    if regions.plain(location) not in names:
        raise reading.invalid(
            path, f"The gallery image version's location '{location}' must be among '{path}'."
        )
    if sum(region.replicas for region in found) > MOST_REPLICAS:
        raise reading.invalid(path, f"More than {MOST_REPLICAS} replicas in all regions together.")
    return found


def merge(version: Version, wanted: list[Region], switches: Switches, *, guarded: bool) -> list[Region]:
    """The regions after an update: those that stay keep their state. Raises ArmError where one may not go."""
    path, keep = f"{PATH}.targetRegions", {region.name for region in wanted}
    for region in version.regions:
        failed_too = region.state == "Failed" and switches.failed_region_removal == "refused"
        if region.name not in keep and guarded and (region.state == "Completed" or failed_too):
            raise stale(version, region.name)
    merged = []
    for region in wanted:
        known = version.region(region.name)
        if known is None:
            merged.append(region)
            continue
        if region.storage != known.storage:
            raise fixed(f"{path}.storageAccountType")
        known.replicas, known.excluded, known.more = region.replicas, region.excluded, region.more
        merged.append(known)
    return merged


def stale(version: Version, region: str) -> ArmError:
    """That it is refused is documented; with which code was never recorded."""
    refusal = conflict(
        f"The region '{regions.display(region)}' of gallery image version '{version.name}' has been "
        "replicated and cannot be removed, since allowDeletionOfReplicatedLocations is false.",
        "OperationNotAllowed",
    )
    refusal.target = f"{PATH}.targetRegions"
    return refusal


def fixed(path: str) -> ArmError:
    refusal = conflict(f"Changing property '{path}' is not allowed.", "PropertyChangeNotAllowed")
    refusal.target = path
    return refusal


def flag(parent: dict[str, Any], name: str, path: str) -> bool | None:
    found = parent.get(name)
    if found is not None and not isinstance(found, bool):
        raise reading.invalid(f"{path}.{name}", f"The value of parameter '{path}.{name}' is not a boolean.")
    return found


def end_of_life(profile: dict[str, Any]) -> str | None:
    """As the service writes it: `...59.000Z` comes back as `...59+00:00`."""
    found = profile.get("endOfLifeDate")
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(str(found))
    except ValueError as error:
        path = f"{PATH}.endOfLifeDate"
        raise reading.invalid(path, f"The value '{found}' of parameter '{path}' is not a date.") from error
    return offset(moment).replace(".0000000", "")


def _mode(profile: dict[str, Any]) -> str | None:
    sent = profile.get("replicationMode")
    return None if sent is None else reading.choice(str(sent), MODES, f"{PATH}.replicationMode")
