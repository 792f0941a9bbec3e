"""Versions, managed images and archived VHDs as things: what is counted by image and place."""

from collections.abc import Iterator
from datetime import datetime

from shared.domain.errors import Invalid
from shared.domain.estate import SeenImage, SeenVersion
from shared.domain.records import OutputRecord, OutputState
from shared.domain.releases import ReleaseRecord, Stage
from shared.domain.retention import OWNER, Kind, Thing, tag_of
from shared.domain.versions import Version

from .archive import manifest_place
from .knowledge import Knowledge

SUCCEEDED = "Succeeded"
_UNDER_WAY = {
    Stage.MAKING: "it is being made",
    Stage.WAITING: "it waits to be released",
    Stage.REPLICATING: "it is replicating",
    Stage.SOAKING: "it is soaking",
    Stage.HELD: "it is held",
}


def counted(k: Knowledge) -> Iterator[Thing]:
    for version in k.versions:
        yield _version(k, version)
    for image in k.images:
        yield _managed_image(k, image)
    yield from _vhds(k)


def _version(k: Knowledge, seen: SeenVersion) -> Thing:
    release, output = k.releases.get(seen.id), k.made_by.get(seen.id)
    told = (release.image if release else None) or (output.image if output else None)
    run = (release.run if release else None) or (output.run if output else None)
    tagged = tag_of(seen.tags, OWNER)
    rank, doubts = _rank(seen.number)
    if tagged and told and tagged != told:
        doubts += (f"its tag says that it is of {tagged}, the ledger says of {told}",)
    if release and release.made and seen.published and release.made != seen.published:
        doubts += ("it is another one than the ledger knows under its name",)
    gallery, _, name = seen.definition.partition("/galleries/")[2].partition("/images/")
    defined = k.defined.get(seen.definition, "")
    if not defined:
        doubts += ("its definition is not configured: what people said of its versions is not known",)
    if k.factory.retention.keep_parents and (child := k.unclear_parents.get(seen.definition)):
        doubts += (f"{child} was built from one of its definition's versions, nobody knows which",)
    unclear = k.references.unclear.get(seen.definition, ())
    used = k.references.used_by.get(seen.id, ())
    return k.thing(
        Kind.GALLERY_VERSION,
        seen.id,
        told or tagged,
        seen.tags,
        name=f"{defined or f'{gallery}/{name}'}/{seen.number}",
        place=seen.definition,
        owned=bool(tagged),
        recorded=told is not None,
        rank=rank,
        made=seen.published,
        good=seen.state == SUCCEEDED and not (release and (release.withdrawn or release.descends_from)),
        end_of_life=seen.end_of_life,
        guarded=seen.guarded,
        offered=seen.offered,
        taken=_taken(k, seen, release),
        settled=seen.state == SUCCEEDED and not (release and (release.withdrawn or release.held)),
        busy=_busy(k, seen, release),
        used_by=used + tuple(f"{each}, which does not say from which version it came" for each in unclear),
        parent=k.parent(told, run) if told else "",
        doubts=doubts,
    )


def _rank(number: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    try:
        return Version.parse(number).rank, ()
    except Invalid as error:
        return (), (str(error),)


def _taken(k: Knowledge, seen: SeenVersion, release: ReleaseRecord | None) -> tuple[str, ...]:
    record = k.going.get((Kind.GALLERY_VERSION, seen.id))
    if record is None or record.made != seen.published or (release and release.withdrawn):
        return ()
    excluded = {name for name, _ in seen.regions} - {*seen.offered}
    return tuple(name for name in record.latest if name in excluded)


def _busy(k: Knowledge, seen: SeenVersion, release: ReleaseRecord | None) -> str:
    if seen.state not in (SUCCEEDED, "Failed"):
        return f"Azure is at work on it ({seen.state or 'no state'})"
    if release is None:
        return ""
    if release.held:
        return f"it is held: {release.held}"
    if release.claim and k.now < release.claim.until:
        return "it is being updated"
    if release.history:
        return ""
    return _UNDER_WAY.get(release.stage, "")


def _managed_image(k: Knowledge, seen: SeenImage) -> Thing:
    output, tagged = k.made_by.get(seen.id), tag_of(seen.tags, OWNER)
    told = output.image if output else None
    doubts = (f"its tag says that it is of {tagged}, the ledger says of {told}",)
    return k.thing(
        Kind.MANAGED_IMAGE,
        seen.id,
        told or tagged,
        seen.tags,
        name=seen.id.rsplit("/", 1)[1],
        place=f"{seen.id.rsplit('/providers/', 1)[0]}/{seen.location}",
        owned=bool(tagged),
        recorded=output is not None,
        made=_made(k, output),
        good=seen.state == SUCCEEDED,
        busy="" if seen.state in (SUCCEEDED, "Failed") else f"Azure is at work on it ({seen.state})",
        used_by=k.references.used_by.get(seen.id, ()),
        parent=k.parent(output.image, output.run) if output else "",
        doubts=doubts if tagged and told and tagged != told else (),
    )


def _made(k: Knowledge, output: OutputRecord | None) -> datetime | None:
    """Azure tells no date of managed images; the run that made it ended then."""
    run = k.runs.get((output.image, output.run)) if output else None
    return run.ended if run else None


def _has_manifest(k: Knowledge, output: OutputRecord) -> bool:
    if output.target is None:
        return False
    at = manifest_place(output.target, output.run, in_place=output.in_place)
    return (at.account, at.container, at.name) in k.blobs


def _vhds(k: Knowledge) -> Iterator[Thing]:
    known = {(o.target.account, o.target.container, o.target.name): o for o in k.outputs if o.target}
    for at, blob in k.blobs.items():
        if not blob.name.endswith(".vhd"):
            continue
        output = known.get(at)
        told, tagged = (output.image if output else None), blob.metadata.get("image", "")
        verified = output is not None and output.state is OutputState.ARCHIVED
        contradiction = f"its metadata says that it is of {tagged}, the ledger says of {told}"
        yield k.thing(
            Kind.ARCHIVED_VHD,
            "/".join(at),
            told or tagged,
            blob.metadata,
            name="/".join(at),
            place=f"{blob.account}/{blob.container}",
            owned=output is not None and _has_manifest(k, output),
            recorded=output is not None,
            made=(_made(k, output) or output.verified) if output else None,
            good=verified,
            busy="" if verified or output is None else f"it is {output.state.value}, not archived yet",
            parent=k.parent(output.image, output.run) if output else "",
            doubts=(contradiction,) if tagged and told and tagged != told else (),
        )
