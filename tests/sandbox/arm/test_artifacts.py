"""What runs make, where it goes, and who may write there."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.azure import SUBSCRIPTION

from .parts import API, GROUP, TEMPLATES, World

COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Compute"
GALLERY = f"{COMPUTE}/galleries/main"
DEFINITION = f"{GALLERY}/images/web"


def built(target: dict[str, Any], world: World | None = None) -> World:
    """A world in which a template with this one target has run once."""
    world = world or World()
    world.provisioned(distribute=[{"runOutputName": "out", **target}])
    world.send("POST", f"{TEMPLATES}/web/run?{API}")
    world.wait(hours=1)
    return world


def with_definition() -> World:
    world = World()
    group = world.azure.setting.group_id
    world.azure.galleries.seed_definition(group, "main", "web", os_type="Linux")
    return world


def output(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.get(f"{TEMPLATES}/web/runOutputs/out?{API}")
    return found


def test_output_of_a_vhd_has_a_uri_and_no_id() -> None:
    """A plain blob URL in the staging account, without a SAS; the blob says what it was built from."""
    world = built({"type": "VHD"})
    properties = output(world)["properties"]
    assert set(properties) == {"artifactUri", "provisioningState"}
    assert "?" not in properties["artifactUri"]
    assert f"/vhds/out_{world.clock.now():%Y%m%d}" in properties["artifactUri"]
    assert output(world)["id"].endswith("/imageTemplates/web/runOutputs/out")


@pytest.mark.parametrize(
    ("uri", "ending"),
    [
        ("https://archive.blob.core.windows.net/vhds", "/vhds/out_2026"),
        ("https://archive.blob.core.windows.net/vhds/fixed.vhd", "/vhds/fixed.vhd"),
    ],
)
def test_vhd_with_a_uri_goes_there_directly(uri: str, ending: str) -> None:
    """A container gets the usual name, a blob its own."""
    world = built({"type": "VHD", "uri": uri})
    assert ending in output(world)["properties"]["artifactUri"]
    assert world.storage.vhds("archive")
    staging = world.template().staging
    assert staging is not None
    assert not world.storage.vhds(staging.account)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (
            {"type": "VHD", "uri": "https://factory.blob.core.windows.net/vhds"},
            "Storage Blob Data Contributor",
        ),
        ({"type": "VHD", "uri": "https://stranger.blob.core.windows.net/vhds"}, "was not found"),
        ({"type": "VHD", "uri": "https://example.com/vhds"}, "not the address"),
        (
            {"type": "ManagedImage", "imageId": "/x", "location": "westeurope"},
            "not the id of a managed image",
        ),
        (
            {
                "type": "ManagedImage",
                "imageId": COMPUTE.replace(GROUP, "none") + "/images/i",
                "location": "x",
            },
            "resource group 'none'",
        ),
        (
            {"type": "SharedImage", "galleryImageId": DEFINITION, "replicationRegions": ["westeurope"]},
            "image definition",
        ),
    ],
)
def test_target_that_cannot_be_reached_fails_the_run(target: dict[str, Any], reason: str) -> None:
    """With the reason in the message of the run."""
    world = built(target)
    last = world.properties()["lastRunStatus"]
    assert last["runState"] == "Failed"
    assert reason in last["message"]


def test_reachable_targets_get_theirs_when_another_fails() -> None:
    """The run is partly succeeded, its outputs are those that were made."""
    world = World()
    good = {"type": "VHD", "runOutputName": "good"}
    bad = {"type": "VHD", "runOutputName": "bad", "uri": "https://stranger.blob.core.windows.net/vhds"}
    world.provisioned(distribute=[bad, good])
    world.send("POST", f"{TEMPLATES}/web/run?{API}")
    world.wait(hours=1)
    assert world.properties()["lastRunStatus"]["runState"] == "PartiallySucceeded"
    assert [each["name"] for each in world.get(f"{TEMPLATES}/web/runOutputs?{API}")["value"]] == ["good"]


def test_managed_image_can_be_read_and_says_where_it_is_from() -> None:
    """ArtifactId resolves by GET; artifactTags and VMImageBuilderSource are its tags."""
    image = f"{COMPUTE}/images/web"
    tags = {"team": "web"}
    world = built({"type": "ManagedImage", "imageId": image, "location": "westeurope", "artifactTags": tags})
    seen = world.get(f"{output(world)['properties']['artifactId']}?{API}")
    assert seen["tags"]["team"] == "web"
    assert seen["tags"]["VMImageBuilderSource"].endswith("::latest (22.04.202610070)")
    assert seen["properties"]["storageProfile"]["osDisk"]["blobUri"]


def test_gallery_versions_count_up() -> None:
    """1.0.0 into an empty definition, then the next patch above the highest."""
    target = {"type": "SharedImage", "galleryImageId": DEFINITION, "replicationRegions": ["westeurope"]}
    world = built(target, with_definition())
    first = output(world)["properties"]["artifactId"]
    seen = world.get(f"{first}?{API}")
    assert first == f"{DEFINITION}/versions/1.0.0"
    assert {"VMImageBuilderSource", "correlationId"} <= set(seen["tags"])
    assert seen["properties"]["storageProfile"]["osDiskImage"]["source"]["storageAccountId"]
    world.send("POST", f"{TEMPLATES}/web/run?{API}")
    world.wait(hours=1)
    assert output(world)["properties"]["artifactId"] == f"{DEFINITION}/versions/1.0.1"
    assert len(world.get(f"{DEFINITION}/versions?{API}")["value"]) == 2


def test_explicit_gallery_version_can_be_made_once() -> None:
    """A second run into the same version fails."""
    target = {
        "type": "SharedImage",
        "galleryImageId": f"{DEFINITION}/versions/3.2.1",
        "targetRegions": [{"name": "westeurope", "replicaCount": 2}],
    }
    world = built(target, with_definition())
    assert output(world)["properties"]["artifactId"].endswith("/versions/3.2.1")
    world.send("POST", f"{TEMPLATES}/web/run?{API}")
    world.wait(hours=1)
    assert "already exists" in world.properties()["lastRunStatus"]["message"]


def test_image_can_be_built_from_a_gallery_version() -> None:
    """`/latest` resolves to the highest version; exactVersion names it once provisioned."""
    target = {"type": "SharedImage", "galleryImageId": DEFINITION, "replicationRegions": ["westeurope"]}
    world = built(target, with_definition())
    source = {"type": "SharedImageVersion", "imageVersionId": f"{DEFINITION}/versions/latest"}
    template = world.provisioned("derived", source=source)
    assert template.exact_version == f"{DEFINITION}/versions/1.0.0"


def test_content_depends_on_version_and_customizers() -> None:
    """The same input gives the same disk, another version or another step another one."""
    digests = []
    for version, inline in (
        ("22.04.202610070", "a"),
        ("22.04.202610070", "a"),
        ("22.04.202609090", "a"),
        ("22.04.202610070", "b"),
    ):
        world = World()
        source = {
            "type": "PlatformImage",
            "publisher": "Canonical",
            "offer": "0001-com-ubuntu-server-jammy",
            "sku": "22_04-lts-gen2",
            "version": version,
        }
        template = world.provisioned(source=source, customize=[{"type": "Shell", "inline": [inline]}])
        world.send("POST", f"{TEMPLATES}/web/run?{API}")
        world.wait(hours=1)
        assert template.staging is not None
        (name,) = world.storage.vhds(template.staging.account)
        digests.append(hash(world.storage.accounts[template.staging.account]["vhds", name].extents))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_unknown_output_is_404() -> None:
    """An output that the last run did not make."""
    world = built({"type": "VHD"})
    assert world.send("GET", f"{TEMPLATES}/web/runOutputs/other?{API}").status == 404
