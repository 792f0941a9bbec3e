"""A copy comes close under limits that nobody tells it, whatever they are.

The simulation is deterministic; a figure that moves here has moved because the pace decides otherwise.
"""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.planning import pacing
from shared.planning.archive import CHUNK, MIB
from shared.planning.pacing import Pace

from .busy_blob import Service, copy

KIB = 1024
RATES, REQUESTS = (5, 10, 20, 40, 60), (50, 170, 500)
LIMITS = list(itertools.product(RATES, REQUESTS))


def enough(service: Service, size: int, seconds: float) -> list[int]:
    """Chunks of one size that keep the service busy for so long."""
    per_second = min(service.mib_per_s * MIB / size, service.calls_per_s)
    return [size] * (int(per_second * seconds) + 1)


@pytest.mark.parametrize("size", [64 * KIB, 256 * KIB, CHUNK])
@pytest.mark.parametrize(("rate", "requests"), LIMITS)
def test_a_copy_takes_at_most_a_tenth_longer_than_it_must(rate: int, requests: int, size: int) -> None:
    """From the published targets down to a twelfth of them. Workers that know no pace get 120 refusals/s."""
    service = Service(rate, requests)
    for seconds in (5, 15):
        done = copy(enough(service, size, seconds), service)
        assert done.over <= 1.1
        assert done.refused <= 100 + 20 * seconds


@pytest.mark.parametrize(("rate", "requests"), LIMITS)
def test_a_disk_that_changes_its_nature_half_way_is_followed(rate: int, requests: int) -> None:
    """Large chunks first, which only the bytes limit, then fragments, which only the requests may limit."""
    service = Service(rate, requests)
    large, small = (enough(service, size, 8) for size in (CHUNK, 64 * KIB))
    apart = sum(copy(sizes, service).bound for sizes in (large, small))
    assert copy([*large, *small], service).seconds <= 1.25 * apart


@pytest.mark.parametrize(("rate", "requests"), [limits for limits in LIMITS if limits[1] > 50])
def test_a_disk_of_pieces_of_all_sizes_is_copied_at_a_fair_pace(rate: int, requests: int) -> None:
    """The bound is out of reach here: one limit holds calls back that the other would let pass."""
    draw, service = random.Random(7), Service(rate, requests)
    sizes = [512 * int(2 ** draw.uniform(0, 13)) for _ in range(600)]
    assert copy(sizes, service).over <= 1.2


def test_under_the_published_targets_nothing_is_refused() -> None:
    service = Service(60, 500)
    for size in (64 * KIB, CHUNK):
        assert copy(enough(service, size, 15), service).refused == 0


def test_refusals_get_rare_once_the_limit_is_found() -> None:
    service = Service(20, 170)
    for size in (64 * KIB, CHUNK):
        chunks = enough(service, size, 30)
        first, both = copy(chunks, service), copy(chunks * 2, service)
        assert both.refused - first.refused <= 5 * 30


def test_a_target_that_the_service_exceeds_is_not_exceeded() -> None:
    """The configured rates are what the customer allows, too."""
    service = Service(1000, 10_000)
    sizes = enough(Service(60, 500), CHUNK, 10)
    assert 9 <= copy(sizes, service).seconds <= 11


@given(
    st.lists(st.tuples(st.sampled_from(["call", "through", "refused"]), st.integers(0, 2000)), max_size=80)
)
def test_whatever_happens_the_pace_stays_between_its_floor_and_its_target(
    steps: list[tuple[str, int]],
) -> None:
    pace, now = Pace(60 * MIB, 500), 0.0
    for what, milliseconds in steps:
        now += milliseconds / 1000
        match what:
            case "call":
                pace, delay = pacing.admit(pace, CHUNK, now)
                assert delay >= 0
            case "through":
                pace = pacing.succeeded(pace, CHUNK, now)
            case _:
                pace = pacing.refused(pace, now)
        for rate in (pace.by_bytes, pace.by_calls):
            assert pacing.FLOOR <= rate.share <= 1.0


@given(st.lists(st.integers(0, CHUNK), min_size=2, max_size=50))
def test_no_more_is_admitted_than_the_targets_allow(sizes: list[int]) -> None:
    """Both targets hold over any time, but for the slack and the one call that is under way."""
    pace, starts = Pace(60 * MIB, 500), []
    for size in sizes:
        pace, delay = pacing.admit(pace, size, 0.0)
        starts.append(delay)
    assert starts == sorted(starts)
    moved, seconds = sum(sizes[:-1]), starts[-1] + pacing.SLACK
    assert moved <= 60 * MIB * seconds + 1
    assert len(sizes) - 1 <= 500 * seconds + 1
