"""Taking a version that goes from being latest, and giving it back: one update, under its claim.

Gallery updates know no ETag, so whoever writes a version that is released holds its claim, here as there.
"""

from msgspec.structs import replace

from shared.domain import keys
from shared.domain.errors import REFUSED, Busy, FactoryError, Missing
from shared.domain.factory import Factory
from shared.domain.galleries import GalleryVersion, Target, Update, VersionId
from shared.domain.releases import ReleaseRecord, WriteClaim
from shared.domain.retention import RetentionRecord
from shared.domain.versions import Version
from shared.ports import REQUEST_TIMEOUT, Held, Outside, Replace


def exclude(out: Outside, factory: Factory, held: Held[RetentionRecord]) -> bool:
    """Whether it is excluded everywhere; if not, that has been asked for.

    Where it was latest is recorded first, so that it can come back there.
    """
    record = held.record
    release, version = _read(out, factory, record)
    offered = tuple(r.name for r in version.regions if not version.excluded_in(r.name))
    if not offered:
        return True
    if set(offered) - set(record.latest):
        kept = tuple(sorted({*record.latest, *offered}))
        row = Replace(replace(record, latest=kept), held.etag)
        out.ledger.commit(keys.key_of(record).partition, (row,))
    _update(out, factory, release, version, frozenset())
    return False


def include(out: Outside, factory: Factory, record: RetentionRecord) -> bool:
    """Whether it is offered again wherever it was; if not, that has been asked for.

    What a person has withdrawn comes back nowhere. Raises Busy for what is held: it comes back afterwards.
    """
    release, version = _read(out, factory, record)
    if release and release.record.withdrawn:
        return True
    if release and release.record.held:
        raise Busy(f"{record.name} is held, and would be latest again: first resume or withdraw it")
    there = {r.name for r in version.regions}
    wanted = frozenset(record.latest) & there
    if all(not version.excluded_in(name) for name in wanted):
        return True
    offered = {name for name in there if not version.excluded_in(name)}
    _update(out, factory, release, version, wanted | offered)
    return False


def _read(
    out: Outside, factory: Factory, record: RetentionRecord
) -> tuple[Held[ReleaseRecord] | None, GalleryVersion]:
    """The row first: if somebody writes the version after it was read, the claim cannot be taken."""
    id = VersionId.parse(record.id)
    release, version = _release(out, factory, id), out.galleries.get(id)
    if version is None:
        raise Missing(f"{record.name} does not exist any more")
    return release, version


def _update(
    out: Outside,
    factory: Factory,
    release: Held[ReleaseRecord] | None,
    version: GalleryVersion,
    latest: frozenset[str],
) -> None:
    regions = tuple(Target(r.name, r.replicas, r.storage, r.name not in latest) for r in version.regions)
    now = out.clock.now()
    if release is None:
        out.galleries.update(version, Update(regions))
        return
    if release.record.claim and now < release.record.claim.until:
        raise Busy(f"{release.record.name} is being updated: looked at again later")
    claim = WriteClaim(out.new_id(), now + factory.timing.update_claim)
    claimed = _claimed(out, release, claim)
    if claim.until - out.clock.now() < 2 * REQUEST_TIMEOUT:
        _claimed(out, claimed, None)
        raise Busy(f"too little time was left to update {release.record.name}; nothing was sent")
    try:
        out.galleries.update(version, Update(regions))
    except FactoryError as error:
        if isinstance(error, REFUSED):
            _claimed(out, claimed, None)
        raise
    _claimed(out, claimed, None)


def _release(out: Outside, factory: Factory, id: VersionId) -> Held[ReleaseRecord] | None:
    """None for one that nobody but retention writes: its definition is not, or no longer, configured."""
    definition = factory.defined(id.definition)
    if definition is None:
        return None
    return out.ledger.read(keys.release_key(definition.name, Version.parse(id.version)), ReleaseRecord)


def _claimed(out: Outside, held: Held[ReleaseRecord], claim: WriteClaim | None) -> Held[ReleaseRecord]:
    record = replace(held.record, claim=claim)
    (etag,) = out.ledger.commit(keys.key_of(record).partition, (Replace(record, held.etag),))
    return Held(record, etag)
