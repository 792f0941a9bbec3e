"""Build windows: the hours in which automatic runs may start, by the clock on the wall of a place.

Whether a window is open is asked of the local time alone. So on a night in which clocks change it opens and
closes when the clock says so: an hour that is skipped is in no window, one that comes twice is in it twice.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAY: Final = 24 * 60
WEEK: Final = 7
_AHEAD: Final = 15
"""Days in which a window that ever opens does so: hours of one weekday may be skipped, but not twice."""
_MINUTE: Final = timedelta(minutes=1)


class Hours(msgspec.Struct, frozen=True):
    """Hours of some days of the week. What goes past midnight belongs to the day that it begins on."""

    days: tuple[int, ...]
    """Monday is 0."""
    start: int = 0
    """Minutes after midnight."""
    end: int = DAY
    """Likewise, and of the next day if it is before the start."""

    def cover(self, day: int, minute: int) -> bool:
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        late = day in self.days and minute >= self.start
        return late or ((day - 1) % WEEK in self.days and minute < self.end)


class Window(msgspec.Struct, frozen=True):
    """Open in what is allowed (always, if nothing is named) and not forbidden."""

    allow: tuple[Hours, ...] = ()
    forbid: tuple[Hours, ...] = ()
    time_zone: str = "UTC"

    def open_at(self, moment: datetime) -> bool:
        local = moment.astimezone(self._zone())
        return self._open(local.weekday(), local.hour * 60 + local.minute)

    def opens(self, moment: datetime) -> datetime:
        """The first time from `moment` on at which it is open, UTC; `moment` itself if it is."""
        if self.open_at(moment):
            return moment
        later = sorted(each for each in self._changes(moment) if each > moment)
        return next((each for each in later if self.open_at(each)), later[-1])

    @property
    def never_opens(self) -> bool:
        return not any(self._open(day, minute) for day in range(WEEK) for minute in self._edges())

    def _open(self, day: int, minute: int) -> bool:
        allowed = not self.allow or any(hours.cover(day, minute) for hours in self.allow)
        return allowed and not any(hours.cover(day, minute) for hours in self.forbid)

    def _edges(self) -> set[int]:
        """Minutes of a day at which it may open or close."""
        spans = (*self.allow, *self.forbid)
        return {0} | {edge % DAY for hours in spans for edge in (hours.start, hours.end)}

    def _changes(self, moment: datetime) -> Iterator[datetime]:
        """Every moment of the days ahead at which it may open or close, in no order."""
        zone, edges = self._zone(), [timedelta(minutes=edge) for edge in self._edges()]
        first = moment.astimezone(zone).date() - timedelta(days=1)
        for day in range(_AHEAD + 2):
            date = first + timedelta(days=day)
            midnight = datetime.combine(date, time())
            for edge in edges:
                local = (midnight + edge).replace(tzinfo=zone)
                yield from (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
            start = datetime.combine(date, time(), UTC)
            if changed := _clocks_change(zone, start, start + timedelta(days=1)):
                yield changed

    def _zone(self) -> "ZoneInfo":
        from zoneinfo import ZoneInfo  # here: only images with a window pay for it

        return ZoneInfo(self.time_zone)


def _clocks_change(zone: "ZoneInfo", start: datetime, end: datetime) -> datetime | None:
    """To the minute, when between the two clocks are set to another time; None if they are not."""
    before = start.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == before:
        return None
    while end - start > _MINUTE:
        middle = start + (end - start) // _MINUTE // 2 * _MINUTE
        if middle.astimezone(zone).utcoffset() == before:
            start = middle
        else:
            end = middle
    return end
