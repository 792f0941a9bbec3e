"""The sweep: everything is looked at, so that a lost event only costs time.

It decides with the same plans as a look, on what the lists tell, and sends a look only where one would act.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import FactoryError, PermanentError
from shared.domain.factory import Factory, Image
from shared.domain.ids import ImageName, TemplateId
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import ImageRecord, OutputRecord, OutputState, Slot, SourceRecord
from shared.domain.retention import Kind
from shared.domain.templates import Template
from shared.planning import actions, builds, clock, deployment
from shared.planning.looks import comes_back
from shared.ports import Held, Outside, Rec, Remove

from .listing import mend
from .once import forget
from .scans import of_kind, scanned_across
from .slots import free_slot
from .sweep_releases import versions

Timed = Callable[[Outside, Factory, str], object]
"""What a timer does: its last argument is the correlation id."""


class Seen(msgspec.Struct, frozen=True):
    """What the lists tell of everything."""

    records: dict[ImageName, ImageRecord]
    templates: dict[TemplateId, Template]
    blind: frozenset[str]
    """Subscriptions whose templates could not be listed: nothing is concluded from what is not there."""


def watch_sources(out: Outside, factory: Factory, correlation: str) -> None:
    """One look for each watched source, however many images are made from it."""
    for key in sorted(factory.sources):
        out.queues.send(Look(Lane.SOURCES, Thing.SOURCE, key, correlation))


def sweep(out: Outside, factory: Factory, correlation: str) -> int:
    """The number of looks sent."""
    now = out.clock.now()
    records = _records(out)
    seen = Seen(records, *_templates(out, factory, records))
    sent = 0
    for looks in (
        _images(factory, seen, correlation, now),
        _sources(out, factory, seen, correlation, now),
        _outputs(out, factory, seen, correlation, now),
        versions(out, factory, correlation, now),
    ):
        for look in looks:
            out.queues.send(look)
            sent += 1
    _free_slots(out, factory, seen, now)
    mend(out, factory, seen.records)
    _forget(out, factory, seen, now)
    forget(out, now)
    for template in seen.templates.values():
        if template.last_run and not template.last_run.state.over:
            age = (now - template.last_run.started).total_seconds()
            telemetry.metric("run-age", age, "s", template=str(template.id))
    telemetry.metric("sweep-looks", sent, "looks", images=len(factory.images))
    return sent


def _records(out: Outside) -> dict[ImageName, ImageRecord]:
    rows = of_kind(scanned_across(out, keys.IMAGE_ROW), ImageRecord)
    return {row.record.name: row.record for row in rows}


def _templates(
    out: Outside, factory: Factory, records: dict[ImageName, ImageRecord]
) -> tuple[dict[TemplateId, Template], frozenset[str]]:
    ours = {image.in_use(records.get(image.name)) for image in factory.images.values()}
    ours |= {image.template for image in factory.images.values()}
    ours |= {each.id for record in records.values() for each in record.former}
    found: dict[TemplateId, Template] = {}
    blind: set[str] = set()
    for subscription in factory.subscriptions:
        try:
            found |= {t.id: t for t in out.templates.list(subscription) if t.id in ours}
        except FactoryError as error:
            blind.add(subscription)
            telemetry.event("sweep-blind", subscription=subscription, why=str(error))
    return found, frozenset(blind)


def _images(factory: Factory, seen: Seen, correlation: str, now: datetime) -> Iterator[Look]:
    for image in factory.images.values():
        if image.template.subscription in seen.blind:
            continue
        record = seen.records.get(image.name)
        if record is None or _acts(factory, image, record, seen, now):
            due = record.look_due if record else None
            yield Look(Lane.BUILDS, Thing.IMAGE, image.name, correlation, due=due)


def _acts(factory: Factory, image: Image, record: ImageRecord, seen: Seen, now: datetime) -> bool:
    if comes_back(record.trouble, now):
        return False
    followed = deployment.renamed(clock.follow_schedule(record, image, now), image)
    followed = deployment.sourced(followed, image)
    template = seen.templates.get(image.in_use(followed))
    followed = deployment.follow(followed, image, template)
    former = {
        each.id: seen.templates.get(each.id) for each in record.former if _listed(each.id, factory, seen)
    }
    plan = (
        *deployment.former(record, image, former, factory.timing, now),
        *builds.plan(builds.Situation(image, factory.timing, followed, template, now)),
    )
    effects = any(isinstance(action, actions.EFFECTS) for action in plan)
    waits = any(isinstance(action, actions.Wait) for action in plan)
    overdue = record.look_due is not None and record.look_due < now - factory.timing.overdue
    other = (followed.schedule, followed.source) != (record.schedule, record.source)
    new = other or not record.form
    return effects or overdue or new or (waits and record.look_due is None)


def _listed(id: TemplateId, factory: Factory, seen: Seen) -> bool:
    return id.subscription in factory.subscriptions and id.subscription not in seen.blind


def _sources(out: Outside, factory: Factory, seen: Seen, correlation: str, now: datetime) -> Iterator[Look]:
    for key in sorted(factory.sources):
        record = _read(out, keys.source_key(key), SourceRecord)
        if record is None or (record.since is None and record.newest is None):
            yield Look(Lane.SOURCES, Thing.SOURCE, key, correlation)
            continue
        images = factory.made_from(key)
        if any(builds.adopt(seen.records.get(i.name), i, record.newest, now) for i in images):
            yield Look(Lane.BUILDS, Thing.SOURCE, key, correlation)


def _outputs(out: Outside, factory: Factory, seen: Seen, correlation: str, now: datetime) -> Iterator[Look]:
    """Also of images that left the configuration: what they made is still brought to safety."""
    for image in seen.records.values():
        for unsettled in image.unsettled:
            record = _read(out, keys.output_key(image.name, *unsettled.split("/", 1)), OutputRecord)
            due = record.look_due if record else None
            rests = record and (record.state is OutputState.REFUSED or comes_back(record.trouble, now))
            if not rests and (due is None or due < now - factory.timing.overdue):
                yield Look(Lane.ARCHIVE, Thing.OUTPUT, f"{image.name}/{unsettled}", correlation, due=due)


def _read(out: Outside, key: keys.Key, kind: type[Rec]) -> Rec | None:
    """None as well for a row that cannot be read: the look that this leads to tells a person."""
    try:
        held = out.ledger.read(key, kind)
    except PermanentError as error:
        telemetry.event("row-unreadable", partition=key.partition, row=key.row, why=str(error))
        return None
    return held.record if held else None


def _free_slots(out: Outside, factory: Factory, seen: Seen, now: datetime) -> None:
    """A slot whose image neither waits for a run nor has one was left by a worker that died."""
    page = out.ledger.scan(keys.SLOTS, "")
    for row in page.rows:
        if not isinstance(row.record, Slot) or row.record.since > now - factory.timing.claim:
            continue
        if not _needs_slot(factory, seen, row.record):
            free_slot(out, Held(row.record, row.etag))


def _needs_slot(factory: Factory, seen: Seen, slot: Slot) -> bool:
    image, record = factory.images.get(slot.image), seen.records.get(slot.image)
    if image is None:
        return False
    template = seen.templates.get(image.in_use(record))
    if template and template.last_run and not template.last_run.state.over:
        return True
    blind = image.template.subscription in seen.blind
    return record is not None and (record.claim is not None or (blind and record.run is not None))


def _forget(out: Outside, factory: Factory, seen: Seen, now: datetime) -> None:
    """What is older than `timing.journal` goes: of one partition a sweep, so that all cost the same."""
    images = sorted({*factory.images, *seen.records})
    partitions = [keys.FACTORY, *map(keys.of_source, sorted(factory.sources)), *map(keys.of_image, images)]
    partitions += map(keys.of_definition, sorted(factory.definitions))
    partitions += [keys.of_retention(kind.value) for kind in Kind]
    drawn = hashlib.sha256(now.isoformat().encode()).digest()
    partition = partitions[int.from_bytes(drawn[:8], "big") % len(partitions)]
    before = now - factory.timing.journal
    page = out.ledger.scan(partition, "journal:", start=keys.journal_before(before), limit=100)
    old = [Remove(keys.key_of(row.record), row.etag) for row in page.rows]
    if old:
        out.ledger.commit(partition, old)
