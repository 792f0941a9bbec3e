"""One message may come many times, while its look is being worked off or after it: nothing multiplies."""

from pathlib import Path

import pytest

from functions import boundary
from sandbox.arm.imagebuilder.outcomes import VhdShape
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import FailedWork, OutputState

from .endings import NEW, assert_fault_free, released
from .scenes import KEEP, factory_file
from .test_archive import at_the_archive, copied, on_copy, output
from .world import World, _message

SHAPE = VhdShape(size_mib=64, payload_mib=12, fragment_kib=128)
"""Some hundred chunks, eight in a second: twelve slices."""
TWINS = 5


def send_twins(world: World, number: int) -> None:
    """The message that the output waits for, again and again, as a host that lost its receipts would."""
    record = output(world)
    look = Look(Lane.ARCHIVE, Thing.OUTPUT, record.id, "a-twin", due=record.look_due)
    for _ in range(number):
        world.queues.send(look)


def work_off_twins(world: World) -> None:
    """By other workers, while the one at work is in the middle of its slice."""
    while (message := world.queues.receive("archive")) is not None:
        boundary.work_off_message(world.worker, Lane.ARCHIVE, _message(message))
        world.queues.delete(message)


def test_a_look_that_finds_somebody_at_work_leaves_the_row_alone(tmp_path: Path) -> None:
    """Or else the worker that holds the lease could not save its progress, and would begin again."""
    world = at_the_archive(factory_file(tmp_path), shape=SHAPE)
    before: list[object] = []

    def meanwhile() -> None:
        send_twins(world, TWINS)
        rows = [record for _, record in world.ledger.rows()]
        work_off_twins(world)
        before.append([record for _, record in world.ledger.rows()] == rows)

    on_copy(world, 2, meanwhile)
    world.play(released(NEW))
    assert before == [True]
    assert_fault_free(world, NEW)
    assert sum(copied(world)) == world.storage.made[0].allocated


@pytest.mark.parametrize("while_copying", [False, True])
def test_however_often_a_message_comes_one_look_is_pending_afterwards(
    tmp_path: Path, while_copying: bool
) -> None:
    """In slices so short that each look sends the next one."""
    timing = {"copy_slice": "1s", "copy_lease": "15s"}
    config = factory_file(tmp_path, options=KEEP, timing=timing, limits={"copy_rate_mib": 1})
    world = at_the_archive(config, shape=SHAPE)
    waiting: list[int] = []

    def twins() -> None:
        send_twins(world, TWINS)
        if while_copying:
            work_off_twins(world)

    def count(_request: int) -> None:
        waiting.append(len(world.queues.waiting("archive")))

    on_copy(world, 3, twins)
    world.play(lambda w: len(copied(w)) >= 3, at_once=True)
    world.gate.before = count
    world.play(lambda w: output(w).state is OutputState.ARCHIVED)
    assert max(waiting) <= 1 + TWINS
    assert max(waiting[-len(waiting) // 4 :]) <= 1, "the twins are gone, and have left nothing behind"
    assert not world.records(FailedWork)
