"""The story survives being cut anywhere: after every single request that the app sends."""

import itertools
from typing import get_args

import pytest

from sandbox.switches import Switches

from .cuts import Gate, Kind, When
from .endings import NEW, assert_fault_free, released
from .world import Recovery, World

RECOVERIES: tuple[Recovery, ...] = get_args(Recovery)
KILLS = [("kill", when, recovery) for when in ("before", "after") for recovery in RECOVERIES]
DROPS = [("drop", when, "redelivery") for when in ("before", "after")]
SHARES = 8
"""Parts of one enumeration, so that workers share it."""
CASES = [
    pytest.param(*cut, share, delay, marks=pytest.mark.long if delay or (number + share) % SHARES else ())
    for delay in (0.0, 60.0)
    for number, cut in enumerate([*KILLS, *DROPS])
    for share in range(SHARES)
]
"""The usual run cuts at every request, with one kind of cut each; the long one with all."""


def play(gate: Gate, recovery: Recovery, delay: float, cut: int | None) -> int:
    """The story of one new version, cut at its n-th request; the number of requests it took."""
    world = World(gate=gate, switches=Switches(visible_run_delay=delay))
    world.play(lambda w: w.image() is not None)
    before = gate.count
    gate.at = before + cut if cut else None
    world.publish_version(NEW)
    world.play(released(NEW), recovery=recovery)
    if cut:
        assert gate.cut_at, f"the story never came to its request {cut}"
    assert_fault_free(world, NEW)
    return gate.count - before


@pytest.mark.parametrize(("kind", "when", "recovery", "share", "delay"), CASES)
def test_a_cut_anywhere_changes_nothing_in_the_end(
    kind: Kind, when: When, recovery: Recovery, share: int, delay: float
) -> None:
    """A worker killed, or an answer lost, before or after each request: the same final state."""
    requests = play(Gate(), "redelivery", delay, None)
    assert requests > 80
    for cut in range(1 + share, requests + 1, SHARES):
        try:
            play(Gate(when=when, kind=kind), recovery, delay, cut)
        except BaseException as error:
            error.add_note(f"cut {kind} {when} request {cut}")
            raise


@pytest.mark.parametrize("recovery", RECOVERIES)
def test_two_kills_in_one_story_change_nothing(recovery: Recovery) -> None:
    """The second kill hits the worker that took over."""
    requests = play(Gate(), "redelivery", 0, None)
    for first, gap in itertools.product(range(5, requests, 26), (1, 3, 7)):
        gate = Gate(when="after")
        gate.again = gap
        play(gate, recovery, 0, first)
