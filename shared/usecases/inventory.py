"""What retention sees: Resource Graph, the archive, and the ledger, brought together.

What cannot be listed to its end is told as a reason to keep everything: nothing is concluded from what is
not there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from shared.domain import keys
from shared.domain.errors import FactoryError, Missing
from shared.domain.estate import Content, Seen, SeenBlob, SeenGroup, SeenTemplate
from shared.domain.factory import Factory
from shared.domain.ids import ResourceId
from shared.domain.records import ImageRecord, OutputRecord, Record, RunRecord
from shared.domain.retention import Inventory, Kind, RetentionKind, RetentionRecord
from shared.planning.knowledge import Knowledge
from shared.planning.leftovers import leftovers, template_of
from shared.planning.things import counted
from shared.ports import Held, Outside

from .scans import scanned, scanned_across

T = TypeVar("T")

_OUTPUTS_ON = "output:"
"""In an image's partition the rows from here on are its outputs and runs; the journal comes before them."""


class Around(msgspec.Struct, frozen=True):
    """The neighbourhood of one thing, on which alone its verdict depends."""

    ids: tuple[str, ...]
    images: tuple[str, ...]
    definitions: tuple[str, ...]
    kinds: tuple[Kind, ...]
    folders: tuple[str, ...] = ()
    """`account/container/prefix` of archived VHDs."""


class Observed(msgspec.Struct, frozen=True):
    """What was seen, and what not."""

    seen: tuple[Seen, ...]
    blobs: tuple[SeenBlob, ...]
    records: tuple[Held[Record], ...]
    blind: tuple[str, ...]
    scope: tuple[str, ...]
    """The subscriptions that were asked."""
    whole: bool = True
    """Not the neighbourhood of one thing alone."""

    @property
    def going(self) -> dict[tuple[Kind, str], Held[RetentionRecord]]:
        rows = ((r.record, r.etag) for r in self.records)
        return {(r.kind, r.id): Held(r, etag) for r, etag in rows if isinstance(r, RetentionRecord)}

    @property
    def kinds(self) -> dict[Kind, Held[RetentionKind]]:
        rows = ((r.record, r.etag) for r in self.records)
        return {r.kind: Held(r, etag) for r, etag in rows if isinstance(r, RetentionKind)}


def observe(out: Outside, factory: Factory, around: Around | None = None) -> Observed:
    """Of everything, or around one thing. Raises the errors of the ledger alone.

    The ledger comes first: what is made meanwhile is seen without a record, and stays.
    """
    blind: list[str] = []
    records = tuple(_records(out, factory, around))
    near, scope = around.ids if around else (), _scope(factory, [held.record for held in records])
    listings: list[Callable[[], Iterable[Seen]]] = [partial(_proven, out, each) for each in scope]
    listings += [partial(query, scope, near) for query in (out.estate.resources, out.estate.instances)]
    seen = [each for listing in listings for each in _listed(listing, blind)]
    seen += _contents(out, seen, around)
    folders = around.folders if around else _archives(factory, [r.record for r in records])
    blobs = [blob for folder in folders for blob in _listed(partial(_blobs, out, folder), blind)]
    return Observed(tuple(seen), tuple(blobs), records, tuple(blind), scope, whole=around is None)


def inventory(out: Outside, factory: Factory, observed: Observed) -> Inventory:
    """Raises nothing: what contradicts itself is told as a doubt about the thing."""
    now = out.clock.now()
    records = [held.record for held in observed.records]
    k = Knowledge(factory, observed.seen, observed.blobs, records, now, out.graph_lag)
    unseen = [
        f"subscription {s} is not visible to the factory's identity (if no image is in use there any more,"
        " name it in retention.out_of_scope)"
        for s in k.unseen(observed.scope)
    ]
    silent = [f"no instance of the scale set {s} is visible, though it has some" for s in k.silent]
    unread = [f"{each.id or 'something'} cannot be read: {each.why}" for each in k.unreadable]
    blind = (*observed.blind, *(unseen if not observed.blind else ()), *unread)
    blind += tuple(silent) if observed.whole else ()
    approved = {kind: held.record.approved for kind, held in observed.kinds.items() if held.record.approved}
    return Inventory((*counted(k), *leftovers(k)), blind, approved)


def _listed(listed: Callable[[], Iterable[T]], blind: list[str]) -> Iterator[T]:
    try:
        yield from listed()
    except FactoryError as error:
        blind.append(str(error))


def _contents(out: Outside, seen: Sequence[Seen], around: Around | None) -> Iterator[Seen]:
    """Of staging groups whose template is gone: deleting one takes along what Resource Graph left out."""
    templates = {each.id for each in seen if isinstance(each, SeenTemplate)}
    for group in [each for each in seen if isinstance(each, SeenGroup)]:
        if template_of(group) in templates or (around and group.id not in around.ids):
            continue
        try:
            yield from out.estate.contents(group.id)
        except FactoryError as error:
            yield Content(f"{group.id}/providers/?", "", unlisted=str(error))


def _proven(out: Outside, subscription: str) -> Iterable[Seen]:
    out.estate.readable(subscription)
    return ()


def _scope(factory: Factory, records: Iterable[Record]) -> tuple[str, ...]:
    """Every subscription that ever was in scope: machines outlive the image that they were made from."""
    ever: set[str] = set()
    for record in records:
        match record:
            case RetentionKind(scope=known):
                ever.update(known)
            case RunRecord(template=template):
                ever.add(template.split("/")[2].lower())
            case OutputRecord(artifact=ResourceId(subscription=subscription)):
                ever.add(subscription.lower())
    return tuple(sorted({*factory.scope, *(ever - set(factory.retention.out_of_scope))}))


def _records(out: Outside, factory: Factory, around: Around | None) -> Iterator[Held[Record]]:
    kinds = around.kinds if around else tuple(Kind)
    images = around.images if around else None
    if images is None:
        states = list(scanned_across(out, keys.IMAGE_ROW))
        yield from states
        known = {s.record.name for s in states if isinstance(s.record, ImageRecord)}
        images = tuple(sorted({*factory.images, *known}))
    else:
        for name in images:
            state = out.ledger.read(keys.image_key(name), ImageRecord)
            if state:
                yield Held(state.record, state.etag)
    definitions = around.definitions if around else tuple(sorted(factory.definitions))
    tasks = [
        *((keys.of_retention(kind.value), prefix, None) for kind in kinds for prefix in ("going:", "kind")),
        *((keys.of_image(name), "", _OUTPUTS_ON) for name in images),
        *((keys.of_definition(name), "version:", None) for name in definitions),
    ]
    for rows in out.workers.run(tasks, lambda task: tuple(scanned(out, *task))):
        yield from rows


def _archives(factory: Factory, records: list[Record]) -> tuple[str, ...]:
    """The containers that VHDs have been archived in, the present one among them."""
    found = {f"{factory.archive.account}/{factory.archive.container}/"}
    for record in records:
        if isinstance(record, OutputRecord) and record.target:
            found.add(f"{record.target.account}/{record.target.container}/")
    return tuple(sorted(found))


def _blobs(out: Outside, folder: str) -> Iterator[SeenBlob]:
    account, container, prefix = folder.split("/", 2)
    after: str | None = None
    while True:
        try:
            page = out.blobs.list(account, container, prefix, after)
        except Missing:  # nothing has been archived yet
            return
        yield from (SeenBlob(account, container, b.name, b.etag, b.metadata) for b in page.blobs)
        after = page.after
        if after is None:
            return
