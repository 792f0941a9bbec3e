"""How gallery versions are released, as `factory.yaml` says it: definitions, rings, regions."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from msgspec import UNSET, UnsetType

from shared.domain.factory import Mode
from shared.domain.galleries import DefinitionId
from shared.domain.regions import REGIONS, plain, unknown
from shared.domain.releases import (
    Definition,
    DefinitionName,
    Promotion,
    ReplicationMode,
    Ring,
    RingRegion,
)

from . import durations
from .document import DefinitionPart, Document, RingPart
from .faults import Finding, nearest

MOST_REPLICAS: Final = 100
"""Of one version in all regions together, as Azure allows."""
_LONGEST: Final = timedelta(days=3650)


def definitions(document: Document, findings: list[Finding]) -> dict[DefinitionName, Definition]:
    """Every fault is added to the findings."""
    parts = document.definitions
    if isinstance(parts, UnsetType):
        return {}
    found: dict[DefinitionName, Definition] = {}
    owners: dict[DefinitionId, str] = {}
    for key, part in parts.items():
        path = ("definitions", key)
        definition = _definition(key, part, document, path, findings)
        twin = owners.setdefault(definition.id, key)
        if twin != key and all((definition.id.subscription, definition.id.group, definition.id.gallery)):
            findings.append(Finding(path, f"is the same image definition as {twin}: {definition.id}"))
        found[definition.name] = definition
    return found


def _definition(
    key: str, part: DefinitionPart, document: Document, path: tuple[str, ...], findings: list[Finding]
) -> Definition:
    subscription, group = (
        _inherited(name, getattr(part, name), getattr(document, name), path, findings)
        for name in ("subscription", "resource_group")
    )
    more = () if isinstance(document.more_regions, UnsetType) else tuple(document.more_regions)
    rings = _rings(part)
    mode = part.mode if part.mode is not UNSET else document.mode
    definition = Definition(
        name=DefinitionName(key),
        id=DefinitionId(
            subscription.lower(), group.lower(), part.gallery.lower(), str(part.definition or key).lower()
        ),
        home=plain(part.location),
        rings=tuple(_ring(ring, (*path, "rings", at), findings) for at, ring in enumerate(rings)),
        act=mode is Mode.ACT,
        end_of_life=None
        if isinstance(part.end_of_life, UnsetType)
        else _duration(part.end_of_life, (*path, "end_of_life"), findings),
        replication=ReplicationMode.FULL if isinstance(part.replication, UnsetType) else part.replication,
        in_flight=3 if isinstance(part.in_flight, UnsetType) else part.in_flight,
        deadline=timedelta(hours=24)
        if isinstance(part.deadline, UnsetType)
        else _duration(part.deadline, (*path, "deadline"), findings),
        withdraw_with_source=part.withdraw_with_source is True,
    )
    findings.extend(_faults(definition, part, path, more))
    return definition


def _rings(part: DefinitionPart) -> tuple[RingPart, ...]:
    """None of a part that is salvaged from a faulty file, where they may be anything."""
    rings: list[RingPart] | UnsetType = part.rings
    return () if isinstance(rings, UnsetType) else tuple(rings)


def _ring(part: RingPart, path: tuple[str | int, ...], findings: list[Finding]) -> Ring:
    return Ring(
        name=part.name,
        regions=tuple(
            RingRegion(
                plain(name),
                1 if isinstance(region.replicas, UnsetType) else region.replicas,
                "Standard_LRS" if isinstance(region.storage, UnsetType) else region.storage,
            )
            for name, region in part.regions.items()
        ),
        soak=timedelta(0)
        if isinstance(part.soak, UnsetType)
        else _duration(part.soak, (*path, "soak"), findings),
        promotion=Promotion.AUTOMATIC if isinstance(part.promotion, UnsetType) else part.promotion,
    )


def _faults(
    definition: Definition, part: DefinitionPart, path: tuple[str, ...], more: tuple[str, ...]
) -> Iterator[Finding]:
    """What no schema can say of rings and regions."""
    if part.location and unknown(part.location, more):
        yield Finding((*path, "location"), *_unknown(part.location, more))
    seen: dict[str, str] = {}
    names: set[str] = set()
    for at, (ring, told) in enumerate(zip(definition.rings, _rings(part), strict=True)):
        where: tuple[str | int, ...] = (*path, "rings", at)
        if ring.name in names:
            yield Finding((*where, "name"), f"{ring.name!r} is the name of another ring of this definition")
        names.add(ring.name)
        if not told.regions:
            yield Finding((*where, "regions"), "no region; expected at least one, such as westeurope: {}")
        for name in told.regions:
            place = (*where, "regions", name)
            if unknown(name, more):
                yield Finding(place, *_unknown(name, more))
            other = seen.setdefault(plain(name), ring.name)
            if other != ring.name or [plain(n) for n in told.regions].count(plain(name)) > 1:
                yield Finding(place, f"is in ring {other!r} already; expected each region once")
    if definition.rings and definition.home and definition.ring_of(definition.home) is None:
        said = f"the home region {definition.home} is in no ring; expected it in one"
        yield Finding((*path, "rings"), f"{said}: every version has it from the beginning")
    replicas = sum(r.replicas for ring in definition.rings for r in ring.regions)
    if replicas > MOST_REPLICAS:
        said = f"{replicas} replicas in all regions together"
        yield Finding((*path, "rings"), f"{said}; expected at most {MOST_REPLICAS}, as Azure allows")


def _unknown(name: str, more: tuple[str, ...]) -> tuple[str, str]:
    said = f"{name!r} is not a region that is known; expected one of Azure's, or one listed in more_regions"
    return said, nearest(plain(name), REGIONS | {plain(each) for each in more})


def _duration(text: str, path: tuple[str | int, ...], findings: list[Finding]) -> timedelta:
    length = durations.parse(text) or timedelta(seconds=1)
    if length > _LONGEST:
        findings.append(Finding(path, f"{text} is out of range; expected 1s to {durations.say(_LONGEST)}"))
    return length


def _inherited(
    what: str,
    own: str | UnsetType,
    shared: str | UnsetType,
    path: tuple[str, ...],
    findings: list[Finding],
) -> str:
    value = shared if isinstance(own, UnsetType) else own
    if isinstance(value, str):
        return value
    findings.append(Finding(path, f"no {what}; expected one here or at the top of the file"))
    return ""
