"""What people say of retention: approve a plan, take a mark back, pin, bring back, take over what is old."""

import contextlib
from datetime import datetime

from msgspec.structs import replace

from shared.domain import keys
from shared.domain.errors import Invalid, Missing, NotNow, RetryableError, Unknown
from shared.domain.factory import Factory
from shared.domain.galleries import GalleryVersion, Placed, Provisioning
from shared.domain.looks import Lane, Look, Thing
from shared.domain.releases import Definition, RegionRecord, ReleaseRecord
from shared.domain.retention import OWNER, PIN, Kind, KindPlan, Plan, RetentionKind, RetentionRecord, tag_of
from shared.ports import Held, Insert, Outside, Put, Replace, Write

from .abnormal import line
from .inventory import observe
from .marking import unmark as take_back
from .releases import releases
from .retention import planned
from .retiring import WAYS
from .scans import of_kind, scanned
from .visit import version_line
from .withdrawals import parse


def approve(
    out: Outside, factory: Factory, digest: str, who: str, correlation: str, *, by: str = ""
) -> tuple[Kind, ...]:
    """The plan with that digest may be carried out although it is abnormal. The kinds that this frees.

    `digest` is a kind's, or the whole plan's. Raises NotNow if the plan is another one by now.
    """
    observed = observe(out, factory)
    decided = planned(out, factory, observed)
    if decided.blind:
        raise NotNow(f"nothing goes, since not everything can be seen: {decided.blind[0]}")
    chosen = [k for k in decided.kinds if k.tripped and digest in (k.digest, decided.digest)]
    if not chosen:
        raise NotNow(_no_such_plan(decided, digest))
    for kind in chosen:
        _approve(out, kind, observed.kinds.get(kind.kind), who, correlation, by)
    return tuple(kind.kind for kind in chosen)


def _no_such_plan(decided: Plan, digest: str) -> str:
    waiting = [f"{k.digest} ({k.kind.value}: {k.tripped})" for k in decided.kinds if k.stopped]
    told = f"no plan {digest[:80]!r} waits for an approval"
    return f"{told}; what waits now is: {'; '.join(waiting) or 'nothing'}"


def _approve(
    out: Outside, kind: KindPlan, held: Held[RetentionKind] | None, who: str, correlation: str, by: str
) -> None:
    known = held.record if held else RetentionKind(kind.kind)
    record = replace(known, approved=kind.digest, approved_by=who, stopped="", digest="")
    why = f"the plan {kind.digest} to retire {kind.going} is approved: {who}"
    told = line(out, kind.kind, kind.kind.value, "plan-approved", why, correlation, by=by)
    row = Replace(record, held.etag) if held else Insert(record)
    out.ledger.commit(keys.of_retention(kind.kind.value), (row, told))


def unmark(out: Outside, factory: Factory, name: str, why: str, correlation: str, *, by: str = "") -> None:
    """It is not going any more. Unless it is pinned, a later sweep marks it anew, with its full notice."""
    for kind in Kind:
        for held in of_kind(scanned(out, keys.of_retention(kind.value), "going:"), RetentionRecord):
            if name.lower() in (held.record.name.lower(), held.record.id.lower()):
                take_back(out, factory, held, why, correlation, by=by)
                return
    raise Unknown(f"{name[:200]!r} bears no mark; `retention plan` lists what does")


def pin(out: Outside, factory: Factory, name: str, why: str, *, correlation: str = "", by: str = "") -> None:
    """It stays, whatever the policy says. If it is going, the next look takes that back."""
    kind, id = _find(out, factory, name)
    WAYS[kind].tag(out, id, {PIN: why[:256]})
    _tell(out, kind, line(out, kind, name, "thing-pinned", why, correlation, by=by))


def unpin(out: Outside, factory: Factory, name: str, *, correlation: str = "", by: str = "") -> None:
    """Raises NotNow if it is not pinned by the factory's own tag."""
    kind, id = _find(out, factory, name)
    tags = WAYS[kind].tags(out, id)
    found = next((n for n in tags if n.lower() == PIN.lower()), None)
    if found is None:
        raise NotNow(f"{name[:200]!r} bears no tag {PIN}")
    WAYS[kind].untag(out, id, {found: tags[found]})
    why = f"its tag {found} is taken away: {tags[found]}"
    _tell(out, kind, line(out, kind, name, "thing-unpinned", why, correlation, by=by))


def _tell(out: Outside, kind: Kind, told: Put) -> None:
    out.ledger.commit(keys.of_retention(kind.value), (told,))


def _find(out: Outside, factory: Factory, name: str) -> tuple[Kind, str]:
    """A version of a configured definition is told by its name; what else there is, only the plan knows."""
    with contextlib.suppress(Invalid):
        definition, version = parse(factory, name)
        return Kind.GALLERY_VERSION, str(definition.id.version(version.text)).lower()
    verdicts = planned(out, factory).verdicts
    found = [v for v in verdicts if name.lower() in (v.name.lower(), v.id.lower())]
    if len(found) != 1:
        many = "is the name of several things; give its id" if found else "is not there"
        raise Unknown(f"{name[:200]!r} {many}; `retention plan --json` lists everything with its id")
    return found[0].kind, found[0].id


def undelete(out: Outside, factory: Factory, version: str, correlation: str, *, by: str = "") -> str:
    """Bring a soft-deleted gallery version back, and pin it. What there is left to do, or nothing.

    Raises Missing if its gallery does not have it any more.
    """
    definition, number = parse(factory, version)
    id = str(definition.id.version(number.text)).lower()
    out.estate.restore(id, definition.home)
    kind, why = Kind.GALLERY_VERSION, "brought back by hand"
    _tell(out, kind, line(out, kind, version, "thing-undeleted", why, correlation, by=by))
    out.queues.send(Look(Lane.RELEASES, Thing.VERSION, f"{definition.name}/{number}", correlation))
    try:
        out.estate.merge_tags(id, {PIN: why})
    except (RetryableError, Missing) as error:
        return f"it could not be pinned yet, and would be marked again by a later sweep: {error}"
    return ""


def adopt(
    out: Outside,
    factory: Factory,
    definition: str,
    image: str,
    versions: tuple[str, ...],
    correlation: str,
    *,
    by: str = "",
) -> tuple[str, ...]:
    """Take over versions that the factory did not make: from now on they count as the image's.

    Those that are named, or every one without an owner. The names of those taken over.
    """
    found, owner = factory.definition(definition), factory.image(image)
    rows = {held.record.version.rank: held for held in releases(out, found)}
    adopted = []
    for seen in out.galleries.list(found.id):
        if versions and seen.version.text not in versions:
            continue
        if tag_of(seen.tags, OWNER):
            continue
        _adopt(out, found, owner.name, seen, rows.get(seen.version.rank), correlation, by)
        adopted.append(f"{found.name}/{seen.version}")
    missing = set(versions) - {name.rsplit("/", 1)[1] for name in adopted}
    if missing:
        raise Unknown(f"{', '.join(sorted(missing))} of {definition}: no such version without an owner")
    return tuple(adopted)


def _adopt(
    out: Outside,
    definition: Definition,
    image: str,
    seen: GalleryVersion,
    held: Held[ReleaseRecord] | None,
    correlation: str,
    by: str,
) -> None:
    """The tag last: what bears it is recorded."""
    now = out.clock.now()
    known = held.record if held else ReleaseRecord(definition.name, seen.version, seen.id, now, history=True)
    there = known.regions or tuple(_there(region, seen, now) for region in seen.regions)
    record = replace(known, image=known.image or image, made=seen.published, regions=there)
    told = version_line(record, "version-adopted", f"as {image}'s", correlation, now, by=by)
    row: Write = Replace(record, held.etag) if held else Insert(record)
    out.ledger.commit(keys.of_definition(definition.name), (row, told))
    out.estate.merge_tags(str(seen.id).lower(), {OWNER: str(record.image)})


def _there(region: Placed, seen: GalleryVersion, now: datetime) -> RegionRecord:
    """What was there before is no news: nobody is told that it is latest now."""
    done = seen.published if seen.provisioning is Provisioning.SUCCEEDED else None
    latest = None if seen.excluded_in(region.name) else done
    return RegionRecord(region.name, now, done, latest, replicas=region.replicas, storage=region.storage)
