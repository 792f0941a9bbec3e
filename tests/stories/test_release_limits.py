"""What bounds a release: the mode, the configuration, how many are in flight, how long a region may take."""

from pathlib import Path

import pytest

from sandbox.arm.galleries.replication import Plan
from shared.domain.records import FailedWork
from shared.domain.releases import ReleaseRecord, Stage
from shared.usecases import withdrawals

from .gallery import BASE, GalleryWorld, assert_released, begun, changed, rebuilt, say, stands
from .scenes import arm_calls
from .world import HERE, World

SAMPLE = (HERE / "releases" / "factory.yaml").read_text(encoding="utf-8")
WRITES = ("PUT", "POST", "PATCH", "DELETE")


def test_observe_journals_every_step_and_writes_nothing(tmp_path: Path) -> None:
    """Not even where a version is latest too early; until somebody says act."""
    config = changed(tmp_path, "mode: act", "mode: observe")
    world = begun(config=config)
    world.make(excludeFromLatest=False)
    world.go_on(hours=4)
    assert not any(arm_calls(world, method) for method in WRITES)
    assert "mode is observe: would update it: excluded from latest in westeurope" in world.told()
    assert world.version().regions[0].excluded is not True
    config.write_text(SAMPLE, encoding="utf-8")
    world.play(rebuilt)
    assert_released(world)


def test_a_person_s_word_is_noted_while_the_factory_observes(tmp_path: Path) -> None:
    """And carried out once it acts."""
    config = changed(tmp_path, "mode: act", "mode: observe")
    world = begun(config=config)
    world.make()
    world.go_on(minutes=30)
    say(world, withdrawals.withdraw)
    world.go_on(hours=1)
    assert world.release().stage is Stage.WITHDRAWN
    assert not any(arm_calls(world, method) for method in WRITES)
    config.write_text(SAMPLE, encoding="utf-8")
    world.go_on(hours=2)
    assert {world.latest(region) for region in BASE} == {""}
    assert world.version().excluded


@pytest.mark.parametrize("at", [Stage.MAKING, Stage.SOAKING, Stage.REPLICATING])
def test_a_faulty_configuration_stops_a_release_until_it_is_mended(at: Stage, tmp_path: Path) -> None:
    """No request is sent meanwhile, no row is written; then it goes on by itself."""
    config = changed(tmp_path, "rings:", "rings:")
    world = begun(config=config)
    world.make()
    world.play(stands("base/1.0.0", at), at_once=True)
    config.write_text(SAMPLE.replace("uksouth", "uknorth"), encoding="utf-8")
    world.azure.calls.clear()
    before = list(world.ledger.rows())
    world.go_on(hours=4)
    assert not world.azure.calls.list("arm", "factory")
    assert list(world.ledger.rows()) == before
    config.write_text(SAMPLE, encoding="utf-8")
    world.play(rebuilt)
    assert_released(world)


def test_a_definition_that_leaves_the_configuration_is_let_alone_and_comes_back(tmp_path: Path) -> None:
    """Its pending look is failed work that names it; nothing else is touched."""
    config = changed(tmp_path, "rings:", "rings:")
    world = begun(config=config)
    world.make("dev")
    world.play(stands("dev/1.0.0", Stage.SOAKING), at_once=True)
    world.make()
    world.play(stands("base/1.0.0", Stage.SOAKING), at_once=True)
    here, there = SAMPLE.index("  dev:\n"), SAMPLE.index("definitions:")
    without = SAMPLE[: SAMPLE.index("images:")] + SAMPLE[there:here].replace("dev", "gone") + SAMPLE[here:]
    config.write_text(without.replace("  base:", "  other:", 1), encoding="utf-8")
    world.go_on(hours=5)
    assert {world.latest(region) for region in BASE[1:]} == {""}
    config.write_text(SAMPLE, encoding="utf-8")
    world.play(stands("base/1.0.0", Stage.RELEASED))
    assert {world.latest(region) for region in BASE} == {"1.0.0"}
    for work in world.records(FailedWork):
        assert "no definition 'base' is configured" in work.why


def in_flight(world: World) -> list[str]:
    return [r.name for r in world.records(ReleaseRecord) if r.definition == "base" and r.busy]


def test_no_more_versions_replicate_at_once_than_in_flight_allows(tmp_path: Path) -> None:
    """One does. The next waits, says so, and goes when the first has its regions."""
    config = changed(tmp_path, "  base:\n", "  base:\n    in_flight: 1\n    deadline: 3h\n")
    world = begun(config=config)
    world.azure.galleries.plan(Plan(version="base/1.0.0", region="uksouth", hangs=True))
    world.make()
    world.play(stands("base/1.0.0", Stage.REPLICATING), at_once=True)
    world.make(name="1.0.1")
    world.play(stands("base/1.0.1", Stage.WAITING), at_once=True)
    most = 0
    for _ in range(12):
        world.go_on(minutes=30)
        most = max(most, len(in_flight(world)))
    assert most == 1
    assert "waits: 1 versions are in flight, as many as in_flight allows" in world.told()
    assert world.latest("westeurope") == "1.0.1", "one that hangs does not hold the next up for ever"
    assert not world.wrong


def test_a_region_that_fails_for_ever_is_given_up_and_the_release_ends() -> None:
    """The others of its ring and the rings after it go on; told once."""
    world = begun()
    world.azure.galleries.plan(Plan(version="base/*", region="northeurope", fails=99))
    world.make()
    world.play(stands("base/1.0.0", Stage.RELEASED))
    assert {region: world.latest(region) for region in BASE} == {
        "westeurope": "1.0.0",
        "northeurope": "",
        "uksouth": "1.0.0",
    }
    told = [e["data"] for e in world.published if e["eventType"] == "ImageFactory.WorkFailed"]
    assert [(each["region"], each["why"]) for each in told] == [
        ("northeurope", "failed again and again: Failed with internal server error.")
    ]
    assert "given up: northeurope" in world.release().reason
    assert not world.wrong


def test_what_was_given_up_is_tried_again_at_a_person_s_word() -> None:
    world = begun()
    world.azure.galleries.plan(Plan(version="base/*", region="northeurope", fails=4))
    world.make()
    world.play(stands("base/1.0.0", Stage.RELEASED))
    world.azure.galleries.replication.plans.clear()
    say(world, withdrawals.promote)
    world.play(lambda w: world.latest("northeurope") == "1.0.0")
    assert "given up" not in world.release().reason
    assert not world.wrong


def test_the_home_region_that_fails_is_a_version_that_could_not_be_made() -> None:
    """Tried once more, then given up: it is released nowhere, and the one before it stays latest."""
    world = begun()
    world.make()
    world.play(rebuilt)
    world.azure.galleries.plan(Plan(version="base/1.0.1", region="westeurope", fails=99))
    world.make(name="1.0.1")
    world.play(stands("base/1.0.1", Stage.FAILED))
    world.go_on(hours=5)
    assert {world.latest(region) for region in BASE} == {"1.0.0"}
    assert "given up: westeurope" in world.release("base/1.0.1").reason
    assert len(world.version("base/1.0.1").regions) == 1


@pytest.mark.parametrize("when", [Stage.SOAKING, Stage.REPLICATING, Stage.RELEASED])
def test_a_version_that_somebody_deletes_is_gone_and_what_is_below_goes_on(when: Stage) -> None:
    """No error, no failed work; what was latest before it is again, and an older one goes on."""
    world = begun()
    world.make()
    world.play(rebuilt)
    world.make(name="1.0.1")
    world.play(stands("base/1.0.1", when), at_once=True)
    made = world.version("base/1.0.1")
    world.azure.galleries.replication.abandon(made, world.clock.now())
    world.azure.fabric.records.remove(made.id)
    world.judge.forget(made.id)
    world.go_on(hours=2)
    assert world.release("base/1.0.1").stage is Stage.GONE
    assert {world.latest(region) for region in BASE} == {"1.0.0"}
    assert not world.records(FailedWork)
    assert isinstance(world, GalleryWorld)
    assert not world.wrong
