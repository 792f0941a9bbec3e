"""Runs that people order, and pauses by hand."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from shared.domain.errors import Invalid, WrongState
from shared.domain.orders import Order, OrderKind, OrderState
from shared.domain.records import JournalLine, RunRecord
from shared.domain.templates import RunState
from shared.usecases import orders

from .endings import NEW, OLD
from .scenes import GROUP, IMAGE, KEEP, Operator, factory_file
from .world import World

SAID = "started by hand by ada: new agents"


def order(world: World, id: str = "order-1", reason: str = "new agents") -> Order:
    this = world.worker
    return orders.order(
        this.outside, this.factory(), IMAGE, OrderKind.START, id, "ada", reason, f"correlation-{id}"
    )


def pause(world: World) -> None:
    this = world.worker
    orders.pause(this.outside, this.factory(), IMAGE, "ada", "network works", "a-pause")


def known(world: World, id: str = "order-1") -> Order:
    found = orders.read_order(world.worker.outside, IMAGE, id)
    assert found is not None
    return found


def settled(world: World) -> bool:
    image = world.known()
    return not (image.orders or image.claim or image.run or image.unsettled)


def runs(world: World) -> list[RunRecord]:
    return sorted(world.records(RunRecord), key=lambda run: run.start)


def seen(tmp_path: Path, **file: Any) -> World:
    world = World(config=factory_file(tmp_path, options=KEEP, **file))
    world.play(lambda w: w.image() is not None)
    return world


def test_an_order_is_one_run_though_there_is_nothing_new(tmp_path: Path) -> None:
    """The run, the order and the journal say who asked, and why; given again it is the same order."""
    world = seen(tmp_path)
    assert order(world).open
    assert order(world) == order(world)
    world.play(settled)
    (run,) = runs(world)
    assert (run.why, run.ours, str(run.version)) == (SAID, True, OLD)
    done = known(world)
    assert (done.state, done.run, done.why) == (OrderState.DONE, run.start, f"run {run.start} is visible")
    lines = [line for line in world.records(JournalLine) if line.by == "ada"]
    assert [(line.what, line.why) for line in lines] == [("ordered", SAID)]
    assert order(world) == done
    world.go_on(hours=2)
    assert len(runs(world)) == 1


def test_an_order_for_an_image_that_was_never_looked_at(tmp_path: Path) -> None:
    """Its source is seen all the same."""
    world = World(config=factory_file(tmp_path, options=KEEP))
    order(world)
    world.play(lambda w: settled(w) and len(runs(w)) == 1)
    assert str(runs(world)[0].version) == OLD
    world.publish_version(NEW)
    world.play(lambda w: len(runs(w)) == 2)


def test_a_pause_by_hand_outlives_a_run_by_hand(tmp_path: Path) -> None:
    """The order goes through; new versions wait until somebody resumes."""
    world = seen(tmp_path)
    pause(world)
    world.publish_version(NEW)
    world.go_on(hours=1)
    assert world.known().reason.startswith("paused: by ada: network works")
    order(world)
    world.play(lambda w: settled(w) and len(runs(w)) == 1)
    assert str(runs(world)[0].version) == NEW
    world.publish_version("22.04.209903010")
    world.go_on(hours=1)
    assert len(runs(world)) == 1
    Operator(world).resume()
    world.play(lambda w: settled(w) and len(runs(w)) == 2)
    assert world.known().paused == world.known().paused_by == ""


def test_pausing_twice_is_told_once(tmp_path: Path) -> None:
    world = seen(tmp_path)
    pause(world)
    pause(world)
    lines = [line for line in world.records(JournalLine) if line.what == "paused"]
    assert [(line.why, line.by) for line in lines] == [
        ("automatic runs are paused by ada: network works", "ada")
    ]


def test_an_order_that_fails_is_a_failure_and_is_not_repeated(tmp_path: Path) -> None:
    """Back-off and pause of automatic runs do not keep the next order."""
    world = seen(tmp_path, timing={"pause_after": 1})
    order(world)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    world.plan(IMAGE, Outcome(result="failure"))
    world.play(lambda w: settled(w) and len(runs(w)) == 1)
    assert world.known().paused.startswith("1 failures in a row")
    world.go_on(hours=10)
    assert len(runs(world)) == 1
    order(world, "order-2")
    world.play(lambda w: settled(w) and len(runs(w)) == 2)
    assert [run.state for run in runs(world)] == [RunState.FAILED, RunState.SUCCEEDED]
    assert (known(world).state, known(world, "order-2").state) == (OrderState.DONE, OrderState.DONE)
    assert world.known().paused == ""


def test_what_plainly_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    """An open order, a run requested or under way, the mode, a name that nothing is configured under."""
    world = seen(tmp_path)
    order(world)
    with pytest.raises(WrongState, match=f"order order-1 is open already: {SAID}"):
        order(world, "order-2")
    world.play(lambda w: w.known().run is not None, at_once=True)
    with pytest.raises(WrongState, match=r"ubuntu-22 is being built: the run of .+ is under way"):
        order(world, "order-2")
    world.play(settled)
    factory_file(tmp_path, options={**KEEP, "mode": "observe"})
    with pytest.raises(WrongState, match="mode of ubuntu-22 is observe"):
        order(world, "order-3")
    this = world.worker
    with pytest.raises(Invalid, match="no image 'nobody' is configured"):
        orders.order(this.outside, this.factory(), "nobody", OrderKind.START, "a", "ada", "", "c")
    with pytest.raises(Invalid, match="expected at most 64 of a-z, 0-9 and hyphens"):
        order(world, "Order 4")
    with pytest.raises(Invalid, match="the reason has 501 characters"):
        order(world, "order-5", "x" * 501)
    assert orders.read_order(this.outside, IMAGE, "order-2") is None


def test_an_order_that_azure_refuses_ends_with_the_reason(tmp_path: Path) -> None:
    """The template cannot be made: nothing of the order is left to start a run days later."""
    subnet = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/nowhere/subnets/build"
    profile = {"vmSize": "Standard_D2ds_v5", "vnetConfig": {"subnetId": subnet}}
    world = seen(tmp_path, properties={"vmProfile": profile})
    order(world)
    world.play(settled)
    refused = known(world)
    assert refused.state is OrderState.REFUSED
    assert refused.why.startswith("the template could not be made: ")
    told = [line.why for line in world.records(JournalLine) if line.what == "order-refused"]
    assert told == [f"not {SAID}: {refused.why}"]
    world.go_on(hours=10)
    assert not runs(world)


def test_an_order_is_refused_if_the_factory_only_observes_by_then(tmp_path: Path) -> None:
    world = seen(tmp_path)
    order(world)
    factory_file(tmp_path, options={**KEEP, "mode": "observe"})
    world.play(settled)
    assert (known(world).state, known(world).why) == (
        OrderState.REFUSED,
        "mode is observe by now: nothing is started",
    )


def test_an_order_waits_for_what_is_not_safe_and_says_so(tmp_path: Path) -> None:
    """The outputs of the last run come first, and a run of somebody else."""
    world = seen(tmp_path)
    order(world)
    world.play(lambda w: bool(w.known().unsettled), at_once=True)
    order(world, "order-2")
    world.play(lambda w: "is not safe in the archive" in known(w, "order-2").why, at_once=True)
    world.play(settled)
    first, second = runs(world)
    assert (known(world).run, known(world, "order-2").run) == (first.start, second.start)
