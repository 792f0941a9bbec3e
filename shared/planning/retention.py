"""What stays and what goes, and why: the verdicts of retention. First rule wins.

Rules that keep, whatever the policy says, come first; then the policy, of which any part may keep a thing.
What is left goes. Missing facts always keep.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import groupby

import msgspec

from shared.domain.retention import (
    Going,
    Inventory,
    Kind,
    KindPlan,
    Plan,
    Policy,
    Retention,
    Stage,
    Step,
    Thing,
    Verdict,
)

from .standings import Standing, stand

RESEND = timedelta(minutes=15)
"""After so long a deletion that was asked for, and of which nothing is seen, is asked for again."""

Reason = tuple[str, str]
"""The rule, as a stable word, and its reason in words that stay the same while the facts do."""


class Case(msgspec.Struct, frozen=True):
    """Everything that one verdict depends on."""

    thing: Thing
    standing: Standing
    policy: Policy
    rules: Retention
    blind: tuple[str, ...]
    now: datetime


def plan(inventory: Inventory, rules: Retention, now: datetime, lag: timedelta) -> Plan:
    """`lag` is the least time between an exclusion and a deletion: how far Resource Graph may lag behind."""
    standings = stand(inventory.things, rules)
    kept = {
        thing.id: reason
        for thing in inventory.things
        if (reason := keeps(_case(thing, standings, inventory, rules, now)))
    }
    if rules.keep_parents:
        _keep_parents(inventory.things, kept)
    things = sorted(inventory.things, key=_order)
    kinds = {k.kind: k for k in _kinds(things, kept, inventory, rules)}
    reasons = {t.id: kept.get(t.id) or ("retire", _why(t, standings.get(t.id, Standing()))) for t in things}
    verdicts = tuple(_verdict(t, reasons[t.id], kinds[t.kind], rules, now, lag) for t in things)
    digest = _digest(f"{k.kind.value} {k.digest}" for k in kinds.values())
    return Plan(tuple(kinds.values()), verdicts, digest, rules.enforce, inventory.blind)


def _case(
    thing: Thing, standings: dict[str, Standing], inventory: Inventory, rules: Retention, now: datetime
) -> Case:
    policy = rules.policy(thing.image, thing.kind, configured=thing.configured)
    return Case(thing, standings.get(thing.id, Standing()), policy, rules, inventory.blind, now)


def keeps(case: Case) -> Reason | None:
    """Why it stays; None if nothing keeps it."""
    for word, rule in ALWAYS if not case.thing.kind.counted else (*ALWAYS, *POLICY):
        reason = rule(case)
        if reason:
            return word, reason
    return None


def _date(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _long(duration: timedelta) -> str:
    days, seconds = duration.days, duration.seconds
    return f"{days}d" if days and not seconds else f"{duration.total_seconds() / 3600:g}h"


def _blind(case: Case) -> str:
    return f"not everything can be seen: {case.blind[0]}" if case.blind else ""


def _unknown(case: Case) -> str:
    thing = case.thing
    if thing.recorded and thing.owned and thing.image:
        return ""
    known = "a record of it in the ledger" if thing.image else "the image that it belongs to"
    missing = "its ownership tag" if not thing.owned else known
    return f"the factory does not know it as its own: {missing} is missing"


def _doubtful(case: Case) -> str:
    thing = case.thing
    return thing.doubts[0] if thing.doubts else "" if thing.made else "its date is not known"


def _excepted(case: Case) -> str:
    return "a tag excludes it from retention" if case.rules.excluded(case.thing.tags) else ""


def _pinned(case: Case) -> str:
    return "pinned by a tag" if case.rules.pinned(case.thing.tags) else ""


def _source(case: Case) -> str:
    found = case.thing.source_of
    return f"source of the template {found[0]}{_more(found)}" if found else ""


def _used(case: Case) -> str:
    found = case.thing.used_by
    return f"in use by {found[0]}{_more(found)}" if found else ""


def _more(found: tuple[str, ...]) -> str:
    return f" and {len(found) - 1} more" if len(found) > 1 else ""


def _latest(case: Case) -> str:
    regions = case.standing.latest
    return f"the newest released in {', '.join(regions)}" if regions else ""


def _newest_good(case: Case) -> str:
    return "the newest good one" if case.standing.newest_good else ""


def _young(case: Case) -> str:
    return _younger_than(case, case.rules.minimum_age, "the minimum age")


def _guarded(case: Case) -> str:
    thing = case.thing
    ahead = thing.guarded and thing.end_of_life and case.now < thing.end_of_life
    return f"Azure blocks its deletion before its end of life on {_date(thing.end_of_life)}" if ahead else ""


def _newest(case: Case) -> str:
    return f"among the newest {case.policy.newest}" if case.standing.newest else ""


def _floor(case: Case) -> str:
    return f"among the last {case.policy.floor} good ones" if case.standing.floor else ""


def _younger(case: Case) -> str:
    return _younger_than(case, case.policy.younger, "the policy's age")


def _younger_than(case: Case, age: timedelta | None, what: str) -> str:
    made = case.thing.made
    if age is None or made is None or case.now - made >= age:
        return ""
    return f"younger than {what} of {_long(age)}: made {_date(made)}"


def _superseded(case: Case) -> str:
    period, since = case.policy.superseded, case.standing.superseded
    if period is None:
        return ""
    if since is None:
        return "not superseded: no newer good one is there"
    return (
        f"superseded {_date(since)}, kept for {_long(period)} after it" if case.now - since < period else ""
    )


def _alive(case: Case) -> str:
    end = case.thing.end_of_life
    lives = case.policy.until_end_of_life and end is not None and case.now < end
    return f"before its end of life on {_date(end)}" if lives else ""


Rule = tuple[str, Callable[[Case], str]]

ALWAYS: tuple[Rule, ...] = (
    ("blind", _blind),
    ("unknown", _unknown),
    ("doubtful", _doubtful),
    ("excluded", _excepted),
    ("pinned", _pinned),
    ("stuck", lambda case: case.thing.stuck),
    ("in-use", _used),
    ("source", _source),
    ("busy", lambda case: case.thing.busy),
    ("newest-released", _latest),
    ("newest-good", _newest_good),
    ("minimum-age", _young),
    ("guarded", _guarded),
)
"""Kept whatever the policy says."""

POLICY: tuple[Rule, ...] = (
    ("floor", _floor),
    ("newest", _newest),
    ("younger", _younger),
    ("superseded", _superseded),
    ("end-of-life", _alive),
)
"""Kept because a part of the policy says so."""


def _keep_parents(things: Iterable[Thing], kept: dict[str, Reason]) -> None:
    by_id = {thing.id: thing for thing in things}
    waiting = [by_id[id] for id in kept]
    while waiting:
        child = waiting.pop()
        if child.parent in by_id and child.parent not in kept:
            kept[child.parent] = ("parent", "something that is kept was built from it")
            waiting.append(by_id[child.parent])


def _order(thing: Thing) -> tuple[int, str, str, tuple[int, ...], str, str]:
    made = thing.made.isoformat() if thing.made else ""
    return _KINDS[thing.kind], thing.image, thing.place, thing.rank, made, thing.id


_KINDS = {kind: at for at, kind in enumerate(Kind)}


def _kinds(
    things: list[Thing], kept: dict[str, Reason], inventory: Inventory, rules: Retention
) -> Iterable[KindPlan]:
    by_kind = {kind: list(found) for kind, found in groupby(things, key=lambda t: t.kind)}
    for kind in Kind:
        these = by_kind.get(kind, [])
        going = [t for t in these if t.id not in kept]
        digest = _digest(f"{t.id} {t.made}" for t in going)
        yield KindPlan(
            kind=kind,
            kept=len(these) - len(going),
            going=len(going),
            digest=digest,
            tripped=_tripped(kind, these, going, rules),
            approved=inventory.approved.get(kind) == digest,
        )


def _tripped(kind: Kind, these: list[Thing], going: list[Thing], rules: Retention) -> str:
    """Why the plan is abnormal: it would newly retire too many of one image's things."""
    totals, new = defaultdict[str, int](int), defaultdict[str, int](int)
    for thing in these:
        totals[thing.image] += not rules.excluded(thing.tags)
    for thing in going:
        new[thing.image] += thing.act and thing.going.stage is Stage.NONE
    for image in sorted(new):
        limit = rules.trip.limit(totals[image])
        if new[image] > limit:
            of = f"{new[image]} of {totals[image]} {kind.value.replace('_', ' ')}s of {image}"
            return f"{of} would newly be marked, more than the {limit} that `trip` allows"
    return ""


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def _verdict(
    thing: Thing, decided: Reason, kind: KindPlan, rules: Retention, now: datetime, lag: timedelta
) -> Verdict:
    (rule, reason), keep = decided, decided[0] != "retire"
    step, due = _kept_step(thing, rule, rules, now) if keep else _step(thing, kind, rules, now, lag)
    return Verdict(
        kind=thing.kind,
        name=thing.name,
        id=thing.id,
        image=thing.image,
        place=thing.place,
        keep=keep,
        rule=rule,
        reason=reason,
        made=thing.made,
        stage=thing.going.stage,
        step=step,
        due=due,
        parent=thing.parent,
    )


def _why(thing: Thing, standing: Standing) -> str:
    """Why it goes; the same in every sweep, since it stands in the mark as well."""
    made = f"made {_date(thing.made)}"
    if not thing.configured:
        return f"its image {thing.image} left the configuration; {made}"
    if not thing.kind.counted:
        return f"nothing needs it any more; {made}"
    superseded = f", superseded {_date(standing.superseded)}" if standing.superseded else ""
    return f"{made}{superseded}: no part of its policy keeps it"


Next = tuple[Step, datetime | None]


def _kept_step(thing: Thing, rule: str, rules: Retention, now: datetime) -> Next:
    """A mark is taken back, unless what keeps the thing is a matter of the moment alone."""
    going = thing.going
    if rule == "stuck" and thing.cancellable and rules.enforce and thing.act:
        return Step.CANCEL, None
    if rule in ("blind", "busy") or not _noted(going):
        return Step.NOTHING, None
    if going.stage is Stage.DELETING and going.since and now < going.since + RESEND:
        return Step.WAIT, going.since + RESEND
    return Step.UNMARK, None


def _step(thing: Thing, kind: KindPlan, rules: Retention, now: datetime, lag: timedelta) -> Next:
    """How a thing that goes gets on: one stage after the other, each after its time."""
    going = thing.going
    if _noted(going) and going.stage is not Stage.DELETING and not (rules.enforce and thing.act):
        return Step.UNMARK, None  # what only would go bears no mark
    if kind.stopped or not thing.act:
        return Step.NOTHING, None
    if not rules.enforce:  # what a plan would do first is told; it does nothing
        return (Step.MARK if going.stage is Stage.NONE else Step.NOTHING), None
    if going.stage is not Stage.NONE and going.since is None:
        return Step.UNMARK, None  # nobody knows whether its owners had their time
    then, wait = {
        Stage.NONE: (Step.MARK, timedelta(0)),
        Stage.MARKED: (Step.EXCLUDE, rules.notice),
        Stage.EXCLUDED: (Step.DELETE, max(rules.grace, lag)),
        Stage.DELETING: (Step.DELETE, RESEND),
    }[going.stage]
    due = going.since + wait if going.since else now
    return (then, None) if now >= due else (Step.WAIT, due)


def _noted(going: Going) -> bool:
    return going.row or going.stage is not Stage.NONE


Tried = Mapping[tuple[Kind, str], datetime]
"""When a thing, by kind and id, was last brought on, or tried to be."""


def turn(plan: Plan, rules: Retention, tried: Tried) -> tuple[Verdict, ...]:
    """What a sweep does now: of each kind so many exclusions and so many deletions.

    First what has never been tried, the oldest first; then what was tried longest ago. So what Azure refuses
    holds nothing else up. What something was built from waits for that to go.
    """
    parents = _parents(plan) if rules.keep_parents else frozenset()
    done: dict[tuple[Kind, Step], int] = defaultdict(int)
    found = []
    for verdict in sorted(plan.verdicts, key=lambda v: _longest(v, tried)):
        place = verdict.kind, verdict.step
        paced = verdict.step in (Step.EXCLUDE, Step.DELETE)
        if verdict.step in (Step.NOTHING, Step.WAIT) or (paced and done[place] >= rules.per_sweep):
            continue
        if verdict.step is Step.DELETE and verdict.id in parents:
            continue
        done[place] += 1
        found.append(verdict)
    return tuple(found)


def _parents(plan: Plan) -> frozenset[str]:
    return frozenset(v.parent for v in plan.verdicts if v.parent != v.id)


def _longest(verdict: Verdict, tried: Tried) -> tuple[int, str, str, str]:
    last, made = tried.get((verdict.kind, verdict.id)), verdict.made
    told = last.isoformat() if last else ""
    return _KINDS[verdict.kind], told, made.isoformat() if made else "", verdict.id
