"""Keeps the lists of images and runs, and gives a page of them with one request."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from shared.domain import keys
from shared.domain.factory import Factory, Image
from shared.domain.ids import ImageName
from shared.domain.listings import VANISHED, ImageLine, RunLine
from shared.domain.records import CurrentRun, ImageRecord, RunRecord
from shared.domain.templates import RunState
from shared.ports import MOST_WRITES, Held, Outside, Put, Remove, Write

from .pages import Rows, Span, newest_first
from .scans import of_kind, scanned

_SPARE = 50
"""Lines of images that have just left the configuration may stand between those of a page."""
_MOST_ROWS = 1000
"""In one answer of Azure."""


class Listed(msgspec.Struct, frozen=True):
    """An image of a page; `line` is None before anything is known of it."""

    image: Image
    line: ImageLine | None


class ImagePage(msgspec.Struct, frozen=True):
    images: tuple[Listed, ...]
    more: bool


def images(out: Outside, factory: Factory, prefix: str, after: str | None, limit: int) -> ImagePage:
    """The configured images by name, those after `after`."""
    names = sorted(n for n in factory.images if n.startswith(prefix) and (after is None or n > after))
    chosen = names[:limit]
    lines = _lines(out, chosen[0], chosen[-1], limit + _SPARE) if chosen else {}
    listed = tuple(Listed(factory.images[name], lines.get(name)) for name in chosen)
    return ImagePage(listed, len(names) > limit)


def _lines(out: Outside, first: ImageName, last: ImageName, limit: int) -> dict[ImageName, ImageLine]:
    """From one name to another: asked on if Azure gave less, or if more have left than were reckoned with."""
    start, end, after = keys.image_line_row(first), keys.image_line_row(last), None
    lines: dict[ImageName, ImageLine] = {}
    while True:
        page = out.ledger.scan(keys.IMAGES, keys.IMAGE_LINES, start=start, after=after, limit=limit)
        lines |= {r.record.name: r.record for r in page.rows if isinstance(r.record, ImageLine)}
        after = page.after
        if after is None or (page.rows and keys.key_of(page.rows[-1].record).row >= end):
            return lines
        limit = _MOST_ROWS


def runs(out: Outside, image: str | None, span: Span) -> Rows[RunLine]:
    """Newest first: of one image, or of all; by when they began."""
    partition = keys.RUNS if image is None else keys.of_image(image)
    before = keys.run_lines_before
    return newest_first(out, partition, keys.RUN_LINES, RunLine, span, before, lambda line: line.started)


def line_of(record: ImageRecord) -> ImageLine:
    return ImageLine(
        record.name,
        record.built,
        record.run.start if record.run else None,
        record.recorded,
        record.recorded_state,
        record.paused,
        record.failures,
        record.template,
    )


def tell(out: Outside, before: ImageRecord | None, after: ImageRecord) -> None:
    """After the record is written. What gets lost here is mended by the sweep."""
    line = line_of(after)
    if line != (line_of(before) if before else ImageLine(after.name)):
        out.ledger.commit(keys.IMAGES, (Put(line),))


def mend(out: Outside, factory: Factory, records: Mapping[ImageName, ImageRecord]) -> None:
    """The list of images as the records are now."""
    held = of_kind(scanned(out, keys.IMAGES, keys.IMAGE_LINES), ImageLine)
    there = {each.record.name: each for each in held}
    wanted = {name: line_of(record) for name, record in records.items() if name in factory.images}
    writes: list[Write] = [Put(line) for name, line in wanted.items() if _differs(line, there.get(name))]
    writes += [Remove(keys.key_of(h.record), h.etag) for name, h in there.items() if name not in wanted]
    for first in range(0, len(writes), MOST_WRITES):
        out.ledger.commit(keys.IMAGES, writes[first : first + MOST_WRITES])


def _differs(line: ImageLine, held: Held[ImageLine] | None) -> bool:
    return line != (held.record if held else ImageLine(line.name))


def run_lines(before: ImageRecord | None, after: ImageRecord, written: tuple[Write, ...]) -> Iterator[Put]:
    """The line of a run that is seen, is over, or has vanished, for the image's partition."""
    ended = [w.record for w in written if not isinstance(w, Remove) and isinstance(w.record, RunRecord)]
    known = before.run if before else None
    yield from map(Put, map(_ended, ended))
    if after.run and (known is None or known.start != after.run.start):
        yield Put(_line(after.name, after.run, RunState.RUNNING.value))
    if known and after.run is None and not ended:
        yield Put(_line(after.name, known, VANISHED))


def tell_runs(out: Outside, lines: list[Put]) -> None:
    """The same lines among all runs: before the record is written, so that none is ever missing there."""
    for line in lines:
        if isinstance(line.record, RunLine):
            out.ledger.commit(keys.RUNS, (Put(replace(line.record, partition=keys.RUNS)),))


def _ended(run: RunRecord) -> RunLine:
    partition = keys.of_image(run.image)
    return RunLine(
        partition, run.image, run.start, run.started, run.state.value, run.why, run.ended, run.version
    )


def _line(image: ImageName, run: CurrentRun, state: str) -> RunLine:
    why = run.claim.why if run.claim else "started by somebody else"
    return RunLine(keys.of_image(image), image, run.start, run.started or run.seen, state, why)
