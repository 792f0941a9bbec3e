"""A release, and the rebuild that follows from it, survive being cut after every single request."""

import itertools
from collections.abc import Callable

import pytest

from sandbox.switches import Switches
from shared.domain.records import FailedWork, SourceRecord
from shared.domain.releases import ReleaseRecord
from shared.usecases import withdrawals

from .cuts import Gate, Kind, When
from .gallery import BASE, DEV, assert_released, begun, rebuilt, say
from .test_cuts import DROPS, KILLS, RECOVERIES
from .world import Recovery, World

STEP = 80
"""The usual run cuts at every eightieth request, each kind of cut at others; the long one at all."""
KINDS: list[tuple[Kind, When, Recovery]] = [*KILLS, *DROPS]  # type: ignore[list-item] # of literals
Story = Callable[..., int]
"""Plays with a gate, a recovery, and the number of the request to cut at; the requests it took."""


def play(gate: Gate, recovery: Recovery, cut: int | None, **switches: object) -> int:
    """The story of one version that somebody made, cut at its n-th request; the requests it took."""
    world = begun(gate=gate, switches=Switches(**switches))  # type: ignore[arg-type] # by name
    before = gate.count
    gate.at = before + cut if cut else None
    world.make()
    world.play(rebuilt, recovery=recovery)
    if cut:
        assert gate.cut_at, f"the story never came to its request {cut}"
    assert_released(world)
    return gate.count - before


def withdraw(gate: Gate, recovery: Recovery, cut: int | None, **switches: object) -> int:
    """The version is withdrawn when all is released and rebuilt, and what was built from it goes with it."""
    world = begun(gate=gate, switches=Switches(**switches))  # type: ignore[arg-type] # by name
    world.make()
    world.play(rebuilt)
    say(world, withdrawals.withdraw)
    before = gate.count
    gate.at = before + cut if cut else None
    world.play(taken_back, recovery=recovery)
    if cut:
        assert gate.cut_at, f"the story never came to its request {cut}"
    assert world.release("dev/1.0.0").descends_from == "base/1.0.0"
    assert {world.latest(region) for region in BASE} == {""} == {world.latest(DEV[0], "dev")}
    told = {e["subject"] for e in world.published if e["eventType"] == "ImageFactory.VersionWithdrawn"}
    assert told == {"base/1.0.0", "dev/1.0.0"}
    assert world.requested_runs() == 1
    assert not world.wrong
    assert not world.records(FailedWork)
    return gate.count - before


def taken_back(world: World) -> bool:
    records = world.records(ReleaseRecord)
    told = all(r.withdrawn_everywhere and r.descendants_told and not r.claim for r in records)
    source = next(r for r in world.records(SourceRecord) if r.key.endswith(":base"))
    return told and source.newest is None


def cut_everywhere(
    story: Story, cut: tuple[Kind, When, Recovery], start: int, step: int, **switches: object
) -> None:
    requests, (kind, when, recovery) = story(Gate(), "redelivery", None, **switches), cut
    assert requests > (60 if story is play else 15)
    for number in range(start, requests + 1, step):
        try:
            story(Gate(when=when, kind=kind), recovery, number, **switches)
        except BaseException as error:
            error.add_note(f"cut {kind} {when} request {number}")
            raise


@pytest.mark.parametrize(("number", "cut"), list(enumerate(KINDS)))
def test_a_cut_changes_nothing_in_the_end(number: int, cut: tuple[Kind, When, Recovery]) -> None:
    """A worker killed, or an answer lost, before or after a request: the same final state."""
    cut_everywhere(play, cut, start=1 + number, step=STEP)


@pytest.mark.parametrize(("number", "cut"), list(enumerate(KINDS)))
def test_a_cut_in_a_withdrawal_changes_nothing_in_the_end(
    number: int, cut: tuple[Kind, When, Recovery]
) -> None:
    """Everything below learns of it, is taken back, and is told of."""
    cut_everywhere(withdraw, cut, start=1 + number, step=2 * STEP)


@pytest.mark.long
@pytest.mark.parametrize("switch", ["accepted", "refused"])
@pytest.mark.parametrize("cut", KINDS)
@pytest.mark.parametrize("story", [play, withdraw])
def test_a_cut_anywhere_changes_nothing_in_the_end(
    story: Story, cut: tuple[Kind, When, Recovery], switch: str
) -> None:
    """The same at each request, whether or not Azure takes an update while another is under way."""
    cut_everywhere(story, cut, start=1, step=1, update_while_updating=switch)


@pytest.mark.long
@pytest.mark.parametrize("recovery", RECOVERIES)
def test_two_kills_in_one_release_change_nothing(recovery: Recovery) -> None:
    """The second kill hits the worker that took over."""
    requests = play(Gate(), "redelivery", None)
    for first, gap in itertools.product(range(5, requests, 7), (1, 3, 7)):
        gate = Gate(when="after")
        gate.again = gap
        play(gate, recovery, first)
