"""How a gallery's JSON becomes a version with its regions, and how an update is made of what was read."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.domain.errors import Invalid, RetryableError
from shared.domain.galleries import (
    GalleryVersion,
    Placed,
    Provisioning,
    Replication,
    Target,
    Update,
    VersionId,
)
from shared.domain.regions import plain
from shared.domain.versions import Version

from .arm import at, moment, text_at

_READ_ONLY = {"publishedDate"}
_SAFETY = ("allowDeletionOfReplicatedLocations", "blockDeletionBeforeEndOfLife")
"""What of a safety profile can be set; the rest is told by the service."""


def version(document: Any) -> GalleryVersion:
    """Raises RetryableError, with what stands there, for what is not understood: nothing is decided on it."""
    document = _plain(document)
    id = VersionId.parse(text_at(document, "id"))
    number = Version.parse(id.version)
    if not number.canonical:
        raise Invalid(f"gallery version {id} is not named by three plain numbers, as versions are")
    profile = _object(document, "properties", "publishingProfile")
    _safety(document)  # an update will need it
    summary = _rows(document, "properties", "replicationStatus", "summary")
    states = {plain(text_at(each, "region")): each for each in summary}
    return GalleryVersion(
        id=id,
        version=number,
        location=plain(text_at(document, "location")),
        provisioning=_provisioning(id, text_at(document, "properties", "provisioningState")),
        excluded=at(profile, "excludeFromLatest") is True,
        regions=tuple(_placed(id, each, states) for each in _regions(profile)),
        tags={str(name): str(value) for name, value in _object(document, "tags").items()},
        published=moment(text_at(profile, "publishedDate")),
        end_of_life=moment(text_at(profile, "endOfLifeDate")),
        replication_mode=text_at(profile, "replicationMode") or "Full",
        body=msgspec.Raw(msgspec.json.encode(document)),
    )


def patch(known: GalleryVersion, change: Update) -> dict[str, Any]:
    """The body of an update: the state as it was read, with the regions that shall be.

    Tags are not in it: a pin that somebody sets meanwhile must survive.
    """
    document = msgspec.json.decode(known.body)
    profile = _object(document, "properties", "publishingProfile")
    entries = {plain(text_at(each, "name")): each for each in _regions(profile)}
    kept = {name: value for name, value in profile.items() if name not in _READ_ONLY and value is not None}
    if change.end_of_life:
        kept["endOfLifeDate"] = _zulu(change.end_of_life)
    safety = _safety(document)
    return {
        "properties": {
            "publishingProfile": {
                **kept,
                "targetRegions": [_entry(entries.get(target.name), target) for target in change.regions],
                "excludeFromLatest": change.excluded,
            },
            "safetyProfile": {
                **{name: safety[name] for name in _SAFETY if safety.get(name) is not None},
                "allowDeletionOfReplicatedLocations": False,
                **({"blockDeletionBeforeEndOfLife": True} if change.guarded else {}),
            },
            "storageProfile": {},
        }
    }


def _entry(known: dict[str, Any] | None, target: Target) -> dict[str, Any]:
    """One region: what is there keeps its members; the storage type is said once, and never changes."""
    wanted = {"regionalReplicaCount": target.replicas, "excludeFromLatest": target.excluded}
    if known is None:
        return {"name": target.name, "storageAccountType": target.storage, **wanted}
    return {**{name: value for name, value in known.items() if value is not None}, **wanted}


def _placed(id: VersionId, document: Any, states: dict[str, Any]) -> Placed:
    name = plain(text_at(document, "name"))
    if not name:
        raise RetryableError(f"gallery version {id} has a target region without a name")
    state = states.get(name)
    replicas, progress = at(document, "regionalReplicaCount"), at(state, "progress")
    return Placed(
        name=name,
        replicas=replicas if isinstance(replicas, int) else 1,
        storage=text_at(document, "storageAccountType") or "Standard_LRS",
        excluded=at(document, "excludeFromLatest") is True,
        state=_replication(id, text_at(state, "state")) if state is not None else Replication.UNKNOWN,
        progress=progress if isinstance(progress, int) else 0,
        details=text_at(state, "details"),
    )


def _provisioning(id: VersionId, said: str) -> Provisioning:
    try:
        return Provisioning(said)
    except ValueError as error:
        raise RetryableError(f"gallery version {id} has the unknown provisioningState {said!r}") from error


def _replication(id: VersionId, said: str) -> Replication:
    try:
        return Replication(said)
    except ValueError as error:
        raise RetryableError(f"a region of {id} has the unknown replication state {said!r}") from error


def _regions(profile: Any) -> list[dict[str, Any]]:
    return _rows(profile, "targetRegions")


def _safety(document: Any) -> dict[str, Any]:
    return _object(document, "properties", "safetyProfile")


def _object(document: Any, *path: str) -> dict[str, Any]:
    found = at(document, *path)
    if found is None or isinstance(found, dict):
        return found or {}
    raise RetryableError(f"{'.'.join(path)} of a gallery version is no object: {str(found)[:80]!r}")


def _rows(document: Any, *path: str) -> list[dict[str, Any]]:
    found = at(document, *path)
    if found is None or (isinstance(found, list) and all(isinstance(each, dict) for each in found)):
        return found or []
    raise RetryableError(f"{'.'.join(path)} of a gallery version is no list of objects: {str(found)[:80]!r}")


def _plain(document: Any) -> Any:
    """The models of an SDK as the JSON that they hold."""
    as_dict = getattr(document, "as_dict", None)
    return as_dict() if as_dict else document


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
