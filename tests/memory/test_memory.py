"""What only the memory can show: time that passes at will, and the half of a queue that the host plays."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.arm.storage import BlobAddress as There
from sandbox.clock import VirtualClock
from sandbox.vhd import make_vhd
from shared.domain.errors import Busy, Conflict
from shared.domain.ids import BlobAddress
from shared.domain.looks import Lane, Look, Thing
from shared.domain.templates import PageRange

from . import MemoryBlobs, MemoryQueues, MemoryStorage
from .extents import Extents

MINUTE = timedelta(minutes=1)
AT = BlobAddress("archive", "vhds", "disk.vhd")
LOOK = Look(Lane.BUILDS, Thing.IMAGE, "ubuntu", "c-1")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def blobs(clock: VirtualClock) -> MemoryBlobs:
    found = MemoryBlobs(clock)
    found.create_account("archive", "vhds")
    found.create_pages(AT, 8192, {})
    return found


def test_a_lease_ends_by_the_clock_and_then_anybody_may_have_it(
    clock: VirtualClock, blobs: MemoryBlobs
) -> None:
    blobs.acquire(AT, "mine", MINUTE)
    clock.advance(MINUTE - timedelta(seconds=1))
    with pytest.raises(Busy):
        blobs.acquire(AT, "theirs", MINUTE)
    blobs.renew(AT, "mine")
    clock.advance(MINUTE)
    with pytest.raises(Conflict):
        blobs.label(AT, {"state": "late"}, "mine")
    blobs.acquire(AT, "theirs", MINUTE)
    with pytest.raises(Conflict):
        blobs.renew(AT, "mine")


def test_an_expired_lease_is_renewed_as_long_as_nobody_wrote(clock: VirtualClock, blobs: MemoryBlobs) -> None:
    blobs.acquire(AT, "mine", MINUTE)
    clock.advance(2 * MINUTE)
    blobs.renew(AT, "mine")
    clock.advance(2 * MINUTE)
    blobs.plant(AT, [], length=8192)
    with pytest.raises(Conflict):
        blobs.renew(AT, "mine")


def test_messages_come_in_the_order_in_which_they_become_visible(clock: VirtualClock) -> None:
    queues = MemoryQueues(clock)
    for delay in (3, 1, 2):
        queues.send(LOOK, delay * MINUTE)
    assert queues.receive("builds") is None
    assert queues.next_visible() == clock.now() + MINUTE
    clock.advance(5 * MINUTE)
    found = [queues.receive("builds") for _ in range(4)]
    assert [each and (each.visible_at - clock.now()) for each in found] == [10 * MINUTE] * 3 + [None]
    inserted = [each.id for each in found if each]
    assert inserted == ["m000002", "m000003", "m000001"]


def test_a_crashed_worker_loses_its_message_to_the_next_one(clock: VirtualClock) -> None:
    queues = MemoryQueues(clock)
    queues.send(LOOK)
    first = queues.receive("builds")
    clock.advance(10 * MINUTE)
    second = queues.receive("builds")
    assert first is not None
    assert second is not None
    assert second.dequeue_count == 2
    assert not queues.delete(first)  # late: somebody else has it now
    assert not queues.show(first)
    assert queues.delete(second)
    assert queues.waiting() == ()


def test_a_message_that_fails_again_and_again_ends_in_the_poison_queue(clock: VirtualClock) -> None:
    queues = MemoryQueues(clock)
    queues.send(LOOK)
    (waiting,) = queues.waiting("builds")
    for count in range(1, 6):
        message = queues.receive_this(waiting)
        assert message is not None
        assert message.dequeue_count == count
        if count < 5:
            queues.show(message)
    assert message is not None
    queues.poison(message)
    (poison,) = queues.waiting("builds-poison")
    assert (poison.body, poison.dequeue_count) == (waiting.body, 0)
    assert queues.waiting("builds") == ()


def test_what_image_builder_writes_is_what_the_factory_reads(blobs: MemoryBlobs) -> None:
    storage = MemoryStorage(blobs)
    storage.create_account("it0815")
    vhd = make_vhd({"etc/version": b"1"}, size_mib=64, payload_mib=1, seed="x")
    at = There("it0815", "vhds", "web.vhd")
    storage.write_vhd(at, vhd, {"a": "b"})
    ours = BlobAddress("it0815", "vhds", "web.vhd")
    assert blobs.facts(ours).length == vhd.size
    assert blobs.facts(ours).metadata == {"a": "b"}
    found = blobs.ranges(ours).ranges
    assert found == tuple(PageRange(start, start + len(content)) for start, content in vhd.extents)
    assert blobs.read(ours, vhd.size - 512, vhd.size).startswith(b"conectix")
    assert storage.parse(storage.url(at)) == at
    assert storage.parse("https://elsewhere.example/vhds/web.vhd") is None
    storage.write_text(There("it0815", "packerlogs", "1/customization.log"), "exit 1 ✓")
    assert storage.read(There("it0815", "packerlogs", "1/customization.log")) == "exit 1 ✓".encode()
    storage.delete_account("it0815")
    assert not storage.account_exists("it0815")
    assert storage.read(at) is None


@given(st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=20)), max_size=30))
def test_extents_hold_what_was_written_last(writes: list[tuple[int, bytes]]) -> None:
    extents, plain, written = Extents(), bytearray(100), bytearray(100)
    for start, content in writes:
        extents.write(start, content)
        plain[start : start + len(content)] = content
        written[start : start + len(content)] = b"\1" * len(content)
    assert extents.read(0, 100) == bytes(plain)
    assert extents.read(17, 43) == bytes(plain[17:43])
    ranges = list(extents.ranges())
    assert sum(end - start for start, end in ranges) == sum(written) == extents.size
    assert all(all(written[start:end]) for start, end in ranges)
    assert all(first[1] < second[0] for first, second in itertools.pairwise(ranges))
