"""Runs a timer function: one at a time, on its schedule, and once past due if the host slept through it."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from sandbox.host.arguments import from_document
from sandbox.host.files import replace_file
from sandbox.host.functions import Function
from sandbox.host.invocation import Worker
from sandbox.host.schedules import Timetable

_MONITORED: Final = timedelta(minutes=1)  # more frequent timers lose nothing by missing one


class TimerStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """What the host writes down, so that the next one knows what was missed."""

    next: datetime
    last_updated: datetime
    last: datetime | None = None


def on_start(status: TimerStatus | None, table: Timetable, now: datetime) -> tuple[TimerStatus, bool]:
    """Return the status to go on from, and whether an occurrence was missed."""
    if status is None:
        return TimerStatus(next=table.after(now), last_updated=now), False
    expected = table.after(status.last or status.last_updated)
    if status.next != expected:  # somebody changed the schedule
        status = msgspec.structs.replace(status, next=table.after(now), last_updated=now)
    return status, now > status.next


def after_run(table: Timetable, now: datetime) -> TimerStatus:
    return TimerStatus(next=table.after(now), last_updated=now, last=now)


class TimerListener:
    def __init__(
        self,
        function: Function,
        table: Timetable,
        worker: Worker,
        now: Callable[[], datetime],
        status_file: Path,
    ) -> None:
        self._function = function
        self._table = table
        self._worker = worker
        self._now = now
        self._file = status_file if self._is_monitored() else None

    async def run(self) -> None:
        status, past_due = on_start(self._load(), self._table, self._now())
        self._save(status)
        if past_due or self._function.binding.get("runOnStartup"):
            status = await self._fire(status, past_due=past_due)
        while True:
            while (wait := (status.next - self._now()).total_seconds()) > 0:
                await asyncio.sleep(wait)
            status = await self._fire(status, past_due=False)

    async def _fire(self, status: TimerStatus, *, past_due: bool) -> TimerStatus:
        await self._worker.invoke(
            self._function,
            lambda: from_document(self._function, timer_document(status, past_due=past_due)),
            f"Timer fired at {self._now().isoformat()}",
        )
        status = after_run(self._table, self._now())
        self._save(status)
        return status

    def _is_monitored(self) -> bool:
        if self._function.binding.get("useMonitor") is False:
            return False
        first = self._table.after(self._now())
        return self._table.after(first) - first >= _MONITORED

    def _load(self) -> TimerStatus | None:
        if self._file is None or not self._file.exists():
            return None
        return msgspec.json.decode(self._file.read_bytes(), type=TimerStatus)

    def _save(self, status: TimerStatus) -> None:
        if self._file is not None:
            replace_file(self._file, msgspec.json.encode(status))


def timer_document(status: TimerStatus | None, *, past_due: bool) -> dict[str, object]:
    """Return what the host tells the worker about a timer."""
    known = None if status is None else msgspec.to_builtins(status)
    return {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": known, "IsPastDue": past_due}
