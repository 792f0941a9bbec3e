"""Retention survives being cut after every request, repeated, reordered, doubled, and pinned meanwhile."""

import itertools
from collections.abc import Callable

import pytest

from functions import boundary
from shared.domain.looks import Lane, Thing
from shared.domain.retention import PIN
from shared.usecases.looks import work_off
from shared.usecases.retention import look_at_everything

from .cuts import Gate, Killed, Kind, When
from .gallery import GALLERY
from .retaining import RetentionWorld, assert_sound, left
from .test_cuts import DROPS, KILLS
from .world import Recovery

CUTS: list[tuple[Kind, When, Recovery]] = [*KILLS, *DROPS]  # type: ignore[list-item] # of literals
STEP = 104
"""The usual run cuts at every hundred-and-fourth request, each kind of cut at others; the long one at all."""


def play(gate: Gate, recovery: Recovery, cut: int | None) -> int:
    """Two of four versions go; the number of requests that it took."""
    world = RetentionWorld(history=4, gate=gate)
    world.machine("web", f"{GALLERY}/images/dev/versions/1.0.0")
    before = gate.count
    gate.at = before + cut if cut else None
    world.play(left("1.0.0", "1.0.2", "1.0.3"), recovery=recovery)
    if cut:
        assert gate.cut_at, f"the story never came to its request {cut}"
    assert_sound(world, ["1.0.0", "1.0.2", "1.0.3"])
    assert world.events("VersionMarked") == ["dev/1.0.1"] == world.events("VersionRetired")
    return gate.count - before


def cut_everywhere(cut: tuple[Kind, When, Recovery], start: int, step: int) -> None:
    requests, (kind, when, recovery) = play(Gate(), "redelivery", None), cut
    assert requests > 150
    for number in range(start, requests + 1, step):
        try:
            play(Gate(when=when, kind=kind), recovery, number)
        except BaseException as error:
            error.add_note(f"cut {kind} {when} request {number}")
            raise


@pytest.mark.parametrize(("number", "cut"), list(enumerate(CUTS)))
def test_a_cut_changes_nothing_in_the_end(number: int, cut: tuple[Kind, When, Recovery]) -> None:
    cut_everywhere(cut, start=1 + number, step=STEP * len(CUTS))


@pytest.mark.long
@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_anywhere_changes_nothing_in_the_end(cut: tuple[Kind, When, Recovery]) -> None:
    cut_everywhere(cut, start=1, step=1)


def requests_of(story: Callable[[RetentionWorld], None]) -> int:
    world = RetentionWorld(history=3)
    before = world.gate.count
    story(world)
    return world.gate.count - before


def to_the_end(world: RetentionWorld) -> None:
    world.play(left("1.0.1", "1.0.2"))


def pinned_at(number: int) -> None:
    """Whoever pins before the deletion is sent keeps the version; after it, it is too late."""
    world = RetentionWorld(history=3)
    start, in_time = world.gate.count, list[bool]()

    def meddle(count: int) -> None:
        if count == start + number:
            deleting = world.gate.names[-1].startswith("DELETE")
            there = "1.0.0" in world.there() and world.version("dev/1.0.0").state != "Deleting"
            in_time.append(there and not deleting)
            if there:
                world.pin("dev/1.0.0")

    world.gate.before = meddle
    world.go_on(hours=11)
    assert in_time, f"the story never came to its request {number}"
    # Between the last read, just before it, and the deletion nothing can tell any more.
    names = world.gate.names[start:]
    last_read = next((i for i, n in enumerate(names) if n.startswith("DELETE")), len(names))
    if number <= last_read:
        assert "1.0.0" in world.there(), f"pinned at request {number}: {world.told()}"
        assert PIN in world.version("dev/1.0.0").tags
        assert not world.going()
    assert_sound(world, ["1.0.1", "1.0.2"])


def test_a_pin_at_any_moment_keeps_the_version() -> None:
    """Set between any two requests, in the middle of whatever the factory does; the long run tries each."""
    for number in range(100, requests_of(to_the_end) + 1, 200):
        pinned_at(number)


@pytest.mark.long
def test_a_pin_at_every_moment_keeps_the_version() -> None:
    for number in range(1, requests_of(to_the_end) + 1):
        pinned_at(number)


def test_messages_that_are_repeated_and_reordered_change_nothing() -> None:
    """Each look is sent three times, and the newest is worked off first."""
    world = RetentionWorld()
    send, sent = world.queues.send, itertools.count()

    def repeat(look: object, *args: object) -> None:
        for _ in range(3 if next(sent) < 60 else 1):
            send(look, *args)  # type: ignore[arg-type]  # as it was sent

    world.queues.send = repeat  # type: ignore[method-assign,assignment]  # the memory queue's own door
    world.play(left("1.0.4", "1.0.5"))
    assert_sound(world, ["1.0.4", "1.0.5"])
    assert len(world.events("VersionRetired")) == 4


def test_two_workers_at_once_delete_once() -> None:
    """Between any two requests of one worker the other does the whole of the same look."""
    world = RetentionWorld(history=3)
    other = world.new_worker()
    busy: list[bool] = []
    back = itertools.count()

    def meddle(count: int) -> None:
        look = world.at_work_on(Lane.RETENTION)
        if busy or look is None or look.thing is not Thing.RETIRING or count % 3:
            return
        busy.append(True)
        try:
            work_off(other.outside, other.factory(), look)
        except Exception:
            if next(back) < 6:  # else each look would leave several, until Azure answers none of them
                world.again(look)
        finally:
            busy.clear()

    world.gate.before = meddle
    world.play(left("1.0.1", "1.0.2"))
    assert_sound(world, ["1.0.1", "1.0.2"])
    assert world.deletions() == ["1.0.0"]


def test_two_sweeps_at_once_mark_each_thing_once() -> None:
    world = RetentionWorld()
    other = world.new_worker()
    busy: list[bool] = []

    def meddle(count: int) -> None:
        if busy or count % 5:
            return
        busy.append(True)
        boundary.on_time(other, look_at_everything)
        busy.clear()

    world.gate.before = meddle
    boundary.on_time(world.worker, look_at_everything)
    world.gate.before = lambda count: None
    world.play(left("1.0.4", "1.0.5"))
    assert_sound(world, ["1.0.4", "1.0.5"])


def test_a_sweep_that_is_killed_in_the_middle_is_gone_on_with_by_the_next() -> None:
    gate = Gate()
    world = RetentionWorld(gate=gate)
    gate.at = gate.count + 24
    with pytest.raises(Killed):
        boundary.on_time(world.worker, look_at_everything)
    gate.revive()
    world.worker = world.new_worker()
    world.play(left("1.0.4", "1.0.5"))
    assert_sound(world, ["1.0.4", "1.0.5"])
