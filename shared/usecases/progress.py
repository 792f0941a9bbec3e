"""Where a version is, since when, what comes next, and why it waits: from the ledger, as it was last seen."""

from datetime import datetime

import msgspec

from shared.domain import keys
from shared.domain.errors import Unknown
from shared.domain.factory import Factory
from shared.domain.releases import Definition, Promotion, RegionRecord, ReleaseRecord, Stage
from shared.domain.versions import Version
from shared.planning.releases import OTHERWISE
from shared.ports import Outside

from .pages import Rows
from .releases import releases
from .withdrawals import parse


class Place(msgspec.Struct, frozen=True):
    """One region of one ring."""

    ring: str
    region: str
    state: str
    """`latest`, `replicated`, `replicating`, `given up`, `taken back` or `to come`."""
    since: datetime | None
    why: str = ""


class Progress(msgspec.Struct, frozen=True):
    record: ReleaseRecord
    places: tuple[Place, ...]
    next: str


def progress(out: Outside, factory: Factory, version: str) -> Progress:
    """Raises Unknown for a version that is not followed."""
    definition, number = parse(factory, version)
    held = out.ledger.read(keys.release_key(definition.name, number), ReleaseRecord)
    if held is None:
        raise Unknown(f"{version} is not followed: it was there before the factory, or does not exist")
    record = held.record
    places = [
        _place(ring.name, record.region(r.name), r.name) for ring in definition.rings for r in ring.regions
    ]
    besides = [r for r in record.regions if definition.ring_of(r.name) is None]
    return Progress(
        record, (*places, *(_place("-", r, r.name) for r in besides)), comes_next(definition, record)
    )


def followed(out: Outside, factory: Factory, definition: str | None) -> tuple[ReleaseRecord, ...]:
    """Every version that is or was followed, newest first within its definition."""
    chosen = [factory.definition(definition)] if definition else list(factory.definitions.values())
    return tuple(row.record for each in chosen for row in reversed(releases(out, each)))


def page(
    out: Outside, factory: Factory, definition: str, stage: Stage | None, after: str | None, limit: int
) -> Rows[ReleaseRecord]:
    """Newest first, those older than `after`. The ledger has them oldest first, so all are read."""
    than = Version.parse(after) if after else None
    found = [
        record
        for record in followed(out, factory, definition)
        if stage in (None, record.stage) and (than is None or record.version.rank < than.rank)
    ]
    return Rows(tuple(found[:limit]), len(found) > limit)


def comes_next(definition: Definition, record: ReleaseRecord) -> str:
    """The next thing that will happen to the version, and what for."""
    rings = definition.rings
    if record.stage is Stage.HELD:
        return "nothing until it is resumed"
    if record.stage not in (Stage.MAKING, Stage.WAITING, Stage.REPLICATING, Stage.SOAKING):
        return "nothing"
    if record.ring < 0:
        return f"ring {rings[0].name} gets it"
    if record.ring >= len(rings):
        return "latest in its last ring"
    ring = rings[record.ring]
    passed = f"latest in ring {ring.name}"
    after = rings[record.ring + 1].name if record.ring + 1 < len(rings) else ""
    steps = f"{passed}; then ring {after} gets it" if after else f"{passed}, the last one"
    if ring.promotion is Promotion.BY_HAND and record.promoted <= record.ring:
        return f"{steps}, once a person promotes it"
    if record.complete_since:
        return f"{steps}, at {record.complete_since + ring.soak:%Y-%m-%d %H:%M:%S} UTC"
    return f"{steps}, when it has replicated and soaked"


def _place(ring: str, known: RegionRecord | None, region: str) -> Place:
    if known is None:
        return Place(ring, region, "to come", None)
    if known.taken_back:
        return Place(ring, region, "taken back", known.replicated, OTHERWISE)
    if known.latest:
        return Place(ring, region, "latest", known.latest)
    if known.given_up:
        return Place(ring, region, "given up", known.seen, known.given_up)
    return Place(
        ring, region, "replicated" if known.replicated else "replicating", known.replicated or known.seen
    )
