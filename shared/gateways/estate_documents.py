"""What is asked of Resource Graph, and how its rows, and plain resources alike, are read.

A resource that is read by its id is brought into the form of a row first, so that both are read by the same
rules: what differs between them then differs in Azure.
"""

from collections.abc import Callable, Iterable
from typing import Any

from shared.domain.errors import RetryableError
from shared.domain.estate import (
    Content,
    Reference,
    Seen,
    SeenGroup,
    SeenImage,
    SeenSubscription,
    SeenTemplate,
    SeenVersion,
    Unreadable,
    User,
)
from shared.domain.regions import plain

from .arm import at, moment, text_at

SUBSCRIPTION = "microsoft.resources/subscriptions"
GROUP = "microsoft.resources/subscriptions/resourcegroups"
VERSION = "microsoft.compute/galleries/images/versions"
IMAGE = "microsoft.compute/images"
TEMPLATE = "microsoft.virtualmachineimages/imagetemplates"
INSTANCE = "microsoft.compute/virtualmachinescalesets/virtualmachines"
SCALE_SET = "microsoft.compute/virtualmachinescalesets"

_REFERENCES: dict[str, tuple[str, ...]] = {
    "image": ("properties", "storageProfile", "imageReference"),
    "model": ("properties", "virtualMachineProfile", "storageProfile", "imageReference"),
    "lab": ("properties", "virtualMachineProfile", "imageReference"),
    "reference": ("properties", "galleryImageReference"),
}
_COLUMNS: dict[str, tuple[str, ...]] = {
    "state": ("properties", "provisioningState"),
    "profile": ("properties", "publishingProfile"),
    "safety": ("properties", "safetyProfile"),
    "source": ("properties", "source"),
    "run": ("properties", "lastRunStatus"),
    "timeout": ("properties", "buildTimeoutInMinutes"),
    "staging": ("properties", "exactStagingResourceGroup"),
    "custom": ("properties", "customImageId"),
    "managed": ("properties", "managedImageId"),
    "capacity": ("sku", "capacity"),
    "orchestration": ("properties", "orchestrationMode"),
    **_REFERENCES,
}
_USERS = (
    "microsoft.compute/virtualmachines",
    SCALE_SET,
    "microsoft.devtestlab/labs/virtualmachines",
    "microsoft.devtestlab/labs/customimages",
    "microsoft.labservices/labs",
)
_BUILDERS_GROUPS = f"type =~ '{GROUP}' and tostring(tags.createdBy) =~ 'AzureVMImageBuilder'"
_PROJECT = "project id, type, location, tags, " + ", ".join(
    f"{name} = {'.'.join(path)}" for name, path in _COLUMNS.items()
)


def resources(near: Iterable[str]) -> str:
    """Everything that matters; with `near`, what is below one of these ids, or speaks of one."""
    kinds = _listed((VERSION, IMAGE, TEMPLATE, *_USERS))
    return (
        f"resources | where type in~ ({kinds}){_narrowed(near)} | union (resourcecontainers"
        f" | where type =~ '{SUBSCRIPTION}' or ({_BUILDERS_GROUPS})) | {_PROJECT} | order by id asc"
    )


def instances(near: Iterable[str]) -> str:
    """Instances of scale sets: each has the image that it was made from, whatever its set's model is now."""
    return f"computeresources | where type =~ '{INSTANCE}'{_narrowed(near)} | {_PROJECT} | order by id asc"


def _listed(kinds: Iterable[str]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def _narrowed(near: Iterable[str]) -> str:
    said = [
        f"id startswith {_quoted(id)} or tostring(properties) contains {_quoted(id)}" for id in sorted(near)
    ]
    return f" | where {' or '.join(said)}" if said else ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def row_of(document: Any) -> dict[str, Any]:
    """A resource as read by its id, in the form of a row."""
    head = {name: at(document, name) for name in ("id", "type", "location", "tags")}
    return head | {name: at(document, *path) for name, path in _COLUMNS.items()}


def seen(row: Any) -> Seen:
    """What a row tells; `Unreadable`, with the reason, for what is not understood."""
    id, kind = text_at(row, "id").lower(), text_at(row, "type").lower()
    if not id or not kind:
        return Unreadable(id, "a row of Resource Graph has no id or no type")
    try:
        return _READERS.get(kind, _content)(id, row)
    except RetryableError as error:
        return Unreadable(id, str(error))


def _subscription(id: str, _row: Any) -> Seen:
    return SeenSubscription(id.rsplit("/", 1)[-1])


def _group(id: str, row: Any) -> Seen:
    return SeenGroup(id, id.rsplit("/", 1)[-1], text_at(row, "state"), _tags(row))


def _version(id: str, row: Any) -> Seen:
    profile = at(row, "profile")
    regions = at(profile, "targetRegions")
    if not isinstance(regions, list) or not all(text_at(each, "name") for each in regions):
        raise RetryableError("its target regions cannot be read")
    return SeenVersion(
        id=id,
        state=text_at(row, "state"),
        tags=_tags(row),
        published=moment(text_at(profile, "publishedDate")),
        end_of_life=moment(text_at(profile, "endOfLifeDate")),
        guarded=at(row, "safety", "blockDeletionBeforeEndOfLife") is True,
        excluded=at(profile, "excludeFromLatest") is True,
        regions=tuple((plain(text_at(r, "name")), at(r, "excludeFromLatest") is True) for r in regions),
    )


def _image(id: str, row: Any) -> Seen:
    return SeenImage(id, text_at(row, "state"), _tags(row), plain(text_at(row, "location")))


def _template(id: str, row: Any) -> Seen:
    source, run, timeout = at(row, "source"), at(row, "run"), at(row, "timeout")
    named = text_at(source, "imageVersionId") or text_at(source, "imageId")
    return SeenTemplate(
        id=id,
        state=text_at(row, "state"),
        tags=_tags(row),
        location=plain(text_at(row, "location")),
        source=Reference(named.lower(), text_at(source, "exactVersion").lower()) if named else None,
        run_state=text_at(run, "runState"),
        run_start=text_at(run, "startTime"),
        run_started=moment(text_at(run, "startTime")),
        timeout_minutes=timeout if isinstance(timeout, int) and timeout > 0 else 240,
        staging_group=text_at(row, "staging").lower(),
    )


def _user(id: str, row: Any) -> Seen:
    found = [_reference(at(row, name)) for name in _REFERENCES]
    custom = [text_at(row, name).lower() for name in ("custom", "managed")]
    references = [each for each in found if each] + [Reference(each) for each in custom if each]
    model = text_at(row, "type").lower() == SCALE_SET
    return User(id, id.rsplit("/", 1)[-1], tuple(references), not model, _instances(row) if model else 0)


def _instances(row: Any) -> int:
    """Of a uniform scale set; what a flexible one has are machines."""
    capacity, flexible = at(row, "capacity"), text_at(row, "orchestration").lower() == "flexible"
    return capacity if isinstance(capacity, int) and not flexible else 0


def _reference(said: Any) -> Reference | None:
    """None for an image of the marketplace. Raises RetryableError for what cannot be told."""
    if said is None:
        return None
    if not isinstance(said, dict):
        raise RetryableError(f"its image {str(said)[:100]!r} cannot be read")
    for name in ("id", "sharedGalleryImageId", "communityGalleryImageId"):
        if text_at(said, name):
            return Reference(text_at(said, name).lower(), text_at(said, "exactVersion").lower())
    return None


def content(row: Any) -> Content:
    """Something in a resource group. Raises RetryableError for tags that cannot be read."""
    return Content(text_at(row, "id").lower(), text_at(row, "type").lower(), _tags(row))


def _content(_id: str, row: Any) -> Seen:
    return content(row)


def _tags(row: Any) -> dict[str, str]:
    found = at(row, "tags")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RetryableError("its tags cannot be read")
    return {str(name): str(value) for name, value in found.items()}


_READERS: dict[str, Callable[[str, Any], Seen]] = {
    SUBSCRIPTION: _subscription,
    GROUP: _group,
    "microsoft.resources/resourcegroups": _group,  # so its own GET spells the type
    VERSION: _version,
    IMAGE: _image,
    TEMPLATE: _template,
    INSTANCE: _user,
    **dict.fromkeys(_USERS, _user),
}
