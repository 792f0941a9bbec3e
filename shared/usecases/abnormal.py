"""What stops a kind, and what is stuck: recorded, and told once, when it becomes so.

An abnormal plan, or one that is made of half of what there is, stops its kind. An approval holds for the very
plan that it was given to; that not everything can be seen for a while is no other plan.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from shared.domain import keys
from shared.domain.events import EventType, FactoryEvent
from shared.domain.records import JournalLine
from shared.domain.retention import Kind, KindPlan, Plan, RetentionKind, Verdict
from shared.ports import Insert, Outside, Put, Replace

from .inventory import Observed


def judge(out: Outside, decided: Plan, observed: Observed, correlation: str) -> frozenset[Kind]:
    """The kinds of which nothing goes."""
    stopped, rows = set(), observed.kinds
    for kind in decided.kinds:
        held = rows.get(kind.kind)
        before = held.record if held else RetentionKind(kind.kind)
        stuck = [v for v in decided.verdicts if v.kind is kind.kind and v.rule == "stuck"]
        after = replace(_after(before, kind, decided, stuck), scope=observed.scope)
        if after.stopped:
            stopped.add(kind.kind)
        if after != before:
            lines = list(_told(out, before, after, decided, stuck, correlation))
            row = Replace(after, held.etag) if held else Insert(after)
            out.ledger.commit(keys.of_retention(kind.kind.value), (row, *lines))
    return frozenset(stopped)


def _after(before: RetentionKind, kind: KindPlan, decided: Plan, stuck: list[Verdict]) -> RetentionKind:
    if decided.blind:
        return replace(before, stopped=f"not everything can be seen: {decided.blind[0]}", digest="")
    why = kind.tripped if kind.stopped else ""
    return RetentionKind(
        kind=kind.kind,
        stopped=why,
        digest=kind.digest if why else "",
        approved=before.approved if before.approved == kind.digest else "",
        approved_by=before.approved_by if before.approved == kind.digest else "",
        stuck=tuple(sorted(v.name for v in stuck)),
    )


def _told(
    out: Outside,
    before: RetentionKind,
    after: RetentionKind,
    decided: Plan,
    stuck: list[Verdict],
    correlation: str,
) -> Iterator[Put]:
    """Lines for the journal; what concerns others is published first."""
    name, now = after.kind.value, out.clock.now()
    if before.approved and not after.approved and after.stopped:  # else it has served its time
        why = f"the plan {before.approved} is not the plan any more"
        yield line(out, after.kind, name, "approval-void", why, correlation)
    if after.stopped and (after.stopped, after.digest) != (before.stopped, before.digest):
        if decided.enforce:  # a dry run stops nothing
            data: dict[str, str | int | bool | None] = {
                "kind": name,
                "why": after.stopped,
                "digest": after.digest,
            }
            out.events.publish(
                FactoryEvent(EventType.RETENTION_BLOCKED, f"retention/{name}", now, data, correlation)
            )
        yield line(out, after.kind, name, "retention-blocked", after.stopped, correlation)
    for verdict in stuck:
        if verdict.name in after.stuck and verdict.name not in before.stuck:
            told: dict[str, str | int | bool | None] = {"image": verdict.image, "why": verdict.reason}
            out.events.publish(FactoryEvent(EventType.WORK_FAILED, verdict.name, now, told, correlation))
            yield line(out, after.kind, verdict.name, "template-stuck", verdict.reason, correlation)


def line(out: Outside, kind: Kind, thing: str, what: str, why: str, correlation: str, *, by: str = "") -> Put:
    """A line in the kind's partition, so that it goes in one transaction with what it tells of."""
    partition = keys.of_retention(kind.value)
    return Put(JournalLine(out.clock.now(), thing, what, why[:2000], correlation, partition, by))
