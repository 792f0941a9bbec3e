"""Gallery versions on their way: rings, people's words, failing regions, others who write them."""

from pathlib import Path

import pytest

from sandbox.arm.galleries.model import Region
from sandbox.arm.galleries.replication import Plan
from sandbox.switches import Switches
from shared.domain.errors import Invalid
from shared.domain.records import FailedWork
from shared.domain.releases import ReleaseRecord, Stage
from shared.usecases import lineage, progress, withdrawals

from .cuts import Gate
from .gallery import BASE, GalleryWorld, assert_released, begun, changed, rebuilt, say, stands

RELEASED = stands("base/1.0.0", Stage.RELEASED)


@pytest.fixture
def world() -> GalleryWorld:
    return begun()


def latest(world: GalleryWorld) -> list[str]:
    return [region for region in BASE if world.latest(region) == "1.0.0"]


def test_a_version_crosses_its_rings_and_what_is_built_from_it_is_rebuilt(world: GalleryWorld) -> None:
    """Told by events: ring by ring where it is latest."""
    world.make()
    world.play(rebuilt)
    assert_released(world)
    told = [e["data"] for e in world.published if e["eventType"] == "ImageFactory.VersionReleased"]
    base = [
        (each["ring"], each["regions"], each["complete"]) for each in told if each["definition"] == "base"
    ]
    assert base == [("first", "westeurope", False), ("second", "northeurope,uksouth", True)]


def test_a_version_that_is_latest_too_early_is_taken_back_first(world: GalleryWorld) -> None:
    world.make(excludeFromLatest=False)
    world.play(stands("base/1.0.0", Stage.SOAKING), at_once=True)
    assert world.latest("westeurope") == ""
    world.play(RELEASED)
    assert latest(world) == list(BASE)


def test_what_was_there_before_the_factory_is_left_alone_until_a_person_wants_it() -> None:
    world = GalleryWorld()
    made = world.make(excludeFromLatest=False)
    world.go_on(hours=1)
    assert not any(r.definition == "base" for r in world.records(ReleaseRecord))
    say(world, withdrawals.promote, through=True)
    world.play(RELEASED)
    assert latest(world) == list(BASE)
    assert made.latest_in("westeurope")


@pytest.mark.parametrize("switch", ["accepted", "refused"])
def test_a_held_version_is_latest_nowhere_until_it_goes_on(switch: str) -> None:
    world = begun(switches=Switches(update_while_updating=switch))  # type: ignore[arg-type] # of two
    world.make()
    world.play(lambda w: world.latest("westeurope") == "1.0.0", at_once=True)
    say(world, withdrawals.hold)
    world.go_on(hours=3)
    assert latest(world) == []
    assert world.release().stage is Stage.HELD
    say(world, withdrawals.resume)
    world.play(RELEASED)
    assert latest(world) == list(BASE)


@pytest.mark.parametrize("switch", ["accepted", "refused"])
def test_a_withdrawn_version_gives_way_to_the_one_before_it(switch: str) -> None:
    """Whatever was built from it is marked, and goes too where its definition says so. Nothing is deleted."""
    world = begun(switches=Switches(update_while_updating=switch))  # type: ignore[arg-type] # of two
    world.make()
    world.play(rebuilt)
    world.make(name="1.0.1")
    world.play(lambda w: world.latest("westeurope") == "1.0.1" and stands("dev/1.0.1", Stage.RELEASED)(w))
    say(world, withdrawals.withdraw, "base/1.0.1")
    world.play(lambda w: world.release("dev/1.0.1").withdrawn_everywhere is not None)
    assert latest(world) == list(BASE)
    assert world.latest("westeurope", "dev") == "1.0.0"
    assert world.release("dev/1.0.1").descends_from == "base/1.0.1"
    assert world.version("dev/1.0.1").name == "1.0.1"
    told = [e["subject"] for e in world.published if e["eventType"] == "ImageFactory.VersionWithdrawn"]
    assert sorted(told) == ["base/1.0.1", "dev/1.0.1"]
    with pytest.raises(Invalid, match="is withdrawn"):
        say(world, withdrawals.promote, "base/1.0.1")


def test_an_image_no_longer_wants_what_was_withdrawn_before_it_was_built(world: GalleryWorld) -> None:
    world.make()
    world.play(lambda w: world.latest("westeurope") == "1.0.0", at_once=True)
    say(world, withdrawals.withdraw)
    world.play(lambda w: world.release().withdrawn_everywhere is not None)
    world.go_on(hours=2)
    image = world.image("dev")
    assert image is not None
    assert image.wanted is None or image.built is not None


def test_a_newer_version_overtakes_one_that_soaks(world: GalleryWorld) -> None:
    """The older one stops where it is, and goes on when the newer one is withdrawn."""
    world.make()
    world.play(stands("base/1.0.0", Stage.SOAKING), at_once=True)
    world.make(name="1.0.1")
    world.play(stands("base/1.0.1", Stage.RELEASED))
    assert world.release().stage is Stage.OVERTAKEN
    assert len(world.version().regions) == 1
    say(world, withdrawals.withdraw, "base/1.0.1")
    world.play(RELEASED)
    assert latest(world) == list(BASE)


@pytest.mark.parametrize("fails", [1, 2, 3])
@pytest.mark.parametrize("retried", [True, False])
@pytest.mark.parametrize("removal", ["accepted", "refused"])
def test_a_region_that_fails_is_tried_again_and_held_up_nobody(
    fails: int, retried: bool, removal: str
) -> None:
    """Retried, removed and added again; given up where Azure lets it do neither."""
    switches = Switches(failed_region_retried=retried, failed_region_removal=removal)  # type: ignore[arg-type] # of two
    world = begun(switches=switches)
    world.azure.galleries.plan(Plan(version="base/*", region="uksouth", fails=fails))
    world.make()
    world.play(RELEASED)
    given_up = world.release().region("uksouth")
    assert given_up is not None
    attempts = 1 + retried + (removal == "accepted")
    if fails < attempts:
        assert latest(world) == list(BASE)
    else:  # one that was given up may be tried again by the next update
        assert given_up.given_up.startswith("failed") or (retried and latest(world) == list(BASE))
    assert {"westeurope", "northeurope"} <= set(latest(world))
    assert not world.wrong


def test_a_region_that_hangs_is_given_up_at_the_deadline(world: GalleryWorld) -> None:
    """Published once; the others of its ring go on without it."""
    world.azure.galleries.plan(Plan(region="uksouth", hangs=True))
    world.make()
    world.play(lambda w: world.latest("northeurope") == "1.0.0", at_once=True)
    known = world.release().region("uksouth")
    assert known is not None
    assert known.given_up == "not replicated after 1 day, 0:00:00"
    told = [e["data"] for e in world.published if e["eventType"] == "ImageFactory.WorkFailed"]
    assert [each["region"] for each in told] == ["uksouth"]


@pytest.mark.parametrize("state", ["Completed", "Replicating"])
def test_a_region_that_somebody_adds_between_read_and_write_is_not_lost(state: str) -> None:
    """One that has replicated is protected by the guard; one that replicates comes back if it was known."""
    gate = Gate()
    world = begun(gate=gate)
    made = world.make()
    added: list[int] = []

    def meddle(count: int) -> None:
        if not added and gate.names[-1].startswith("PATCH"):
            added.append(count)
            region = Region("francecentral", 1, "Standard_LRS", excluded=True)
            made.regions.append(region)
            region.state = "Completed" if state == "Completed" else "Unknown"

    gate.before = meddle
    world.play(RELEASED)
    assert added
    assert latest(world) == list(BASE)
    assert (made.region("francecentral") is not None) is (state == "Completed")
    assert not world.wrong


def test_a_region_of_a_ring_that_others_dropped_comes_back(world: GalleryWorld) -> None:
    """A stale list of somebody else's, while the region was replicating."""
    made = world.make()
    world.play(lambda w: made.region("uksouth") is not None, at_once=True)
    world.go_on(minutes=2)
    made.regions = [region for region in made.regions if region.name != "uksouth"]
    world.play(RELEASED)
    assert latest(world) == list(BASE)


def test_what_somebody_else_excludes_is_not_made_latest_again(world: GalleryWorld) -> None:
    """Only a person's word does so."""
    made = world.make()
    world.play(RELEASED)
    region = made.region("uksouth")
    assert region is not None
    region.excluded = True
    world.go_on(hours=1)
    assert latest(world) == ["westeurope", "northeurope"]
    say(world, withdrawals.promote)
    world.play(lambda w: latest(world) == list(BASE))


def test_events_that_are_lost_cost_time_alone(world: GalleryWorld) -> None:
    world.lose_events = True
    world.make()
    world.play(rebuilt)
    assert_released(world)


def test_a_missing_role_is_told_and_the_release_goes_on_once_it_is_there(world: GalleryWorld) -> None:
    from sandbox.arm.roles import IMAGE_FACTORY
    from sandbox.identity.tokens import FACTORY

    subscription = f"/subscriptions/{world.azure.setting.subscription}"
    world.make()
    world.play(stands("base/1.0.0", Stage.SOAKING), at_once=True)
    world.azure.roles.revoke(FACTORY, IMAGE_FACTORY.name, subscription)
    world.go_on(hours=2)
    assert "access-denied" in world.told()
    world.azure.roles.assign(FACTORY, IMAGE_FACTORY.name, subscription)
    world.play(rebuilt)
    assert_released(world)


def test_progress_and_lineage_are_told_from_the_ledger(world: GalleryWorld) -> None:
    """Where it is, since when, what comes next; what it was made from, and what was made of it."""
    world.make()
    world.play(lambda w: world.latest("westeurope") == "1.0.0", at_once=True)
    world.go_on(minutes=2)
    out, factory = world.worker.outside, world.worker.factory()
    told = progress.progress(out, factory, "base/1.0.0")
    assert [(p.ring, p.region, p.state) for p in told.places] == [
        ("first", "westeurope", "latest"),
        ("second", "northeurope", "replicating"),
        ("second", "uksouth", "replicating"),
    ]
    assert told.next == "latest in ring second, the last one, when it has replicated and soaked"
    world.play(rebuilt)
    up = lineage.lineage(out, factory, "dev/1.0.0")
    assert [node.kind for node in up.ancestors] == ["run", "template", "version"]
    assert up.ancestors[-1].name == "base/1.0.0"
    down = lineage.lineage(out, factory, "base/1.0.0").of
    runs = [node for node in down.children if node.kind == "run"]
    assert [child.name for run in runs for child in run.children] == ["dev/1.0.0"]
    assert not world.records(FailedWork)


def test_azure_is_told_to_guard_a_version_until_its_end_of_life(tmp_path: Path) -> None:
    """Together with the date, by the same update."""
    config = changed(tmp_path, "    end_of_life: 90d", "    end_of_life: 90d\n    block_deletion: true")
    world = begun(config=config)
    world.make()
    world.play(rebuilt)
    assert world.version().end_of_life
    assert world.version().block_deletion
    assert not world.version("dev/1.0.0").block_deletion
