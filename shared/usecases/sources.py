"""Looks at a source: ask the marketplace, announce what is new, and tell the images made from it."""

from datetime import datetime

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import Invalid, PermanentError
from shared.domain.events import EventType, FactoryEvent
from shared.domain.factory import Factory, Image
from shared.domain.galleries import Provisioning
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import ImageRecord, SourceRecord
from shared.domain.sources import GallerySource, ListedVersion, MarketplaceSource, Source
from shared.domain.versions import Version
from shared.planning import builds
from shared.planning.rings import replicated
from shared.planning.sources import SourceNews, latest_in, plan
from shared.ports import Insert, Outside, Put, Replace, Write

from .journal import image_line, source_line


def look_at_source(out: Outside, factory: Factory, look: Look) -> None:
    """Publish first, record after: a version announced twice does no harm, one never announced would."""
    source = factory.sources.get(look.id)
    if source is None:
        raise Invalid(f"no configured image is made from the source {look.id[:200]!r}")
    now = out.clock.now()
    held = out.ledger.read(keys.source_key(look.id), SourceRecord)
    gallery = isinstance(source, GallerySource)
    news = plan(look.id, held.record if held else None, _listed(out, source), now, may_go_back=gallery)
    if held and news.record == held.record:
        return
    if news.found:
        data = {"source": str(source), "version": news.found.text}
        event = FactoryEvent(EventType.SOURCE_VERSION_FOUND, look.id, now, dict(data), look.correlation)
        out.events.publish(event)
        telemetry.event("source-version-found", source=look.id, version=news.found.text)
    record: Write = Replace(news.record, held.etag) if held else Insert(news.record)
    out.ledger.commit(keys.of_source(look.id), (record, *_lines(news, look, str(source), now)))
    if news.first or news.taken_back:
        out.queues.send(Look(Lane.BUILDS, Thing.SOURCE, look.id, look.correlation))


def _listed(out: Outside, source: Source) -> tuple[ListedVersion, ...]:
    """What the source offers. Of a gallery definition: what is latest in the region, and nothing else."""
    if isinstance(source, MarketplaceSource):
        return out.marketplace.versions(source)
    for version in latest_in(source.location, out.galleries.list(source.definition)):
        done = version.provisioning is Provisioning.SUCCEEDED
        seen = version if done else out.galleries.get(version.id)
        if seen and (done or replicated(seen, source.location)):
            return (ListedVersion(version.version),)
    return ()


def _lines(news: SourceNews, look: Look, source: str, now: datetime) -> list[Put]:
    lines = [
        source_line(look.id, "source-version-deprecated", f"{version} of {source} is deprecated", look, now)
        for version in news.newly_deprecated
    ]
    if news.found:
        lines.append(source_line(look.id, "source-version-found", f"{news.found} of {source}", look, now))
    elif news.taken_back:
        told = f"{news.taken_back} of {source} is no longer latest; it is {news.record.newest or 'none'} now"
        lines.append(source_line(look.id, "source-version-taken-back", told, look, now))
    elif news.first:
        told = f"newest of {source} is {news.record.newest or 'none'}; recorded as the baseline"
        lines.append(source_line(look.id, "source-first-seen", told, look, now))
    return lines


def tell_images(out: Outside, factory: Factory, look: Look) -> None:
    """Fan out: every image made from the source learns of its newest version and is looked at."""
    held = out.ledger.read(keys.source_key(look.id), SourceRecord)
    if held is None or (held.record.since is None and held.record.newest is None):
        return
    for image in factory.made_from(look.id):
        try:
            _adopt(out, image, held.record.newest, look)
        except PermanentError as error:
            # Its row cannot be read, say: its own look reports that, and the others are told all the same.
            telemetry.event("image-not-told", image=image.name, why=str(error))
        out.queues.send(Look(Lane.BUILDS, Thing.IMAGE, image.name, look.correlation))


def _adopt(out: Outside, image: Image, newest: Version | None, look: Look) -> None:
    now = out.clock.now()
    known = out.ledger.read(keys.image_key(image.name), ImageRecord)
    record = builds.adopt(known.record if known else None, image, newest, now)
    if record is not None:
        why = f"{newest or 'nothing'} of {image.source_text}"
        what = "source-version-wanted" if record.wanted else "baseline-recorded"
        line = image_line(image.name, image.name, what, why, look, now)
        write: Write = Replace(record, known.etag) if known else Insert(record)
        out.ledger.commit(keys.of_image(image.name), (write, line))
