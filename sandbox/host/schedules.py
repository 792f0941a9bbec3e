"""Timer schedules: NCRONTAB with six fields in UTC, or a constant interval."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from cronsim import CronSim, CronSimError

from sandbox.host.config import time_span
from sandbox.host.functions import AppFault

_FIELDS: Final = 6
# NCRONTAB knows no L, # or W, unlike the library that computes its occurrences
_FIELD: Final = re.compile(r"[\d*,/\-]+|[A-Za-z]{3}(?:[,-][A-Za-z]{3})*")


class Timetable(Protocol):
    def after(self, time: datetime) -> datetime:
        """Return the first occurrence later than `time`."""
        ...


class Cron:
    def __init__(self, expression: str) -> None:
        self._expression = expression

    def after(self, time: datetime) -> datetime:
        occurrences = CronSim(self._expression, time.astimezone(UTC))
        # in NCRONTAB a day must fit both day fields, in Debian's cron one of two restricted ones is enough
        occurrences.day_and = True
        return next(occurrences)


class Interval:
    def __init__(self, every: timedelta) -> None:
        self._every = every

    def after(self, time: datetime) -> datetime:
        return time + self._every


def timetable(schedule: str, function: str) -> Timetable:
    """Read a schedule, or raise `AppFault` saying what it should look like."""
    if ":" in schedule:
        try:
            return Interval(time_span(schedule, "the schedule"))
        except ValueError as error:
            raise AppFault(f"{function}: {error}") from error
    fields = schedule.split()
    if len(fields) != _FIELDS:
        raise AppFault(
            f"{function}: the schedule {schedule!r} has {len(fields)} fields; NCRONTAB has six, "
            'seconds first, such as "0 */5 * * * *"'
        )
    if wrong := [field for field in fields if not _FIELD.fullmatch(field)]:
        raise AppFault(f"{function}: {wrong[0]!r} in the schedule {schedule!r} is not NCRONTAB")
    try:
        Cron(schedule).after(datetime(2026, 1, 1, tzinfo=UTC))
    except (CronSimError, StopIteration) as error:
        raise AppFault(f"{function}: the schedule {schedule!r} has no occurrence: {error}") from error
    return Cron(schedule)
