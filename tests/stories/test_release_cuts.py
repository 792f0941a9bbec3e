"""A release, and the rebuild that follows from it, survive being cut after every single request."""

import itertools

import pytest

from sandbox.switches import Switches

from .cuts import Gate, Kind, When
from .gallery import GalleryWorld, assert_released, rebuilt
from .test_cuts import DROPS, KILLS, RECOVERIES
from .world import Recovery

STEP = 9
"""The usual run cuts at every ninth request, each kind of cut at others; the long one at all."""
KINDS = [*KILLS, *DROPS]


def play(gate: Gate, recovery: Recovery, cut: int | None, **switches: object) -> int:
    """The story of one version that somebody made, cut at its n-th request; the requests it took."""
    world = GalleryWorld(gate=gate, switches=Switches(**switches))  # type: ignore[arg-type] # by name
    world.go_on(minutes=1)  # what was made before the first look is history
    before = gate.count
    gate.at = before + cut if cut else None
    world.make()
    world.play(rebuilt, recovery=recovery)
    if cut:
        assert gate.cut_at, f"the story never came to its request {cut}"
    assert_released(world)
    return gate.count - before


def cut_everywhere(
    kind: Kind, when: When, recovery: Recovery, start: int, step: int, **switches: object
) -> None:
    requests = play(Gate(), "redelivery", None, **switches)
    assert requests > 60
    for cut in range(start, requests + 1, step):
        try:
            play(Gate(when=when, kind=kind), recovery, cut, **switches)
        except BaseException as error:
            error.add_note(f"cut {kind} {when} request {cut}")
            raise


@pytest.mark.parametrize(("number", "cut"), list(enumerate(KINDS)))
def test_a_cut_changes_nothing_in_the_end(number: int, cut: tuple[Kind, When, Recovery]) -> None:
    """A worker killed, or an answer lost, before or after a request: the same final state."""
    cut_everywhere(*cut, start=1 + number, step=STEP)


@pytest.mark.long
@pytest.mark.parametrize("switch", ["accepted", "refused"])
@pytest.mark.parametrize(("kind", "when", "recovery"), KINDS)
def test_a_cut_anywhere_changes_nothing_in_the_end(
    kind: Kind, when: When, recovery: Recovery, switch: str
) -> None:
    """The same at each request, whether or not Azure takes an update while another is under way."""
    cut_everywhere(kind, when, recovery, start=1, step=1, update_while_updating=switch)


@pytest.mark.long
@pytest.mark.parametrize("recovery", RECOVERIES)
def test_two_kills_in_one_release_change_nothing(recovery: Recovery) -> None:
    """The second kill hits the worker that took over."""
    requests = play(Gate(), "redelivery", None)
    for first, gap in itertools.product(range(5, requests, 7), (1, 3, 7)):
        gate = Gate(when="after")
        gate.again = gap
        play(gate, recovery, first)
