"""How many requests each step of the story costs, counted in process while the story plays.

The world is the stories' own: the sandbox's Resource Manager and Event Grid behind the real gateways, storage
in memory, where one call of a port is one request. What the host itself asks of queues is not counted.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from functions import boundary
from shared.domain.looks import Lane
from shared.usecases.sweep import sweep
from tests.memory.queues import Delivered
from tests.stories.scenes import KEEP, factory_file
from tests.stories.world import World

from .table import Row, Table

IMAGES = 110
"""Enough for more than one page of templates."""
PAGE = 50
"""Templates in one page of the sandbox's Resource Manager."""
VERSION, NEXT = "22.04.202611010", "22.04.202611170"


class Step(msgspec.Struct, frozen=True):
    """One look, and every request that the app sent during it."""

    lane: str
    body: str
    names: tuple[str, ...]

    @property
    def arm(self) -> list[str]:
        return [name for name in self.names if _kind(name) == "Resource Manager"]

    def asks(self, ending: str) -> bool:
        return any(name.endswith(ending) for name in self.names)


class CountingWorld(World):
    """Keeps what each look asked for."""

    def __init__(self, **options: Any) -> None:
        self.steps: list[Step] = []
        super().__init__(**options)

    def _work_off(self, lane: Lane, message: Delivered) -> None:
        before = len(self.gate.names)
        super()._work_off(lane, message)
        self.steps.append(Step(lane.value, message.body, tuple(self.gate.names[before:])))

    def asked(self, work: Callable[[], object]) -> Step:
        """The requests of something that is no look out of a queue."""
        before = len(self.gate.names)
        work()
        return Step("", "", tuple(self.gate.names[before:]))


def calls() -> tuple[Table, ...]:
    return (_story(), _sweep(1), _sweep(IMAGES))


def _story() -> Table:
    with tempfile.TemporaryDirectory() as folder:
        world = CountingWorld(config=factory_file(Path(folder)))
        world.publish_version(VERSION)
        world.go_on(hours=1)
        world.publish_version(NEXT)
        world.play(lambda w: _manifests(w) == 1)
    steps = world.steps
    start = _first(steps, lambda s: s.asks("/run"))
    end = _first(steps, lambda s: s.asks("/runOutputs"))
    create = _first(steps, lambda s: any(n.startswith("PUT ") for n in s.arm))
    delete = _first(steps, lambda s: any(n.startswith("DELETE ") for n in s.arm))
    archive = _first(steps, lambda s: s.lane == "archive")
    source = [s for s in steps if s.lane == "sources"][-1]
    nothing = _first(reversed(steps), lambda s: s.lane == "builds" and len(s.names) == 2)
    ends = Counter(_kind(name) for name in end.names)
    return Table(
        "Requests of each step of the story",
        (
            _row("look, nothing changed: ledger", nothing, 1, "ledger"),
            _row("look, nothing changed: Resource Manager", nothing, 1, "Resource Manager"),
            _row("look at a source, nothing new", source, None),
            _row("making the template", create, None),
            _row("starting a run: Resource Manager", start, 2, "Resource Manager"),
            _row("starting a run: ledger", start, 3, "ledger"),
            _row("recording an ended run: Resource Manager", end, 2, "Resource Manager"),
            Row("recording an ended run: reads per output", _told(end), ends["blobs"], 1),
            *_archive(archive),
            _row("deleting the template", delete, None),
        ),
    )


def _archive(look: Step) -> list[Row]:
    """One look carries a small VHD through all its states, and commits each of them."""
    rows, asked = [], list(look.names)
    for what in ("start", "copy", "full verification", "manifest and event"):
        last = asked.index("ledger.commit") + 1
        names = asked[:last] if what != "manifest and event" else asked
        asked = asked[last:]
        chunks = sum(name == "blobs.copy_pages" for name in names)
        told = f"archiving: {what}" + (f" of {chunks} chunks" if chunks else "")
        rows.append(_row(told, Step(look.lane, look.body, tuple(names)), None))
    return rows


def _sweep(images: int) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        names = [f"image-{number:03d}" for number in range(images)]
        world = CountingWorld(config=factory_file(Path(folder), *names, options=KEEP))
        world.publish_version(VERSION)
        world.go_on(hours=1)
        world.publish_version(NEXT)
        world.play(lambda w: _manifests(w) == images)
        swept = world.asked(lambda: boundary.on_time(world.worker, sweep))
    pages = len(swept.arm)
    told = _told(swept)
    return Table(
        f"A sweep over {images} template(s), nothing to do",
        (
            Row("Resource Manager: lists alone, one call per page", told, pages, -(-images // PAGE)),
            Row("looks sent", "", sum(_kind(name) == "queues" for name in swept.names), 0),
        ),
    )


def _manifests(world: World) -> int:
    return sum(at.name.endswith(".json") for at in world.archived())


def _row(what: str, step: Step, budget: float | None, kind: str | None = None) -> Row:
    count = sum(kind is None or _kind(name) == kind for name in step.names)
    return Row(what, _told(step), count, budget)


def _told(step: Step) -> str:
    kinds = Counter(_kind(name) for name in step.names)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def _kind(name: str) -> str:
    if " /" in name:
        return "Resource Manager"
    return "Event Grid" if "events.sandbox" in name else name.split(".")[0]


def _first(steps: Iterable[Step], fits: Callable[[Step], bool]) -> Step:
    return next(step for step in steps if fits(step))
