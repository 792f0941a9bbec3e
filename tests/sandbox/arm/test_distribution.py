"""A run whose output is a gallery version: which version, where, until when, and what can go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.arm.galleries.replication import Plan
from sandbox.arm.galleries.seeds import VersionSeed, VersionSeeds

from .parts import API, TEMPLATES, World

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = [{"name": "westeurope"}]
VERSIONS = "2024-03-03"


def world(**options: Any) -> World:
    """With an image definition for Linux, and one each that does not fit it."""
    made = World(**options)
    group, galleries = made.azure.setting.group_id, made.azure.galleries
    galleries.seed_definition(group, "main", "web", os_type="Linux")
    galleries.seed_definition(group, "main", "win")
    galleries.seed_definition(group, "main", "old", os_type="Linux", generation="V1")
    return made


def definition(given: World, name: str = "web") -> str:
    return f"{given.azure.setting.group_id}/providers/Microsoft.Compute/galleries/main/images/{name}"


def seed(given: World, version_id: str, **wanted: Any) -> None:
    azure = given.azure
    VersionSeeds(azure.fabric, azure.inventory, azure.galleries).put(version_id, VersionSeed(**wanted))


def run(given: World, image: str = "web", **target: Any) -> None:
    """Start the run of a template with that one target."""
    wanted = {"type": "SharedImage", "runOutputName": "out", "targetRegions": HOME, **target}
    wanted.setdefault("galleryImageId", definition(given, image))
    wanted = {name: value for name, value in wanted.items() if value is not None}
    given.provisioned(distribute=[wanted], buildTimeoutInMinutes=60)
    assert given.send("POST", f"{TEMPLATES}/web/run?{API}").status == 202


def last(given: World) -> dict[str, Any]:
    found: dict[str, Any] = given.properties()["lastRunStatus"]
    return found


def version(given: World, name: str = "1.0.0", image: str = "web") -> dict[str, Any]:
    path = f"{definition(given, image)}/versions/{name}?$expand=ReplicationStatus&api-version={VERSIONS}"
    found: dict[str, Any] = given.get(path)
    return found


def outputs(given: World) -> list[str]:
    return [each["name"] for each in given.get(f"{TEMPLATES}/web/runOutputs?{API}")["value"]]


def test_distributing_lasts_until_every_region_has_the_version() -> None:
    """The version is as its target says; Azure's own write is an event before that of the run."""
    given = world()
    given.azure.galleries.plan(Plan(region="uksouth", seconds=1200))
    run(
        given,
        targetRegions=[*HOME, {"name": "uksouth", "replicaCount": 2, "storageAccountType": "Standard_ZRS"}],
        excludeFromLatest=True,
        artifactTags={"team": "web"},
    )
    given.wait(minutes=30)
    assert (last(given)["runState"], last(given)["runSubState"]) == ("Running", "Distributing")
    assert version(given)["properties"]["provisioningState"] == "Creating"
    given.wait(minutes=10)
    assert last(given)["runState"] == "Succeeded"
    seen = version(given)
    profile = seen["properties"]["publishingProfile"]
    assert (seen["location"], seen["tags"]["team"]) == ("westeurope", "web")
    assert {"VMImageBuilderSource", "correlationId"} <= seen["tags"].keys()
    assert (profile["excludeFromLatest"], profile["replicationMode"]) == (True, "Full")
    _, british = profile["targetRegions"]
    assert (british["regionalReplicaCount"], british["storageAccountType"]) == (2, "Standard_ZRS")
    written, ended = given.events[-2:]
    assert (written["subject"], written["data"]["operationName"]) == (seen["id"], f"{seen['type']}/write")
    assert ended["data"]["operationName"].endswith("/run/action")


def test_run_that_times_out_while_its_version_replicates_fails_alone() -> None:
    """The version goes on and becomes usable, as Azure's page on troubleshooting says."""
    given = world()
    given.azure.galleries.plan(Plan(seconds=4000))
    run(given)
    given.wait(minutes=61)
    assert (last(given)["runState"], outputs(given)) == ("Failed", [])
    assert "timed out" in last(given)["message"]
    given.wait(minutes=60)
    assert version(given)["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(
    ("more", "state", "left"),
    [([], "Failed", []), ([{"type": "VHD", "runOutputName": "vhd"}], "PartiallySucceeded", ["vhd"])],
)
def test_failed_replication_fails_that_output(
    more: list[dict[str, Any]], state: str, left: list[str]
) -> None:
    """The others are there; the version stays, failed in that region."""
    given = world()
    given.azure.galleries.plan(Plan(region="uksouth", fails=1))
    image = {"type": "SharedImage", "runOutputName": "out", "galleryImageId": definition(given)}
    given.provisioned(distribute=[{**image, "targetRegions": [*HOME, {"name": "uksouth"}]}, *more])
    given.send("POST", f"{TEMPLATES}/web/run?{API}")
    given.wait(hours=1)
    assert (last(given)["runState"], outputs(given)) == (state, left)
    assert "the replication of" in last(given)["message"]
    assert version(given)["properties"]["replicationStatus"]["aggregatedState"] == "Failed"


@pytest.mark.parametrize(
    ("versioning", "name"),
    [
        (None, "2.3.5"),
        ({"scheme": "Latest", "major": -1}, "2.3.5"),
        ({"scheme": "Latest", "major": 1}, "1.10.1"),
        ({"scheme": "Latest", "major": 7}, "7.0.0"),
        ({"scheme": "Source"}, "22.4.202610070"),
    ],
)
def test_version_gets_the_number_that_its_scheme_says(versioning: dict[str, Any] | None, name: str) -> None:
    """The next patch above the highest, of one major number if wanted; or the source's."""
    given = world()
    for known in ("1.9.8", "1.10.0", "2.3.4"):
        seed(given, f"{definition(given)}/versions/{known}")
    run(given, versioning=versioning)
    given.wait(hours=1)
    assert given.azure.galleries.version(f"{definition(given)}/versions/{name}") is not None


@pytest.mark.parametrize(
    ("image", "words"),
    [("win", "a different OS type ['Linux'] than"), ("old", "a different Hypervisor generation ['V2'] than")],
)
def test_image_of_another_kind_than_the_definition_fails(image: str, words: str) -> None:
    """By the gallery's own operation, which leaves a failed version behind."""
    given = world()
    run(given, image)
    given.wait(hours=1)
    assert last(given)["runState"] == "Failed"
    assert words in last(given)["message"]
    assert version(given, image=image)["properties"]["provisioningState"] == "Failed"


def _without_rights(given: World) -> None:
    given.azure.roles.revoke(given.azure.setting.identity_id, "Image Builder")


def _soft_deleted(given: World) -> None:
    gallery = given.azure.galleries.seed_gallery(given.azure.setting.group_id, "main")
    gallery.properties["softDeletePolicy"] = {"isSoftDeleteEnabled": True}
    seed(given, f"{definition(given)}/versions/3.2.1")
    assert given.send("DELETE", f"{definition(given)}/versions/3.2.1?api-version={VERSIONS}").status == 202
    given.wait(minutes=5)


@pytest.mark.parametrize(
    ("prepare", "target", "words"),
    [
        (
            lambda _: None,
            {"targetRegions": [{"name": "uksouth"}]},
            "must contain the location of image version",
        ),
        (lambda _: None, {"targetRegions": [*HOME, {"name": "moon"}]}, "'moon' is not available"),
        (_without_rights, {}, "Not authorized to access the resource"),
        (_soft_deleted, {"galleryImageId": "/versions/3.2.1"}, "already exists"),
    ],
)
def test_version_that_cannot_be_made_fails_the_run(
    prepare: Callable[[World], None], target: dict[str, Any], words: str
) -> None:
    """With the reason in the message of the run, and no version."""
    given = world()
    prepare(given)
    if "galleryImageId" in target:
        target = {"galleryImageId": definition(given) + target["galleryImageId"]}
    run(given, **target)
    given.wait(hours=1)
    assert words in last(given)["message"]
    assert not given.azure.galleries.versions.of(definition(given))


def test_run_canceled_while_it_writes_the_disk_leaves_no_version() -> None:
    """The version was never asked for."""
    held: list[tuple[Callable[[], None], Callable[[], None]]] = []

    def background(work: Callable[[], None], done: Callable[[], None]) -> None:
        if given.azure.galleries.versions.of(definition(given)):
            held.append((work, done))
            return
        work()
        done()

    given = world(background=background)
    run(given)
    given.wait(minutes=18)
    [(work, done)] = held
    given.send("POST", f"{TEMPLATES}/web/cancel?{API}")
    work()
    done()
    assert not given.azure.galleries.versions.of(definition(given))
    given.wait(minutes=8)
    assert last(given)["runState"] == "Canceled"
