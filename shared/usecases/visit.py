"""One look at one gallery version on its way: what was read, what it should become, how that is written."""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.events import EventType, FactoryEvent
from shared.domain.factory import Factory
from shared.domain.galleries import GalleryVersion
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import JournalLine
from shared.domain.releases import Definition, ReleaseRecord
from shared.planning.looks import arm
from shared.ports import Held, Insert, Outside, Put, Replace, Write


class Visit(msgspec.Struct, frozen=True):
    """One look at one version, as far as it has come."""

    out: Outside
    factory: Factory
    definition: Definition
    look: Look
    now: datetime
    version: GalleryVersion | None
    held: Held[ReleaseRecord] | None
    record: ReleaseRecord
    """As it should be: written by `save`."""

    def event(self, kind: EventType, **data: str | int | bool | None) -> None:
        told = {"definition": self.definition.name, "version": self.record.version.text, **data}
        self.out.events.publish(
            FactoryEvent(kind, self.record.name, self.now, dict(told), self.look.correlation)
        )


def version_line(
    record: ReleaseRecord, what: str, why: str, correlation: str, now: datetime, *, by: str = ""
) -> Put:
    """A line in the definition's partition, so that it goes in one transaction with what it tells of."""
    partition = keys.of_definition(record.definition)
    return Put(JournalLine(now, record.name, what, why[:2000], correlation, partition, by))


def save(visit: Visit, what: str, *more: Write) -> Visit:
    """Write the record if it changed, with a journal line if its reason did, and `more` with it."""
    before = visit.held.record if visit.held else None
    record = visit.record
    if record == before and not more:
        return visit
    writes: list[Write] = []
    if before is None or before.reason != record.reason:
        now = visit.out.clock.now()  # not the look's: its lines are read in the order of their times
        record = replace(record, since=now)
        writes.append(version_line(record, what, record.reason, visit.look.correlation, now))
        telemetry.event(what, version=record.name, why=record.reason)
    row: Write = Replace(record, visit.held.etag) if visit.held else Insert(record)
    etags = visit.out.ledger.commit(keys.of_definition(record.definition), (row, *writes, *more))
    return replace(visit, record=record, held=Held(record, etags[0]))


def rest(visit: Visit, what: str) -> Visit:
    """Save with nothing pending, unless a look is on its way that this one does not answer."""
    answered = visit.look.due is not None and visit.look.due == visit.record.look_due
    due = None if answered else visit.record.look_due
    return save(replace(visit, record=replace(visit.record, look_due=due)), what)


def armed(visit: Visit, until: datetime, what: str, *more: Write) -> Visit:
    """Save with a look at `until` pending, unless an earlier one is already."""
    lost = visit.now - visit.factory.timing.overdue
    needed = arm(visit.record.look_due, visit.look.due, until, lost)
    if needed:
        visit = replace(visit, record=replace(visit.record, look_due=until))
    visit = save(visit, what, *more)
    if needed:
        send(visit, until)
    return visit


def send(visit: Visit, until: datetime | None = None) -> None:
    look = Look(Lane.RELEASES, Thing.VERSION, visit.record.name, visit.look.correlation, due=until)
    visit.out.queues.send(look, max(until - visit.now, timedelta(0)) if until else timedelta(0))
