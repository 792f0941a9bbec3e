"""Events on their way to subscribers, where they can be looked at, doubled, shuffled and lost.

In process a test takes them out and delivers them in any order, as often as it likes; in the running sandbox
the courier does. Publishing happens under the world's lock, delivering does not, hence the lock of its own.
"""

import random
import re
import threading
from collections import deque
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sandbox.eventgrid.events import Event
from sandbox.eventgrid.retry import Again, Dead, Delivered, Delivery, after_attempt, dead_letter
from sandbox.eventgrid.subscriptions import EventSubscription

if TYPE_CHECKING:
    from collections.abc import Callable

_HISTORY = 1000  # attempts remembered for people who look; a long-lived world must not grow without end


class Disturbance(msgspec.Struct, frozen=True):
    """What "at least once, in any order" shall look like from now on.

    `drop` is a regular expression, searched in "eventType subject"; ".*" loses every event.
    `shuffle_seed` holds each delivery back by a random part of `spread` seconds.
    """

    copies: int = 1
    shuffle_seed: int | None = None
    spread: float = 5.0
    drop: str | None = None

    def check(self) -> None:
        """Raise ValueError for what could not be carried out."""
        if self.copies < 1 or self.spread < 0:
            raise ValueError(f"copies start at 1 and spread at 0, got {self.copies} and {self.spread}")
        try:
            re.compile(self.drop or "")
        except re.error as error:
            raise ValueError(f"drop {self.drop!r} is not a regular expression: {error}") from error


class Outbox:
    def __init__(self, speed: float = 1.0, dead_letters: Path | None = None) -> None:
        self.attempts: deque[Delivery] = deque(maxlen=_HISTORY)
        self.dropped: list[Event] = []
        self.dead: list[dict[str, object]] = []
        self.on_change: Callable[[], object] = lambda: None
        self._speed = speed
        self._file = dead_letters
        self._pending: dict[int, Delivery] = {}
        self._in_flight: set[int] = set()
        self._numbers = 0
        self._lock = threading.Lock()
        self._disturbance = Disturbance()
        self._random = random.Random()

    @property
    def disturbance(self) -> Disturbance:
        return self._disturbance

    @disturbance.setter
    def disturbance(self, wanted: Disturbance) -> None:
        wanted.check()
        with self._lock:
            self._disturbance = wanted
            self._random = random.Random(wanted.shuffle_seed)

    def add(self, subscription: EventSubscription, event: Event, now: datetime) -> None:
        with self._lock:
            wanted = self._disturbance
            if wanted.drop is not None and re.search(wanted.drop, _label(event), re.IGNORECASE):
                self.dropped.append(event)
                return
            for _ in range(wanted.copies):
                self._numbers += 1
                due = now + timedelta(seconds=self._hold_back(wanted))
                self._pending[self._numbers] = Delivery(self._numbers, subscription, event, now, due)
        self.on_change()

    def pending(self) -> tuple[Delivery, ...]:
        """All that still has to be delivered, in the order in which it falls due."""
        with self._lock:
            return tuple(sorted(self._pending.values(), key=lambda each: (each.due, each.number)))

    def take_due(self, now: datetime) -> tuple[Delivery, ...]:
        """Return what is due and mark it as under way, until `settle` says what became of it."""
        with self._lock:
            due = [
                each
                for each in self._pending.values()
                if each.due <= now and each.number not in self._in_flight
            ]
            self._in_flight.update(each.number for each in due)
        return tuple(sorted(due, key=lambda each: (each.due, each.number)))

    def next_due(self) -> datetime | None:
        with self._lock:
            waiting = [each.due for each in self._pending.values() if each.number not in self._in_flight]
        return min(waiting, default=None)

    def settle(self, delivery: Delivery, status: int | None, now: datetime) -> Delivered | Again | Dead:
        """Record the endpoint's answer, None for no answer; return what happens next."""
        with self._lock:
            outcome = after_attempt(self._pending.get(delivery.number, delivery), status, now, self._speed)
            self._in_flight.discard(delivery.number)
            self.attempts.append(outcome.delivery)
            if isinstance(outcome, Again):
                self._pending[delivery.number] = outcome.delivery
            else:
                self._pending.pop(delivery.number, None)
            if isinstance(outcome, Dead):
                self._bury(dead_letter(outcome))
        self.on_change()
        return outcome

    def discard(self, delivery: Delivery) -> None:
        """Lose this one delivery without a trace for the subscriber."""
        with self._lock:
            if self._pending.pop(delivery.number, None) is not None:
                self.dropped.append(delivery.event)

    def _hold_back(self, wanted: Disturbance) -> float:
        if wanted.shuffle_seed is None:
            return 0.0
        return self._random.uniform(0, wanted.spread) / self._speed

    def _bury(self, letter: dict[str, object]) -> None:
        self.dead.append(letter)
        if self._file is not None:
            with self._file.open("ab") as file:
                file.write(msgspec.json.encode(letter) + b"\n")


def _label(event: Event) -> str:
    return f"{event.get('eventType', event.get('type', ''))} {event.get('subject', '')}"
