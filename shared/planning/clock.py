"""By the clock: when a schedule is due, and whether it then starts a run."""

from datetime import datetime

from msgspec.structs import replace

from shared.domain.factory import Image
from shared.domain.ingredients import Ingredient
from shared.domain.records import ImageRecord
from shared.domain.schedules import Start

from . import ingredients

Found = tuple[Ingredient, ...] | None
"""What the image is made from now; None where nobody has asked."""


def follow_schedule(record: ImageRecord, image: Image, now: datetime) -> ImageRecord:
    """A schedule that is new, or another one than before, counts from now on."""
    text = f"{image.schedule.cron} {image.schedule.time_zone}" if image.schedule else ""
    if record.schedule == text:
        return record
    return replace(record, schedule=text, scheduled=now)


def next_due(record: ImageRecord, image: Image, now: datetime) -> datetime | None:
    """When the schedule is due after what it counts from; None without one.

    In the past if it is due by now: once, however often it was missed.
    """
    return image.schedule.next_after(record.scheduled or now) if image.schedule else None


def next_scheduled(record: ImageRecord | None, image: Image, now: datetime) -> datetime | None:
    """When the schedule will start a run at the earliest, its window considered; None without a schedule."""
    known = follow_schedule(record or ImageRecord(image.name, scheduled=now), image, now)
    due = next_due(known, image, now)
    if due is None:
        return None
    earliest = max(due, now)
    return image.window.opens(earliest) if image.window else earliest


def wants(record: ImageRecord, image: Image, now: datetime, found: Found) -> str:
    """Why the schedule wants a run now; empty if it does not. What nobody has asked for may have changed."""
    due = _due(record, image, now)
    if due is None:
        return ""
    if found is None or not conditional(image):
        return _said(due)
    what = ingredients.changed(found, record.made_of)
    return f"{_said(due)}: {what}" if what else ""


def passes(record: ImageRecord, image: Image, now: datetime, found: Found) -> str:
    """Why a schedule that is due starts nothing; empty if it is not due, or wants a run."""
    due = _due(record, image, now)
    if due is None or found is None or wants(record, image, now, found):
        return ""
    blind = ingredients.unreadable(found)
    told = f"{_said(due)}, but nothing that it is made from has changed since the last build"
    return f"{told} ({blind})" if blind else told


def conditional(image: Image) -> bool:
    return image.schedule is not None and image.schedule.start is Start.IF_CHANGED


def _due(record: ImageRecord, image: Image, now: datetime) -> datetime | None:
    due = next_due(record, image, now) if record.scheduled else None
    return due if due and due <= now else None


def _said(due: datetime) -> str:
    return f"scheduled for {due:%Y-%m-%d %H:%M} UTC"
