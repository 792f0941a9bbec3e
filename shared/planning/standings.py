"""How a thing stands among its like: the newest, the last good ones, superseded since, latest in a region.

Counted is per kind, image and place; `latest` is a matter of the place alone, whoever made its versions.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from shared.domain.retention import Kind, Retention, Thing

LAST = datetime.max.replace(tzinfo=UTC)


class Standing(msgspec.Struct, frozen=True):
    """What a thing's place among its like tells of it."""

    newest_good: bool = False
    newest: bool = False
    """Among the newest N that the policy keeps."""
    floor: bool = False
    latest: tuple[str, ...] = ()
    """Regions in which `latest` means it, or may, or might had retention not excluded it."""
    superseded: datetime | None = None
    """Since when a newer good one is there."""


def stand(things: Iterable[Thing], rules: Retention) -> dict[str, Standing]:
    """How each thing stands among those of its image and place."""
    groups: dict[tuple[Kind, str, str], list[Thing]] = defaultdict(list)
    places: dict[str, list[Thing]] = defaultdict(list)
    for thing in things:
        if thing.offered or thing.taken:
            places[thing.place].append(thing)
        if thing.kind.counted and _counts(thing, rules):
            groups[thing.kind, thing.image, thing.place].append(thing)
    latest = {id: found for place in places.values() for id, found in _released(place).items()}
    found = {id: Standing(latest=regions) for id, regions in latest.items()}
    for group in groups.values():
        group.sort(key=_age)
        found |= _group(group, rules, latest)
    return found


def pillars(things: Iterable[Thing], rules: Retention, id: str) -> tuple[str, ...]:
    """Ids of those that stay and without which this one would: last good ones, and who is latest for it."""
    by_id = {thing.id: thing for thing in things}
    found, this = stand(by_id.values(), rules), by_id.pop(id, None)
    if this is None:
        return ()
    near = [t for t in by_id.values() if (t.kind, t.place) == (this.kind, this.place)]
    return tuple(t.id for t in near if _holds(this, t, found.get(t.id, Standing())))


def _holds(this: Thing, other: Thing, standing: Standing) -> bool:
    by_count = other.image == this.image and (standing.newest_good or standing.floor)
    return by_count or not {*this.offered, *this.taken}.isdisjoint(standing.latest)


def _counts(thing: Thing, rules: Retention) -> bool:
    """What is not surely the factory's, or surely dated, is kept and stands in for nothing."""
    sure = thing.owned and thing.recorded and thing.image and thing.made and not thing.doubts
    return bool(sure) and not rules.excluded(thing.tags)


def _age(thing: Thing) -> tuple[tuple[int, ...], datetime, str]:
    return thing.rank, thing.made or LAST, thing.id


def _group(group: list[Thing], rules: Retention, latest: dict[str, tuple[str, ...]]) -> dict[str, Standing]:
    """The standing of each of a sorted group, from the newest down."""
    found: dict[str, Standing] = {}
    good, newer = 0, LAST
    for at, thing in enumerate(reversed(group)):
        made = thing.made or LAST
        policy = rules.policy(thing.image, thing.kind, configured=thing.configured)
        found[thing.id] = Standing(
            newest_good=thing.good and good == 0,
            newest=policy.newest is not None and at < policy.newest,
            floor=thing.good and good < policy.floor,
            latest=latest.get(thing.id, ()),
            superseded=max(newer, made) if good else None,
        )
        if thing.good:
            good, newer = good + 1, min(newer, made)
    return found


def _released(place: list[Thing]) -> dict[str, tuple[str, ...]]:
    """Regions in which `latest` means a version, or may since newer ones have perhaps not replicated."""
    found: dict[str, list[str]] = defaultdict(list)
    settled: set[str] = set()
    for thing in sorted(place, key=_age_of_any, reverse=True):
        for region in (*thing.offered, *thing.taken):
            if region not in settled:
                found[thing.id].append(region)
        if thing.settled:
            settled.update(thing.offered)
    return {id: tuple(sorted(regions)) for id, regions in found.items()}


def _age_of_any(thing: Thing) -> tuple[tuple[int, ...], str]:
    return thing.rank, thing.id
