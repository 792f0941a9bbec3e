"""Whatever people do by hand, by the clock and to files, while events get lost and workers die: it holds."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.identity.tokens import OPERATOR
from sandbox.switches import Switches
from shared.domain import keys
from shared.domain.errors import FactoryError, WrongState
from shared.domain.orders import Order, OrderKind, OrderState
from shared.domain.records import FailedWork, ImageRecord, OutputRecord, OutputState, RunRecord

from .cuts import Gate, Killed
from .scenes import IMAGE, KEEP, TEMPLATES, Operator, factory_file
from .test_by_hand import ask
from .test_deployment import ONE, TWO
from .test_orders import known, order, pause
from .world import World

DEEDS = 12
SCHEDULES = ("*/20 * * * *", "0 * * * *", "0 3 * * *")
WINDOWS: tuple[dict[str, list[str]], ...] = (
    {},
    {"allow": ["10:00-11:00"]},
    {"forbid": ["09:00-09:45", "11:30-14:00"]},
)


class Witness:
    """Sees each request for a run before Azure does, and whether it may be."""

    def __init__(self, world: World, folder: Path, drawn: random.Random) -> None:
        self.world, self.folder, self.drawn = world, folder, drawn
        self.wrong: list[str] = []
        self.placed: list[str] = []
        self.versions = 0
        self.file: dict[str, Any] = {}
        """What the template file says besides the sample."""

    def look(self, _count: int) -> None:
        if not self.world.gate.names[-1].endswith("/run"):
            return
        now, record = self.world.clock.now(), self.world.known()
        window = self.world.worker.factory().image(IMAGE).window
        by_hand = bool(record.claim and record.claim.order)
        if record.unsettled:
            self.wrong.append(f"{now}: a run over {record.unsettled}")
        if record.paused_by and not by_hand:
            self.wrong.append(f"{now}: an automatic run although {record.paused}")
        if window and not window.open_at(now) and not by_hand:
            self.wrong.append(f"{now}: an automatic run outside its window")

    def insist(self, act: Callable[[], object]) -> None:
        """A person whose connection, or whose worker, was cut off asks again."""
        try:
            act()
        except WrongState:
            return
        except (Killed, FactoryError):
            self.world.gate.revive()
            self.world.worker = self.world.new_worker()
            self.insist(act)


def give_order(witness: Witness) -> None:
    id = f"order-{len(witness.placed)}"
    witness.insist(lambda: order(witness.world, id, id))
    if witness.world.ledger.read(keys.order_key(IMAGE, id), Order):
        witness.placed.append(id)


def give(kind: OrderKind) -> Callable[[Witness], None]:
    """Cancel the run under way, or have the template deleted: under an id of its own each time."""

    def deed(witness: Witness) -> None:
        id = f"{kind.value}-{witness.drawn.randrange(10**9)}"
        witness.insist(lambda: ask(witness.world, kind, id))

    return deed


def stop(witness: Witness) -> None:
    witness.insist(lambda: pause(witness.world))


def go_on(witness: Witness) -> None:
    witness.insist(lambda: Operator(witness.world).resume())


def publish(witness: Witness) -> None:
    witness.versions += 1
    witness.world.publish_version(f"22.04.2099{witness.versions:02d}010")


def interfere(witness: Witness) -> None:
    """Somebody cancels the run under way in the portal, or starts one."""
    verb = witness.drawn.choice(("run", "cancel"))
    for template in witness.world.azure.imagebuilder.templates():
        Operator(witness.world).send("POST", f"{TEMPLATES}/{template.name}/{verb}")


def edit(witness: Witness) -> None:
    """The configuration, and half the time the template file with it."""
    cron, start = witness.drawn.choice(SCHEDULES), witness.drawn.choice(("always", "if_changed"))
    options = {"schedule": {"cron": cron, "start": start}, "window": witness.drawn.choice(WINDOWS)}
    if witness.drawn.random() < 0.5:
        size = witness.drawn.choice(("Standard_D2s_v5", "Standard_D4s_v5"))
        witness.file = {**witness.drawn.choice((ONE, TWO)), "vmProfile": {"vmSize": size}}
    factory_file(witness.folder, options={**KEEP, **options}, properties=witness.file)


def deafen(witness: Witness) -> None:
    witness.world.lose_events = not witness.world.lose_events


PEOPLE = (
    *(give_order, give_order, stop, go_on, publish, interfere, edit, edit, deafen),
    *(give(OrderKind.CANCEL), give(OrderKind.DELETE)),
)


def play(seed: int, folder: Path) -> None:
    drawn = random.Random(seed)
    folder.mkdir(exist_ok=True)
    gate = Gate(kind=drawn.choice(("kill", "drop")), when=drawn.choice(("before", "after")))
    switches = Switches(visible_run_delay=drawn.choice((0.0, 60.0)))
    world = World(gate=gate, config=factory_file(folder, options=KEEP), switches=switches)
    world.play(lambda w: w.image() is not None)
    witness = Witness(world, folder, drawn)
    gate.before = witness.look
    for _ in range(DEEDS):
        if drawn.random() < 0.6:
            gate.at = gate.count + drawn.randrange(1, 40)
        drawn.choice(PEOPLE)(witness)
        world.go_on(minutes=drawn.choice((1, 5, 30, 60)))
    gate.at = None
    factory_file(folder, options=KEEP, properties=witness.file)
    Operator(world).resume()
    world.play(lambda w: not _under_way(w.known()))
    judge(seed, witness)


def _under_way(image: ImageRecord) -> bool:
    return bool(image.orders or image.run or image.claim or image.unsettled or image.former)


def judge(seed: int, witness: Witness) -> None:
    world = witness.world
    assert not witness.wrong, (seed, witness.wrong)
    whys = [run.why for run in world.records(RunRecord)]
    for id in witness.placed:
        runs = whys.count(f"started by hand by ada: {id}")
        assert (known(world, id).state, runs) in ((OrderState.DONE, 1), (OrderState.REFUSED, 0)), (seed, id)
    assert {o.state for o in world.records(OutputRecord)} <= {OutputState.ARCHIVED}, seed
    assert not world.records(FailedWork), seed
    vhds = [at for at in world.archived() if at.name.endswith(".vhd")]
    # A run that somebody else starts before the end of the last one is seen leaves no trace of that.
    covered = sum(
        c.path.endswith("/run") and c.status == 202 for c in world.azure.calls.list("arm", OPERATOR)
    )
    assert len(vhds) + covered >= len(world.storage.made), (seed, "a VHD that was made is not archived")
    assert len(world.azure.imagebuilder.templates()) <= 1, seed


@pytest.mark.parametrize("seed", range(2))
def test_whatever_people_do_what_they_say_holds(seed: int, tmp_path: Path) -> None:
    play(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("share", range(6))
def test_in_many_worlds_what_people_say_holds(share: int, tmp_path: Path) -> None:
    for seed in range(100 + share, 300, 6):
        play(seed, tmp_path / str(seed))
