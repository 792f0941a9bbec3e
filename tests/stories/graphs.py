"""Factories whose images are built from one another through gallery definitions."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shared.domain.records import RunRecord

from .gallery import GALLERY, GalleryWorld
from .scenes import factory_file
from .world import UBUNTU

NEW = "22.04.202611010"
RINGS = [{"name": "all", "regions": {"westeurope": {}}, "soak": "5m"}]
Graph = Mapping[str, tuple[str, str]]
"""Of each image: the definition that it is built from (empty: the marketplace), and the one that it feeds."""


def graph_file(
    folder: Path, graph: Graph, own: Mapping[str, Mapping[str, Any]] | None = None, **top: Any
) -> Path:
    """factory.yaml with one ring for each definition; `own` is what single definitions say besides."""
    definitions = {
        name: {"gallery": "images", "location": "westeurope", "rings": RINGS, **(own or {}).get(name, {})}
        for name in named(graph)
    }
    options = {"after_archive": "keep_template"}
    path = factory_file(folder, *graph, options=options, definitions=definitions, **top)
    document, sample = json.loads(path.read_text()), json.loads((folder / "template.json").read_text())
    for name, (made_from, feeds) in graph.items():
        properties = {**sample["properties"], "distribute": [distributor(feeds)]}
        if made_from:
            latest = f"{GALLERY}/images/{made_from}/versions/latest"
            properties["source"] = {"type": "SharedImageVersion", "imageVersionId": latest}
        (folder / f"{name}.json").write_text(json.dumps({**sample, "properties": properties}))
        document["images"][name]["template"] = f"{name}.json"
    path.write_text(json.dumps(document))
    return path


def named(graph: Graph) -> list[str]:
    """Every definition of it."""
    return sorted({name for both in graph.values() for name in both if name})


def distributor(feeds: str) -> dict[str, Any]:
    return {
        "type": "SharedImage",
        "runOutputName": "gallery",
        "galleryImageId": f"{GALLERY}/images/{feeds}",
        "targetRegions": [{"name": "westeurope"}],
        "excludeFromLatest": True,
    }


def graph_world(folder: Path, graph: Graph, **options: Any) -> GalleryWorld:
    """Its factory has had its first look at everything."""
    config = graph_file(folder, graph, **options)
    names = {feeds for _, feeds in graph.values()} | {
        made_from for made_from, _ in graph.values() if made_from
    }
    world = GalleryWorld(config=config, definitions=sorted(names))
    world.go_on(minutes=20)
    return world


def publish(world: GalleryWorld, version: str = NEW) -> None:
    """The marketplace has a new version of what the first images are built from."""
    world.azure.catalogue.add_version(*UBUNTU, version)


def runs(world: GalleryWorld) -> list[RunRecord]:
    return sorted(world.records(RunRecord), key=lambda run: run.started)


def assert_built_once_each(world: GalleryWorld, graph: Graph, but: Iterable[str] = ()) -> None:
    """Every image but those, ancestors before what is built from them; and that is all for hours."""
    expected = graph.keys() - set(but)
    world.play(lambda w: len(w.records(RunRecord)) >= len(expected))
    world.go_on(hours=3)
    built = runs(world)
    assert sorted(run.image for run in built) == sorted(expected), world.told()
    started, ended = {str(r.image): r.started for r in built}, {str(r.image): r.ended for r in built}
    for name in started:
        made_from = graph[name][0]
        for ancestor in (each for each, (_, feeds) in graph.items() if feeds == made_from and each in ended):
            over = ended[ancestor]
            assert over is not None
            assert over < started[name], world.told()
    assert not world.wrong
