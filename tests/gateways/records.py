"""Records to write, of one image per test."""

import itertools
from datetime import UTC, datetime

from shared.domain.ids import ImageName
from shared.domain.keys import of_image
from shared.domain.records import ImageRecord, JournalLine
from shared.domain.versions import Version

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
_NUMBERS = itertools.count(1)


def new_image() -> ImageName:
    return ImageName(f"ubuntu-{next(_NUMBERS)}")


def record(name: ImageName, reason: str = "") -> ImageRecord:
    return ImageRecord(name=name, wanted=Version.parse("22.04.202611010"), reason=reason)


def line(name: ImageName, number: int) -> JournalLine:
    return JournalLine(
        at=AT.replace(microsecond=number),
        thing=name,
        what="run-requested",
        why=f"reason {number} – `quoted` 'so', \"so\" and ✓",
        correlation="c-1",
        partition=of_image(name),
    )
