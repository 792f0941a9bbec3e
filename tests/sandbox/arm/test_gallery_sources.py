"""Templates that are built from gallery versions: which version that is, and what follows it."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.compute.seeds import MachineSeed
from sandbox.arm.galleries.seeds import RegionSeed

from .parts import API, TEMPLATES, World
from .test_distribution import HOME, definition, run, seed, version, world

HERE = RegionSeed(name="westeurope")
THERE = RegionSeed(name="northeurope")


def source(given: World, name: str = "latest", image: str = "web") -> dict[str, Any]:
    return {"type": "SharedImageVersion", "imageVersionId": f"{definition(given, image)}/versions/{name}"}


def derived(given: World, wanted: dict[str, Any]) -> dict[str, Any]:
    """The properties of a template in westeurope with that source."""
    given.provisioned("derived", source=wanted)
    return given.properties("derived")


def test_latest_is_the_highest_that_is_in_the_templates_region() -> None:
    """Excluded ones, and those that replicate or have failed there, are passed over."""
    given = world()
    place = f"{definition(given)}/versions"
    seed(given, f"{place}/1.9.0", regions=(HERE,))
    seed(given, f"{place}/1.10.0", regions=(HERE, THERE))
    seed(given, f"{place}/1.11.0", regions=(HERE,), exclude_from_latest=True)
    seed(given, f"{place}/1.12.0", regions=(RegionSeed(name="westeurope", exclude_from_latest=True), THERE))
    seed(given, f"{place}/1.13.0", regions=(RegionSeed(name="westeurope", state="Replicating"), THERE))
    seed(given, f"{place}/1.14.0", regions=(RegionSeed(name="westeurope", state="Failed"), THERE))
    assert derived(given, source(given))["source"]["exactVersion"] == f"{place}/1.10.0"
    given.wait(minutes=10)
    assert given.azure.galleries.latest(definition(given), "westeurope") is given.azure.galleries.version(
        f"{place}/1.13.0"
    )


def test_named_version_is_taken_though_it_is_excluded() -> None:
    """What is built from it names it, and is of its kind."""
    given = world()
    seed(given, f"{definition(given, 'win')}/versions/1.0.0", exclude_from_latest=True)
    wanted = source(given, "1.0.0", "win")
    image = f"{given.azure.setting.group_id}/providers/Microsoft.Compute/images/made"
    target = {"type": "ManagedImage", "runOutputName": "o", "imageId": image, "location": "westeurope"}
    given.provisioned("derived", source=wanted, distribute=[target])
    assert given.properties("derived")["source"]["exactVersion"] == wanted["imageVersionId"]
    given.send("POST", f"{TEMPLATES}/derived/run?{API}")
    given.wait(hours=1)
    made = given.get(f"{image}?api-version=2024-07-01")
    assert made["tags"]["VMImageBuilderSource"].endswith(f"({wanted['imageVersionId']})")
    assert made["properties"]["storageProfile"]["osDisk"]["osType"] == "Windows"
    assert made["properties"]["hyperVGeneration"] == "V2"


@pytest.mark.parametrize("name", ["latest", "1.0.0"])
@pytest.mark.parametrize(
    ("change", "code"),
    [("elsewhere", "BadSharedImageVersionSource"), ("specialized", "BadSharedImageVersionSource"),
     ("missing", "BadSharedImageVersionSource"), ("forbidden", "Other")],
)  # fmt: skip
def test_source_that_cannot_be_used_fails_the_template(name: str, change: str, code: str) -> None:
    """No replica in the template's region, a specialized definition, no version, or no right to read it."""
    given = world()
    group, galleries = given.azure.setting.group_id, given.azure.galleries
    state = "Specialized" if change == "specialized" else "Generalized"
    galleries.seed_definition(group, "main", "some", os_state=state, location="northeurope")
    if change != "missing":
        here = () if change == "elsewhere" else (HERE,)
        seed(given, f"{definition(given, 'some')}/versions/1.0.0", regions=(THERE, *here))
    if change == "forbidden":
        given.azure.roles.revoke(given.azure.setting.identity_id, "Image Builder")
    error = derived(given, source(given, name, "some"))["provisioningError"]
    assert error["provisioningErrorCode"] == code


def test_managed_image_has_to_be_in_the_templates_region() -> None:
    """It is not found elsewhere."""
    given = World()
    image = f"{given.azure.setting.group_id}/providers/Microsoft.Compute/images/far"
    given.azure.compute.seeds.image(image, "northeurope", MachineSeed())
    error = derived(given, {"type": "ManagedImage", "imageId": image})["provisioningError"]
    assert error["provisioningErrorCode"] == "BadManagedImageSource"


def test_trigger_follows_what_is_latest_in_its_region() -> None:
    """A version that is excluded starts nothing, nor does the older one after a withdrawal."""
    given = world()
    place, one = f"{definition(given)}/versions", f"{TEMPLATES}/derived/triggers/source?{API}"
    seed(given, f"{place}/0.9.0")
    template = given.provisioned("derived", source=source(given))
    assert given.send("PUT", one, {"properties": {"kind": "SourceImage"}}).status == 201
    given.wait(minutes=1)
    run(given, excludeFromLatest=True)
    given.wait(hours=1)
    started = []
    for excluded in (None, False, True):
        if excluded is not None:
            sent = version(given, "0.9.1")
            sent["properties"]["publishingProfile"]["excludeFromLatest"] = excluded
            sent["properties"]["storageProfile"] = {}
            assert given.send("PUT", f"{place}/0.9.1?api-version=2024-03-03", sent).status == 200
            given.wait(hours=2)
        started.append(template.last_run and template.last_run.start)
    assert started[0] is None
    assert started[1] is not None
    assert started[1] == started[2]


def test_trigger_does_not_follow_what_its_own_template_makes() -> None:
    """Source and target definitions have to differ."""
    given = world()
    seed(given, f"{definition(given)}/versions/1.0.0")
    target = {"type": "SharedImage", "runOutputName": "o", "galleryImageId": definition(given)}
    given.provisioned("loop", source=source(given), distribute=[{**target, "targetRegions": HOME}])
    refused = given.send(
        "PUT", f"{TEMPLATES}/loop/triggers/source?{API}", {"properties": {"kind": "SourceImage"}}
    )
    assert refused.status == 400
