"""Which regions a version shall have, and where `latest` may mean it: the whole list, as Azure wants it.

An update replaces the list, so that nothing may be forgotten: what is there stays, the regions of its rings
join, and a region that got lost while it replicated comes back. Only one that failed goes, for a moment.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from shared.domain.galleries import GalleryVersion, Placed, Replication, Target, Update
from shared.domain.releases import Failures, RegionRecord, ReleaseRecord, RingRegion

from .rings import Situation, overtaken_by, replicated, stops

REMOVALS = 3
"""How often Azure may refuse to remove a region that failed before it is given up."""


def wanted(s: Situation, version: GalleryVersion, record: ReleaseRecord) -> Update | None:
    """The update that is due; None if everything is as it shall be."""
    leaving = {p.name for p in version.regions if _leaves(s, version, record, p)}
    kept = [_kept(s, version, record, p) for p in version.regions if p.name not in leaving]
    end = None
    if s.definition.end_of_life and version.published and version.end_of_life is None:
        end = version.published + s.definition.end_of_life
    retried = any(_is_retried(s, r) for r in record.regions)
    due = bool(leaving or end or retried or not all(_same(version, target) for target in kept))
    new = [_new(r) for r in _some(record, list(_missing(s, version, record)), due=due)]
    guarded = end is not None and s.definition.block_deletion
    return Update((*kept, *new), end, guarded) if due or new else None


def stepped(s: Situation, version: GalleryVersion) -> ReleaseRecord:
    """One step further with each region that has failed: retried, removed, added again, given up.

    While an operation is under way a state may be of the time before it: nothing is concluded then.
    """
    record = s.record
    if version.provisioning.busy or stops(s, record) or not s.definition.act:
        return record
    return replace(record, regions=tuple(_step(s, version, record, r) for r in record.regions))


def _step(s: Situation, version: GalleryVersion, record: ReleaseRecord, known: RegionRecord) -> RegionRecord:
    placed, ring = version.region(known.name), s.definition.ring_of(known.name)
    if placed is None or placed.state is not Replication.FAILED or known.given_up:
        return known
    if ring is None or ring > record.ring:
        return known
    told = f": {placed.details}" if placed.details else ""
    match known.failures:
        case Failures.NONE:
            return replace(known, failures=Failures.RETRIED)
        case Failures.RETRIED | Failures.REMOVING if record.refusals >= REMOVALS:
            return replace(known, given_up=f"failed, and Azure refuses to remove it{told}")
        case Failures.RETRIED if placed.name != version.location and not known.replicated:
            return replace(known, failures=Failures.REMOVING)
        case Failures.REMOVING:
            return known
    return replace(known, given_up=f"failed again and again{told}")


def _is_retried(s: Situation, known: RegionRecord) -> bool:
    """Just now: the list is sent as it is, and that starts the region anew."""
    before = s.record.region(known.name)
    return known.failures is Failures.RETRIED and (before is None or before.failures is Failures.NONE)


def _leaves(s: Situation, version: GalleryVersion, record: ReleaseRecord, placed: Placed) -> bool:
    """Whether the region is removed now, to be added again.

    Not from a version that is stopped: if Azure refused the removal, it would refuse a person's word with it.
    """
    known = record.region(placed.name)
    removing = known is not None and known.failures is Failures.REMOVING and not known.given_up
    free = not version.provisioning.busy and not stops(s, record)
    return removing and free and placed.state is Replication.FAILED


def _missing(s: Situation, version: GalleryVersion, record: ReleaseRecord) -> Iterator[RingRegion]:
    """The regions of its rings that it has not yet, and those that it had."""
    if record.withdrawn:
        return
    names = {p.name for p in version.regions} | {r.name for r in record.regions if r.given_up}
    if not stops(s, record):
        for region in (r for ring in s.definition.rings[: record.ring + 1] for r in ring.regions):
            if region.name not in names:
                names.add(region.name)
                yield region
    for known in record.regions:
        if known.name not in names:
            yield RingRegion(known.name, known.replicas, known.storage)


def _some(record: ReleaseRecord, regions: list[RingRegion], *, due: bool) -> list[RingRegion]:
    """All of them; one after the other once Azure has said no, since it does not say to which.

    `due`: the update has something else to do, and then it is tried without any of them first.
    """
    tries = [*([[]] if due else []), *([region] for region in regions)]
    return tries[(record.denials - 1) % len(tries)] if record.denials and tries else regions


def _kept(s: Situation, version: GalleryVersion, record: ReleaseRecord, placed: Placed) -> Target:
    ring = s.definition.ring_of(placed.name)
    replicas = placed.replicas
    if ring is not None and ring <= record.ring and not stops(s, record):
        # More replicas than configured are somebody's decision; fewer would not carry the load.
        configured = next(r for r in s.definition.rings[ring].regions if r.name == placed.name)
        replicas = max(replicas, configured.replicas)
    return Target(placed.name, replicas, placed.storage, _excluded(s, version, record, placed.name))


def _new(region: RingRegion) -> Target:
    """Never latest before it has replicated."""
    return Target(region.name, region.replicas, region.storage, excluded=True)


def _excluded(s: Situation, version: GalleryVersion, record: ReleaseRecord, region: str) -> bool:
    """Latest only where it has replicated, its ring has been passed, and nobody has said otherwise."""
    known, ring = record.region(region), s.definition.ring_of(region)
    if record.held or record.withdrawn:
        return True
    if known and known.taken_back:
        return True
    if known and (known.latest or (known.suspended and replicated(version, region))):
        return False
    if ring is None:
        return version.excluded_in(region)  # somebody else's affair
    if ring >= record.ring:
        return True
    return overtaken_by(s) is not None or not replicated(version, region)


def _same(version: GalleryVersion, target: Target) -> bool:
    placed = version.region(target.name)
    excluded = version.excluded_in(target.name)
    return placed is not None and placed.replicas == target.replicas and excluded == target.excluded
