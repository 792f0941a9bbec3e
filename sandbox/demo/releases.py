"""The second story as tables: a gallery version crosses its rings, and what is built from it is rebuilt.

The tables run beside one another: the rebuild begins when the version is latest in its template's region,
while the version still goes on to other rings, and each ring is announced once the factory has seen it done.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from sandbox.demo.alarms import Deviation
from sandbox.demo.evidence import Evidence, Published
from sandbox.demo.galleries import VERSION, Galleries, Place
from sandbox.demo.scene import ALL, DEVELOPERS, RINGS, WINDOWS, Ring
from sandbox.demo.steps import VERSION_FOUND, Proof, Seen, Step, called, delivered, ended, published

RELEASED: Final = "ImageFactory.VersionReleased"
WRITTEN: Final = "Microsoft.Resources.ResourceWriteSuccess"
_PATIENCE: Final = timedelta(seconds=40)
_LONG: Final = 2 * _PATIENCE
_SLACK: Final = timedelta(seconds=0.1)


class Latest(msgspec.Struct, frozen=True):
    """What `latest` of a definition means in a region."""

    definition: str
    ring: str
    region: str
    version: str
    since: datetime


def tracks(galleries: Galleries) -> tuple[tuple[Step, ...], ...]:
    """The way of the version, what is told of it, and what is rebuilt."""
    return _way(galleries), _announced(galleries), _rebuild(galleries)


def _way(galleries: Galleries) -> tuple[Step, ...]:
    listed = f"the marketplace lists {WINDOWS.version}"
    seen = called("arm", "GET", rf"/skus/{WINDOWS.sku}/versions\?", 200, listed)
    made = _stands(galleries, WINDOWS.image, "has", RINGS[0])
    return (
        Step("Version seen", seen),
        Step("Run started", _run(WINDOWS.template, WINDOWS.image), _PATIENCE),
        Step("Version made", made, _PATIENCE),
        Step("Run ended", ended()),
        Step("Event delivered", delivered(WRITTEN, f"/{WINDOWS.image}/versions/{VERSION}")),
        *(step for number, ring in enumerate(RINGS) for step in _ring(galleries, ring, number)),
    )


def _ring(galleries: Galleries, ring: Ring, number: int) -> tuple[Step, ...]:
    """Its regions get the version together, then it is latest there. The first has it from the beginning."""
    latest = Step(f"Ring {ring.name}", _soaked(galleries, WINDOWS.image, ring), _PATIENCE)
    if number == 0:
        return (latest,)
    return (
        Step("  asked for", _asked(galleries, ring, number), _PATIENCE),
        Step("  replicated", _stands(galleries, WINDOWS.image, "has", ring), _PATIENCE),
        latest,
    )


def _announced(galleries: Galleries) -> tuple[Step, ...]:
    return tuple(
        Step("Event published", _released(galleries, WINDOWS.image, RINGS, number), _LONG)
        for number in range(len(RINGS))
    )


def _rebuild(galleries: Galleries) -> tuple[Step, ...]:
    source = f":images:{WINDOWS.image}"
    found = published(VERSION_FOUND, source, f": {VERSION} of images/{WINDOWS.image}")
    template = f"{DEVELOPERS}, whose source is the definition {WINDOWS.image}"
    return (
        Step("Event published", _after_latest(galleries, found), _LONG),
        Step("Event delivered", delivered(VERSION_FOUND, source)),
        Step("Template created", called("arm", "PUT", rf"/{DEVELOPERS}\?", 201, template), _PATIENCE),
        Step("Rebuild started", _run(DEVELOPERS, DEVELOPERS), _PATIENCE),
        Step("Rebuild made", _stands(galleries, DEVELOPERS, "has", ALL), _PATIENCE),
        Step("Rebuild ended", ended(DEVELOPERS)),
        Step("Rebuild latest", _soaked(galleries, DEVELOPERS, ALL), _PATIENCE),
        Step("Event published", _released(galleries, DEVELOPERS, (ALL,), 0), _PATIENCE),
    )


def _run(template: str, image: str) -> Proof:
    told = f"{image}, accepted by Image Builder"
    return called("arm", "POST", rf"/imageTemplates/{template}/run\?", 202, told)


def _stands(galleries: Galleries, definition: str, place: Place, ring: Ring) -> Proof:
    told = f"{definition}/{VERSION} in {', '.join(ring.regions)}"

    def proof(_evidence: Evidence) -> Seen | None:
        galleries.look_now()
        at = galleries.since(definition, place, ring.regions)
        return Seen(at, told) if at else None

    return proof


def _asked(galleries: Galleries, ring: Ring, number: int) -> Proof:
    """All regions of a ring together, by an update that Azure accepted: one for each ring."""
    stands = _stands(galleries, WINDOWS.image, "asked", ring)
    target = rf"/images/{WINDOWS.image}/versions/{VERSION}\?"

    def proof(evidence: Evidence) -> Seen | None:
        seen = stands(evidence)
        updates = [call for call in evidence.calls("arm", "PATCH", target) if call.status in (200, 202)]
        if seen is not None and len(updates) < number:
            raise Deviation(f"{seen.told} is wanted after {len(updates)} updates, expected {number}")
        return seen

    return proof


def _soaked(galleries: Galleries, definition: str, ring: Ring) -> Proof:
    """`latest` in all regions of the ring, and not before the last of them had it for long enough."""
    stands = _stands(galleries, definition, "latest", ring)

    def proof(evidence: Evidence) -> Seen | None:
        seen, had = stands(evidence), galleries.since(definition, "has", ring.regions)
        if seen is None:
            return None
        where = f"{definition}/{VERSION} is latest in {', '.join(ring.regions)}"
        soak = seen.at - had if had else None
        if soak is None or soak < ring.soak - _SLACK:
            after = f"{soak.total_seconds():.1f} s after it came" if soak is not None else "before it came"
            raise Deviation(f"{where} {after}, expected a soak of {ring.soak.total_seconds():g} s")
        return Seen(seen.at, f"{where}, soaked {soak.total_seconds():.1f} s" if ring.soak else where)

    return proof


def _released(galleries: Galleries, definition: str, rings: Sequence[Ring], number: int) -> Proof:
    """The factory announces ring by ring, each once, and only what is so."""
    ring = rings[number]
    expected = {
        "definition": definition,
        "version": VERSION,
        "ring": ring.name,
        "regions": set(ring.regions),
        "complete": number == len(rings) - 1,
    }

    def proof(evidence: Evidence) -> Seen | None:
        events = _once(evidence.published(RELEASED, f"{definition}/{VERSION}"))
        if len(events) <= number:
            return None
        data = _told(events[number].event.get("data"))
        if {name: data.get(name) for name in expected} != expected:
            raise Deviation(f"{RELEASED} tells {_words(data)}, expected {_words(expected)}")
        told = f"{RELEASED}: {definition} ring {ring.name}"
        return _when_latest(galleries, definition, ring, Seen(events[number].at, told))

    return proof


def _after_latest(galleries: Galleries, proof: Proof) -> Proof:
    """Whoever builds from the version may do so only where it is latest."""

    def checked(evidence: Evidence) -> Seen | None:
        seen = proof(evidence)
        return _when_latest(galleries, WINDOWS.image, ALL, seen) if seen else None

    return checked


def _when_latest(galleries: Galleries, definition: str, ring: Ring, seen: Seen) -> Seen:
    galleries.look_now()
    if galleries.since(definition, "latest", ring.regions) is None:
        where = f"{definition}/{VERSION} was latest in {', '.join(ring.regions)}"
        raise Deviation(f"{seen.told} came before {where}, expected after it")
    return seen


def _once(events: Sequence[Published]) -> list[Published]:
    """An event that is told again has the id that it had."""
    first: dict[object, Published] = {}
    for each in events:
        first.setdefault(each.event.get("id"), each)
    return list(first.values())


def _told(data: object) -> dict[str, Any]:
    known: dict[str, Any] = dict(data) if isinstance(data, dict) else {}
    return {**known, "regions": set(str(known.get("regions")).split(","))}


def _words(data: dict[str, Any]) -> str:
    shown = {**data, "regions": "+".join(sorted(data["regions"]))}
    return ", ".join(f"{name} {shown[name]}" for name in sorted(shown))


def latest_everywhere(galleries: Galleries) -> Iterator[Latest]:
    """Asked of Azure region by region. Raises `Deviation` where anything else is latest."""
    for definition, rings in ((WINDOWS.image, RINGS), (DEVELOPERS, (ALL,))):
        for ring in rings:
            for region in ring.regions:
                found = galleries.latest(definition, region)
                since = galleries.since(definition, "latest", (region,))
                if found != VERSION or since is None:
                    said = f"{definition} {found or 'nothing'} is latest in {region}"
                    raise Deviation(f"{said}, expected {VERSION}")
                yield Latest(definition, ring.name, region, found, since)


def missing_links(lines: Sequence[str]) -> list[str]:
    """What the command line tells has to lead from the marketplace to the image that was rebuilt."""
    links = (
        WINDOWS.version,
        f"/{WINDOWS.template}",
        f"version {WINDOWS.image}/{VERSION}",
        *(f"region {region} " for ring in RINGS for region in ring.regions),
        f"/imageTemplates/{DEVELOPERS}",
        f"version {DEVELOPERS}/{VERSION}",
    )
    return [link for link in links if not any(link in f"{line} " for line in lines)]
