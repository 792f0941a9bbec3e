"""Whatever people ask and edit while events arrive, in any order, with cuts: nothing is lost, nothing twice.

People start, cancel, pause, resume and delete, and edit the template's file; versions appear, runs fail,
events get lost, workers die. What the other issues promise holds at every request and in the end.
"""

import contextlib
import json
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.vhd import Vhd
from shared.domain.errors import FactoryError, Unreachable, WrongState
from shared.domain.ids import BlobAddress
from shared.domain.orders import Order, OrderKind, OrderState
from shared.domain.records import FailedWork, OutputRecord, RunRecord
from shared.domain.retention import OWNER
from shared.usecases import orders, status

from .cuts import Gate, Killed
from .scenes import IMAGE, factory_file
from .world import World

STEPS = 14
LAST = "22.04.209912010"


class Witness:
    """Sees every request that Azure accepts from the factory, and what was so when it was sent."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.wrong: list[str] = []
        self._seen = 0

    def look(self, _count: int = 0) -> None:
        calls = self.world.azure.calls.list("arm", "factory")
        for call in calls[self._seen :]:
            if call.status in (200, 202, 204):
                self._judge(call.method, call.path)
        self._seen = len(calls)

    def _judge(self, method: str, path: str) -> None:
        image = self.world.image()
        if image is None:
            return
        if method == "DELETE" and "/imagetemplates/" in path.lower():
            unsafe = [o.id for o in self._of(path) if not o.state.settled]
            if unsafe:
                self.wrong.append(f"{path} was deleted while {unsafe} were not safe")
        if method == "POST" and path.endswith("/run") and image.paused_by:
            claim = image.claim
            if claim is None or not claim.order:
                self.wrong.append(f"a run of {path} although automatic runs are paused {image.paused}")

    def _of(self, path: str) -> list[OutputRecord]:
        name = path.rsplit("/", 1)[1].lower()
        found = self.world.records(OutputRecord)
        return [o for o in found if o.template.rsplit("/", 1)[1].lower() == name]


class Hands:
    """People at one image."""

    def __init__(self, world: World, folder: Path, drawn: random.Random) -> None:
        self.world, self.folder, self.drawn = world, folder, drawn
        self.refused = 0
        self._versions = iter(f"22.04.2099{month:02}010" for month in range(1, 12))
        self._given = self._failed = 0

    def _order(self, kind: OrderKind) -> None:
        """Given again under the same id until there is an answer."""
        self._given += 1
        id = f"order-{self._given}"
        for _ in range(3):
            this = self.world.worker
            try:
                orders.order(this.outside, this.factory(), IMAGE, kind, id, "ada", "", "by-hand")
            except WrongState:
                self.refused += 1
            except Unreachable:
                continue
            except Killed:
                self.world.gate.revive()
                self.world.worker = self.world.new_worker()
                continue
            return

    def start(self) -> None:
        self._order(OrderKind.START)

    def cancel(self) -> None:
        self._order(OrderKind.CANCEL)

    def delete(self) -> None:
        self._order(OrderKind.DELETE)

    def pause(self) -> None:
        this = self.world.worker
        with self._perhaps():
            orders.pause(this.outside, this.factory(), IMAGE, "ada", "", "by-hand")

    def resume(self) -> None:
        this = self.world.worker
        with self._perhaps():
            status.resume(this.outside, this.factory(), IMAGE, "by-hand", by="ada")

    @contextlib.contextmanager
    def _perhaps(self) -> Iterator[None]:
        """What people ask may be cut off as well, or there may be nothing to resume."""
        try:
            yield
        except FactoryError:
            pass
        except Killed:
            self.world.gate.revive()
            self.world.worker = self.world.new_worker()

    def publish(self) -> None:
        if version := next(self._versions, None):
            self.world.publish_version(version)

    def edit(self) -> None:
        """What a template is made of, or what Azure can patch, or back to what it was before."""
        file = self.folder / "template.json"
        template = json.loads(file.read_text(encoding="utf-8"))
        text = self.drawn.choice(("one", "two", "three"))
        if self.drawn.random() < 0.5:
            template["properties"]["customize"][0]["name"] = text
        else:
            template["properties"]["distribute"][0]["artifactTags"] = {"edited": text}
        file.write_text(json.dumps(template), encoding="utf-8")

    def lose_events(self) -> None:
        self.world.lose_events = not self.world.lose_events

    def fail(self) -> None:
        """The next run of whatever template is there; three in a row would want somebody to resume."""
        if self._failed == 2:
            return
        self._failed += 1
        result: Literal["failure", "partial"] = self.drawn.choice(("failure", "partial"))
        for template in self.world.azure.imagebuilder.templates():
            self.world.azure.imagebuilder.plan(template.id, Outcome(result=result, distribute=True))


DEEDS: tuple[Callable[[Hands], None], ...] = (
    Hands.start,
    Hands.start,
    Hands.cancel,
    Hands.delete,
    Hands.pause,
    Hands.resume,
    Hands.publish,
    Hands.publish,
    Hands.edit,
    Hands.edit,
    Hands.lose_events,
    Hands.fail,
)


def play(seed: int, folder: Path) -> None:
    drawn = random.Random(seed)
    folder.mkdir(exist_ok=True)
    options = {"after_archive": drawn.choice(("keep_template", "delete_template"))}
    gate = Gate(kind="kill", when=drawn.choice(("before", "after")))
    world = World(config=factory_file(folder, options=options), gate=gate)
    witness, hands = Witness(world), Hands(world, folder, drawn)
    gate.before = witness.look
    for _ in range(STEPS):
        drawn.choice(DEEDS)(hands)
        if drawn.random() < 0.3:
            gate.at, gate.kind = gate.count + drawn.randrange(1, 40), drawn.choice(("kill", "drop"))
        world.go_on(minutes=drawn.choice((1, 5, 20, 90)))
        witness.look()
    gate.at, world.lose_events = None, False
    hands.resume()
    world.publish_version(LAST)
    world.play(built_last, horizon=timedelta(days=9))
    witness.look()
    assert not witness.wrong, (seed, witness.wrong)
    judge(world, seed)


def built_last(world: World) -> bool:
    image = world.image()
    return (
        image is not None
        and str(image.built) == LAST
        and not (image.claim or image.run or image.unsettled)
        and not any(order.open for order in image.orders)
        and len(owned(world)) <= 1
    )


def owned(world: World) -> list[str]:
    return [t.name for t in world.azure.imagebuilder.templates() if OWNER in t.tags]


def judge(world: World, seed: int) -> None:
    """Every VHD that was made is in the archive as it was; each order has one run of its own, or a reason."""
    archived = [at for at in world.archived() if at.name.endswith(".vhd")]
    missing = [made for made in world.storage.made if not any(same(world, at, made) for at in archived)]
    assert not missing, (seed, len(missing), world.told())
    assert len(archived) == len(world.storage.made), (seed, world.told())
    assert not world.records(FailedWork), (seed, world.told())
    given = world.records(Order)
    assert all(order.state is not OrderState.OPEN and order.why for order in given), seed
    started = [o.run for o in given if o.kind is OrderKind.START and o.state is OrderState.DONE]
    assert len(started) == len(set(started)), (seed, "two orders share a run")
    assert set(started) <= {run.start for run in world.records(RunRecord)}, seed


def same(world: World, at: BlobAddress, made: Vhd) -> bool:
    if world.blobs.facts(at).length != made.size:
        return False
    return all(world.blobs.read(at, start, start + len(data)) == data for start, data in made.extents)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_people_ask_and_edit_nothing_is_lost(seed: int, tmp_path: Path) -> None:
    play(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("share", range(6))
def test_in_many_worlds_nothing_is_lost(share: int, tmp_path: Path) -> None:
    for seed in range(100 + share, 400, 6):
        play(seed, tmp_path / str(seed))
