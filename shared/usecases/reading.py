"""Pages of what people read: the journal, and what could not be worked off; and one run."""

import msgspec

from shared.domain import keys
from shared.domain.errors import Unknown
from shared.domain.factory import Factory
from shared.domain.ids import RunStart, TemplateId
from shared.domain.orders import Order
from shared.domain.records import (
    CurrentRun,
    FailedWork,
    ImageRecord,
    JournalLine,
    OutputRecord,
    RunRecord,
)
from shared.domain.retention import Kind, Plan, Step, Verdict
from shared.ports import Outside

from .descent import outputs
from .orders import read_order
from .pages import Rows, Span, newest_first, rows_from
from .retention import planned


class Of(msgspec.Struct, frozen=True):
    """Whose journal. With nothing it is that of what belongs to no thing."""

    image: str | None = None
    definition: str | None = None
    kind: Kind | None = None
    source: str | None = None


class Now(msgspec.Struct, frozen=True):
    """A run that is under way."""

    run: CurrentRun
    template: TemplateId


class Over(msgspec.Struct, frozen=True):
    """A run that is over, with its outputs."""

    run: RunRecord
    outputs: tuple[OutputRecord, ...]


class PlanPage(msgspec.Struct, frozen=True):
    plan: Plan
    verdicts: tuple[Verdict, ...]
    last: str | None
    """Where the next page begins; None at the end."""


def journal(
    out: Outside,
    factory: Factory,
    of: Of,
    span: Span,
) -> Rows[JournalLine]:
    """Newest first. Raises Unknown for a thing that is not configured."""
    partition, before = _partition(factory, of), keys.journal_before
    return newest_first(out, partition, keys.JOURNAL, JournalLine, span, before, lambda line: line.at)


def _partition(factory: Factory, of: Of) -> str:
    if of.image is not None:
        return keys.of_image(factory.image(of.image).name)
    if of.definition is not None:
        return keys.of_definition(factory.definition(of.definition).name)
    if of.kind is not None:
        return keys.of_retention(of.kind.value)
    if of.source is None:
        return keys.FACTORY
    if of.source not in factory.sources:
        known = ", ".join(sorted(factory.sources)) or "none"
        raise Unknown(f"no source {of.source[:200]!r} is watched; watched are: {known}")
    return keys.of_source(of.source)


def plan(
    out: Outside,
    factory: Factory,
    kind: Kind | None,
    image: str | None,
    after: str | None,
    limit: int,
    *,
    going: bool,
) -> PlanPage:
    """Retention's plan, computed now, with some of its verdicts; of any image that it knows.

    A page goes on after the thing that the one before ended with, whatever came or went in between.
    """
    decided = planned(out, factory)
    chosen = [
        (_place(verdict), verdict)
        for verdict in decided.verdicts
        if kind in (None, verdict.kind)
        and image in (None, verdict.image)
        and (not going or not verdict.keep or verdict.step is not Step.NOTHING)
    ]
    rest = [each for each in sorted(chosen, key=lambda each: each[0]) if after is None or each[0] > after]
    last = rest[limit - 1][0] if len(rest) > limit else None
    return PlanPage(decided, tuple(verdict for _, verdict in rest[:limit]), last)


def _place(verdict: Verdict) -> str:
    """Among all: by kind, and by name within it; short, since it goes into a token whatever the name is."""
    return f"{list(Kind).index(verdict.kind)}{verdict.name[:100]}|{keys.fit(verdict.id)}"


def failed(out: Outside, after: str | None, limit: int) -> Rows[FailedWork]:
    """What is recorded as failed, in the order of keys."""
    return rows_from(out, keys.FACTORY, keys.FAILED, FailedWork, after, limit)


def run(out: Outside, factory: Factory, image: str, start: str) -> Over | Now:
    """Raises Unknown for an image that is not configured, and for a run that is not recorded."""
    configured = factory.image(image)
    name = configured.name
    over = out.ledger.read(keys.run_key(name, start), RunRecord)
    if over:
        return Over(over.record, tuple(outputs(out, over.record)))
    held = out.ledger.read(keys.image_key(name), ImageRecord)
    now = held.record.run if held else None
    if held is None or now is None or now.start != RunStart(start):
        raise Unknown(f"no run {start[:80]!r} of {name} is recorded; the list of runs tells which are")
    return Now(now, configured.in_use(held.record))


def order(out: Outside, factory: Factory, image: str, id: str) -> Order:
    """Raises Unknown for an image that is not configured, and for an order that was never given."""
    name = factory.image(image).name
    found = read_order(out, name, id)
    if found is None:
        raise Unknown(f"{name} has no order {id[:80]!r}; the answer that placed an order tells its id")
    return found
