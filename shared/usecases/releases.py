"""A look at a gallery version: read the ledger and the version, plan, and carry the plan out.

One ledger request and one Resource Manager GET; an update is one request more, whatever the number of
regions. It is sent only under the version's claim, since gallery updates know no ETag, and only while two
request time-outs remain on it: when the claim ends, no update of its holder can be under way any more.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import AccessDenied, Busy, Conflict, Missing, PermanentError, Throttled, WrongState
from shared.domain.events import EventType
from shared.domain.factory import Factory
from shared.domain.galleries import GalleryVersion
from shared.domain.looks import Lane, Look, Thing
from shared.domain.releases import Definition, DefinitionRecord, ReleaseRecord, Stage, WriteClaim
from shared.domain.sources import GallerySource
from shared.domain.versions import Version
from shared.planning import actions
from shared.planning.releases import became_latest, newly_given_up, plan
from shared.planning.rings import Situation
from shared.ports import REQUEST_TIMEOUT, Held, Insert, Outside, Put

from .descent import mark_descendants
from .scans import of_kind, scanned
from .visit import Visit, armed, rest, save, send, version_line


def look_at_version(out: Outside, factory: Factory, look: Look) -> None:
    """Raises Invalid for a definition that is not configured."""
    name, _, text = look.id.partition("/")
    definition, version, now = factory.definition(name), Version.parse(text), out.clock.now()
    rows = releases(out, definition, version)
    held = rows[0] if rows and rows[0].record.version.rank == version.rank else None
    newer = tuple(row.record for row in rows if row is not held)
    seen = out.galleries.get(definition.id.version(version.text))
    record = held.record if held else _first_seen(out, definition, version, seen, now)
    if record is None:
        telemetry.event("version-of-before", version=look.id)
        return
    replicating = _replicating(out, definition, record) if record.ring < 0 else 0
    decided = plan(Situation(definition, factory.timing, record, seen, newer, replicating, now))
    visit = Visit(out, factory, definition, look, now, seen, held, decided.record)
    visit = _tell(visit, record, decided.record)
    for action in decided.actions:
        visit = APPLY[type(action)](visit, action)
    if visit.record.trouble:
        visit = save(replace(visit, record=replace(visit.record, trouble=None)), "trouble-over")
    if record.stage.good and not visit.record.stage.good:
        wake_older(out, definition, visit.record, look.correlation)


def releases(out: Outside, definition: Definition, since: Version | None = None) -> list[Held[ReleaseRecord]]:
    """What is recorded of a definition's versions, oldest first, from `since` on. One request a page."""
    start = keys.release_row(since) if since else None
    return list(of_kind(scanned(out, keys.of_definition(definition.name), "version:", start), ReleaseRecord))


def wake_older(out: Outside, definition: Definition, record: ReleaseRecord, correlation: str) -> None:
    """The version stands in the way no more: the newest of those that it had overtaken goes on."""
    older = [r.record for r in releases(out, definition) if r.record.version.rank < record.version.rank]
    stopped = [r for r in older if r.stage is Stage.OVERTAKEN]
    if stopped:
        out.queues.send(Look(Lane.RELEASES, Thing.VERSION, stopped[-1].name, correlation))


def first_look(out: Outside, definition: Definition, now: datetime) -> datetime:
    """When the factory first looked at the definition; that may be now."""
    known = out.ledger.read(keys.definition_key(definition.name), DefinitionRecord)
    if known is None:
        out.ledger.commit(
            keys.of_definition(definition.name), (Insert(DefinitionRecord(definition.name, now)),)
        )
    return known.record.since if known else now


def _first_seen(
    out: Outside, definition: Definition, version: Version, seen: GalleryVersion | None, now: datetime
) -> ReleaseRecord | None:
    """None for one that is history: it was made before the factory first looked at its definition."""
    since = first_look(out, definition, now)
    if seen is None or seen.published is None or seen.published <= since:
        return None
    return ReleaseRecord(definition.name, version, seen.id, now)


def _replicating(out: Outside, definition: Definition, record: ReleaseRecord) -> int:
    others = (r.record for r in releases(out, definition) if r.record.version != record.version)
    return sum(other.busy for other in others)


def _tell(visit: Visit, before: ReleaseRecord, after: ReleaseRecord) -> Visit:
    """What has come about since the last look: published first, recorded after."""
    latest = became_latest(before, after)
    if latest:
        passed = visit.definition.rings[max(after.ring - 1, 0)].name
        everywhere = after.stage is Stage.RELEASED and all(r.latest or r.given_up for r in after.regions)
        visit.event(EventType.VERSION_RELEASED, ring=passed, regions=",".join(latest), complete=everywhere)
    withdrawn = after.withdrawn_everywhere and not before.withdrawn_everywhere
    if withdrawn:
        visit.event(EventType.VERSION_WITHDRAWN, why=after.withdrawn)
    lines = [*_given_up(visit, before, after), *_latest(visit, latest)]
    visit = save(visit, "version-seen", *lines) if lines else visit
    if latest or withdrawn:
        _tell_sources(visit, latest)
    return visit


def _given_up(visit: Visit, before: ReleaseRecord, after: ReleaseRecord) -> list[Put]:
    """Published at once, and the lines that tell of it."""
    now, lines = visit.out.clock.now(), []
    for region, why in newly_given_up(before, after):
        visit.event(EventType.WORK_FAILED, region=region, why=why)
        told = f"{region}: {why}; its ring goes on without it"
        lines.append(version_line(after, "region-given-up", told, visit.look.correlation, now))
    return lines


def _latest(visit: Visit, regions: tuple[str, ...]) -> list[Put]:
    if not regions:
        return []
    why, now = f"latest in {', '.join(regions)}", visit.out.clock.now()
    return [version_line(visit.record, "version-latest", why, visit.look.correlation, now)]


def _tell_sources(visit: Visit, regions: tuple[str, ...]) -> None:
    """What is built from this definition looks at it again: everywhere, if `latest` went back."""
    for key, source in sorted(visit.factory.sources.items()):
        if not isinstance(source, GallerySource) or source.definition != visit.definition.id:
            continue
        if not regions or source.location in regions:
            visit.out.queues.send(Look(Lane.SOURCES, Thing.SOURCE, key, visit.look.correlation))


def _nothing(visit: Visit, action: actions.Nothing) -> Visit:
    return rest(_saying(visit, action.why), _word(visit))


def _wait(visit: Visit, action: actions.Wait) -> Visit:
    return armed(_saying(visit, action.why), action.until, _word(visit))


def _mark(visit: Visit, action: actions.MarkDescendants) -> Visit:
    told = mark_descendants(visit.out, visit.factory, visit.record, action.ancestor, visit.look)
    if told:
        return replace(visit, record=replace(visit.record, descendants_told=True))
    return armed(visit, visit.now + visit.factory.timing.look_again, "descendants-wait")


def _update(visit: Visit, action: actions.UpdateVersion) -> Visit:
    update, version = action.update, visit.version
    lines = _given_up(visit, visit.record, action.record)
    if update is None or version is None:
        visit = save(_saying(replace(visit, record=action.record), action.why), _word(visit), *lines)
        send(visit)
        return visit
    before, claim = visit.record.regions, _claim(visit)
    claimed = replace(visit, record=replace(action.record, claim=claim))
    visit = _saying(claimed, f"updating: {action.why}")
    visit = save(visit, "version-update", *lines)
    if claim.until - visit.out.clock.now() < 2 * REQUEST_TIMEOUT:
        _give_back(visit, before)
        raise Busy(f"too little time was left to update {visit.record.name}; nothing was sent")
    try:
        visit.out.galleries.update(version, update)
    except (Throttled, AccessDenied):
        _give_back(visit, before)
        raise
    except (Conflict, WrongState, PermanentError) as error:
        return _refused(visit, before, error)
    accepted = replace(visit.record, claim=None, busy=True, refusals=0, denials=0, retry_at=None)
    return armed(
        replace(visit, record=accepted), visit.now + visit.factory.timing.look_again, "version-update"
    )


def _claim(visit: Visit) -> WriteClaim:
    return WriteClaim(visit.out.new_id(), visit.now + visit.factory.timing.update_claim)


def _give_back(visit: Visit, regions: tuple[Any, ...]) -> Visit:
    """Certainly nothing was done: the claim ends, and no step of a failed region counts."""
    return save(
        replace(visit, record=replace(visit.record, claim=None, regions=regions)), "version-update-refused"
    )


def _refused(visit: Visit, regions: tuple[Any, ...], error: Exception) -> Visit:
    """Azure takes no such update now, or the list is stale: read again, later each time."""
    timing, refusals = visit.factory.timing, visit.record.refusals + 1
    for_good = isinstance(error, PermanentError) and not isinstance(error, Missing)
    longest = timing.retry_after[0] if for_good else timing.follow
    delay = min(timing.look_again * 2 ** min(refusals - 1, 10), longest)
    record = replace(
        visit.record,
        claim=None,
        regions=regions,
        refusals=refusals,
        denials=visit.record.denials + for_good,
        retry_at=visit.now + delay,
    )
    visit = _saying(replace(visit, record=record), f"refused: {error}")
    return armed(visit, visit.now + delay, "version-update-refused")


def _saying(visit: Visit, why: str) -> Visit:
    return replace(visit, record=replace(visit.record, reason=why))


def _word(visit: Visit) -> str:
    return f"version-{visit.record.stage.value}"


APPLY: dict[type, Callable[[Visit, Any], Visit]] = {
    actions.Nothing: _nothing,
    actions.Wait: _wait,
    actions.MarkDescendants: _mark,
    actions.UpdateVersion: _update,
}
