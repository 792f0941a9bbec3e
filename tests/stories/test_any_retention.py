"""Whatever people do while retention is at work: what they need stays, and what goes had its time."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sandbox.arm.compute.shelf import MACHINES
from sandbox.switches import Switches
from shared.domain.retention import MARK, PIN
from shared.usecases import rulings

from .cuts import Gate
from .gallery import GALLERY
from .retaining import RetentionWorld
from .scenes import GROUP
from .test_retention_story import configured

NOTICE = timedelta(hours=3)
HOURS = 30


class Witness:
    """Sees each deletion that Azure accepts, and what was so when it was asked for."""

    def __init__(self, world: RetentionWorld) -> None:
        self.world = world
        self.marked: dict[str, datetime] = {}
        self.wrong: list[str] = []
        self._seen = len(world.azure.calls.list("arm"))
        self.needed: dict[str, datetime] = {}
        """Versions that somebody needs, and since when."""

    def look(self, _count: int = 0) -> None:
        now = self.world.clock.now()
        for version in self.world.versions("dev"):
            if MARK in version.tags:
                self.marked.setdefault(version.name, now)
            else:
                self.marked.pop(version.name, None)
        calls = self.world.azure.calls.list("arm")
        for call in calls[self._seen :]:
            if call.method == "DELETE" and call.status == 202 and "/versions/" in call.path:
                self._judge(call.path.rsplit("/", 1)[1], call.at)
        self._seen = len(calls)

    def _judge(self, name: str, at: datetime) -> None:
        since = self.needed.get(name)
        if since is not None and since < at:
            self.wrong.append(f"{name} was deleted at {at}, and needed since {since}")
        marked = self.marked.get(name)
        if marked is None or at - marked < NOTICE + timedelta(minutes=15):
            self.wrong.append(f"{name} was deleted at {at}, marked {marked}")


def pin(world: RetentionWorld, witness: Witness, name: str) -> None:
    world.pin(f"dev/{name}")
    witness.needed.setdefault(name, world.clock.now())


def unpin(world: RetentionWorld, witness: Witness, name: str) -> None:
    version = world.version(f"dev/{name}")
    version.tags = {n: v for n, v in version.tags.items() if n != PIN}
    if not any(name in record.id for record in world.azure.fabric.records.of_kind(MACHINES.name, GROUP)):
        witness.needed.pop(name, None)


def use(world: RetentionWorld, witness: Witness, name: str) -> None:
    """A machine, some minutes before anything is asked: Resource Graph has to know of it."""
    world.machine(f"vm-{name}-{world.clock.now():%H%M%S}", f"{GALLERY}/images/dev/versions/{name}")
    witness.needed.setdefault(name, world.clock.now())


def publish(world: RetentionWorld, _witness: Witness, _name: str) -> None:
    """A newer version comes, and is taken over."""
    number = f"1.1.{len(world.versions('dev'))}"
    if number not in world.there():
        world.seed(number, days=2)
        rulings.adopt(world.worker.outside, world.worker.factory(), "dev", "dev", (number,), "c-1")


def unmark(world: RetentionWorld, _witness: Witness, name: str) -> None:
    if f"dev/{name}" in world.going():
        rulings.unmark(world.worker.outside, world.worker.factory(), f"dev/{name}", "by hand", "c-1")


DEEDS: tuple[Callable[[RetentionWorld, Witness, str], None], ...] = (pin, unpin, use, publish, unmark)


def play(seed: int, folder: Path) -> None:
    drawn = random.Random(seed)
    folder.mkdir(exist_ok=True)
    eager = configured(folder, ("younger: 30d", drawn.choice(("younger: 30d", "younger: 2d"))))
    gate = Gate(kind="kill", when=drawn.choice(("before", "after")))
    lag = drawn.choice((0.0, 300.0))
    world = RetentionWorld(config=eager, gate=gate, switches=Switches(graph_lag_seconds=lag))
    witness = Witness(world)
    world.azure.schedule.watchers.append(lambda _at: witness.look())
    gate.before = witness.look
    for _ in range(HOURS):
        if drawn.random() < 0.5:
            there = [name for name in world.there() if world.version(f"dev/{name}").state == "Succeeded"]
            drawn.choice(DEEDS)(world, witness, drawn.choice(there))
        if drawn.random() < 0.2:
            gate.at = gate.count + drawn.randrange(1, 60)
        world.go_on(minutes=drawn.randrange(20, 70))
        witness.look()
    gate.at = None
    world.go_on(hours=12)
    witness.look()
    assert not witness.wrong, (seed, witness.wrong)
    assert set(witness.needed) <= set(world.there()), seed
    plan = world.plan_now()
    assert not [v for v in plan.verdicts if not v.keep and v.stage.value == "none"], (
        "all of it goes in the end"
    )
    deleted = world.deletions()
    assert len(deleted) == len(set(deleted)), seed


@pytest.mark.parametrize("seed", range(1))
def test_whatever_people_do_what_they_need_stays(seed: int, tmp_path: Path) -> None:
    play(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("share", range(6))
def test_in_many_worlds_what_people_need_stays(share: int, tmp_path: Path) -> None:
    for seed in range(100 + share, 200, 6):
        play(seed, tmp_path / str(seed))
