"""What people ask: where things stand, and what was decided when and why."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from shared.domain import keys
from shared.domain.errors import NotNow
from shared.domain.factory import Factory
from shared.domain.ids import RunStart
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import (
    FailedWork,
    ImageRecord,
    JournalLine,
    OutputRecord,
    OutputState,
    SourceRecord,
)
from shared.domain.releases import ReleaseRecord, Stage
from shared.domain.retention import Kind
from shared.planning import clock, runs
from shared.ports import Held, Outside, Replace, Write

from . import listing
from .journal import image_line
from .releases import releases
from .work import failed_work

UNDER_WAY = (Stage.MAKING, Stage.WAITING, Stage.REPLICATING, Stage.SOAKING, Stage.HELD, Stage.FAILED)


class ImageStatus(msgspec.Struct, frozen=True):
    """One image; `record` is None for one that has not been looked at yet."""

    name: str
    source: str
    record: ImageRecord | None
    next: datetime | None = None
    """When its schedule will start a run at the earliest."""


class Status(msgspec.Struct, frozen=True):
    images: tuple[ImageStatus, ...]
    unsettled: tuple[OutputRecord, ...]
    """Outputs that are not safe in the archive yet: what holds the next run."""
    sources: tuple[SourceRecord, ...]
    failed: tuple[FailedWork, ...]
    releases: tuple[ReleaseRecord, ...] = ()
    """Versions that are under way, or wait for a person."""


def status(out: Outside, factory: Factory) -> Status:
    """Where everything stands, from the ledger alone."""
    images = [of_image(out, factory, name) for name in factory.images]
    unsettled = [o for i in images if i.record for o in _unsettled(out, i.record)]
    sources = (out.ledger.read(keys.source_key(key), SourceRecord) for key in sorted(factory.sources))
    known = tuple(s.record for s in sources if s)
    return Status(tuple(images), tuple(unsettled), known, failed_work(out), tuple(_under_way(out, factory)))


def of_image(out: Outside, factory: Factory, name: str) -> ImageStatus:
    """Where one image stands. Raises Unknown for one that is not configured."""
    image = factory.image(name)
    held = out.ledger.read(keys.image_key(image.name), ImageRecord)
    record = held.record if held else None
    due = clock.next_scheduled(record, image, out.clock.now())
    return ImageStatus(image.name, image.source_text, record, due)


def _under_way(out: Outside, factory: Factory) -> Iterator[ReleaseRecord]:
    for definition in factory.definitions.values():
        yield from (r.record for r in releases(out, definition) if r.record.stage in UNDER_WAY)


def _unsettled(out: Outside, record: ImageRecord) -> Iterator[OutputRecord]:
    for unsettled in record.unsettled:
        held = out.ledger.read(keys.output_key(record.name, *unsettled.split("/", 1)), OutputRecord)
        if held:
            yield held.record


def journal(out: Outside, factory: Factory, thing: str | None, limit: int) -> tuple[JournalLine, ...]:
    """The newest lines, oldest of them first.

    Of an image, a definition, a kind of things that retention deals with, or the whole factory.
    """
    kinds = [kind.value for kind in Kind]
    partitions = [
        *map(keys.of_definition, factory.definitions),
        *map(keys.of_image, factory.images),
        *map(keys.of_retention, kinds),
    ]
    if thing is None:
        partitions += [keys.FACTORY, *map(keys.of_source, factory.sources)]
    else:
        wanted = (keys.of_image(thing), keys.of_definition(thing), keys.of_retention(thing))
        partitions = [p for p in partitions if p in wanted]
        if not partitions:
            factory.image(thing)  # says what is configured
    lines = [line for partition in partitions for line in _newest(out, partition, limit)]
    return tuple(sorted(lines, key=lambda line: line.at)[-limit:])


def _newest(out: Outside, partition: str, limit: int) -> Iterator[JournalLine]:
    after: str | None = None
    while limit > 0:
        page = out.ledger.scan(partition, "journal:", after=after, limit=min(limit, 1000))
        lines = [row.record for row in page.rows if isinstance(row.record, JournalLine)]
        yield from lines
        limit -= len(lines)
        after = page.after
        if after is None:
            return


def ask_for_look(out: Outside, factory: Factory, image: str, correlation: str, *, by: str = "") -> None:
    """A person wants the image looked at. Raises Unknown for one that is not configured."""
    name = factory.image(image).name
    look = Look(Lane.BUILDS, Thing.IMAGE, name, correlation)
    if by:
        line = image_line(name, name, "look-asked-for", "asked for by hand", look, out.clock.now(), by=by)
        out.ledger.commit(keys.of_image(name), (line,))
    out.queues.send(look)


def dismiss(out: Outside, factory: Factory, output: str, correlation: str, *, by: str = "") -> None:
    """A person gives an output up: nothing waits for it any more, and nothing of it is deleted.

    Raises NotNow for one that is unknown or settled. Its image may have left the configuration.
    """
    image, _, rest = output.partition("/")
    key = keys.image_key(image)
    held = out.ledger.read(key, ImageRecord)
    if held is None or rest not in held.record.unsettled:
        waits = ", ".join(f"{image}/{o}" for o in held.record.unsettled) if held else ""
        raise NotNow(f"nothing waits for the output {output[:200]!r}; waited for are: {waits or 'none'}")
    run, name = rest.split("/", 1)
    found = out.ledger.read(keys.output_key(image, run, name), OutputRecord)
    look = Look(Lane.BUILDS, Thing.IMAGE, held.record.name, correlation)
    now, why = out.clock.now(), "set aside by hand: it is not archived"
    writes: list[Write] = [image_line(image, output, "dismissed", why, look, now, by=by)]
    if found:
        gone = msgspec.structs.replace(found.record, state=OutputState.DISMISSED, reason=why, trouble=None)
        writes.append(Replace(gone, found.etag))
    record = runs.settled(held.record, RunStart(run), name, OutputState.DISMISSED)
    out.ledger.commit(key.partition, (Replace(record, held.etag), *writes))
    if record.name in factory.images:
        out.queues.send(look)


def resume(out: Outside, factory: Factory, image: str, correlation: str, *, by: str = "") -> None:
    """Automatic runs again: forget failures, and set aside outputs that were refused.

    A refused output (a broken VHD, say) keeps the next run from starting until a person has seen it.
    """
    name = factory.image(image).name
    look = Look(Lane.BUILDS, Thing.IMAGE, name, correlation)
    held = out.ledger.read(keys.image_key(name), ImageRecord)
    if held is None:
        raise NotNow(f"image {name} has not been looked at yet: there is nothing to resume")
    record, writes = runs.resumed(held.record), list[Write]()
    for unsettled in held.record.unsettled:
        run, output = unsettled.split("/", 1)
        found = out.ledger.read(keys.output_key(name, run, output), OutputRecord)
        if found and found.record.state is OutputState.REFUSED:
            dismissed = msgspec.structs.replace(found.record, state=OutputState.DISMISSED)
            writes.append(Replace(dismissed, found.etag))
            record = runs.settled(record, found.record.run, found.record.name, OutputState.DISMISSED)
    now = out.clock.now()
    why = "automatic runs resumed by hand"
    line = image_line(name, name, "resumed", why, look, now, by=by)
    row = Held(msgspec.structs.replace(record, reason=why), held.etag)
    out.ledger.commit(keys.of_image(name), (Replace(row.record, row.etag), *writes, line))
    listing.tell(out, held.record, row.record)
    out.queues.send(look)
