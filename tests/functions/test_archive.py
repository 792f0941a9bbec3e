"""The archive over HTTP."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from shared.domain.ids import BlobAddress
from shared.domain.listings import VhdLine
from shared.domain.records import OutputRecord
from shared.domain.retention import Kind, RetentionRecord
from shared.usecases.retiring import WAYS
from tests.stories.scenes import KEEP, factory_file
from tests.stories.world import World

from .calling import Api


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One VHD is archived, in the run that somebody ordered."""
    world = World(config=factory_file(tmp_path, "web", "db", options=KEEP))
    assert Api(world.worker).post("/images/web/runs", {"reason": "now"}).status == 202
    world.play(lambda w: bool(w.records(OutputRecord)) and not w.known("web").unsettled)
    return world


def listed(world: World, query: str = "") -> list[Any]:
    before = len(world.gate.names)
    items: list[Any] = Api(world.worker).get(f"/archive{query}").told["items"]
    assert world.gate.names[before:] == ["ledger.scan"]
    return items


def test_an_archived_vhd_is_listed_and_shown_with_its_manifest(world: World) -> None:
    """The list costs one request; the manifest is the one beside the VHD."""
    (item,) = listed(world)
    assert listed(world, "?image=web") == [item]
    assert listed(world, "?image=db") == listed(world, "?until=2020-01-01T00:00:00Z") == []
    path = f"/archive/{item['image']}/{item['run']}/{item['output']}"
    api = Api(world.worker)
    told = api.get(path).told
    assert (told["state"], told["blob"], told["verification"]) == ("archived", item["blob"], "sample")
    manifest = api.get(f"{path}/manifest")
    at = BlobAddress(*item["blob"].split("/", 2)).beside(".json")
    stored = world.blobs.read(at, 0, world.blobs.facts(at).length)
    assert manifest.told == json.decode(stored)
    assert (manifest.told["vhd"]["etag"], manifest.told["run"]) == (told["etag"], item["run"])


def test_what_is_not_archived_or_not_there_is_404(world: World) -> None:
    (item,) = listed(world)
    path = f"/archive/{item['image']}/{item['run']}"
    api = Api(world.worker)
    assert "no output 'other'" in api.get(f"{path}/other").detail
    assert "no image 'nobody'" in api.get(f"/archive/nobody/{item['run']}/x").detail
    at = BlobAddress(*item["blob"].split("/", 2)).beside(".json")
    world.blobs.delete(at, world.blobs.facts(at).etag)
    assert api.get(f"{path}/{item['output']}/manifest").status == 404


def test_a_manifest_that_nobody_can_read_is_no_fault_of_the_caller(world: World) -> None:
    (item,) = listed(world)
    at = BlobAddress(*item["blob"].split("/", 2)).beside(".json")
    world.blobs.write(at, b"{}", if_none_match=False)
    path = f"/archive/{item['image']}/{item['run']}/{item['output']}/manifest"
    answer = Api(world.worker).get(path)
    assert (answer.status, "cannot be read" in answer.detail) == (503, True)


def test_what_retention_has_deleted_leaves_the_list(world: World) -> None:
    """It is still shown, as retired."""
    (item,) = listed(world)
    now, out = world.clock.now(), world.worker.outside
    gone = RetentionRecord(
        Kind.ARCHIVED_VHD,
        item["blob"],
        item["blob"],
        item["image"],
        "archive",
        made=now,
        marked=now,
        reason="old",
    )
    WAYS[Kind.ARCHIVED_VHD].finish(out, gone)
    assert listed(world) == listed(world, "?image=web") == []
    assert not [r for _, r in world.ledger.rows() if isinstance(r, VhdLine)]
    told = Api(world.worker).get(f"/archive/{item['image']}/{item['run']}/{item['output']}").told
    assert told["state"] == "retired"
