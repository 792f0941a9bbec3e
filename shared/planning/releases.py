"""What is done about a gallery version now: the rules of a look at it, first answer wins."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from shared.domain.galleries import GalleryVersion, Provisioning, Update
from shared.domain.releases import Promotion, ReleaseRecord, Ring, Stage

from .actions import MarkDescendants, Nothing, UpdateVersion, Wait
from .rings import Situation, follow, incomplete, overtaken_by, ring_at, soaks_until
from .targets import stepped, wanted

Action = MarkDescendants | UpdateVersion | Wait | Nothing


class Plan(msgspec.Struct, frozen=True):
    """The record after what was seen, and what to do about it; always at least one action."""

    record: ReleaseRecord
    actions: tuple[Action, ...]


def plan(s: Situation) -> Plan:
    record = follow(s)
    seen = replace(s, record=record)
    answer = next(answer for rule in RULES if (answer := rule(seen)))
    untold = (record.withdrawn or record.descends_from) and not record.descendants_told
    marks: tuple[Action, ...] = (MarkDescendants(record.descends_from or record.name),) if untold else ()
    return Plan(record, (*marks, *answer))


def became_latest(before: ReleaseRecord, after: ReleaseRecord) -> tuple[str, ...]:
    """The regions in which `latest` has come to mean it since."""
    old = {r.name for r in before.regions if r.latest}
    return tuple(r.name for r in after.regions if r.latest and r.name not in old)


def newly_given_up(before: ReleaseRecord, after: ReleaseRecord) -> tuple[tuple[str, str], ...]:
    """The regions that have been given up since, and why."""
    old = {r.name for r in before.regions if r.given_up}
    return tuple((r.name, r.given_up) for r in after.regions if r.given_up and r.name not in old)


OTHERWISE = "excluded from latest by somebody else or by retention"

Answer = tuple[Action, ...] | None


def _is_gone(s: Situation) -> Answer:
    if s.version is None:
        return (Nothing("the version does not exist"),)
    if s.version.provisioning is Provisioning.DELETING:
        return (Nothing("the version is being deleted"),)
    return None


def _is_written(s: Situation) -> Answer:
    claim = s.record.claim
    if claim is None or s.now >= claim.until:
        return None
    return (Wait(claim.until, f"an update was begun that ends by {claim.until:%H:%M:%S} UTC"),)


def _is_made(s: Situation) -> Answer:
    """Nothing can be told of its regions yet; a person's word is heeded all the same."""
    making = s.version is not None and s.version.provisioning is Provisioning.CREATING
    if not making or s.record.held or s.record.withdrawn:
        return None
    return (Wait(s.now + s.timing.follow, "it is being made"),)


def _changes(s: Situation) -> Answer:
    if s.version is None:
        return None
    after = stepped(s, s.version)
    update = wanted(s, s.version, after)
    if update is None and after == s.record:
        return None
    if update is None:  # nothing but a region given up: what follows from that is for the next look
        return (UpdateVersion(None, after, stands(s, after)),)
    why = _saying(s.version, after, update)
    if not s.definition.act:
        return (Nothing(f"mode is observe: would update it: {why}"),)
    if s.record.retry_at and s.now < s.record.retry_at:
        return (Wait(s.record.retry_at, s.record.reason),)
    return (UpdateVersion(update, after, why),)


def _stands(s: Situation) -> Answer:
    until = _looks_again(s, s.record)
    why = stands(s, s.record)
    return (Wait(until, why),) if until else (Nothing(why),)


RULES: tuple[Callable[[Situation], Answer], ...] = (
    _is_gone,
    _is_written,
    _is_made,
    _changes,
    _stands,
)


def _looks_again(s: Situation, record: ReleaseRecord) -> datetime | None:
    """When time alone, or something that no event tells, takes it further."""
    ring = ring_at(s, record)
    if record.stage is Stage.WAITING:
        return s.now + s.timing.stagger
    if record.busy or record.stage is Stage.REPLICATING:
        return s.now + s.timing.follow
    until = soaks_until(record, ring) if record.stage is Stage.SOAKING and ring else None
    if until and ring and (ring.promotion is Promotion.AUTOMATIC or s.now < until):
        return until  # by hand too: then it says that it waits for a person
    return None


def stands(s: Situation, record: ReleaseRecord) -> str:
    """Where it stands and what it waits for, in words that stay the same while nothing changes."""
    ring = ring_at(s, record)
    told = _on_its_way(s, record, ring) if ring else _outside_of_rings(s, record)
    return (_stopped(s, record, ring) or told) + _besides(record)


def _stopped(s: Situation, record: ReleaseRecord, ring: Ring | None) -> str:
    newer = overtaken_by(s)
    where = f" in {_name(s, record, ring)}" if ring else ""
    return {
        Stage.WITHDRAWN: f"withdrawn: {record.withdrawn}",
        Stage.HELD: f"held{where}: {record.held}",
        Stage.OVERTAKEN: f"overtaken by {newer.version if newer else 'a newer version'}",
    }.get(record.stage, "")


def _on_its_way(s: Situation, record: ReleaseRecord, ring: Ring) -> str:
    name = _name(s, record, ring)
    match record.stage:
        case Stage.REPLICATING if s.version:
            return f"{name}: replicating to {', '.join(incomplete(s.version, record, ring))}"
        case Stage.SOAKING:
            return _soaks(record, name, soaks_until(record, ring), s.now)
    return f"no region of {name} has it: `release promote` tries again"


def _outside_of_rings(s: Situation, record: ReleaseRecord) -> str:
    """Before the first ring, or after the last."""
    many = s.definition.in_flight
    return {
        Stage.MAKING: "it is being made",
        Stage.WAITING: f"waits: {many} versions are in flight, as many as in_flight allows",
        Stage.FAILED: "it could not be made, and no region has it",
        Stage.SOAKING: "it has passed every ring and becomes latest in the last one",
        Stage.RELEASED: "released in every ring",
    }.get(record.stage, "not looked at yet")


def _name(s: Situation, record: ReleaseRecord, ring: Ring) -> str:
    return f"ring {ring.name} ({record.ring + 1} of {len(s.definition.rings)})"


def _soaks(record: ReleaseRecord, name: str, until: datetime | None, now: datetime) -> str:
    if until and now < until:
        return f"{name} is complete and soaks until {until:%Y-%m-%d %H:%M:%S} UTC"
    return f"{name} is complete; it waits for a person: release promote {record.name}"


def _besides(record: ReleaseRecord) -> str:
    """What a person should know whatever the stage."""
    given_up = [r.name for r in record.regions if r.given_up]
    taken_back = [r.name for r in record.regions if r.taken_back]
    return "".join(
        (
            f"; given up: {', '.join(given_up)}" if given_up else "",
            f"; {OTHERWISE} in {', '.join(taken_back)}" if taken_back else "",
            f"; descends from the withdrawn {record.descends_from}" if record.descends_from else "",
        )
    )


def _saying(version: GalleryVersion, record: ReleaseRecord, update: Update) -> str:
    """What the update changes, in words."""
    names = {r.name for r in version.regions}
    targets = {t.name: t for t in update.regions}
    parts = (
        ("to", [n for n in targets if n not in names]),
        ("away from the failed", [n for n in names if n not in targets]),
        ("latest in", [n for n in names & targets.keys() if version.excluded_in(n) > targets[n].excluded]),
        (
            "excluded from latest in",
            [n for n in names & targets.keys() if version.excluded_in(n) < targets[n].excluded],
        ),
    )
    said = [f"{word} {', '.join(sorted(found))}" for word, found in parts if found]
    if update.end_of_life:
        said.append(f"end of life {update.end_of_life:%Y-%m-%d}")
    reason = f" ({record.held or record.withdrawn})" if record.held or record.withdrawn else ""
    return f"{'; '.join(said) or 'once more to the regions that failed'}{reason}"
