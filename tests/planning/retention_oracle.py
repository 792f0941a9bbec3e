"""What retention has to decide, written a second time and as plainly as possible.

Each question is answered for one thing by looking at every other one; nothing is sorted, kept or shared with
the planner. It knows every reason to keep a thing, and the planner has to name one of them.
"""

from datetime import datetime, timedelta

from shared.domain.retention import PIN, Kind, Plan, Policy, Stage, Step, TagRule, Thing, Verdict

from .retention_worlds import World

ASK_AGAIN = timedelta(minutes=15)
ORPHANS = (Kind.TEMPLATE, Kind.STAGING_GROUP)


def bears(thing: Thing, rule: TagRule) -> bool:
    for name, value in thing.tags.items():
        if alike(name, rule.name) and (rule.value is None or alike(value, rule.value)):
            return True
    return False


def alike(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def set_apart(world: World, thing: Thing) -> bool:
    return any(bears(thing, rule) for rule in world.rules.exclusions)


def counts(world: World, thing: Thing) -> bool:
    known = thing.owned and thing.recorded and thing.image != "" and thing.made is not None
    return known and not thing.doubts and not set_apart(world, thing) and thing.kind not in ORPHANS


def newer(one: Thing, other: Thing) -> bool:
    if one.rank != other.rank:
        return one.rank > other.rank
    assert one.made
    assert other.made
    return one.made > other.made if one.made != other.made else one.id > other.id


def newer_ones(world: World, thing: Thing) -> list[Thing]:
    """Those of the same image, kind and place that come after it."""
    found = []
    for other in world.inventory.things:
        same = (other.kind, other.image, other.place) == (thing.kind, thing.image, thing.place)
        if same and counts(world, other) and newer(other, thing):
            found.append(other)
    return found


def always(world: World, thing: Thing, now: datetime) -> set[str]:
    pins = (TagRule(PIN), *world.rules.pins)
    answers = {
        "blind": bool(world.inventory.blind),
        "unknown": not (thing.owned and thing.recorded and thing.image),
        "doubtful": bool(thing.doubts) or thing.made is None or not thing.image,
        "excluded": set_apart(world, thing),
        "pinned": any(bears(thing, rule) for rule in pins),
        "stuck": bool(thing.stuck),
        "in-use": bool(thing.used_by),
        "source": bool(thing.source_of),
        "busy": bool(thing.busy),
        "newest-released": any(
            may_be_latest(world, thing, region) for region in (*thing.offered, *thing.taken)
        ),
        "minimum-age": thing.made is not None and now - thing.made < world.rules.minimum_age,
        "guarded": thing.guarded and thing.end_of_life is not None and now < thing.end_of_life,
    }
    return {word for word, answer in answers.items() if answer}


def may_be_latest(world: World, thing: Thing, region: str) -> bool:
    """Nothing newer that is offered in the region certainly works there."""
    for other in world.inventory.things:
        after = (other.rank, other.id) > (thing.rank, thing.id)
        if other.place == thing.place and region in other.offered and after and other.settled:
            return False
    return True


def by_policy(world: World, thing: Thing, now: datetime) -> set[str]:
    if not counts(world, thing):
        return set()
    assert thing.made
    policy = policy_of(world, thing)
    after = newer_ones(world, thing)
    good_after = [other for other in after if other.good]
    answers = {
        "newest-good": thing.good and not good_after,
        "floor": thing.good and len(good_after) < policy.floor,
        "newest": policy.newest is not None and len(after) < policy.newest,
        "younger": policy.younger is not None and now - thing.made < policy.younger,
        "superseded": policy.superseded is not None
        and not superseded_for(thing, good_after, now, policy.superseded),
        "end-of-life": policy.until_end_of_life and bool(thing.end_of_life and now < thing.end_of_life),
    }
    return {word for word, answer in answers.items() if answer}


def policy_of(world: World, thing: Thing) -> Policy:
    rules = world.rules
    if not thing.configured:
        return rules.left
    if (thing.image, thing.kind) in rules.of_images:
        return rules.of_images[thing.image, thing.kind]
    return rules.policies[thing.kind] if thing.kind in rules.policies else Policy()


def superseded_for(thing: Thing, good_after: list[Thing], now: datetime, duration: timedelta) -> bool:
    """Some newer good one and it have been there together for so long."""
    for other in good_after:
        assert thing.made
        assert other.made
        if now - other.made >= duration and now - thing.made >= duration:
            return True
    return False


def keepers(world: World, now: datetime) -> dict[str, set[str]]:
    """Every reason to keep each thing; it goes if there is none."""
    things = world.inventory.things
    found = {t.id: always(world, t, now) | by_policy(world, t, now) for t in things}
    grows = world.rules.keep_parents
    while grows:
        grows = False
        for child in things:
            if found[child.id] and child.parent in found and "parent" not in found[child.parent]:
                found[child.parent].add("parent")
                grows = True
    return found


def trips(world: World, kind: Kind, going: set[str]) -> bool:
    for image in {t.image for t in world.inventory.things}:
        of_kind = [t for t in world.inventory.things if t.kind is kind and t.image == image]
        of_image = [t for t in of_kind if not set_apart(world, t)]
        fresh = [t for t in of_image if t.id in going and t.going.stage is Stage.NONE and t.act]
        share = world.rules.trip.percent * len(of_image) // 100
        if len(fresh) > world.rules.trip.number and len(fresh) > share:
            return True
    return False


def complaints(world: World, plan: Plan, now: datetime) -> list[str]:
    """Everything that is wrong with a plan."""
    reasons = keepers(world, now)
    things = {t.id: t for t in world.inventory.things}
    if sorted(v.id for v in plan.verdicts) != sorted(things):
        return ["not one verdict for each thing"]
    found = [f"{v.id}: {fault}" for v in plan.verdicts if (fault := misjudged(v, reasons[v.id]))]
    stopped, miscounted = stops(world, plan, {id for id, words in reasons.items() if not words})
    for verdict in plan.verdicts:
        allowed = next_steps(world, things[verdict.id], verdict, verdict.kind in stopped, now)
        if verdict.step not in allowed:
            found.append(f"{verdict.id} {verdict.rule}: {verdict.step}, not one of {allowed}")
    return found + miscounted


def stops(world: World, plan: Plan, going: set[str]) -> tuple[set[Kind], list[str]]:
    """Kinds of which nothing may go, and what the plan tells wrongly of all things of a kind."""
    stopped: set[Kind] = set()
    found = []
    for kind in Kind:
        of_kind = [t.id for t in world.inventory.things if t.kind is kind]
        told = next((k for k in plan.kinds if k.kind is kind), None)
        if told is None or (told.going, told.kept) != count(of_kind, going):
            found.append(f"{kind}: counted wrongly")
            continue
        if bool(told.tripped) != trips(world, kind, going):
            found.append(f"{kind}: tripped {told.tripped!r} is wrong")
        if told.tripped and world.inventory.approved.get(kind) != told.digest:
            stopped.add(kind)
        if told.stopped != (kind in stopped):
            found.append(f"{kind}: stopped is wrong")
    return stopped, found


def count(ids: list[str], going: set[str]) -> tuple[int, int]:
    return len([id for id in ids if id in going]), len([id for id in ids if id not in going])


def misjudged(verdict: Verdict, words: set[str]) -> str:
    if verdict.keep != bool(words):
        return f"keep is {verdict.keep} ({verdict.rule}), though {sorted(words)} speak for it"
    if verdict.keep and verdict.rule not in words:
        return f"is kept by {verdict.rule}, not by one of {sorted(words)}"
    return "" if verdict.reason and (verdict.keep or verdict.rule == "retire") else "gives no reason"


def next_steps(world: World, thing: Thing, verdict: Verdict, stopped: bool, now: datetime) -> set[Step]:
    """What may come next, given that keeping or not is decided."""
    stage, acts = thing.going.stage, world.rules.enforce and thing.act
    idle = {Step.NOTHING, Step.WAIT}
    # A dry run of everything is one in the sweep already: its plan may tell what would be done
    told = set() if world.rules.enforce else {Step.MARK, Step.CANCEL}
    if verdict.keep:
        return _stays(thing, verdict, acts, told & {Step.CANCEL}, now)
    if acts:
        return idle if stopped else _goes_on(world, thing, verdict, now)
    if stage is Stage.NONE and not thing.going.row:
        return idle | (told & {Step.MARK})
    return {Step.UNMARK} if stage is not Stage.DELETING else {Step.UNMARK, *idle}


def _stays(thing: Thing, verdict: Verdict, acts: bool, told: set[Step], now: datetime) -> set[Step]:
    stage, since = thing.going.stage, thing.going.since
    if verdict.rule == "stuck" and thing.cancellable and (acts or told):
        waits = {Step.WAIT} if stage is Stage.DELETING else set[Step]()
        return {Step.CANCEL} if acts else {Step.NOTHING, Step.UNMARK, *waits, *told}
    if stage is Stage.NONE and not thing.going.row:
        return {Step.NOTHING}
    if verdict.rule in ("blind", "busy"):  # not seen, or at work: that takes nothing back
        return {Step.NOTHING, Step.WAIT}
    if stage is Stage.DELETING and since and now - since < ASK_AGAIN:
        return {Step.WAIT} if verdict.due == since + ASK_AGAIN else set()
    return {Step.UNMARK}


def _goes_on(world: World, thing: Thing, verdict: Verdict, now: datetime) -> set[Step]:
    stage, since = thing.going.stage, thing.going.since
    if stage is Stage.NONE:
        return {Step.MARK}
    if since is None:  # nobody knows when the owners were told
        return {Step.NOTHING, Step.WAIT, Step.UNMARK}
    patience, step = {
        Stage.MARKED: (world.rules.notice, Step.EXCLUDE),
        Stage.EXCLUDED: (max(world.rules.grace, world.lag), Step.DELETE),
        Stage.DELETING: (ASK_AGAIN, Step.DELETE),
    }[stage]
    if now - since >= patience:
        return {step}
    return {Step.WAIT} if verdict.due == since + patience else set()


def thresholds(world: World) -> set[datetime]:
    """The moments at which a verdict or a step may become another one without a change of facts."""
    rules, found = world.rules, set()
    ages = {timedelta(0), rules.minimum_age}
    for policy in (Policy(), rules.left, *rules.policies.values(), *rules.of_images.values()):
        ages |= {age for age in (policy.younger, policy.superseded) if age is not None}
    waits = {rules.notice, rules.grace, world.lag, ASK_AGAIN}
    for thing in world.inventory.things:
        if thing.made:
            found |= {thing.made + age for age in ages}
        if thing.going.since:
            found |= {thing.going.since + wait for wait in waits}
        if thing.end_of_life:
            found.add(thing.end_of_life)
    return found


def in_turn(world: World, plan: Plan) -> set[str]:
    """What a sweep does of a plan: so many exclusions and deletions of a kind, children first."""
    found, tried = set(), world.tried
    may = [
        v for v in plan.verdicts if not (world.rules.keep_parents and v.step is Step.DELETE and bore(v, plan))
    ]
    for verdict in may:
        if verdict.step in (Step.EXCLUDE, Step.DELETE):
            same = [v for v in may if (v.kind, v.step) == (verdict.kind, verdict.step)]
            if len([v for v in same if sooner(v, verdict, tried)]) < world.rules.per_sweep:
                found.add(verdict.id)
        elif verdict.step not in (Step.NOTHING, Step.WAIT):
            found.add(verdict.id)
    return found


def bore(verdict: Verdict, plan: Plan) -> bool:
    """Whether something that is there was built from it."""
    return any(v.parent == verdict.id and v.id != verdict.id for v in plan.verdicts)


def sooner(one: Verdict, other: Verdict, tried: dict[tuple[Kind, str], datetime]) -> bool:
    """Whether its turn comes first: never tried, or longer ago, or else older."""
    first, second = tried.get((one.kind, one.id)), tried.get((other.kind, other.id))
    if first == second:
        return older(one, other)
    return first is None or (second is not None and first < second)


def older(one: Verdict, other: Verdict) -> bool:
    assert one.made
    assert other.made
    return one.made < other.made if one.made != other.made else one.id < other.id
