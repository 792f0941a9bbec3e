"""Where something comes from and what was made of it, told from the ledger long after Azure has forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.errors import Invalid
from shared.domain.records import OutputRecord, RunRecord
from shared.domain.releases import ReleaseRecord
from shared.usecases import withdrawals
from shared.usecases.lineage import Lineage, Node, lineage

from .endings import NEWER, released
from .gallery import GalleryWorld, say
from .graphs import NEW, assert_built_once_each, graph_world, publish, runs
from .scenes import GROUP
from .world import World

CHAIN = {"os": ("", "os"), "base": ("os", "base"), "app": ("base", "app")}
SOURCE = "canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> GalleryWorld:
    """Three images in a chain, each built once; their templates are gone."""
    world = graph_world(tmp_path_factory.mktemp("chain"), CHAIN)
    publish(world)
    assert_built_once_each(world, CHAIN)
    for template in list(world.azure.imagebuilder.templates()):
        world.azure.fabric.records.remove(template.id)
    return world


def told(world: GalleryWorld, thing: str) -> Lineage:
    return lineage(world.worker.outside, world.worker.factory(), thing)


def version(world: GalleryWorld, definition: str) -> str:
    (record,) = [r for r in world.records(ReleaseRecord) if r.definition == definition]
    return str(record.name)


def run(world: GalleryWorld, image: str) -> RunRecord:
    (found,) = [each for each in runs(world) if each.image == image]
    return found


def walk(node: Node, depth: int = 0) -> Iterator[tuple[int, str, str]]:
    yield depth, node.kind, node.name
    for child in node.children:
        yield from walk(child, depth + 1)


def test_up_from_the_last_version_to_the_marketplace(world: GalleryWorld) -> None:
    """Version, run, template, version ...: nearest first."""
    expected = []
    for image, made_from in (("app", version(world, "base")), ("base", version(world, "os")), ("os", "")):
        expected += [
            ("run", f"{image}/{run(world, image).start}"),
            ("template", f"{GROUP}/providers/Microsoft.VirtualMachineImages/imageTemplates/{image}".lower()),
            ("version", made_from) if made_from else ("source", f"{SOURCE}:{NEW}"),
        ]
    found = [(node.kind, node.name) for node in told(world, version(world, "app")).ancestors]
    assert [(kind, name.lower()) for kind, name in found] == [(k, n.lower()) for k, n in expected]


def test_down_from_the_marketplace_to_every_region_of_every_version(world: GalleryWorld) -> None:
    found = told(world, f"Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:{NEW}")
    assert found.ancestors == ()
    assert list(walk(found.of)) == [
        (0, "source", f"{SOURCE}:{NEW}"),
        (1, "run", f"os/{run(world, 'os').start}"),
        (2, "version", version(world, "os")),
        (3, "region", "westeurope"),
        (3, "run", f"base/{run(world, 'base').start}"),
        (4, "version", version(world, "base")),
        (5, "region", "westeurope"),
        (5, "run", f"app/{run(world, 'app').start}"),
        (6, "version", version(world, "app")),
        (7, "region", "westeurope"),
    ]


def test_a_run_in_the_middle_has_both_directions(world: GalleryWorld) -> None:
    found = told(world, f"base/{run(world, 'base').start}")
    assert [node.kind for node in found.ancestors] == ["template", "version", "run", "template", "source"]
    assert [kind for _, kind, _ in walk(found.of)] == ["run", "version", "region", "run", "version", "region"]


def test_every_way_up_has_its_way_down(world: GalleryWorld) -> None:
    """Whatever is told to be an ancestor tells of the thing among what was made of it."""
    for record in world.records(ReleaseRecord):
        for above in told(world, record.name).ancestors:
            if above.kind != "template":
                assert record.name in {name for _, _, name in walk(told(world, above.name).of)}


def test_regions_and_stages_are_told(world: GalleryWorld) -> None:
    of = told(world, version(world, "os")).of
    assert of.told == "released: released in every ring"
    (region,) = [node for node in of.children if node.kind == "region"]
    assert region.told.startswith("latest since 20")


def test_a_vhd_is_told_with_where_it_is_kept(tmp_path: Path) -> None:
    """And a withdrawn version with why it is withdrawn."""
    world = World()
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEWER)
    world.play(released(NEWER))
    (output,) = world.records(OutputRecord)
    found = lineage(world.worker.outside, world.worker.factory(), f"ubuntu-22/{output.run}")
    (vhd,) = found.of.children
    assert (vhd.kind, vhd.name) == ("vhd", str(output.target))
    assert vhd.told == "archived ubuntu-22-vhd"


def test_a_version_that_others_made_has_no_ancestors() -> None:
    world = GalleryWorld()
    world.go_on(minutes=1)
    world.make()
    world.go_on(minutes=15)
    say(world, withdrawals.withdraw)
    world.go_on(minutes=10)
    found = told(world, "base/1.0.0")
    assert found.ancestors == ()
    assert found.of.told == "withdrawn: withdrawn: because we say so"


@pytest.mark.parametrize("thing", ["base/9.9.9", "app/20200101T000000Z", "a:b:c", "base", "", "base/1.0"])
def test_what_is_not_known_is_refused_with_what_can_be_asked_for(world: GalleryWorld, thing: str) -> None:
    with pytest.raises(Invalid, match=r"expected|nothing is recorded|is not"):
        told(world, thing)


def test_a_source_version_that_nothing_was_built_from_has_no_descendants(world: GalleryWorld) -> None:
    assert told(world, f"{SOURCE}:1.2.3").of.children == ()
