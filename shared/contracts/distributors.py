"""What a template says about galleries, held against the definitions that the factory releases.

Some of it can never be changed once a version is made; some would make a version latest before its time.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from shared.domain.errors import Invalid
from shared.domain.galleries import DefinitionId, VersionId
from shared.domain.regions import plain
from shared.domain.releases import Definition

from .faults import nearest
from .forms import DEFINITION, GALLERY

if TYPE_CHECKING:
    from .templatefiles import TemplateFile

T = TypeVar("T")
Told = tuple[tuple[str | int, ...], str, str]
"""Path, message, suggestion."""
_REGIONS: Final = ("targetRegions", "replicationRegions")
_MODES: Final = ("Full", "Shallow")


class GalleryTarget(msgspec.Struct, frozen=True):
    """A distributor that puts a version into a definition."""

    at: int
    """Its place among the distributors."""
    definition: DefinitionId
    listed: str
    """Which of its members lists regions; empty if none does."""
    regions: tuple[str, ...]
    """In the plain spelling."""
    replication: str
    excluded: bool
    numbered: bool
    """It names the version to make, which can be made once."""


def targets(properties: Mapping[str, Any]) -> Iterator[GalleryTarget]:
    """The distributors into galleries, as far as they can be understood."""
    distribute = properties.get("distribute")
    for at, each in enumerate(distribute if isinstance(distribute, list) else ()):
        if not isinstance(each, dict) or each.get("type") != "SharedImage":
            continue
        id = each.get("galleryImageId")
        version = _parsed(VersionId.parse, id)
        definition = version.definition if version else _parsed(DefinitionId.parse, id)
        if definition is None or not named_well(definition):
            continue
        listed = next((name for name in _REGIONS if each.get(name) and isinstance(each[name], list)), "")
        rows = each[listed] if listed else ()
        names = (row.get("name") if isinstance(row, dict) else row for row in rows)
        yield GalleryTarget(
            at=at,
            definition=definition,
            listed=listed,
            regions=tuple(plain(name) for name in names if isinstance(name, str)),
            replication=str(each.get("replicationMode") or "Full"),
            excluded=each.get("excludeFromLatest") not in (None, False),
            numbered=version is not None,
        )


def source(text: str) -> tuple[DefinitionId | None, str]:
    """What an `imageVersionId` names, and how a person would. Watched if it always is what is latest."""
    id = _parsed(VersionId.parse, text)
    if id is None or not named_well(id.definition):
        return None, ""
    name = f"{id.definition.gallery}/{id.definition.name}"
    if id.version == "latest":
        return id.definition, name
    return None, f"{name}:{id.version} (a fixed version)"


def named_well(id: DefinitionId) -> bool:
    """As Azure names galleries and definitions; ids may have names of other things."""
    return bool(re.fullmatch(GALLERY, id.gallery) and re.fullmatch(DEFINITION, id.name))


def against(file: "TemplateFile", definitions: Mapping[DefinitionId, Definition]) -> Iterator[Told]:
    """Definitions that are not configured are somebody else's to release."""
    for target in file.targets:
        definition = definitions.get(target.definition)
        if definition is not None:
            yield from _target(target, definition)
    of = definitions.get(file.watched) if isinstance(file.watched, DefinitionId) else None
    known = of is not None and of.rings and all(ring.regions for ring in of.rings)
    if of is not None and known and file.location and of.ring_of(file.location) is None:
        said = f"{file.location} is in no ring of definition {of.name}, which it is built from"
        near = nearest(file.location, (region.name for ring in of.rings for region in ring.regions))
        yield ("location",), f"{said}; expected one of its regions: nothing is ever latest elsewhere", near


def _target(target: GalleryTarget, definition: Definition) -> Iterator[Told]:
    path: tuple[str | int, ...] = ("properties", "distribute", target.at)
    wanted = definition.replication.value.capitalize()
    if not target.excluded:
        said = f"versions of definition {definition.name} become latest region by region"
        yield (*path, "excludeFromLatest"), f'{said}; expected "excludeFromLatest": true', ""
    if target.numbered:
        said = "names a version, which can be made once; expected the id of the definition alone"
        yield (*path, "galleryImageId"), said, ""
    if target.replication in _MODES and target.replication != wanted:
        said = f"{target.replication!r}; expected {wanted}, as definition {definition.name} says"
        yield (*path, "replicationMode"), f"{said}: it cannot be changed later", ""
    if target.listed and definition.home and definition.home not in target.regions:
        said = f"leaves out {definition.home}; expected the home region of definition {definition.name}"
        yield (*path, target.listed), f"{said} to be among them", ""


def _parsed(parse: Callable[[str], T], text: object) -> T | None:
    try:
        return parse(text) if isinstance(text, str) else None
    except Invalid:
        return None
