"""What a template says about galleries, held against the definitions that the factory releases.

Some of it can never be changed once a version is made; some would make a version latest before its time.
"""

from collections.abc import Iterator, Mapping

from shared.domain.galleries import DefinitionId
from shared.domain.releases import Definition

from .templatefiles import GalleryTarget, TemplateFile

Told = tuple[tuple[str | int, ...], str, str]
"""Path, message, suggestion."""


def against(file: TemplateFile, definitions: Mapping[DefinitionId, Definition]) -> Iterator[Told]:
    """Definitions that are not configured are somebody else's to release."""
    for target in file.targets:
        definition = definitions.get(target.definition)
        if definition is not None:
            yield from _target(target, definition)
    source = definitions.get(file.watched) if isinstance(file.watched, DefinitionId) else None
    if source is not None and file.location and source.ring_of(file.location) is None:
        rings = f"definition {source.name}"
        yield (
            ("location",),
            f"{file.location} is in no ring of {rings}, so that nothing of it is ever latest there; expected "
            "one of its regions, or a ring with this one",
            "",
        )


def _target(target: GalleryTarget, definition: Definition) -> Iterator[Told]:
    path: tuple[str | int, ...] = ("properties", "distribute", target.at)
    if target.excluded is not True:
        said = f"versions of definition {definition.name} become latest region by region"
        yield (
            (*path, "excludeFromLatest") if target.excluded is False else path,
            f'{said}; expected "excludeFromLatest": true',
            "",
        )
    if target.numbered:
        yield (
            (*path, "galleryImageId"),
            "names a version, which can be made once; expected the id of the definition alone",
            "",
        )
    if target.replication != definition.replication.value:
        yield (
            (*path, "replicationMode"),
            f"{target.replication}; expected {definition.replication.value}, as definition {definition.name} "
            "says: it cannot be changed later",
            "",
        )
    if target.regions and definition.home not in target.regions:
        yield (
            (*path, "targetRegions"),
            f"leaves out {definition.home}; expected the home region of definition {definition.name}",
            "",
        )
