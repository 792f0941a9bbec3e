"""Others write a version between the factory's read and its write; no ETag tells, but nothing is lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

import pytest

from sandbox.switches import Switches
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import FailedWork
from shared.domain.releases import ReleaseRecord, Stage
from shared.usecases import withdrawals
from shared.usecases.looks import work_off

from .gallery import BASE, GALLERY, GalleryWorld, begun, rebuilt, say, stands
from .scenes import Operator

RELEASED = stands("base/1.0.0", Stage.RELEASED)
PATH = f"{GALLERY}/images/base/versions/1.0.0"
Body = dict[str, Any]


def before_patch(world: GalleryWorld, number: int, act: Callable[[], None]) -> list[int]:
    """Let somebody do something just before the factory's n-th update; what is returned fills up then."""
    seen: list[int] = []

    def meddle(count: int) -> None:
        if world.gate.names[-1].startswith("PATCH"):
            seen.append(count)
            if len(seen) == number:
                act()

    world.gate.before = meddle
    return seen


def update(world: GalleryWorld, change: Callable[[Body], None], *, stale: Body | None = None) -> int:
    """A person's read-merge-write with the portal's tools; `stale`: what was read long ago. The status."""
    operator = Operator(world, api="api-version=2024-03-03")
    body = stale or read(world)
    change(body["properties"]["publishingProfile"])
    return operator.send("PUT", PATH, body).status


def read(world: GalleryWorld) -> Body:
    found: Body = Operator(world, api="api-version=2024-03-03").send("GET", PATH).json()
    del found["properties"]["publishingProfile"]["publishedDate"]
    return found


def added(region: str) -> Callable[[Body], None]:
    def change(profile: Body) -> None:
        profile["targetRegions"].append({"name": region, "excludeFromLatest": True})

    return change


def nothing(_: Body) -> None:
    """The list as it was read."""


@pytest.mark.parametrize("status", [409, 400])
@pytest.mark.parametrize("number", [2, 3])
def test_a_region_added_by_hand_and_replicated_makes_a_stale_list_refused(
    number: int, status: Literal[409, 400]
) -> None:
    """The guard refuses, the factory reads again, and the region stays."""
    world = begun(switches=Switches(protected_region_status=status))
    world.make()

    def act() -> None:
        assert update(world, added("francecentral")) == 200
        region = world.version().region("francecentral")
        assert region is not None
        world.azure.galleries.replication.stop(region)
        region.state = "Completed"

    seen = before_patch(world, number, act)
    world.play(rebuilt)
    assert len(seen) >= number
    assert world.version().region("francecentral") is not None
    assert "version-update-refused" in world.told()
    assert {world.latest(region) for region in BASE} == {"1.0.0"}
    assert world.wrong == []
    assert not world.records(FailedWork)


def test_a_region_of_a_later_ring_added_by_hand_and_dropped_by_us_comes_back() -> None:
    """It was still replicating, so that the guard did not help; its ring gets it in its turn."""
    world = begun()
    world.make()
    seen = before_patch(world, 1, lambda: _ok(update(world, added("uksouth"))))
    world.play(rebuilt)
    assert seen
    assert {world.latest(region) for region in BASE} == {"1.0.0"}
    assert world.wrong == []


def test_a_foreign_region_that_the_factory_had_seen_comes_back_after_a_stale_write_of_others() -> None:
    """Somebody adds it, the factory sees it, a pipeline of somebody writes an older list: it is put back."""
    world = begun()
    world.make()
    world.play(stands("base/1.0.0", Stage.SOAKING), at_once=True)
    old = read(world)
    _ok(update(world, added("francecentral")))
    world.play(lambda w: world.release().region("francecentral") is not None, at_once=True)
    _ok(update(world, nothing, stale=old))
    assert world.version().region("francecentral") is None
    world.play(rebuilt)
    region = world.version().region("francecentral")
    assert region is not None
    assert region.excluded, "whether it is latest there is not for the factory to say"
    assert world.wrong == []


@pytest.mark.parametrize("position", ["accepted", "refused"])
def test_a_stale_write_of_others_drops_our_regions_and_they_come_back(position: str) -> None:
    """Read before the second ring, written while it replicates."""
    world = begun(switches=Switches(update_while_updating=position))  # type: ignore[arg-type] # of two
    world.make()
    world.play(stands("base/1.0.0", Stage.SOAKING), at_once=True)
    old = read(world)
    world.play(lambda w: world.version().region("uksouth") is not None, at_once=True)
    answer = update(world, nothing, stale=old)
    assert answer == (200 if position == "accepted" else 409)
    assert (world.version().region("uksouth") is None) is (position == "accepted")
    world.play(rebuilt)
    assert {world.latest(region) for region in BASE} == {"1.0.0"}
    assert world.wrong == []


def test_the_guard_that_the_factory_leaves_on_refuses_stale_lists_of_others() -> None:
    world = begun()
    world.make()
    world.play(stands("base/1.0.0", Stage.SOAKING), at_once=True)
    old = read(world)
    world.play(rebuilt)
    assert update(world, nothing, stale=old) == 409
    world.go_on(hours=1)
    assert {world.latest(region) for region in BASE} == {"1.0.0"}


def test_tags_that_somebody_sets_between_read_and_write_survive() -> None:
    """A pin, say: updates of the factory do not carry tags."""
    world = begun()
    world.make()

    def act() -> None:
        world.version().tags["pinned-by"] = "somebody"

    before_patch(world, 2, act)
    world.play(rebuilt)
    assert world.version().tags == {"pinned-by": "somebody"}


def test_a_word_between_read_and_write_is_heeded_at_the_next_look() -> None:
    """Withdrawn while the update that makes it latest is under way: that one is sent, then taken back."""
    world = begun()
    world.make()
    seen = before_patch(world, 2, lambda: say(world, withdrawals.withdraw))
    world.play(lambda w: world.release().withdrawn_everywhere is not None)
    assert len(seen) >= 2
    world.go_on(hours=2)
    assert {world.latest(region) for region in BASE} == {""}
    assert world.release().stage is Stage.WITHDRAWN
    assert all(record.claim is None for record in world.records(ReleaseRecord))
    assert not world.records(FailedWork)


def test_two_workers_that_look_at_once_send_one_update() -> None:
    """A second message for the version is worked off in the middle of the first one's look."""
    world = begun()
    world.make()
    entered: list[str] = []

    def meddle(_: int) -> None:
        """Just before the claim is written, somebody else looks, and writes it."""
        name = world.gate.names[-1]
        if name == "ledger.commit" and world.gate.names[-2].startswith("GET") and not entered:
            if not stands("base/1.0.0", Stage.SOAKING)(world) or world.version().region("uksouth"):
                return
            entered.append(name)
            _look(world)

    world.gate.before = meddle
    world.play(rebuilt)
    assert entered
    patches = [call for call in world.azure.calls.list("arm") if call.method == "PATCH"]
    assert len([call for call in patches if call.path.endswith("base/versions/1.0.0")]) == 3
    assert world.wrong == []


def test_a_worker_that_was_slow_to_get_its_claim_sends_nothing() -> None:
    """Less than two request time-outs remain on it: an update could outlast it, and meet another worker's."""
    world = begun()
    world.make()
    slow: list[str] = []

    def meddle(_: int) -> None:
        sent = world.gate.names[-3:]
        if sent[-1] == "ledger.commit" and sent[-2].startswith("GET") and "1.0.0" in sent[-2] and not slow:
            slow.append(sent[-1])
            world.clock.advance(timedelta(minutes=3))

    world.play(stands("base/1.0.0", Stage.SOAKING), at_once=True)
    world.gate.before = meddle
    before = len([name for name in world.gate.names if name.startswith("PATCH")])
    world.play(lambda w: bool(slow), at_once=True)
    assert len([name for name in world.gate.names if name.startswith("PATCH")]) == before
    assert world.release().claim is None, "given back, so that the next look need not wait for its end"
    world.play(rebuilt)
    assert {world.latest(region) for region in BASE} == {"1.0.0"}
    assert not world.wrong
    assert not world.records(FailedWork)


def _look(world: GalleryWorld) -> None:
    look = Look(Lane.RELEASES, Thing.VERSION, "base/1.0.0", "another-worker")
    work_off(world.worker.outside, world.worker.factory(), look)


def _ok(status: int) -> None:
    assert status == 200
