"""Five-field cron with a time zone, and when it is next due."""

import enum
from datetime import UTC, datetime

import msgspec


class Start(enum.Enum):
    """What a schedule that is due starts a run for."""

    ALWAYS = "always"
    IF_CHANGED = "if_changed"
    """Only if something that the image is made from has changed since it was last built."""


class Schedule(msgspec.Struct, frozen=True):
    """A cron expression that has been checked; `contracts` is where it is refused."""

    cron: str
    time_zone: str = "UTC"
    start: Start = Start.ALWAYS

    def next_after(self, moment: datetime) -> datetime:
        """The first due time after `moment`, UTC. A missed schedule is thus due once, not once per miss."""
        # Here: some 15 ms that only scheduled images pay.
        from zoneinfo import ZoneInfo

        from cronsim import CronSim

        local = moment.astimezone(ZoneInfo(self.time_zone))
        return next(CronSim(self.cron, local)).astimezone(UTC)
