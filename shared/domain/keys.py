r"""Where a record lives in the ledger: keys derived from what it is, fit for a table.

A table's key is at most 1 KiB, compared by its bytes, without `/ \\ # ?` and control characters; ours are
lower case, with a hash in place of a long tail.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from .listings import ImageLine, RunLine, VhdLine
from .orders import Order
from .records import (
    FailedWork,
    ImageRecord,
    JournalLine,
    OutputRecord,
    Record,
    RunRecord,
    Slot,
    SourceRecord,
)
from .releases import DefinitionRecord, Descent, ReleaseRecord
from .requests import RequestRecord
from .retention import RetentionKind, RetentionRecord
from .versions import Version

FACTORY = "factory"
"""The partition for what belongs to no image: failed work, events that were refused."""
SLOTS = "slots"
IMAGES = "images"
RUNS = "runs"
ARCHIVE = "archive"
REQUESTS = "requests"
"""The partition of requests that bear an idempotency key."""
IMAGE_ROW = "image"
IMAGE_LINES = "image:"
RUN_LINES = "line:"
VHD_LINES = "kept:"
FAILED = "failed:"
JOURNAL = "journal:"
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_UNFIT = re.compile(r"[^a-z0-9.:|_\-]")


class Key(msgspec.Struct, frozen=True, order=True):
    partition: str
    row: str


def fit(text: str) -> str:
    """`text` as part of a key. Different texts stay different: only a hash is preceded by `~`."""
    lowered = text.lower()
    if not _UNFIT.search(lowered) and len(lowered) <= 120:
        return lowered
    return f"{_UNFIT.sub('~', lowered)[:80]}~{hashlib.sha256(lowered.encode()).hexdigest()[:16]}"


def of_image(name: str) -> str:
    return f"image:{fit(name)}"


def of_source(key: str) -> str:
    return f"source:{fit(key)}"


def of_definition(name: str) -> str:
    return f"definition:{fit(name)}"


def of_lineage(root: str) -> str:
    """The partition of everything that descends from a source."""
    return f"lineage:{fit(root)}"


def ranked(version: Version) -> str:
    """A version so that the order of keys is the order of versions."""
    return ".".join(f"{part:018d}" for part in version.rank)


def release_row(version: Version) -> str:
    return f"version:{ranked(version)}"


def release_key(definition: str, version: Version) -> Key:
    return Key(of_definition(definition), release_row(version))


def definition_key(name: str) -> Key:
    return Key(of_definition(name), "definition")


def image_key(name: str) -> Key:
    return Key(of_image(name), IMAGE_ROW)


def source_key(key: str) -> Key:
    return Key(of_source(key), "source")


def run_key(image: str, start: str) -> Key:
    return Key(of_image(image), f"run:{fit(start)}")


def output_key(image: str, run: str, name: str) -> Key:
    return Key(of_image(image), f"output:{fit(run)}:{fit(name)}")


def order_key(image: str, id: str) -> Key:
    return Key(of_image(image), f"order:{fit(id)}")


def slot_key(place: str, number: int) -> Key:
    return Key(SLOTS, f"{fit(place)}|{number:04d}")


def of_retention(kind: str) -> str:
    return f"retention:{kind}"


def going_key(kind: str, id: str) -> Key:
    return Key(of_retention(kind), f"going:{fit(id)}")


def kind_key(kind: str) -> Key:
    return Key(of_retention(kind), "kind")


def failed_key(id: str) -> Key:
    return Key(FACTORY, f"{FAILED}{fit(id)}")


def request_key(id: str) -> Key:
    return Key(REQUESTS, f"request:{fit(id)}")


def image_line_row(name: str) -> str:
    return f"{IMAGE_LINES}{fit(name)}"


def run_lines_before(moment: datetime) -> str:
    """Row keys from here on are of runs that began before `moment`."""
    return f"{RUN_LINES}{_back(moment)}~"


def run_line_row(line: RunLine) -> str:
    """Newest first in key order, so that a list begins with what is new."""
    return f"{RUN_LINES}{_back(line.started)}:{fit(line.image)}:{fit(line.start)}"


def vhd_lines_before(moment: datetime) -> str:
    """Row keys from here on are of VHDs whose run began before `moment`."""
    return f"{VHD_LINES}{_back(moment)}~"


def vhd_line_row(line: VhdLine) -> str:
    return f"{VHD_LINES}{_back(line.began)}:{fit(line.image)}:{fit(line.run)}:{fit(line.output)}"


def _back(moment: datetime) -> str:
    """Smaller the later it is."""
    return f"{max(0, (_LAST - moment) // timedelta(microseconds=1)):018d}"


def journal_before(moment: datetime) -> str:
    """Row keys from here on are of journal lines older than `moment`."""
    return f"journal:{_back(moment)}~"


def journal_row(line: JournalLine) -> str:
    """Newest first in key order; the same line twice has the same key."""
    told = f"{line.thing}\n{line.what}\n{line.why}\n{line.correlation}"
    return f"journal:{_back(line.at)}:{hashlib.sha256(told.encode()).hexdigest()[:8]}"


_KEYS: dict[type, Callable[[Any], Key]] = {
    ImageRecord: lambda r: image_key(r.name),
    RunRecord: lambda r: run_key(r.image, r.start),
    OutputRecord: lambda r: output_key(r.image, r.run, r.name),
    SourceRecord: lambda r: source_key(r.key),
    DefinitionRecord: lambda r: definition_key(r.name),
    ReleaseRecord: lambda r: release_key(r.definition, r.version),
    Descent: lambda r: Key(of_lineage(r.source), f"{ranked(r.version)}:{fit(r.image)}:{fit(r.run)}"),
    Slot: lambda r: slot_key(r.place, r.number),
    JournalLine: lambda r: Key(r.partition, journal_row(r)),
    FailedWork: lambda r: failed_key(r.id),
    ImageLine: lambda r: Key(IMAGES, image_line_row(r.name)),
    RunLine: lambda r: Key(r.partition, run_line_row(r)),
    VhdLine: lambda r: Key(r.partition, vhd_line_row(r)),
    RequestRecord: lambda r: request_key(r.id),
    Order: lambda r: order_key(r.image, r.id),
    RetentionRecord: lambda r: going_key(r.kind.value, r.id),
    RetentionKind: lambda r: kind_key(r.kind.value),
}


def key_of(record: Record) -> Key:
    """The one place that decides where a record lives."""
    return _KEYS[type(record)](record)
