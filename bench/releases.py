"""A hundred versions in flight: what each look asks of Resource Manager, however many regions there are.

The same world as in `calls`; beside it a script as a sample would have it, which polls region by region.
"""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from azure.mgmt.compute import ComputeManagementClient

from sandbox.arm import regions as azure_regions
from sandbox.arm.context import Origin
from sandbox.arm.galleries import profiles
from sandbox.arm.galleries.model import Content, Disk
from sandbox.transport import SandboxTransport
from shared.domain.releases import ReleaseRecord, Stage
from shared.gateways.rows import row_of
from tests.stories.outside import ARM, SandboxIdentity
from tests.stories.scenes import factory_file
from tests.stories.world import World

from .baselines import release_poll
from .calls import CountingWorld, Step
from .table import Row, Table

VERSIONS = 100
REGIONS = (5, 20, 50)
GALLERY = "images"
_HOME = "westeurope"


def releases() -> tuple[Table, ...]:
    """The last table compares the reads of both ways, in one run."""
    worlds = {count: _apart(count) for count in REGIONS}
    ours = {count: len(_looks(world)) / VERSIONS for count, world in worlds.items()}
    apart = (
        _table(f"{VERSIONS} definitions, one version each, {count} regions", world)
        for count, world in worlds.items()
    )
    return (*apart, _together(), _baseline(ours))


def _names(count: int) -> list[str]:
    others = sorted(name for name in azure_regions.DISPLAY if name != _HOME)
    return [_HOME, *others[: count - 1]]


def _apart(count: int) -> CountingWorld:
    """A hundred definitions with a version each."""
    return _played([f"image-{number:03d}" for number in range(VERSIONS)], 1, count)


def _together() -> Table:
    """One definition: a newer version overtakes the older ones, which all have to learn of it."""
    return _table(f"One definition with {VERSIONS} versions, 5 regions", _played(["image"], VERSIONS, 5))


def _played(names: Sequence[str], versions: int, count: int) -> CountingWorld:
    with tempfile.TemporaryDirectory() as folder:
        definitions = {name: _definition(_names(count)) for name in names}
        world = CountingWorld(config=factory_file(Path(folder), definitions=definitions))
        for name in names:
            world.azure.galleries.seed_definition(world.azure.setting.group_id, GALLERY, name)
        world.go_on(minutes=20)
        world.steps.clear()
        for name in names:
            for patch in range(versions):
                make(world, name, f"1.0.{patch}")
        world.play(lambda w: _released(w, names))
    return world


def _definition(regions: Sequence[str]) -> dict[str, Any]:
    """Three rings over all regions."""
    rings = (regions[:1], regions[1 : len(regions) // 3], regions[len(regions) // 3 :])
    return {
        "gallery": GALLERY,
        "location": _HOME,
        "in_flight": VERSIONS,
        "rings": [
            {"name": f"ring-{at}", "regions": {name: {} for name in ring}, "soak": "10m"}
            for at, ring in enumerate(rings)
            if ring
        ],
    }


def make(world: World, definition: str, name: str) -> None:
    """A version that somebody makes, excluded from latest, in its home."""
    galleries = world.azure.galleries
    found = galleries.definition(f"{world.azure.setting.group_id}/providers/{_path(definition)}")
    assert found is not None, "it was seeded"
    profile = profiles.read({"publishingProfile": {"excludeFromLatest": True}}, found.location)
    content = Content(None, Disk({}, 30, "ReadWrite"))
    now = world.clock.now()
    made = galleries.versions.build(f"{found.id}/versions/{name}", found, content, profile, {}, now)
    world.azure.fabric.records.put(made)
    galleries.make(made, Origin(None, "bench", None, "PUT", made.id), now)


def _path(definition: str) -> str:
    return f"Microsoft.Compute/galleries/{GALLERY}/images/{definition}"


def _released(world: World, names: Sequence[str]) -> bool:
    done = [r for r in world.records(ReleaseRecord) if r.stage is Stage.RELEASED]
    return {r.definition for r in done} == set(names)


def _table(title: str, world: CountingWorld) -> Table:
    looks = _looks(world)
    reads, writes = [_count(s, "GET ") for s in looks], [_count(s, "PATCH ") for s in looks]
    ledger = [sum(name.startswith("ledger.") for name in s.names) for s in looks]
    rows = [len(row_of(record).data) for record in world.records(ReleaseRecord)]
    quiet = [s for s in looks if not _count(s, "PATCH ")]
    fewest = min((sum(n.startswith("ledger.") for n in s.names) for s in quiet), default=0)
    return Table(
        title,
        (
            Row(
                "reads of Resource Manager, most of any look",
                f"{sum(reads)} in {len(looks)} looks",
                max(reads),
                1,
            ),
            Row("writes, most of any look", f"{sum(writes)} in all", max(writes), 1),
            Row("looks per version", "", len(looks) / VERSIONS),
            Row("ledger requests per look", f"{fewest} where nothing changed", sum(ledger) / len(ledger)),
            Row("longest row of a version", "characters", max(rows), 32_000),
        ),
    )


def _looks(world: CountingWorld) -> list[Step]:
    return [step for step in world.steps if step.lane == "releases"]


def _count(step: Step, verb: str) -> int:
    return sum(name.startswith(verb) for name in step.arm)


def _baseline(ours: Mapping[int, float]) -> Table:
    """One version; a hundred of them are a hundred such scripts. A look of ours is one read."""
    rows = []
    for count in REGIONS:
        reads, writes = _polled(count)
        told = f"{reads / ours[count]:.1f} × the factory's {ours[count]:g}; {writes} writes"
        rows.append(Row(f"{count} regions: reads per version", told, reads))
    return Table("A sample's script, which polls region by region", tuple(rows))


def _polled(count: int) -> tuple[int, int]:
    """Reads and writes of the script, for one version."""
    world = World()
    world.azure.galleries.seed_definition(world.azure.setting.group_id, GALLERY, "image")
    make(world, "image", "1.0.0")
    world.clock.advance(timedelta(hours=1))
    world.azure.tick()
    before = len(world.azure.calls)
    target = (world.azure.setting.group, GALLERY, "image", "1.0.0")
    release_poll.release(client(world), target, _names(count)[1:], lambda seconds: _sleep(world, seconds))
    verbs = [call.method for call in list(world.azure.calls)[before:]]
    return verbs.count("GET"), len(verbs) - verbs.count("GET")


def client(world: World, transport: SandboxTransport | None = None) -> ComputeManagementClient:
    """As a script makes it."""
    return ComputeManagementClient(
        cast("Any", SandboxIdentity(world)),
        world.azure.setting.subscription,
        base_url=ARM,
        transport=transport or SandboxTransport({ARM: world.azure.arm}),
        credential_scopes=[f"{ARM}/.default"],
    )


def _sleep(world: World, seconds: int) -> None:
    world.clock.advance(timedelta(seconds=seconds))
    world.azure.tick()
