"""Follows the story step by step, and says which one is missing, late or out of order."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from sandbox.demo.alarms import Deviation, check
from sandbox.demo.evidence import Evidence
from sandbox.demo.steps import STORY, Seen, Step

_PAUSE: Final = 0.1
_SLACK: Final = timedelta(seconds=0.1)
"""A delivery counts as done once Event Grid has read the answer, a moment after the factory gave it."""


class Screen(Protocol):
    """Whoever shows what happens."""

    def waits_for(self, step: Step) -> None: ...

    def progress(self, done: int, total: int) -> None: ...

    def has_seen(self, step: Step, seen: Seen) -> None: ...


async def follow(evidence: Evidence, screen: Screen, story: Sequence[Step] = STORY) -> None:
    """Return when the last step is done. Raises `Deviation`."""
    before, last = evidence.began, "the new version"
    for step in story:
        screen.waits_for(step)
        seen = await _seen(step, evidence, screen)
        if seen.at < before - _SLACK:
            raise Deviation(f"{step.words.strip()!r} came before {last!r}, expected after it")
        screen.has_seen(step, seen)
        before, last = seen.at, step.words.strip()


async def _seen(step: Step, evidence: Evidence, screen: Screen) -> Seen:
    clock = evidence.sandbox.clock
    deadline = clock.now() + step.patience
    while True:
        evidence.look(clock.now())
        if step.copying:
            await _measure(evidence, screen)
        seen = step.proof(evidence)
        if seen is not None:
            return seen
        check(evidence)
        _in_time(step, clock.now(), deadline)
        await asyncio.sleep(_PAUSE)


async def _measure(evidence: Evidence, screen: Screen) -> None:
    target = evidence.target
    if target is not None:
        evidence.copied = await asyncio.to_thread(evidence.sandbox.storage.writer.allocated, target)
        screen.progress(evidence.copied, evidence.allocated)


def _in_time(step: Step, now: datetime, deadline: datetime) -> None:
    if now > deadline:
        seconds = step.patience.total_seconds()
        raise Deviation(f"{step.words.strip()!r} did not happen within {seconds:g} s")
