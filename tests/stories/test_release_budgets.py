"""What a look at a gallery version costs in requests, however many regions it has."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sandbox.arm import regions as azure_regions
from shared.domain.looks import Lane, Look, Thing
from shared.domain.releases import Stage
from shared.usecases.sweep import sweep

from .gallery import GalleryWorld, begun, rebuilt, stands
from .scenes import factory_file
from .test_budgets import arm, requests, short

LOOK = Look(Lane.RELEASES, Thing.VERSION, "base/1.0.0", "a-test")
RELEASED = stands("base/1.0.0", Stage.RELEASED)


def wide(folder: Path, count: int) -> GalleryWorld:
    """Three rings over so many regions."""
    others = sorted(name for name in azure_regions.DISPLAY if name != "westeurope")[: count - 1]
    rings = [["westeurope"], others[: count // 3], others[count // 3 :]]
    told = [
        {"name": f"ring-{number}", "regions": {name: {} for name in ring}, "soak": "10m"}
        for number, ring in enumerate(rings)
    ]
    base = {"gallery": "images", "location": "westeurope", "rings": told}
    return begun(config=factory_file(folder, definitions={"base": base}), definitions=("base",))


def looks(world: GalleryWorld) -> list[list[str]]:
    """The requests of each look at a version, from now on."""
    found: list[list[str]] = []
    work_off = world._work_off

    def counted(lane: Lane, message: Any) -> None:
        before = len(world.gate.names)
        work_off(lane, message)
        if lane is Lane.RELEASES:
            found.append([short(name) for name in world.gate.names[before:]])

    world._work_off = counted  # type: ignore[method-assign] # the world itself, not the app
    return found


@pytest.mark.parametrize("count", [5, 50])
def test_no_look_is_more_than_one_read_and_one_write_however_many_regions(count: int, tmp_path: Path) -> None:
    """Of Resource Manager; of the ledger it is one scan, and two commits where it writes the version."""
    world = wide(tmp_path, count)
    found = looks(world)
    world.make()
    world.play(RELEASED)
    assert len(world.version().regions) == count
    for names in found:
        assert Counter(arm(names)) <= Counter({"GET 1.0.0": 1, "PATCH 1.0.0": 1})
        ledger = Counter(name for name in names if name.startswith("ledger"))
        assert ledger["ledger.scan"] <= 2, "the second before its first ring: what else is in flight"
        assert ledger["ledger.commit"] <= 3
    patches = sum(names.count("PATCH 1.0.0") for names in found)
    assert patches == 3, "each ring is made latest together with the next one's getting it"
    assert not world.wrong


def test_the_number_of_looks_does_not_depend_on_the_number_of_regions(tmp_path: Path) -> None:
    """Not one request more for fifty regions than for five, but for how long the slowest one takes."""
    counted = []
    for count in (5, 50):
        (tmp_path / str(count)).mkdir()
        world = wide(tmp_path / str(count), count)
        world.azure.calls.clear()
        world.make()
        world.play(RELEASED)
        counted.append(sum(call.path.endswith("/1.0.0") for call in world.azure.calls.list("arm", "factory")))
    assert abs(counted[0] - counted[1]) <= 4


def test_a_look_that_finds_nothing_changed_is_one_scan_and_one_get() -> None:
    """And nothing is written, nothing sent."""
    world = begun()
    world.make()
    world.play(rebuilt)
    requests(world, LOOK)
    assert requests(world, LOOK) == ["ledger.scan", "GET 1.0.0"]


def test_an_update_is_one_patch_and_two_commits_more() -> None:
    """The claim before it, and what became of it after it; then a look is armed."""
    world = begun()
    made = world.make()
    world.play(rebuilt)
    region = made.region("uksouth")
    assert region is not None
    region.replicas = 1  # fewer than configured
    assert requests(world, LOOK) == [
        "ledger.scan",
        "GET 1.0.0",
        "ledger.commit",
        "PATCH 1.0.0",
        "ledger.commit",
        "queues.send",
    ]


def test_a_sweep_lists_versions_one_call_a_page_and_reads_none(tmp_path: Path) -> None:
    """However many are released, held or withdrawn."""
    world = wide(tmp_path, 5)
    for number in range(12):
        world.make(name=f"1.0.{number}")
        world.go_on(minutes=3)
    world.play(stands("base/1.0.11", Stage.RELEASED))
    world.azure.fabric.page_size = 5
    before = len(world.gate.names)
    assert sweep(world.worker.outside, world.worker.factory(), "a-test") == 0
    sent = [short(name) for name in world.gate.names[before:]]
    assert arm(sent).count("GET versions") == 3
    assert not [name for name in arm(sent) if name not in ("GET versions", "GET imageTemplates")]


def test_a_source_in_a_gallery_is_looked_at_with_one_list(tmp_path: Path) -> None:
    """What is latest in a region can be told from the list; a version is read only while one is under way."""
    world = begun()
    world.make()
    world.play(rebuilt)
    (key,) = world.worker.factory().sources
    look = Look(Lane.SOURCES, Thing.SOURCE, key, "a-test")
    assert requests(world, look) == ["ledger.read", "GET versions"]
