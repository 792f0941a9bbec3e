"""How things of each kind are read, marked, excluded and deleted: what differs between kinds is here alone.

A further kind is one more entry in the table.
"""

import contextlib
from collections.abc import Callable, Iterator

import msgspec
from msgspec.structs import replace

from shared.domain import keys
from shared.domain.errors import Missing
from shared.domain.estate import Seen, SeenBlob, SeenGroup
from shared.domain.factory import Factory
from shared.domain.ids import BlobAddress
from shared.domain.looks import Look
from shared.domain.records import OutputRecord, OutputState
from shared.domain.releases import Descent
from shared.domain.retention import Kind, RetentionRecord
from shared.domain.versions import Version
from shared.planning.archive import manifest_place
from shared.planning.leftovers import template_of
from shared.ports import Held, Outside, Replace

from .exclusion import exclude, include
from .inventory import Around, Observed
from .scans import of_kind, scanned
from .shelf import take_down

Fresh = Seen | SeenBlob
Tags = dict[str, str]


class Way(msgspec.Struct, frozen=True):
    """What is done with things of one kind. All raise the errors of `domain.errors`."""

    around: Callable[[Factory, RetentionRecord], Around]
    read: Callable[[Outside, str], Fresh | None]
    tags: Callable[[Outside, str], Tags]
    """As they are now. Missing if the thing does not exist."""
    tag: Callable[[Outside, str, Tags], None]
    """Set these and leave the others."""
    untag: Callable[[Outside, str, Tags], None]
    """Remove these, where they still have these values."""
    delete: Callable[["Going"], None]
    exclude: Callable[["Going"], bool]
    """Whether it is seen to be excluded; if not, it has been asked for."""
    include: Callable[[Outside, Factory, RetentionRecord], bool]
    """Likewise, whether it is offered again where it was."""
    against: Callable[["Going"], Iterator[str]]
    """What speaks against its deletion at the last moment, whatever the query showed."""
    finish: Callable[[Outside, RetentionRecord], None]
    """After it has gone, for what goes with it."""


class Going(msgspec.Struct, frozen=True):
    """One look at a thing that is going."""

    out: Outside
    factory: Factory
    look: Look
    held: Held[RetentionRecord]
    fresh: Fresh | None = None

    @property
    def record(self) -> RetentionRecord:
        return self.held.record

    @property
    def way(self) -> Way:
        return WAYS[self.record.kind]


def shown(observed: Observed, kind: Kind, id: str) -> Fresh | None:
    """A thing as the query showed it."""
    if kind is Kind.ARCHIVED_VHD:
        return next((b for b in observed.blobs if _id(b) == id), None)
    return next((s for s in observed.seen if getattr(s, "id", "") == id), None)


def with_fresh(observed: Observed, record: RetentionRecord, fresh: Fresh) -> Observed:
    """What the query showed, with the thing itself as it was read after it."""
    if isinstance(fresh, SeenBlob):
        return replace(observed, blobs=(*(b for b in observed.blobs if _id(b) != record.id), fresh))
    others = (s for s in observed.seen if getattr(s, "id", "") != record.id)
    return replace(observed, seen=(*others, fresh))


def _children(going: Going) -> Iterator[str]:
    """What was built from a version and still is there."""
    out, record = going.out, going.record
    if not going.factory.retention.keep_parents:
        return
    root, number = record.id.rsplit("/versions/", 1)
    prefix = f"{keys.ranked(Version.parse(number))}:"
    for row in of_kind(scanned(out, keys.of_lineage(root), prefix), Descent):
        yield from _outputs_of(out, row.record)


def _outputs_of(out: Outside, descent: Descent) -> Iterator[str]:
    prefix = keys.output_key(descent.image, descent.run, "").row
    for row in of_kind(scanned(out, keys.of_image(descent.image), prefix), OutputRecord):
        output = row.record
        if output.artifact and out.estate.read(str(output.artifact).lower()):
            yield f"{output.id} was built from it and goes first"
        if output.target and output.state is not OutputState.RETIRED and _blob(out, output.target):
            yield f"{output.id} was built from it and goes first"


def _its_template(going: Going) -> Iterator[str]:
    """A template that was made meanwhile under the name that a group's tags tell may be using it."""
    group = going.fresh
    if isinstance(group, SeenGroup) and going.out.estate.read(template_of(group)):
        yield "the template that it was made for is there"


def _none(_going: Going) -> Iterator[str]:
    return iter(())


def _blob(out: Outside, at: BlobAddress) -> SeenBlob | None:
    try:
        facts = out.blobs.facts(at)
    except Missing:
        return None
    return SeenBlob(at.account, at.container, at.name, facts.etag, facts.metadata)


def _id(blob: SeenBlob) -> str:
    return f"{blob.account}/{blob.container}/{blob.name}"


def _address(id: str) -> BlobAddress:
    return BlobAddress(*id.split("/", 2))


def _around_version(factory: Factory, record: RetentionRecord) -> Around:
    defined = tuple(d.name for d in factory.definitions.values() if str(d.id).lower() == record.place)
    parts = record.place.split("/")
    shared = f"/sharedgalleries/{parts[2]}-{parts[8]}/images/{parts[10]}"
    near = (record.place, shared, "/communitygalleries/")
    return Around(near, (record.image,), defined, (record.kind,))


def _around_image(_factory: Factory, record: RetentionRecord) -> Around:
    like = f"{record.id.rpartition('/')[0]}/"
    return Around((like,), (record.image,), (), (record.kind,))


def _around_vhd(_factory: Factory, record: RetentionRecord) -> Around:
    at = _address(record.id)
    folder = at.name.rsplit("/", 1)[0].split("/")[0] + "/" if "/" in at.name else ""
    nothing = f"/{record.id}"  # no resource has an id like that
    return Around((nothing,), (record.image,), (), (record.kind,), (f"{record.place}/{folder}",))


def _around_leftover(_factory: Factory, record: RetentionRecord) -> Around:
    return Around((record.id,), (record.image,), (), (record.kind,))


def _read(out: Outside, id: str) -> Fresh | None:
    return out.estate.read(id)


def _tags(out: Outside, id: str) -> Tags:
    found = out.estate.read(id)
    if found is None:
        raise Missing(f"{id} does not exist")
    return getattr(found, "tags", {})


def _tag(out: Outside, id: str, tags: Tags) -> None:
    out.estate.merge_tags(id, tags)


def _untag(out: Outside, id: str, tags: Tags) -> None:
    out.estate.remove_tags(id, tags)


def _delete(going: Going) -> None:
    going.out.estate.delete(going.record.id)


def _nothing(_out: Outside, _record: RetentionRecord) -> None:
    """Nothing goes with it."""


def _not_offered(_going: Going) -> bool:
    """`latest` never means a thing of this kind."""
    return True


def _not_taken(_out: Outside, _factory: Factory, _record: RetentionRecord) -> bool:
    return True


def _read_vhd(out: Outside, id: str) -> Fresh | None:
    return _blob(out, _address(id))


def _tags_vhd(out: Outside, id: str) -> Tags:
    return out.blobs.facts(_address(id)).metadata


def _tag_vhd(out: Outside, id: str, tags: Tags) -> None:
    """Metadata is written whole, so only as it was read."""
    facts = out.blobs.facts(_address(id))
    out.blobs.mark(_address(id), _without(facts.metadata, tags) | tags, facts.etag)


def _untag_vhd(out: Outside, id: str, tags: Tags) -> None:
    facts = out.blobs.facts(_address(id))
    out.blobs.mark(_address(id), _without(facts.metadata, tags), facts.etag)


def _without(metadata: Tags, tags: Tags) -> Tags:
    names = {name.lower() for name in tags}
    return {name: value for name, value in metadata.items() if name.lower() not in names}


def _delete_vhd(going: Going) -> None:
    if isinstance(going.fresh, SeenBlob):
        going.out.blobs.delete(_address(going.record.id), going.fresh.etag)


def _finish_vhd(out: Outside, record: RetentionRecord) -> None:
    """What lies beside it goes after it: the manifest says that there was one. Then the ledger says so.

    One that was distributed into the archive itself may have been several runs' in turn.
    """
    target, partition = _address(record.id), keys.of_image(record.image)
    for row in of_kind(scanned(out, partition, "output:"), OutputRecord):
        if row.record.target == target:
            manifest = manifest_place(target, row.record.run, in_place=row.record.in_place)
            for beside in (target.beside(".digests"), manifest):
                with contextlib.suppress(Missing):
                    out.blobs.delete(beside, out.blobs.facts(beside).etag)
            gone = replace(row.record, state=OutputState.RETIRED, reason="deleted by retention")
            out.ledger.commit(partition, (Replace(gone, row.etag), *take_down(out, row.record)))


_OF_AZURE = Way(
    around=_around_leftover,
    read=_read,
    tags=_tags,
    tag=_tag,
    untag=_untag,
    delete=_delete,
    exclude=_not_offered,
    include=_not_taken,
    against=_none,
    finish=_nothing,
)

WAYS: dict[Kind, Way] = {
    Kind.GALLERY_VERSION: replace(
        _OF_AZURE,
        around=_around_version,
        exclude=lambda going: exclude(going.out, going.factory, going.held),
        include=include,
        against=_children,
    ),
    Kind.MANAGED_IMAGE: replace(_OF_AZURE, around=_around_image),
    Kind.ARCHIVED_VHD: replace(
        _OF_AZURE,
        around=_around_vhd,
        read=_read_vhd,
        tags=_tags_vhd,
        tag=_tag_vhd,
        untag=_untag_vhd,
        delete=_delete_vhd,
        finish=_finish_vhd,
    ),
    Kind.TEMPLATE: _OF_AZURE,
    Kind.STAGING_GROUP: replace(_OF_AZURE, against=_its_template),
}
