"""Schedules as `factory.yaml` has them. Here they are refused, so that the domain can rely on them."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.domain.schedules import Schedule, Start

from .document import SchedulePart
from .faults import Finding, nearest
from .given import either

NEW_YEAR: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Any moment will do: a sound expression is due after each."""

_ZONE: Final = "expected a name such as Europe/Paris"
_CRON: Final = "expected minute, hour, day of month, month and day of week, such as 0 3 * * 1"


def read(
    part: SchedulePart | msgspec.UnsetType, path: tuple[str, ...], findings: list[Finding]
) -> Schedule | None:
    """None if there is none, or if there is nothing to go on with; what is wrong goes into `findings`."""
    if not isinstance(part, SchedulePart):
        return None
    zone = time_zone(part.time_zone, path, findings)
    if not part.cron:  # a fault of the schema, and reported as one
        return None
    schedule = Schedule(part.cron, zone, either(part.start, Start.ALWAYS))
    wrong_cron = _wrong_cron(schedule)
    if wrong_cron:
        findings.append(Finding((*path, "cron"), f"{part.cron!r} {wrong_cron}; {_CRON}"))
    return schedule


def time_zone(written: str | msgspec.UnsetType, path: tuple[str | int, ...], findings: list[Finding]) -> str:
    """UTC where none is written, and in place of one that is none."""
    zone = either(written, "UTC")
    wrong = _wrong_zone(zone)
    if wrong is None:
        return zone
    findings.append(Finding((*path, "time_zone"), f"{zone!r} is not a time zone; {_ZONE}", wrong))
    return "UTC"


def _wrong_zone(name: str) -> str | None:
    """None for a time zone; else the one that was probably meant, if any."""
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, a directory of the database
        return nearest(name, available_timezones())
    return None


def _wrong_cron(schedule: Schedule) -> str:
    """Empty for an expression with a next date."""
    from cronsim import CronSimError

    fields = len(schedule.cron.split())
    if fields != 5:
        return f"has {fields} field{'s' * (fields != 1)}"
    try:
        schedule.next_after(NEW_YEAR)
    except StopIteration:
        return "is never due"
    except (CronSimError, ValueError, AssertionError, TypeError) as error:
        return f"is not a cron expression ({str(error).lower() or 'not understood'})"
    return ""
