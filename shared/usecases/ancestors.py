"""Whether something that an image is made from is on its way to something newer: then the image waits for it.

One change may move several ancestors, one after the other or at once; the image is built once, after them.
What waits for a person, is paused, or is held moves nothing.
"""

from datetime import datetime

from shared.domain import keys
from shared.domain.factory import Factory, Image, Mode
from shared.domain.orders import OrderKind
from shared.domain.records import ImageRecord
from shared.domain.releases import Definition, Promotion, ReleaseRecord, Stage
from shared.domain.sources import GallerySource
from shared.domain.versions import Version
from shared.planning import builds
from shared.planning.orders import open_order
from shared.ports import Outside

from .releases import releases


def moving(out: Outside, factory: Factory, image: Image, now: datetime) -> str:
    """What is on its way, in words; empty if nothing is."""
    for each in (image, *factory.ancestors(image)):
        record = None
        if each is not image:
            held = out.ledger.read(keys.image_key(each.name), ImageRecord)
            record = held.record if held else None
            if record and _is_built(factory, each, record, now):
                return f"{each.name} is being built"
        source = each.source
        definition = factory.defined(source.definition) if isinstance(source, GallerySource) else None
        if source is None or definition is None:
            continue
        rows = [row.record for row in releases(out, definition)]
        if coming := _coming(definition, rows, source.location):
            return f"{coming} is on its way to {source.location}"
        newest = _latest(rows, source.location)
        if record and newest and newest.newer_than(record.wanted or record.built or record.baseline):
            return f"{each.name} is to be built from {newest}"
    return ""


def _is_built(factory: Factory, image: Image, record: ImageRecord, now: datetime) -> bool:
    if record.claim or record.run:
        return True
    wanted = builds.wants(builds.Situation(image, factory.timing, record, None, now))
    by_itself = not record.paused or open_order(record, OrderKind.START) is not None
    return bool(wanted) and by_itself and image.mode is Mode.ACT


def _coming(definition: Definition, rows: list[ReleaseRecord], region: str) -> str:
    """The version that will be latest in the region by itself."""
    ring = definition.ring_of(region)
    if ring is None or not definition.act:
        return ""
    latest = _latest(rows, region)
    for record in reversed(rows):
        if latest and not record.version.newer_than(latest):
            return ""
        if _goes_on(definition, record, ring):
            return record.name
    return ""


def _goes_on(definition: Definition, record: ReleaseRecord, ring: int) -> bool:
    going = record.stage.good or record.stage is Stage.MAKING
    if not going or record.held or record.withdrawn:
        return False
    ahead = range(max(record.ring, 0), ring + 1)
    by_hand = (i for i in ahead if definition.rings[i].promotion is Promotion.BY_HAND)
    return all(record.promoted > i for i in by_hand)


def _latest(rows: list[ReleaseRecord], region: str) -> Version | None:
    """What the ledger last saw to be latest in the region."""
    there = (r.version for r in rows if (known := r.region(region)) and known.latest and not known.taken_back)
    return max(there, key=lambda v: v.rank, default=None)
