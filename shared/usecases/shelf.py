"""The archive as people see it: which VHDs there are, one of them, and its manifest."""

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from shared.domain import keys
from shared.domain.errors import Invalid, PermanentError, Unknown
from shared.domain.factory import Factory
from shared.domain.listings import VhdLine
from shared.domain.manifests import Manifest
from shared.domain.records import OutputRecord, OutputState
from shared.planning.archive import manifest_place
from shared.ports import Outside, Put, Remove

from .pages import Rows, Span, newest_first


def line_of(record: OutputRecord, now: datetime) -> VhdLine:
    """For the partition of its image."""
    return VhdLine(
        partition=keys.of_image(record.image),
        image=record.image,
        run=record.run,
        output=record.name,
        began=record.started or record.found or now,
        blob=str(record.target),
        length=record.length,
        archived=record.verified or now,
        version=record.version,
    )


def put_up(out: Outside, record: OutputRecord) -> Put:
    """Among all of the archive at once; the line for its image goes with the record."""
    line = line_of(record, out.clock.now())
    out.ledger.commit(keys.ARCHIVE, (Put(replace(line, partition=keys.ARCHIVE)),))
    return Put(line)


def take_down(out: Outside, record: OutputRecord) -> Iterator[Remove]:
    """What retention has deleted; the line for its image goes with the record."""
    own = line_of(record, out.clock.now())
    for line in replace(own, partition=keys.ARCHIVE), own:
        held = out.ledger.read(keys.key_of(line), VhdLine)
        if held and line is own:
            yield Remove(keys.key_of(line), held.etag)
        elif held:
            out.ledger.commit(keys.ARCHIVE, (Remove(keys.key_of(line), held.etag),))


def archived(out: Outside, image: str | None, span: Span) -> Rows[VhdLine]:
    """Of the newest runs first: of one image, or of all; by when their runs began."""
    partition = keys.ARCHIVE if image is None else keys.of_image(image)
    before = keys.vhd_lines_before
    return newest_first(out, partition, keys.VHD_LINES, VhdLine, span, before, lambda line: line.began)


def vhd(out: Outside, factory: Factory, image: str, run: str, output: str) -> OutputRecord:
    """Archived, or archived once. Raises Unknown for any other output."""
    name = factory.image(image).name
    held = out.ledger.read(keys.output_key(name, run, output), OutputRecord)
    if held is None:
        raise Unknown(f"no output {output[:80]!r} of the run {run[:80]} of {name} is recorded")
    if held.record.state not in (OutputState.ARCHIVED, OutputState.RETIRED) or held.record.target is None:
        raise Unknown(f"{held.record.id} is not archived ({held.record.state.value}): {held.record.reason}")
    return held.record


def manifest(out: Outside, factory: Factory, image: str, run: str, output: str) -> Manifest:
    """As it stands beside the VHD. Raises Missing where there is none any more."""
    record = vhd(out, factory, image, run, output)
    if record.target is None:
        raise Unknown(f"{record.id} has no place in the archive")
    at = manifest_place(record.target, record.run, in_place=record.in_place)
    try:
        return out.manifests.read(at)
    except Invalid as error:  # nothing that the caller could mend
        raise PermanentError(f"the manifest {at} cannot be read: {error}") from error
