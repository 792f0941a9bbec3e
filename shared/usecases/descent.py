"""Who was built from whom: written when a run has ended, followed when a version is withdrawn.

The way down is a row for each run in the partition of its source; the way up is in the records of the run
and of the version. The row comes first, then the version, then the run: so whoever walks down meets either
everything, or a run that is not recorded yet and comes back.
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from shared.domain import keys
from shared.domain.errors import Invalid
from shared.domain.factory import Factory, Image
from shared.domain.galleries import VersionId
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import OutputRecord, RunRecord
from shared.domain.releases import Definition, Descent, ReleaseRecord
from shared.domain.sources import GallerySource
from shared.domain.templates import OutputKind
from shared.domain.versions import Version
from shared.planning.runs import Built
from shared.planning.withdrawals import descends
from shared.ports import Insert, Outside, Put, Replace, Write

from .scans import of_kind, scanned
from .visit import version_line


def note_descent(out: Outside, run: RunRecord, built: Built, now: datetime) -> None:
    """The row that leads from the source to the run."""
    if not run.source or built.version is None:
        return
    row = Descent(run.source, built.version, run.image, run.start, built.inferred, now)
    out.ledger.commit(keys.of_lineage(run.source), (Put(row),))


def introduce(
    out: Outside, factory: Factory, image: Image, output: OutputRecord, built: Built, look: Look
) -> None:
    """A run made this gallery version: it is known as that run's, and looked at."""
    id, definition = version_of(output), None
    if id:
        definition = factory.defined(id.definition)
    if id is None or definition is None:
        return
    version, now = Version.parse(id.version), out.clock.now()
    held = out.ledger.read(keys.release_key(definition.name, version), ReleaseRecord)
    known = held.record if held else ReleaseRecord(definition.name, version, id, now)
    record = known if known.run else replace(known, image=image.name, run=output.run)
    ancestor = _withdrawn_ancestor(out, factory, image, built)
    if ancestor:
        record = descends(record, ancestor, definition, now)
    if held is None or record != held.record:
        why = f"made by run {output.run} of {image.name}"
        row: Write = Replace(record, held.etag) if held else Insert(record)
        line = version_line(record, "version-made", why, look.correlation, now)
        out.ledger.commit(keys.of_definition(definition.name), (row, line))
    out.queues.send(Look(Lane.RELEASES, Thing.VERSION, record.name, look.correlation))


def mark_descendants(
    out: Outside, factory: Factory, record: ReleaseRecord, ancestor: str, look: Look
) -> bool:
    """Whether every version that was built from this one knows of it now. Those tell theirs in turn."""
    whole, now = True, out.clock.now()
    for row in descents(out, str(record.id.definition), record.version):
        run = out.ledger.read(keys.run_key(row.image, row.run), RunRecord)
        if run is None:  # it is being recorded; unless it never will be, the template having gone
            whole = whole and now - row.at > factory.timing.give_up
            continue
        for output in outputs(out, run.record):
            id = version_of(output)
            definition = factory.defined(id.definition) if id else None
            if id and definition:
                _mark(out, definition, Version.parse(id.version), ancestor, look)
    return whole


def descents(out: Outside, root: str, version: Version | None) -> Iterator[Descent]:
    """The runs that were built from the version, or from any version of the source."""
    prefix = f"{keys.ranked(version)}:" if version else ""
    return (row.record for row in of_kind(scanned(out, keys.of_lineage(root), prefix), Descent))


def outputs(out: Outside, run: RunRecord) -> Iterator[OutputRecord]:
    """What the run left, as recorded."""
    for name in run.outputs:
        held = out.ledger.read(keys.output_key(run.image, run.start, name), OutputRecord)
        if held:
            yield held.record


def version_of(output: OutputRecord) -> VersionId | None:
    """The gallery version that the output is; None for any other, or for a name that is no version."""
    if output.kind is not OutputKind.GALLERY_VERSION or output.artifact is None:
        return None
    try:
        id = VersionId.of(output.artifact)
        Version.parse(id.version)
    except Invalid:
        return None
    return id


def _withdrawn_ancestor(out: Outside, factory: Factory, image: Image, built: Built) -> str:
    source = image.source
    parent = factory.defined(source.definition) if isinstance(source, GallerySource) else None
    if parent is None or built.version is None:
        return ""
    held = out.ledger.read(keys.release_key(parent.name, built.version), ReleaseRecord)
    if held is None:
        return ""
    return held.record.descends_from or (held.record.name if held.record.withdrawn else "")


def _mark(out: Outside, definition: Definition, version: Version, ancestor: str, look: Look) -> None:
    held = out.ledger.read(keys.release_key(definition.name, version), ReleaseRecord)
    if held is None or held.record.descends_from:
        return
    now = out.clock.now()
    record = descends(held.record, ancestor, definition, now)
    line = version_line(
        record, "version-descends", f"built from the withdrawn {ancestor}", look.correlation, now
    )
    out.ledger.commit(keys.of_definition(definition.name), (Replace(record, held.etag), line))
    out.queues.send(Look(Lane.RELEASES, Thing.VERSION, record.name, look.correlation))
