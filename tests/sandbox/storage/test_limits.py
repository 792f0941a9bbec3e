"""The limits of a page blob hold on average, and each blob has its own."""

from datetime import timedelta

import pytest

from sandbox.clock import VirtualClock
from sandbox.storage.limits import Limits, PageBlobs

MIB = 1024 * 1024


def accepted(blobs: PageBlobs, clock: VirtualClock, size: int, seconds: float) -> int:
    """Try every millisecond; return how many requests were accepted."""
    count = 0
    for _ in range(int(seconds * 1000)):
        count += blobs.admit(("a/images/one.vhd", size))
        clock.advance(timedelta(milliseconds=1))
    return count


@pytest.mark.parametrize(
    ("size", "expected"),
    [(64 * 1024, 170), (4 * MIB, 5)],
)
def test_whichever_limit_is_reached_first_sets_the_pace(size: int, expected: int) -> None:
    clock = VirtualClock()
    blobs = PageBlobs(clock)
    blobs.limit(Limits(bytes_per_second=20 * MIB, requests_per_second=170))
    seconds = 20
    count = accepted(blobs, clock, size, seconds)
    assert expected * seconds * 0.99 < count < expected * seconds * 1.02


def test_blobs_do_not_share_a_limit_but_a_copy_needs_both() -> None:
    clock = VirtualClock()
    blobs = PageBlobs(clock)
    blobs.limit(Limits(requests_per_second=1))
    assert blobs.admit(("a/c/source", 512))
    assert blobs.admit(("a/c/target", 512))
    assert not blobs.admit(("a/c/other", 512), ("a/c/source", 512))
    assert blobs.admit(("a/c/other", 512)), "a refused request costs nothing"


def test_bytes_that_only_the_answer_tells_are_paid_afterwards() -> None:
    clock = VirtualClock()
    blobs = PageBlobs(clock)
    blobs.limit(Limits(bytes_per_second=1000))
    assert blobs.admit(("a/c/b", 0))
    blobs.carried("a/c/b", 1500)
    assert not blobs.admit(("a/c/b", 0))
    clock.advance(timedelta(seconds=1.5))
    assert blobs.admit(("a/c/b", 0))


def test_without_limits_everything_passes() -> None:
    blobs = PageBlobs(VirtualClock())
    assert all(blobs.admit(("a/c/b", 1 << 40)) for _ in range(1000))


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Limits(requests_per_second=0)
