"""How gallery versions are released, as `factory.yaml` says it: definitions, rings, regions."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import UnsetType

from shared.domain.factory import Mode
from shared.domain.galleries import DefinitionId
from shared.domain.regions import REGIONS, plain, unknown
from shared.domain.releases import Definition, DefinitionName, Ring, RingRegion

from .document import DefinitionPart, Document, RegionPart, RingPart
from .durations import DAY, SECOND, Range, read
from .faults import Finding, nearest
from .given import either, given, inherited

MOST_REPLICAS: Final = 100
"""Of one version in all regions together, as Azure allows."""
_RANGES: Final = {
    # Azure takes none that is over, and a version that waits for its turn is updated late.
    "end_of_life": Range(DAY, 3650 * DAY),
    "deadline": Range(SECOND, 3650 * DAY),
    "soak": Range(0 * DAY, 3650 * DAY),
}
_AS_THEY_ARE: Final = ("replication", "block_deletion", "in_flight", "withdraw_with_source", "promotion")

_Path = tuple[str | int, ...]


def definitions(document: Document, findings: list[Finding]) -> dict[DefinitionName, Definition]:
    """Every fault is added to the findings."""
    found: dict[DefinitionName, Definition] = {}
    owners: dict[DefinitionId, str] = {}
    parts: dict[str, DefinitionPart] = either(document.definitions, {})
    for key, part in parts.items():
        path = ("definitions", key)
        definition = _definition(key, part, document, path, findings)
        findings.extend(_faults(part, path, either(document.more_regions, [])))
        twin, id = owners.setdefault(definition.id, key), definition.id
        if twin != key and all((id.subscription, id.group, id.gallery, id.name)):
            findings.append(Finding(path, f"is the same image definition as {twin}: {id}"))
        found[definition.name] = definition
    return found


def _definition(
    key: str, part: DefinitionPart, document: Document, path: _Path, findings: list[Finding]
) -> Definition:
    subscription = inherited("subscription", part.subscription, document.subscription, path, findings)
    group = inherited("resource_group", part.resource_group, document.resource_group, path, findings)
    name = either(part.definition, key)
    return Definition(
        name=DefinitionName(key),
        id=DefinitionId(subscription.lower(), group.lower(), part.gallery.lower(), name.lower()),
        home=plain(part.location),
        rings=tuple(_ring(ring, (*path, "rings", at), findings) for at, ring in enumerate(_rings(part))),
        act=either(part.mode, document.mode) is Mode.ACT,
        **_options(part, path, findings),
    )


def _ring(part: RingPart, path: _Path, findings: list[Finding]) -> Ring:
    regions = tuple(RingRegion(plain(name), **given(region)) for name, region in _regions(part).items())
    return Ring(part.name, regions, **_options(part, path, findings))


def _options(part: DefinitionPart | RingPart, path: _Path, findings: list[Finding]) -> dict[str, Any]:
    """What is given; the rest is the domain's defaults."""
    found: dict[str, Any] = {}
    for name, value in given(part).items():
        if name in _RANGES:
            found[name] = read(value, _RANGES[name], (*path, name), findings)
        elif name in _AS_THEY_ARE:
            found[name] = value
    return found


def _rings(part: DefinitionPart) -> tuple[RingPart, ...]:
    """None of a part that is salvaged from a faulty file, where they may be anything."""
    rings: list[RingPart] | UnsetType = part.rings
    return tuple(either(rings, ()))


def _regions(part: RingPart) -> dict[str, RegionPart]:
    """As `_rings`."""
    regions: dict[str, RegionPart] | UnsetType = part.regions
    return either(regions, {})


def _faults(part: DefinitionPart, path: _Path, more: list[str]) -> Iterator[Finding]:
    """What no schema can say of rings and regions."""
    home, rings = plain(part.location), _rings(part)
    misspelt = bool(home) and unknown(home, more)
    if misspelt:
        yield _unknown(part.location, (*path, "location"), more)
    seen: dict[str, str] = {}
    names: set[str] = set()
    for at, ring in enumerate(rings):
        where = (*path, "rings", at)
        if ring.name and ring.name in names:
            yield Finding((*where, "name"), f"{ring.name!r} is the name of another ring of this definition")
        names.add(ring.name)
        yield from _of_ring(ring, where, seen, more)
    whole = bool(rings) and not any(isinstance(ring.regions, UnsetType) for ring in rings)
    if whole and home and not misspelt and home not in seen:
        said = f"the home region {home} is in no ring; expected it in one"
        yield Finding((*path, "rings"), f"{said}: every version has it from the beginning")
    replicas = sum(either(r.replicas, 1) for ring in rings for r in _regions(ring).values())
    if replicas > MOST_REPLICAS:
        said = f"{replicas} replicas in all regions together"
        yield Finding((*path, "rings"), f"{said}; expected at most {MOST_REPLICAS}, as Azure allows")


def _of_ring(ring: RingPart, where: _Path, seen: dict[str, str], more: list[str]) -> Iterator[Finding]:
    if ring.regions == {}:
        yield Finding((*where, "regions"), "no region; expected at least one, such as westeurope: {}")
    for name in _regions(ring):
        place = (*where, "regions", name)
        if unknown(name, more):
            yield _unknown(name, place, more)
        if plain(name) in seen:
            yield Finding(place, f"is in ring {seen[plain(name)]!r} already; expected each region once")
        seen.setdefault(plain(name), ring.name)


def _unknown(name: str, path: _Path, more: list[str]) -> Finding:
    said = f"{name[:80]!r} is not a region that is known; expected one of Azure's"
    near = nearest(plain(name), REGIONS | {plain(each) for each in more})
    return Finding(path, f"{said}, or one listed in more_regions", near)
