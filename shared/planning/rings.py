"""How far a version has come: what its regions tell, and from which ring to which it goes on.

A ring is complete when each of its regions has replicated or is given up, and at least one has. Complete, it
soaks; then, by itself or by a person's word, the version goes on to the next ring.
"""

from datetime import datetime

import msgspec
from msgspec.structs import replace

from shared.domain.factory import Timing
from shared.domain.galleries import GalleryVersion, Placed, Provisioning, Replication
from shared.domain.releases import (
    Definition,
    Failures,
    Promotion,
    RegionRecord,
    ReleaseRecord,
    Ring,
    Stage,
)


class Situation(msgspec.Struct, frozen=True):
    """Everything that a decision about a version depends on."""

    definition: Definition
    timing: Timing
    record: ReleaseRecord
    version: GalleryVersion | None
    """None if it does not exist."""
    newer: tuple[ReleaseRecord, ...]
    """The definition's newer versions, as recorded."""
    replicating: int
    """How many other versions of the definition are replicating. Asked only before the first ring."""
    now: datetime


def follow(s: Situation) -> ReleaseRecord:
    """The record after what is seen: regions first, then rings, then the stage that this amounts to."""
    version = s.version
    if version is None:
        return replace(s.record, stage=Stage.GONE, busy=False)
    regions = _regions(s, version)
    everywhere = all(version.excluded_in(r.name) for r in version.regions)
    claim = s.record.claim if s.record.claim and s.now < s.record.claim.until else None
    record = replace(s.record, regions=regions, made=version.published, claim=claim, insists=False)
    if record.withdrawn and everywhere and not record.withdrawn_everywhere:
        record = replace(record, withdrawn_everywhere=s.now)
    record = _advance(s, version, _give_up(s, version, _timed(s, record)))
    record = replace(record, busy=_is_busy(s, version, record))
    return replace(record, stage=_stage(s, version, record))


def overtaken_by(s: Situation) -> ReleaseRecord | None:
    """The newest good version that is newer: the older one then stops where it is."""
    return max((r for r in s.newer if r.stage.good), key=lambda r: r.version.rank, default=None)


def ring_at(s: Situation, record: ReleaseRecord) -> Ring | None:
    """The ring that it is getting; None before the first and after the last."""
    rings = s.definition.rings
    return rings[record.ring] if 0 <= record.ring < len(rings) else None


def incomplete(version: GalleryVersion, record: ReleaseRecord, ring: Ring) -> tuple[str, ...]:
    """The regions that the ring still waits for."""
    return tuple(r.name for r in ring.regions if not _settled(version, record, r.name))


def replicated(version: GalleryVersion, region: str) -> bool:
    found = version.region(region)
    return found is not None and found.state is Replication.COMPLETED


def failed_at_birth(version: GalleryVersion) -> bool:
    """It could not be made at all: not even its home has it."""
    return version.provisioning is Provisioning.FAILED and not any(
        r.state is Replication.COMPLETED for r in version.regions
    )


def stops(s: Situation, record: ReleaseRecord) -> bool:
    """Whether it goes no further than it has come."""
    return bool(record.held or record.withdrawn) or overtaken_by(s) is not None


def soaks_until(record: ReleaseRecord, ring: Ring) -> datetime | None:
    return record.complete_since + ring.soak if record.complete_since else None


def _regions(s: Situation, version: GalleryVersion) -> tuple[RegionRecord, ...]:
    seen = [_seen(s, version, placed) for placed in version.regions]
    names = {r.name for r in seen}
    lost = [_missed(s, r) for r in s.record.regions if r.name not in names]
    return (*seen, *(r for r in lost if r))


def _seen(s: Situation, version: GalleryVersion, placed: Placed) -> RegionRecord:
    known = s.record.region(placed.name) or RegionRecord(placed.name, s.now)
    known = replace(known, replicas=placed.replicas, storage=placed.storage)
    if placed.state is Replication.COMPLETED:
        known = replace(known, replicated=known.replicated or s.now, failures=Failures.NONE, given_up="")
    ring = s.definition.ring_of(placed.name)
    was_latest = known.latest is not None or known.suspended
    its_time = ring is None or ring < s.record.ring or s.record.history or was_latest
    if s.record.held and not s.record.withdrawn:
        found = its_time and known.seen == s.now and not version.excluded_in(placed.name)
        suspended = known.suspended or found or bool(known.latest and not known.taken_back)
        return replace(known, latest=None, suspended=suspended)
    if s.record.withdrawn or not its_time:
        return replace(known, latest=None, taken_back=False, suspended=False)
    if not version.excluded_in(placed.name):
        return replace(known, latest=known.latest or s.now, taken_back=False, suspended=False)
    if s.record.insists:
        return replace(known, latest=None, taken_back=False)
    return replace(known, taken_back=known.taken_back or known.latest is not None)


def _missed(s: Situation, known: RegionRecord) -> RegionRecord | None:
    """A region that was there before and that shall come back.

    One that had replicated is not lost by accident (the guard forbids that): it comes back only where the
    version belongs now.
    """
    if known.failures is Failures.REMOVING:
        return replace(known, failures=Failures.ADDED_AGAIN)
    if known.replicated and (s.definition.ring_of(known.name) is None or stops(s, s.record)):
        return None
    return replace(known, replicated=None, latest=None, taken_back=False, suspended=False)


def _timed(s: Situation, record: ReleaseRecord) -> ReleaseRecord:
    """Time in which it is stopped is no delay of its regions: nothing is done for them meanwhile."""
    if stops(s, record):
        return replace(record, ring_since=None)
    since = record.ring_since or (s.now if ring_at(s, record) else None)
    return replace(record, ring_since=since)


def _is_busy(s: Situation, version: GalleryVersion, record: ReleaseRecord) -> bool:
    """Whether it takes one of the places in flight; one that hangs does not for ever, stopped or not."""
    there = (r for r in record.regions if version.region(r.name) and not r.replicated and not r.given_up)
    begun = (max(r.seen, record.ring_since or r.seen) for r in there)
    return version.provisioning.busy and any(s.now < since + s.definition.deadline for since in begun)


def _give_up(s: Situation, version: GalleryVersion, record: ReleaseRecord) -> ReleaseRecord:
    ring, since = ring_at(s, record), record.ring_since
    if ring is None or since is None:
        return record
    regions = {r.name: r for r in record.regions}
    for name in incomplete(version, record, ring):
        # One that is not even there is late only if Azure says no to it: a missing role is no fault of its.
        known = regions.get(name) or (RegionRecord(name, since) if record.denials else None)
        if known and s.now >= max(known.seen, since) + s.definition.deadline:
            regions[name] = replace(known, given_up=f"not replicated after {s.definition.deadline}")
    return replace(record, regions=tuple(regions.values()))


def _advance(s: Situation, version: GalleryVersion, record: ReleaseRecord) -> ReleaseRecord:
    rings = s.definition.rings
    record = replace(record, ring=min(record.ring, len(rings)))
    while not stops(s, record) and record.ring < len(rings):
        ring = ring_at(s, record)
        if ring is None:
            if version.provisioning is Provisioning.CREATING or failed_at_birth(version):
                return record
            if s.replicating >= s.definition.in_flight:
                return record
        else:
            record = _complete(s, version, record, ring)
            if not _may_go_on(s, record, ring):
                return record
        record = replace(record, ring=record.ring + 1, ring_since=s.now, complete_since=None)
    return record


def _complete(s: Situation, version: GalleryVersion, record: ReleaseRecord, ring: Ring) -> ReleaseRecord:
    whole = not incomplete(version, record, ring) and any(replicated(version, r.name) for r in ring.regions)
    return replace(record, complete_since=(record.complete_since or s.now) if whole else None)


def _may_go_on(s: Situation, record: ReleaseRecord, ring: Ring) -> bool:
    until = soaks_until(record, ring)
    if until is None:
        return False
    return record.promoted > record.ring or (ring.promotion is Promotion.AUTOMATIC and s.now >= until)


def _to_come(s: Situation, record: ReleaseRecord) -> bool:
    """Whether it is still to become latest somewhere."""
    known = {r.name: r for r in record.regions}
    named = (known.get(r.name) for ring in s.definition.rings for r in ring.regions)
    return any(r is None or not (r.latest or r.given_up) for r in named)


def _settled(version: GalleryVersion, record: ReleaseRecord, region: str) -> bool:
    known = record.region(region)
    return replicated(version, region) or bool(known and known.given_up)


def _stage(s: Situation, version: GalleryVersion, record: ReleaseRecord) -> Stage:
    if record.withdrawn:
        return Stage.WITHDRAWN
    if version.provisioning is Provisioning.DELETING:
        return Stage.GONE
    if record.held:
        return Stage.HELD
    if record.ring >= len(s.definition.rings) and not _to_come(s, record):
        return Stage.RELEASED
    if failed_at_birth(version):
        return Stage.FAILED
    if overtaken_by(s):
        return Stage.OVERTAKEN
    ring = ring_at(s, record)
    if record.ring >= len(s.definition.rings):
        return Stage.SOAKING
    if ring is None:
        return Stage.MAKING if version.provisioning is Provisioning.CREATING else Stage.WAITING
    if incomplete(version, record, ring):
        return Stage.REPLICATING
    return Stage.SOAKING if record.complete_since else Stage.FAILED
