"""What every provider stands on: time, the schedule, what exists, roles, long operations and events."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.arm.operations import Operations
from sandbox.arm.records import Records
from sandbox.arm.storage import Background, Storage, at_once
from sandbox.switches import Switches

if TYPE_CHECKING:
    import random

    from sandbox.arm.roles import Roles
    from sandbox.clock import Clock
    from sandbox.schedule import Callback, Schedule, Timer

EventSink = Callable[[str, Mapping[str, object]], None]


@dataclass(slots=True)
class Fabric:
    """`speed` divides the durations of simulated operations; time stamps are the clock's."""

    clock: Clock
    schedule: Schedule
    storage: Storage
    roles: Roles
    tenant: str
    random: random.Random
    emit: EventSink = lambda _topic, _event: None
    background: Background = at_once
    speed: float = 1.0
    page_size: int = 50
    switches: Switches = field(default_factory=Switches)
    records: Records = field(default_factory=Records)
    operations: Operations = field(init=False)

    def __post_init__(self) -> None:
        if self.speed <= 0:
            raise ValueError(f"the speed divides durations, so it must be above 0, not {self.speed}")
        self.operations = Operations(self.random, self.guid, lambda: self.switches.operation_retry_after)

    def guid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def after(self, start: datetime, seconds: float, callback: Callback) -> Timer:
        """Call back when an operation of that length, at speed 1, is over."""
        return self.schedule.at(start + timedelta(seconds=seconds / self.speed), callback)

    def aside(
        self, due: datetime, work: Callable[[], None], done: Callback, failed: Callback | None = None
    ) -> None:
        """Do slow work aside; `done` gets the due time moved by as long as the work really took.

        Work that raised, because storage is storage, ends in `failed`: nobody is left waiting.
        """
        began, finished = self.clock.now(), threading.Event()

        def watched() -> None:
            work()
            finished.set()

        def ended() -> None:
            then = done if finished.is_set() or failed is None else failed
            then(due + (self.clock.now() - began))

        self.background(watched, ended)

    def run_due(self) -> int:
        return self.schedule.run_due(self.clock.now())
