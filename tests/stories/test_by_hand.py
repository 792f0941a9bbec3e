"""Runs that people cancel, templates that they have deleted: carried out once, or refused with the reason."""

from pathlib import Path

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.switches import Switches
from shared.domain import keys
from shared.domain.errors import WrongState
from shared.domain.orders import Order, OrderKind, OrderState
from shared.domain.records import OutputRecord, OutputState, RunRecord
from shared.domain.templates import RunState
from shared.ports import Remove
from shared.usecases import deleting, orders

from .endings import NEW, NEWER
from .scenes import IMAGE, KEEP, Operator, arm_calls, factory_file
from .test_orders import known
from .world import World


def ask(world: World, kind: OrderKind, id: str = "order-1", run: str | None = None) -> Order:
    this = world.worker
    return orders.order(this.outside, this.factory(), IMAGE, kind, id, "ada", "enough", "a-word", run)


def built(folder: Path) -> World:
    world = World(config=factory_file(folder, options=KEEP))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    return world


def running(folder: Path) -> World:
    world = World(config=factory_file(folder, options=KEEP))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: w.known().run is not None, at_once=True)
    return world


def over(world: World) -> bool:
    image = world.known()
    return not (image.orders or image.run or image.claim or image.unsettled)


def test_a_run_is_cancelled_and_not_tried_again_for_the_same_version(tmp_path: Path) -> None:
    """The order is done when the run has ended; asked again it is the same."""
    world = running(tmp_path)
    run = world.known().run
    assert run is not None
    ask(world, OrderKind.CANCEL, run=run.start)
    world.play(over)
    ask(world, OrderKind.CANCEL)
    told = known(world)
    assert (told.state, told.run) == (OrderState.DONE, run.start)
    world.go_on(hours=6)
    assert [each.state for each in world.records(RunRecord)] == [RunState.CANCELED]
    assert arm_calls(world, "POST", "/cancel") == world.requested_runs() == 1
    assert "cancelled; it is not tried again for the same version" in world.known().reason


def test_a_run_that_is_not_visible_yet_is_cancelled_once_it_is(tmp_path: Path) -> None:
    """The order waits for it."""
    world = World(config=factory_file(tmp_path, options=KEEP))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: w.known().claim is not None, at_once=True)
    ask(world, OrderKind.CANCEL)
    world.play(over)
    assert known(world).state is OrderState.DONE
    assert [each.state for each in world.records(RunRecord)] == [RunState.CANCELED]


def test_a_request_of_which_nothing_came_is_not_made_again_to_be_cancelled(tmp_path: Path) -> None:
    """A run that shows itself after all is one that nobody asked for."""
    slow = Switches(visible_run_delay=20 * 60)
    world = World(config=factory_file(tmp_path, options=KEEP), switches=slow)
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: w.known().claim is not None, at_once=True)
    ask(world, OrderKind.CANCEL)
    world.play(over)
    assert known(world).state is OrderState.DONE
    assert "no run became visible that was requested at 09:16:00 UTC" in known(world).why
    world.play(lambda w: bool(w.records(RunRecord)) and over(w))
    assert world.requested_runs() == 1


def test_what_is_not_running_cannot_be_cancelled(tmp_path: Path) -> None:
    """Neither nothing, nor another run than is under way; nor one that is over before Azure is asked."""
    world = running(tmp_path)
    with pytest.raises(WrongState, match="the run of yesterday is not under way; under way is that of 2026"):
        ask(world, OrderKind.CANCEL, run="yesterday")
    world.play(lambda w: w.azure.imagebuilder.templates()[0].run is None, at_once=True)
    ask(world, OrderKind.CANCEL)
    world.play(over)
    assert known(world).state is OrderState.REFUSED
    assert "ended: Succeeded" in known(world).why
    with pytest.raises(WrongState, match="no run of ubuntu-22 is under way"):
        ask(world, OrderKind.CANCEL, "order-2")


def test_a_template_deleted_by_hand_is_made_again_when_a_run_is_due(tmp_path: Path) -> None:
    """Once its outputs are archived; not before, and what is missing is named."""
    world = running(tmp_path)
    with pytest.raises(WrongState, match="is being built"):
        ask(world, OrderKind.DELETE)
    world.play(lambda w: bool(w.known().unsettled), at_once=True)
    (output,) = world.known().unsettled
    with pytest.raises(WrongState, match=f"not archived: {IMAGE}/{output}"):
        ask(world, OrderKind.DELETE)
    world.play(over)
    ask(world, OrderKind.DELETE)
    world.play(lambda w: over(w) and not w.azure.imagebuilder.templates())
    assert (known(world).state, known(world).why) == (OrderState.DONE, "the template is gone")
    assert arm_calls(world, "DELETE") == 1
    ask(world, OrderKind.START, "order-2")
    world.play(lambda w: over(w) and len(w.records(RunRecord)) == 2)
    assert [o.state for o in world.records(OutputRecord)] == [OutputState.ARCHIVED] * 2


def test_a_template_with_an_output_that_was_set_aside_is_not_deleted(tmp_path: Path) -> None:
    """It is nowhere else: neither by hand, nor once the template has failed."""
    world = World(config=factory_file(tmp_path, options=KEEP))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    world.plan(IMAGE, Outcome(vhd="dynamic"))
    world.play(lambda w: [o.state for o in w.records(OutputRecord)] == [OutputState.REFUSED])
    Operator(world).resume()
    ask(world, OrderKind.DELETE)
    world.play(over)
    assert known(world).state is OrderState.REFUSED
    assert known(world).why.endswith("-vhd (dismissed)")
    (template,) = world.azure.imagebuilder.templates()
    template.state = "Failed"  # as after a PATCH that Azure accepted and could not carry out
    world.publish_version(NEWER)
    world.go_on(hours=1)
    assert "the template is not deleted" in world.known().reason
    (output,) = world.records(OutputRecord)
    key = keys.output_key(IMAGE, output.run, output.name)
    held = world.ledger.read(key, OutputRecord)
    assert held is not None
    world.ledger.commit(key.partition, (Remove(key, held.etag),))
    unsafe = deleting.unsafe(world.worker.outside, output.image, output.run)
    assert unsafe == (f"{output.id} (not in the ledger)",)
    assert arm_calls(world, "DELETE") == 0


def test_a_template_that_somebody_else_made_or_that_is_not_there_is_not_deleted(tmp_path: Path) -> None:
    """The order says why."""
    world = World(config=factory_file(tmp_path, options=KEEP))
    world.play(lambda w: w.image() is not None)
    ask(world, OrderKind.DELETE)
    world.play(over)
    assert known(world).why == "there is no template"
    Operator(world).put_template(world.worker.factory().image(IMAGE).body)
    world.go_on(minutes=5)
    ask(world, OrderKind.DELETE, "order-2")
    world.play(over)
    assert "is not the factory's" in known(world, "order-2").why
    assert arm_calls(world, "DELETE") == 0
