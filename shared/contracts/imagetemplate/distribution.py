"""Where an image goes: each output with a name of its own, and each gallery version with its regions."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.contracts.distributors import named_well
from shared.contracts.faults import dotted
from shared.contracts.positions import Path
from shared.domain.errors import Invalid
from shared.domain.galleries import DefinitionId, VersionId
from shared.domain.ids import ResourceId
from shared.domain.regions import plain
from shared.domain.versions import Version

from .form import GALLERY_EXAMPLE
from .kinds import Remark, wrong
from .parts import child, rows, text

Target = Mapping[str, Any]


def check(content: Mapping[str, Any], found: list[Remark], _subscription: str) -> None:
    named: dict[str, Path] = {}
    for path, target in rows(child(content, "properties"), "distribute", ("properties",)):
        name = text(target, "runOutputName")
        first = named.setdefault(name.lower(), path)
        if name and first != path:
            said = (
                f"{name[:64]!r} is the runOutputName of {dotted(first)} too; expected another for each output"
            )
            found.append(Remark((*path, "runOutputName"), said, "run-output-names"))
        if target.get("type") == "SharedImage":
            found.extend(_gallery_id(path, text(target, "galleryImageId")))
            found.extend(_regions(path, target))


def _gallery_id(path: Path, id: str) -> Iterator[Remark]:
    """A definition, or a version of it that is yet to be made."""
    here = (*path, "galleryImageId")
    version, definition = "", None
    try:
        found = ResourceId.parse(id)
        if found.type.endswith("versions"):
            definition, version = VersionId.of(found).definition, VersionId.of(found).version
            Version.parse(version)
        else:
            definition = DefinitionId.parse(id)
    except Invalid:
        if not id:  # told as missing, or as no text
            return
        if version:
            yield Remark(
                here, f"{version[:80]!r} is not a version; expected three numbers such as 1.0.3", "version"
            )
            return
    if definition is None or not named_well(definition):
        said = f"{wrong(id)}; expected the id of an image definition in a gallery, such as {GALLERY_EXAMPLE}"
        yield Remark(here, said, "resource-id")


def _regions(path: Path, target: Target) -> Iterator[Remark]:
    regions, older = target.get("targetRegions"), target.get("replicationRegions")
    if regions and older:
        said = "both targetRegions and replicationRegions; expected targetRegions alone"
        yield Remark((*path, "replicationRegions"), said, "regions")
    if target.get("storageAccountType") and not older:
        said = "counts for replicationRegions alone; expected it in each of targetRegions"
        yield Remark((*path, "storageAccountType"), said, "regions")
    names = [((*at, "name"), text(row, "name")) for at, row in rows(target, "targetRegions", path)]
    if isinstance(older, list):
        names += [
            ((*path, "replicationRegions", at), each)
            for at, each in enumerate(older)
            if isinstance(each, str)
        ]
    first: dict[str, Path] = {}
    for at, name in names:
        before = first.setdefault(plain(name), at)
        if name and before != at:
            yield Remark(at, f"{name[:80]!r} is there twice; expected each region once", "region-twice")
