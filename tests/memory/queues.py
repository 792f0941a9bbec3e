"""Storage queues in memory, with the half that the Functions host plays: receive, delete, poison."""

import itertools
import threading
from datetime import datetime, timedelta

import msgspec

from sandbox.clock import Clock
from shared.contracts import messages
from shared.domain.looks import Look

LONGEST_DELAY = timedelta(days=1)


class Delivered(msgspec.Struct, frozen=True):
    """A message as its receiver gets it. `receipt` is good until somebody else receives the message."""

    id: str
    lane: str
    body: str
    dequeue_count: int
    receipt: str
    visible_at: datetime
    inserted: datetime


class MemoryQueues:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._messages: dict[str, Delivered] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def send(self, look: Look, delay: timedelta = timedelta(0)) -> None:
        self._add(look.lane.value, messages.encode(look), delay)

    def send_raw(self, lane: str, body: str) -> None:
        self._add(lane, body, timedelta(0))

    def receive(self, lane: str, visibility: timedelta = timedelta(minutes=10)) -> Delivered | None:
        """The visible message that waits longest, hidden from others from now on; None if there is none."""
        with self._lock:
            now = self._clock.now()
            visible = [each for each in self._of(lane) if each.visible_at <= now]
            return self._hide(visible[0], visibility) if visible else None

    def receive_this(
        self, message: Delivered, visibility: timedelta = timedelta(minutes=10)
    ) -> Delivered | None:
        """As `receive`, but this very message, so that a harness can choose the order."""
        with self._lock:
            found = self._messages.get(message.id)
            if found is None or found.visible_at > self._clock.now():
                return None
            return self._hide(found, visibility)

    def delete(self, message: Delivered) -> bool:
        """False if somebody else has received it since: it stays."""
        with self._lock:
            held = self._held(message)
            if held:
                del self._messages[message.id]
            return held

    def show(self, message: Delivered, delay: timedelta = timedelta(0)) -> bool:
        """Gives a received message back, as the host does when a function fails."""
        with self._lock:
            held = self._held(message)
            if held:
                found = self._messages[message.id]
                visible_at = self._clock.now() + delay
                self._messages[message.id] = msgspec.structs.replace(found, visible_at=visible_at)
            return held

    def poison(self, message: Delivered) -> None:
        """As the host does after the last try: into the poison queue of its lane."""
        if self.delete(message):
            self._add(f"{message.lane}-poison", message.body, timedelta(0))

    def waiting(self, lane: str | None = None) -> tuple[Delivered, ...]:
        """All messages, hidden ones too, by when they become visible."""
        with self._lock:
            return tuple(self._of(lane))

    def next_visible(self) -> datetime | None:
        """When the next message becomes, or became, visible."""
        waiting = self.waiting()
        return waiting[0].visible_at if waiting else None

    def clear(self) -> None:
        """Loses every message, as no queue does: for the sweep to make good."""
        with self._lock:
            self._messages.clear()

    def _add(self, lane: str, body: str, delay: timedelta) -> None:
        with self._lock:
            now, number = self._clock.now(), f"m{next(self._numbers):06d}"
            visible_at = now + min(max(delay, timedelta(0)), LONGEST_DELAY)
            self._messages[number] = Delivered(number, lane, body, 0, "", visible_at, now)

    def _of(self, lane: str | None) -> list[Delivered]:
        found = [each for each in self._messages.values() if lane is None or each.lane == lane]
        return sorted(found, key=lambda each: (each.visible_at, each.id))

    def _hide(self, message: Delivered, visibility: timedelta) -> Delivered:
        received = msgspec.structs.replace(
            message,
            dequeue_count=message.dequeue_count + 1,
            receipt=f"r{next(self._numbers)}",
            visible_at=self._clock.now() + visibility,
        )
        self._messages[message.id] = received
        return received

    def _held(self, message: Delivered) -> bool:
        found = self._messages.get(message.id)
        return found is not None and found.receipt == message.receipt
