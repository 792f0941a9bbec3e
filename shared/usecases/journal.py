"""The journal: what was decided and done, and why. A line when a reason changes, not at each look."""

from datetime import datetime

from shared.domain import keys
from shared.domain.looks import Look
from shared.domain.records import JournalLine
from shared.ports import Put


def image_line(
    image: str, thing: str, what: str, why: str, look: Look, now: datetime, *, by: str = ""
) -> Put:
    """A line in an image's partition, so that it goes in one transaction with what it tells of."""
    return Put(JournalLine(now, thing, what, why[:2000], look.correlation, keys.of_image(image), by))


def source_line(key: str, what: str, why: str, look: Look, now: datetime) -> Put:
    return Put(JournalLine(now, key, what, why[:2000], look.correlation, keys.of_source(key)))


def factory_line(thing: str, what: str, why: str, correlation: str, now: datetime, *, by: str = "") -> Put:
    """A line about what belongs to no image."""
    return Put(JournalLine(now, thing[:500], what, why[:2000], correlation, keys.FACTORY, by))
