"""An order is one run, wherever a worker is cut off, that of the person included."""

from typing import get_args

import pytest

from sandbox.switches import Switches
from shared.domain.errors import FactoryError
from shared.domain.orders import OrderState

from .cuts import Gate, Killed, Kind, When
from .endings import OLD, assert_fault_free, released
from .test_orders import known, order
from .world import Recovery, World

RECOVERIES: tuple[Recovery, ...] = get_args(Recovery)
KILLS = [("kill", when, recovery) for when in ("before", "after") for recovery in RECOVERIES]
DROPS = [("drop", when, "redelivery") for when in ("before", "after")]
CUTS = [*KILLS, *DROPS]
SHARES = 8
CASES = [
    pytest.param(*cut, share, delay, marks=pytest.mark.long if delay or (number + share) % SHARES else ())
    for delay in (0.0, 60.0)
    for number, cut in enumerate(CUTS)
    for share in range(SHARES)
]
"""The usual run cuts at every request, by one kind of cut each; the long one by all."""


def play(gate: Gate, recovery: Recovery, delay: float, cut: int | None) -> int:
    """One order, cut at its n-th request; the number of requests until it was done."""
    world = World(gate=gate, switches=Switches(visible_run_delay=delay))
    world.play(lambda w: w.image() is not None)
    before = gate.count
    gate.at = before + cut if cut else None
    try:
        order(world)
    except (Killed, FactoryError):  # nobody has heard of an answer: it is ordered again
        gate.revive()
        world.worker = world.new_worker()
        order(world)
    world.play(lambda w: not w.known().orders, at_once=True, recovery=recovery)
    needed = gate.count - before
    world.play(released(OLD), recovery=recovery)
    assert_fault_free(world, OLD)
    done = known(world)
    assert (done.state, done.run) == (OrderState.DONE, world.known().recorded)
    return needed


@pytest.mark.parametrize(("kind", "when", "recovery", "share", "delay"), CASES)
def test_a_cut_anywhere_leaves_one_run_and_one_order_that_is_done(
    kind: Kind, when: When, recovery: Recovery, share: int, delay: float
) -> None:
    requests = play(Gate(), "redelivery", delay, None)
    assert requests > 15
    for cut in range(1 + share, requests + 1, SHARES):
        try:
            play(Gate(when=when, kind=kind), recovery, delay, cut)
        except BaseException as error:
            error.add_note(f"cut {kind} {when} request {cut}")
            raise
