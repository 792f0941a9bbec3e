"""Follows stories step by step, and says which one is missing, late or out of order."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from sandbox.demo.alarms import Deviation, check
from sandbox.demo.evidence import Evidence
from sandbox.demo.steps import STORY, Seen, Step

_PAUSE: Final = 0.1
_SLACK: Final = timedelta(seconds=0.1)
"""A delivery counts as done once Event Grid has read the answer, a moment after the factory gave it."""
_SETTLED: Final = timedelta(seconds=0.1)
"""Some records are written a moment after what they tell of: what is older than this is in its order."""


class Screen(Protocol):
    """Whoever shows what happens."""

    def waits_for(self, *steps: Step) -> None: ...

    def progress(self, done: int, total: int) -> None: ...

    def has_seen(self, step: Step, seen: Seen) -> None: ...


@dataclass(slots=True)
class _Track:
    """A story as far as it has come."""

    steps: Sequence[Step]
    before: datetime
    deadline: datetime
    last: str = "the new version"
    at: int = 0

    @property
    def step(self) -> Step | None:
        return self.steps[self.at] if self.at < len(self.steps) else None

    def goes_on(self, step: Step, seen: Seen, now: datetime) -> None:
        if seen.at < self.before - _SLACK:
            raise Deviation(f"{step.words.strip()!r} came before {self.last!r}, expected after it")
        self.before, self.last, self.at = seen.at, step.words.strip(), self.at + 1
        if self.step is not None:
            self.deadline = now + self.step.patience


async def follow(evidence: Evidence, screen: Screen, *stories: Sequence[Step]) -> None:
    """Return when the last step of each story is done; they go on side by side. Raises `Deviation`."""
    clock = evidence.sandbox.clock
    tracks = [_Track(story, evidence.began, clock.now() + story[0].patience) for story in stories or (STORY,)]
    while waiting := [track.step for track in tracks if track.step is not None]:
        screen.waits_for(*waiting)
        evidence.look(clock.now())
        if any(step.copying for step in waiting):
            await _measure(evidence, screen)
        now = clock.now()
        found = [each for track in tracks for each in _go_on(track, evidence, now)]
        for step, seen in sorted(found, key=lambda each: each[1].at):
            screen.has_seen(step, seen)
        if not found:
            check(evidence)
            for track in tracks:
                _in_time(track, clock.now())
            await asyncio.sleep(_PAUSE)


def _go_on(track: _Track, evidence: Evidence, now: datetime) -> Iterator[tuple[Step, Seen]]:
    """What has happened and is settled; what happens while others are asked comes later, in its order."""
    while (step := track.step) is not None:
        seen = step.proof(evidence)
        if seen is None or seen.at > now - _SETTLED:
            return
        track.goes_on(step, seen, now)
        yield step, seen


async def _measure(evidence: Evidence, screen: Screen) -> None:
    target = evidence.target
    if target is not None:
        evidence.copied = await asyncio.to_thread(evidence.sandbox.storage.writer.allocated, target)
        screen.progress(evidence.copied, evidence.allocated)


def _in_time(track: _Track, now: datetime) -> None:
    if track.step is not None and now > track.deadline:
        seconds = track.step.patience.total_seconds()
        raise Deviation(f"{track.step.words.strip()!r} did not happen within {seconds:g} s")
