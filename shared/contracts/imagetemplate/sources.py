"""What an image is built from: versions and ids that can be one."""

from collections.abc import Mapping
from typing import Any, Final

from shared.contracts.distributors import named_well
from shared.contracts.faults import nearest
from shared.contracts.positions import Path
from shared.domain.errors import Invalid
from shared.domain.galleries import VersionId
from shared.domain.ids import ResourceId
from shared.domain.versions import Version

from .form import GALLERY_EXAMPLE
from .kinds import Remark
from .parts import child, text

_PATH: Final = ("properties", "source")


def check(content: Mapping[str, Any], found: list[Remark], subscription: str) -> None:
    source = child(content, *_PATH)
    kind = source.get("type")
    if kind == "PlatformImage":
        _number(text(source, "version"), (*_PATH, "version"), "", found)
    elif kind == "SharedImageVersion":
        _gallery_version(text(source, "imageVersionId"), found)
    elif kind == "ManagedImage" and subscription:
        _own_subscription(text(source, "imageId"), subscription, found)


def _number(version: str, path: Path, hint: str, found: list[Remark]) -> None:
    """Three numbers; anything else that may stand for a version is the word latest."""
    if not version or version.lower() == "latest":
        return
    try:
        Version.parse(version)
    except Invalid as error:
        said = (
            f"{version[:200]!r} is not a version; expected {hint}, or latest"
            if hint
            else f"{error}, or latest"
        )
        if not any(remark.path == path for remark in found):
            found.append(Remark(path, said, "version", nearest(version, ["latest"])))


def _gallery_version(id: str, found: list[Remark]) -> None:
    path = (*_PATH, "imageVersionId")
    if not id or any(remark.path == path for remark in found):
        return
    try:
        version = VersionId.parse(id)
    except Invalid:
        version = None
    if version is None or not named_well(version.definition):
        said = f"{id[:200]!r}; expected the id of a gallery version: {GALLERY_EXAMPLE}/versions/latest"
        found.append(Remark(path, said, "resource-id"))
    else:
        _number(version.version, path, "three numbers such as 1.0.3", found)


def _own_subscription(id: str, subscription: str, found: list[Remark]) -> None:
    try:
        image = ResourceId.parse(id)
    except Invalid:
        return
    if image.subscription != subscription.lower():
        said = f"in subscription {image.subscription}; expected one in the template's own, {subscription}"
        found.append(Remark((*_PATH, "imageId"), said, "managed-image"))
