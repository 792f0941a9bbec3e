"""What others do to a thing while it is going: they withdraw, hold, disown, write, or take others away."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sandbox.arm.galleries.seeds import RegionSeed, VersionSeed, VersionSeeds
from shared.domain import keys
from shared.domain.galleries import Target, Update, VersionId
from shared.domain.retention import MARK, Kind, RetentionRecord, Stage
from shared.ports import Put
from shared.usecases import withdrawals

from .gallery import GALLERY
from .retaining import RetentionWorld
from .scenes import IMAGE, factory_file
from .test_retention_guards import look, rule, waiting
from .test_retention_kinds import RULES, VERSIONS, built
from .test_retention_story import configured, staged
from .world import World

NAME = "dev/1.0.0"


def say(world: World, verb: Callable[..., None], name: str = NAME) -> None:
    verb(world.worker.outside, world.worker.factory(), withdrawals.Word(name, "somebody says so", "c"))


@pytest.mark.parametrize("verb", [withdrawals.withdraw, withdrawals.hold])
def test_what_a_person_took_back_from_being_latest_is_not_given_back_with_its_mark(
    verb: Callable[..., None],
) -> None:
    world = waiting(Stage.EXCLUDED)
    say(world, verb)
    world.go_on(minutes=30)
    world.pin(NAME)
    world.sweep_retention_in(timedelta(minutes=1))
    world.go_on(hours=3)
    assert not world.wrong
    assert not world.version(NAME).latest_in("westeurope")
    assert bool(world.going()) is (verb is withdrawals.hold)


def test_what_is_held_is_given_back_when_it_goes_on() -> None:
    world = waiting(Stage.EXCLUDED)
    say(world, withdrawals.hold)
    world.pin(NAME)
    world.sweep_retention_in(timedelta(minutes=1))
    world.go_on(hours=2)
    say(world, withdrawals.resume)
    world.go_on(hours=2)
    assert not world.going()
    assert world.version(NAME).latest_in("westeurope")


def seed(world: RetentionWorld, number: str, days: int, *regions: str) -> None:
    seeds = VersionSeeds(world.azure.fabric, world.azure.inventory, world.azure.galleries)
    version = VersionSeed(
        published=world.clock.now() - timedelta(days=days),
        regions=tuple(RegionSeed(name=name) for name in regions),
    )
    seeds.put(f"{GALLERY}/images/dev/versions/{number}", version)


def without_northeurope(world: RetentionWorld) -> None:
    """Somebody excludes 1.0.1 there by hand."""
    galleries = world.worker.outside.galleries
    version = galleries.get(VersionId.parse(f"{GALLERY}/images/dev/versions/1.0.1"))
    assert version
    targets = (Target(r.name, r.replicas, r.storage, r.name == "northeurope") for r in version.regions)
    galleries.update(version, Update(tuple(targets)))


@pytest.mark.parametrize(
    "taken_away", [lambda world: say(world, withdrawals.withdraw, "dev/1.0.1"), without_northeurope]
)
def test_the_last_that_a_region_would_have_comes_back(
    tmp_path: Path, taken_away: Callable[[RetentionWorld], None]
) -> None:
    """Two newer good ones are in another region; but for retention it would be the latest in this one."""
    world = RetentionWorld(history=0, config=configured(tmp_path))
    seed(world, "1.0.0", 200, "westeurope", "northeurope")
    seed(world, "1.0.1", 190, "westeurope", "northeurope")
    seed(world, "1.0.2", 180, "westeurope")
    seed(world, "1.0.3", 170, "westeurope")
    world.begin()
    world.play(staged(Stage.EXCLUDED, NAME), at_once=True, horizon=timedelta(days=3))
    taken_away(world)
    world.go_on(hours=12)
    assert world.latest("northeurope", "dev") == "1.0.0"
    assert rule(world) == "newest-released"
    assert not world.going().get(NAME)


def test_a_version_that_another_worker_writes_meanwhile_is_read_again() -> None:
    """Its list of regions would be written over: no ETag tells, but the row has changed."""
    world = waiting(Stage.MARKED)
    id, met = VersionId.parse(f"{GALLERY}/images/dev/versions/1.0.0"), list[str]()

    def meddle(_: int) -> None:
        last, now = ("", *world.gate.names)[-2:]
        if met or not now.startswith("ledger.") or not last.startswith("GET"):
            return
        if "versions/1.0.0" not in last or world.going().get(NAME) is not Stage.MARKED:
            return
        met.append(last)
        galleries, release = world.worker.outside.galleries, world.release(NAME)
        version = galleries.get(id)
        assert version
        there = tuple(Target(r.name, r.replicas, r.storage, excluded=False) for r in version.regions)
        added = Target("northeurope", 1, "Standard_LRS", excluded=True)
        galleries.update(version, Update((*there, added)))
        row = replace(release, reason="another worker was here")
        world.ledger.commit(keys.of_definition("dev"), (Put(row),))

    world.go_on(hours=4)
    world.gate.before = meddle
    look(world)
    world.go_on(minutes=1)
    assert met
    assert world.version(NAME).region("northeurope") is not None


def test_a_template_that_is_disowned_bears_no_mark_any_more(tmp_path: Path) -> None:
    world = built(tmp_path, *VERSIONS[:1], options={"after_archive": "keep_template"})
    factory_file(tmp_path, "other", retention=RULES)
    world.play(marked, at_once=True)
    (template,) = [t for t in world.azure.imagebuilder.templates() if t.name == IMAGE]
    template.tags = {name: value for name, value in template.tags.items() if name != "imageFactoryImage"}
    world.go_on(hours=2)
    assert MARK not in template.tags
    assert IMAGE not in world.going()


def marked(world: Any) -> bool:
    return any(r.kind is Kind.TEMPLATE for r in world.records(RetentionRecord))
