"""Retention: a timer looks at everything and marks; what goes on from there is looked at one by one.

Each of these looks plans again, on the neighbourhood of the one thing: a narrowed query, and last of all a
read of the thing itself, which has to show what the query did.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import REFUSED, Busy, FactoryError, WrongState
from shared.domain.estate import SeenVersion
from shared.domain.events import EventType
from shared.domain.factory import Factory
from shared.domain.looks import Lane, Look
from shared.domain.looks import Thing as LookedAt
from shared.domain.retention import (
    Inventory,
    Kind,
    Plan,
    RetentionRecord,
    Stage,
    Step,
    Trip,
    Verdict,
)
from shared.planning.retention import RESEND, plan, turn
from shared.planning.standings import pillars
from shared.ports import Held, Outside, Remove, Replace

from .abnormal import judge, line
from .inventory import Observed, inventory, observe
from .marking import announced, mark, unmark
from .retiring import Fresh, Going, shown, with_fresh

UNTRIPPED = Trip(number=10**9)
"""A neighbourhood is no measure of what is abnormal: the sweep has judged that."""


def planned(out: Outside, factory: Factory, observed: Observed | None = None) -> Plan:
    """The plan as it is now: computed from what is there, never stored."""
    observed = observed or observe(out, factory)
    return plan(inventory(out, factory, observed), factory.retention, out.clock.now(), out.graph_lag)


def look_at_everything(out: Outside, factory: Factory, correlation: str) -> None:
    """Marks what is new in the plan, takes marks back, and sends a look for each thing whose turn it is."""
    observed = observe(out, factory)
    decided = planned(out, factory, observed)
    stopped = judge(out, decided, observed, correlation)
    going = observed.going
    tried = {at: held.record.tried for at, held in going.items() if held.record.tried}
    for verdict in turn(decided, factory.retention, tried):
        if verdict.kind in stopped and verdict.step is not Step.UNMARK:
            continue
        if not factory.retention.enforce and verdict.step is not Step.UNMARK:
            continue
        try:
            _turn(out, factory, verdict, going.get((verdict.kind, verdict.id)), correlation)
        except FactoryError as error:  # one thing must not hold up the others; the next sweep tries again
            telemetry.event("retention-failed", thing=verdict.name, step=verdict.step.value, why=str(error))
    if not decided.blind:
        _clear(out, decided, going, correlation)
    for kind in decided.kinds:
        telemetry.metric("retention-going", kind.going, "things", kind=kind.kind.value)


def _turn(
    out: Outside, factory: Factory, verdict: Verdict, held: Held[RetentionRecord] | None, correlation: str
) -> None:
    match verdict.step:
        case Step.MARK:
            mark(out, verdict, held, correlation)
        case Step.UNMARK if held:
            unmark(out, factory, _of(verdict, held), verdict.reason, correlation)
        case Step.CANCEL:
            out.estate.cancel(verdict.id)
            told = line(out, verdict.kind, verdict.name, "template-cancelled", verdict.reason, correlation)
            out.ledger.commit(keys.of_retention(verdict.kind.value), (told,))
        case Step.EXCLUDE | Step.DELETE if held:
            tried = replace(held.record, tried=out.clock.now())
            out.ledger.commit(keys.of_retention(verdict.kind.value), (Replace(tried, held.etag),))
            send(out, verdict.kind, verdict.id, correlation)


def _of(verdict: Verdict, held: Held[RetentionRecord]) -> Held[RetentionRecord]:
    """The row; of another thing that had the same name it does not matter where that was latest."""
    if held.record.made == verdict.made:
        return held
    return Held(replace(held.record, latest=()), held.etag)


def send(out: Outside, kind: Kind, id: str, correlation: str) -> None:
    """One thing, one message."""
    out.queues.send(Look(Lane.RETENTION, LookedAt.RETIRING, f"{kind.value}:{id}", correlation))


def _clear(
    out: Outside, decided: Plan, going: Mapping[tuple[Kind, str], Held[RetentionRecord]], correlation: str
) -> None:
    """What is recorded as going and is not there: a look at it tells what became of it."""
    there = {(v.kind, v.id) for v in decided.verdicts}
    for kind, id in going.keys() - there:
        send(out, kind, id, correlation)


def look_at_thing(out: Outside, factory: Factory, look: Look) -> None:
    """A thing that is going: on to its next stage, if nothing keeps it now. At most one stage a look."""
    word, _, id = look.id.partition(":")
    kind = Kind(word)
    held = out.ledger.read(keys.going_key(kind.value, id), RetentionRecord)
    if held is None:
        telemetry.event("not-going", kind=kind.value, id=id)
        return
    going = Going(out, factory, look, held)
    record, now = held.record, out.clock.now()
    if record.deleting and now - record.deleting < RESEND:
        _follow(going)
        return
    observed = observe(out, factory, going.way.around(factory, record))
    fresh = going.way.read(out, record.id)  # after the query, and just before what follows from both
    if fresh is None:
        end(going)
        return
    if _may_go_on(going, observed):
        things = inventory(out, factory, with_fresh(observed, record, fresh))
        _step(replace(going, fresh=fresh), _verdict(going, things), observed, things)


def end(going: Going) -> None:
    """It is not there any more: what goes with it goes, and it is told once."""
    out, record, correlation = going.out, going.record, going.look.correlation
    if record.deleting is None:
        what, why = "thing-gone", "somebody else has deleted it"
    else:
        going.way.finish(out, record)
        out.events.publish(announced(EventType.VERSION_RETIRED, record, out.clock.now(), correlation))
        what, why = "thing-retired", record.reason
    told = line(out, record.kind, record.name, what, why, correlation)
    key = keys.key_of(record)
    out.ledger.commit(key.partition, (Remove(key, going.held.etag), told))


def _follow(going: Going) -> None:
    """A deletion is under way: nothing is decided, only its end is seen."""
    if going.way.read(going.out, going.record.id) is None:
        end(going)
        return
    going.out.queues.send(replace(going.look, attempt=1, first=None), going.factory.timing.look_again)


def _may_go_on(going: Going, observed: Observed) -> bool:
    """Not while the kind is stopped. Raises Busy while not everything around the thing can be seen."""
    record = going.record
    kind = observed.kinds.get(record.kind)
    if kind and kind.record.stopped:
        telemetry.event("retention-stopped", thing=record.name, why=kind.record.stopped)
        return False
    if observed.blind:
        raise Busy(f"not everything around {record.name} can be seen now: {observed.blind[0]}")
    return True


def _verdict(going: Going, things: Inventory) -> Verdict | None:
    """Planned again, on what the query showed. None for what retention does not deal with any more."""
    rules = replace(going.factory.retention, trip=UNTRIPPED, keep_parents=False)
    decided = plan(things, rules, going.out.clock.now(), going.out.graph_lag)
    at = going.record.kind, going.record.id
    return next((v for v in decided.verdicts if (v.kind, v.id) == at), None)


def _step(going: Going, verdict: Verdict | None, observed: Observed, things: Inventory) -> None:
    record, correlation = going.record, going.look.correlation
    if verdict is None:
        why = "it bears no sign any more that it is the factory's"
        unmark(going.out, going.factory, going.held, why, correlation)
        return
    if verdict.step is Step.UNMARK:
        unmark(going.out, going.factory, _of(verdict, going.held), verdict.reason, correlation)
        return
    if verdict.step not in (Step.EXCLUDE, Step.DELETE):
        telemetry.event("retention-waits", thing=record.name, rule=verdict.rule, why=verdict.reason)
        return
    _confirm(going, observed, record.id, going.fresh)
    if verdict.step is Step.EXCLUDE:
        _exclude(going)
    elif isinstance(going.fresh, SeenVersion) and going.fresh.offered:
        unmark(going.out, going.factory, going.held, "somebody has made it latest again", correlation)
    elif why := next(going.way.against(going), ""):
        telemetry.event("retention-waits", thing=record.name, why=why)
    else:
        for id in pillars(things.things, going.factory.retention, record.id):
            _confirm(going, observed, id, going.way.read(going.out, id))
        _delete(going)


def _confirm(going: Going, observed: Observed, id: str, fresh: Fresh | None) -> None:
    """Raises Busy for a thing that is not as the query showed it: nothing is concluded from that."""
    if shown(observed, going.record.kind, id) != fresh:
        raise Busy(f"Resource Graph still shows {id} otherwise than it is: looked at again later")


def _exclude(going: Going) -> None:
    """The stage is reached when the thing is seen to be excluded; until then it is looked at again."""
    if not going.way.exclude(going):
        going.out.queues.send(replace(going.look, attempt=1, first=None), going.factory.timing.look_again)
        return
    now = going.out.clock.now()
    record = replace(going.record, stage=Stage.EXCLUDED, excluded=now)
    told = line(going.out, record.kind, record.name, "thing-excluded", record.reason, going.look.correlation)
    going.out.ledger.commit(keys.of_retention(record.kind.value), (Replace(record, going.held.etag), told))


def _delete(going: Going) -> None:
    """Whoever writes the row first deletes; what was surely refused leaves it as it was.

    The thing is read once more as the last request before: whoever pins it until then keeps it.
    """
    before, now = going.record, going.out.clock.now()
    record = replace(before, stage=Stage.DELETING, deleting=now)
    partition = keys.of_retention(record.kind.value)
    told = line(going.out, record.kind, record.name, "thing-deleting", record.reason, going.look.correlation)
    (etag, *_) = going.out.ledger.commit(partition, (Replace(record, going.held.etag), told))
    claimed = replace(going, held=Held(record, etag))
    try:
        if claimed.way.read(going.out, record.id) != going.fresh:
            raise WrongState(f"{record.name} has changed at the last moment: looked at again later")
        claimed.way.delete(claimed)
    except FactoryError as error:
        if isinstance(error, REFUSED):
            going.out.ledger.commit(partition, (Replace(before, etag),))
        raise
    going.out.queues.send(replace(going.look, attempt=1, first=None), going.factory.timing.look_again)
