"""Whatever happens in whatever order: what has replicated stays, latest is what may be, and it all ends.

What is expected is written from the rules as people read them, not from the planner.
"""

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.arm.galleries.model import Region
from sandbox.arm.galleries.replication import Plan
from sandbox.switches import Switches
from shared.domain.errors import Invalid
from shared.domain.records import FailedWork
from shared.domain.releases import ReleaseRecord, Stage
from shared.usecases import withdrawals

from .cuts import Gate
from .gallery import GalleryWorld
from .graphs import assert_built_once_each, graph_world, publish
from .scenes import factory_file

REGIONS = ("westeurope", "northeurope", "uksouth", "eastus2", "southeastasia")
FOREIGN = ("francecentral", "japaneast")
SLOW = list(HealthCheck)
"""A world takes a while: that is no fault of the strategy."""

rings = st.lists(st.sampled_from(range(3)), min_size=5, max_size=5).map(
    lambda places: [[r for r, at in zip(REGIONS, places, strict=True) if at == ring] for ring in range(3)]
)
definitions = st.fixed_dictionaries(
    {"rings": rings, "soak": st.sampled_from(["1m", "20m", "2h"]), "in_flight": st.integers(1, 2)}
)
switches = st.builds(
    Switches,
    update_while_updating=st.sampled_from(["accepted", "refused"]),
    failed_region_removal=st.sampled_from(["accepted", "refused"]),
    failed_region_retried=st.booleans(),
)
happenings = st.one_of(
    st.tuples(st.just("make"), st.booleans()),
    st.tuples(st.sampled_from(["hold", "resume", "promote", "withdraw"]), st.integers(0, 3)),
    st.tuples(st.just("fail"), st.sampled_from(REGIONS[1:]), st.integers(1, 3)),
    st.tuples(st.just("others add"), st.sampled_from([*REGIONS[1:], *FOREIGN]), st.integers(0, 3)),
    st.tuples(st.just("others drop"), st.sampled_from(REGIONS[1:]), st.integers(0, 3)),
    st.tuples(st.just("events"), st.booleans()),
    st.tuples(st.just("kill"), st.integers(1, 40)),
)
stories = st.lists(st.tuples(happenings, st.sampled_from([1, 9, 25, 90, 300])), min_size=1, max_size=9)


class AnyWorld(GalleryWorld):
    """Judges every moment by Azure's own state."""

    def _watch(self, at: Any) -> None:
        super()._watch(at)
        for version in self.versions():
            for region in version.regions:
                early = not version.excluded and not region.excluded and region.state != "Completed"
                if early and region.name not in FOREIGN:
                    self.wrong.append(f"{at}: {version.name} may be latest in {region.name}, not there yet")

    def truly_latest(self, region: str) -> str:
        """Brute force: the highest that has a replica there and is excluded neither there nor everywhere."""
        names = [
            version.name
            for version in self.versions()
            for each in version.regions
            if each.name == region and each.state == "Completed" and not (each.excluded or version.excluded)
        ]
        return names[-1] if names else ""


def a_world(definition: dict[str, Any], positions: Switches, folder: Path) -> AnyWorld:
    told = [
        {"name": f"ring-{at}", "regions": {r: {} for r in ring}, "soak": definition["soak"]}
        for at, ring in enumerate(definition["rings"])
        if ring
    ]
    base = {
        "gallery": "images",
        "location": "westeurope",
        "in_flight": definition["in_flight"],
        "rings": told,
    }
    config = factory_file(folder, definitions={"base": base})
    world = AnyWorld(config=config, definitions=("base",), switches=positions, gate=Gate())
    world.go_on(minutes=1)
    return world


def happen(world: AnyWorld, what: tuple[Any, ...]) -> None:
    """Things that cannot be (a word about no version, say) do not happen."""
    verb, *rest = what
    versions = world.versions()
    chosen = versions[rest[-1] % len(versions)] if versions and isinstance(rest[-1], int) else None
    match verb:
        case "make":
            world.make(name=f"1.0.{len(versions)}")
        case "fail":
            world.azure.galleries.plan(Plan(region=rest[0], fails=rest[1]))
        case "events":
            world.lose_events = rest[0]
        case "kill":
            world.gate.at = world.gate.count + rest[0]
        case "others add" if chosen and chosen.region(rest[0]) is None and chosen.made:
            region = Region(rest[0], 1, "Standard_LRS", excluded=True)
            chosen.regions.append(region)
            world.azure.galleries.replication.start(chosen, region, world.clock.now())
        case "others drop" if chosen:
            gone = chosen.region(rest[0])
            if gone is not None and gone.state == "Replicating" and chosen.made:
                world.azure.galleries.replication.stop(gone)
                chosen.regions.remove(gone)
        case "hold" | "resume" | "promote" | "withdraw" if chosen:
            say(world, getattr(withdrawals, verb), chosen.name)


def say(world: AnyWorld, verb: Callable[..., None], version: str) -> None:
    word = withdrawals.Word(f"base/{version}", "because", "said-by-hand")
    with contextlib.suppress(Invalid):  # said of one in a state for which it makes no sense
        verb(world.worker.outside, world.worker.factory(), word)


def play(definition: dict[str, Any], positions: Switches, story: list[Any], folder: Path) -> AnyWorld:
    world = a_world(definition, positions, folder)
    for what, minutes in story:
        happen(world, what)
        world.go_on(minutes=minutes)
    for record in world.records(ReleaseRecord):
        if record.held and not record.withdrawn:
            say(world, withdrawals.resume, record.version.text)
    world.gate.at = None
    world.go_on(days=2)
    return world


def judge(world: AnyWorld) -> None:
    assert world.wrong == []
    assert not world.records(FailedWork)
    records = sorted(world.records(ReleaseRecord), key=lambda r: r.version.rank)
    withdrawn = {r.version.text for r in records if r.withdrawn}
    for region in (*REGIONS, *FOREIGN):
        assert world.truly_latest(region) not in withdrawn
    good = [r for r in records if not r.withdrawn]
    if good:
        newest = good[-1]
        given_up = {r.name for r in newest.regions if r.given_up}
        if newest.stage is Stage.FAILED:  # none of a ring's regions could have it: a person has to say more
            ring = world.worker.factory().definition("base").rings[newest.ring]
            assert {r.name for r in ring.regions} <= given_up
            return
        assert newest.stage is Stage.RELEASED, newest.reason
        for region in set(REGIONS) - given_up:
            assert world.truly_latest(region) == newest.version.text, world.told()
    assert all(r.claim is None for r in records)


@settings(max_examples=3, suppress_health_check=SLOW)
@given(definition=definitions, positions=switches, story=stories)
def test_whatever_happens_the_newest_good_version_is_released(
    definition: dict[str, Any], positions: Switches, story: list[Any]
) -> None:
    """And nothing that has replicated is lost, and latest never means what is not there or is withdrawn."""
    with tempfile.TemporaryDirectory() as folder:
        judge(play(definition, positions, story, Path(folder)))


@pytest.mark.long
@settings(max_examples=150, suppress_health_check=SLOW)
@given(definition=definitions, positions=switches, story=stories)
def test_whatever_happens_in_many_worlds(
    definition: dict[str, Any], positions: Switches, story: list[Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        judge(play(definition, positions, story, Path(folder)))


parents = st.lists(st.integers(0, 3), min_size=1, max_size=4)
"""For each image after the first: which definition it is built from. Each feeds its own, or shares one."""
shared = st.lists(st.booleans(), min_size=4, max_size=4)


def graph(of: list[int], joint: list[bool]) -> dict[str, tuple[str, str]]:
    """Later images are built from earlier definitions; siblings may feed one."""
    found = {"image-0": ("", "def-0")}
    for number, parent in enumerate(of, 1):
        name = f"def-{min(parent, number - 1)}"
        made_from = name if any(name == feeds for _, feeds in found.values()) else "def-0"
        siblings = [feeds for each, feeds in found.values() if each == made_from]
        found[f"image-{number}"] = (
            made_from,
            siblings[0] if siblings and joint[number % 4] else f"def-{number}",
        )
    return found


def cascade(of: list[int], joint: list[bool]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = graph(of, joint)
        world = graph_world(Path(folder), made)
        publish(world)
        assert_built_once_each(world, made)
        assert not world.records(FailedWork)


@settings(max_examples=3, suppress_health_check=SLOW)
@given(of=parents, joint=shared)
def test_a_change_builds_every_affected_image_once_and_ancestors_first(
    of: list[int], joint: list[bool]
) -> None:
    """However many of its ancestors have moved."""
    cascade(of, joint)


@pytest.mark.long
@settings(max_examples=60, suppress_health_check=SLOW)
@given(of=parents, joint=shared)
def test_many_cascades_build_everything_once(of: list[int], joint: list[bool]) -> None:
    cascade(of, joint)
