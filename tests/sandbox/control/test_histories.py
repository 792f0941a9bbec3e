"""Seeded histories: what has been in the world for long, and stays as it is until somebody asks otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.azure import SUBSCRIPTION
from sandbox.control.orders import Refused
from tests.sandbox.arm.parts import API, GROUP, TEMPLATES, World, template_body
from tests.sandbox.galleries.parts import API as GALLERY_API
from tests.sandbox.galleries.parts import GALLERY, PLACE, Shop

from .test_seeding import MINE, seed

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourcegroups"
LATER = timedelta(days=3)


def ago(world: World, **past: float) -> str:
    return (world.clock.now() - timedelta(**past)).isoformat()


def template(shop: Shop, **more: Any) -> None:
    properties = template_body(shop)["properties"]
    seed(shop, templates=[{"group": GROUP, "name": "old", "properties": properties, **more}])


def refusal(world: World, method: str, what: str = "") -> tuple[int, str, str]:
    answer = world.send(method, f"{TEMPLATES}/old{what}?{API}")
    error = answer.json()["error"]
    return answer.status, error["code"], error["message"]


def test_template_has_the_past_that_it_was_given() -> None:
    """Provisioned long ago, run last week with outputs; it reads, runs and goes like any other."""
    shop = Shop()
    image = f"{PLACE}/images/web"
    template(
        shop,
        tags={"owner": "me"},
        exact_version="22.04.1",
        run={"state": "Succeeded", "started": ago(shop, days=7), "ended": ago(shop, days=6, hours=23)},
        outputs=[{"name": "web-vhd", "artifact_id": image}],
    )
    seen = shop.get(f"{TEMPLATES}/old?{API}")
    properties, last = seen["properties"], seen["properties"]["lastRunStatus"]
    assert (seen["tags"], properties["provisioningState"]) == ({"owner": "me"}, "Succeeded")
    assert (properties["source"]["exactVersion"], last["runState"]) == ("22.04.1", "Succeeded")
    assert last["startTime"].startswith(ago(shop, days=7)[:19])
    assert last["endTime"].startswith(ago(shop, days=6, hours=23)[:19])
    assert next(iter(seen["identity"]["userAssignedIdentities"].values()))["principalId"]
    (output,) = shop.get(f"{TEMPLATES}/old/runOutputs?{API}")["value"]
    assert output["properties"]["artifactId"] == image
    staging = shop.get(f"{properties['exactStagingResourceGroup']}?{API}")
    assert staging["tags"]["imageTemplateName"] == "old"
    assert shop.send("POST", f"{TEMPLATES}/old/run?{API}").status == 202
    shop.wait(hours=2)
    assert shop.properties("old")["lastRunStatus"]["runState"] == "Succeeded"
    assert shop.send("DELETE", f"{TEMPLATES}/old?{API}").status == 202
    shop.wait(hours=1)
    assert shop.send("GET", f"{staging['id']}?{API}").status == 404


@pytest.mark.parametrize("state", ["Creating", "Updating", "Deleting"])
def test_template_that_is_stuck_stays_so(state: str) -> None:
    """For days; it can neither be deleted nor run nor cancelled."""
    shop = Shop()
    template(shop, state=state, staging=False)
    shop.wait(seconds=LATER.total_seconds())
    assert shop.properties("old")["provisioningState"] == state
    assert shop.properties("old")["exactStagingResourceGroup"] == ""
    status, code, message = refusal(shop, "DELETE")
    assert (status, code, state.lower() in message) == (409, "OperationNotAllowed", True)
    assert refusal(shop, "POST", "/run")[:2] == refusal(shop, "POST", "/cancel")[:2] == (status, code)


def test_run_that_goes_on_for_ever_can_be_cancelled() -> None:
    """It refuses deletion, ends by cancel alone, with its event; then the template goes."""
    shop = Shop()
    template(shop, run={"state": "Running", "started": ago(shop, hours=20), "sub_state": "Distributing"})
    shop.wait(seconds=LATER.total_seconds())
    last = shop.properties("old")["lastRunStatus"]
    assert (last["runState"], last["runSubState"]) == ("Running", "Distributing")
    assert "run state: running" in refusal(shop, "DELETE")[2]
    assert shop.send("POST", f"{TEMPLATES}/old/cancel?{API}").status == 204
    shop.wait(hours=1)
    assert shop.properties("old")["lastRunStatus"]["runState"] == "Canceled"
    ended = shop.events[-1]
    assert ended["eventType"] == "Microsoft.Resources.ResourceActionCancel"
    assert ended["data"]["operationName"].endswith("imageTemplates/run/action")
    assert shop.send("DELETE", f"{TEMPLATES}/old?{API}").status == 202


def test_run_that_is_cancelled_for_ever_stays_so() -> None:
    """As reported of Azure: it refuses both another cancel and the deletion; its group can still go."""
    shop = Shop()
    template(shop, run={"state": "Canceling", "started": ago(shop, hours=9)})
    shop.wait(seconds=LATER.total_seconds())
    assert shop.properties("old")["lastRunStatus"]["runState"] == "Canceling"
    assert "run state: canceling" in refusal(shop, "DELETE")[2]
    assert "run state: canceling" in refusal(shop, "POST", "/cancel")[2]
    staging = shop.properties("old")["exactStagingResourceGroup"]
    shop.send("DELETE", f"{GROUPS}/{GROUP}?{API}")
    shop.wait(hours=1)
    assert shop.send("GET", f"{staging}?{API}").status == 404


def test_failed_template_says_why() -> None:
    shop = Shop()
    template(shop, state="Failed", error="the subnet has gone", error_code="BadPIRSource")
    assert shop.properties("old")["provisioningError"] == {
        "provisioningErrorCode": "BadPIRSource",
        "message": "the subnet has gone",
    }
    assert shop.send("DELETE", f"{TEMPLATES}/old?{API}").status == 202


def test_staging_group_outlives_its_template() -> None:
    """With the tags of Image Builder, with and without account; foreign things and VHDs go with it."""
    shop = Shop()
    marks = {"template": "gone", "template_group": GROUP}
    seed(
        shop,
        staging_groups=[
            {**marks, "name": "IT_a", "account": "leftover", "tags": {"keep": "no"}},
            {**marks, "name": "IT_b", "location": "UK South", "supplied": True},
        ],
        blobs=[{"account": "leftover", "container": "vhds", "name": "a.vhd", "text": "x"}],
        disks=[{"group": "IT_a", "name": "somebodys"}],
    )
    first, second = (shop.get(f"{GROUPS}/{name}?{API}") for name in ("IT_a", "IT_b"))
    named = {"imageTemplateName": "gone", "imageTemplateResourceGroupName": GROUP}
    assert first["tags"] == {"createdBy": "AzureVMImageBuilder", "keep": "no", **named}
    assert (second["tags"]["usedBy"], second["location"]) == ("AzureVMImageBuilder", "uksouth")
    rows = {each["name"] for each in shop.get(f"{GROUPS}/IT_a/resources?{API}")["value"]}
    assert rows == {"leftover", "somebodys"}
    assert shop.storage.vhds("leftover") == ["a.vhd"]
    assert shop.send("DELETE", f"{GROUPS}/IT_a?{API}").status == 202
    assert shop.storage.vhds("leftover") == ["a.vhd"]
    shop.wait(minutes=2)
    assert not shop.storage.account_exists("leftover")
    assert shop.get(f"{PLACE.replace(GROUP, 'IT_b')}/disks?{API}")["value"] == []


def test_managed_image_shows_what_it_was_made_of() -> None:
    """A machine, a disk, a snapshot, a VHD; whether or not that is still there."""
    shop = Shop()
    sources = {
        "m": f"{PLACE}/virtualMachines/gone",
        "d": f"{PLACE}/disks/gone",
        "s": f"{PLACE}/snapshots/gone",
        "v": "https://archive.blob.core.windows.net/vhds/gone.vhd",
    }
    seed(shop, images=[{"group": GROUP, "name": name, "source": of} for name, of in sources.items()])
    seen = {name: shop.get(f"{PLACE}/images/{name}?{GALLERY_API}")["properties"] for name in sources}
    systems = {name: each["storageProfile"]["osDisk"] for name, each in seen.items()}
    assert seen["m"]["sourceVirtualMachine"] == {"id": sources["m"]}
    assert systems["d"]["managedDisk"] == {"id": sources["d"]}
    assert systems["s"]["snapshot"] == {"id": sources["s"]}
    assert systems["v"]["blobUri"] == sources["v"]


def test_version_can_have_been_deleted_before() -> None:
    """Of five days that it is kept two have passed, and of grace there is one more."""
    shop, kept = Shop(), {**MINE, "gallery": "kept"}
    seed(
        shop,
        galleries=[{"group": GROUP, "name": "kept", "soft_delete_days": 5, "grace_days": 1}],
        definitions=[{"group": GROUP, "gallery": "kept", "name": "web"}],
        gallery_versions=[{**kept, "soft_deleted": ago(shop, days=2)}],
    )
    deleted = f"{GALLERY.replace('main', 'kept')}/softDeletedArtifactTypes/Images/artifacts/web/versions"
    (row,) = shop.get(f"{deleted}?{GALLERY_API}")["value"]
    assert row["properties"]["softDeletedTime"].startswith(ago(shop, days=2)[:19])
    shop.wait(days=3, hours=23)
    assert len(shop.get(f"{deleted}?{GALLERY_API}")["value"]) == 1
    shop.wait(hours=1)
    assert shop.get(f"{deleted}?{GALLERY_API}")["value"] == []


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"templates": [{"run": {"state": "Running", "started": "P", "ended": "P"}}]}, "it has no `ended`"),
        ({"templates": [{"run": {"state": "Failed", "started": "P"}}]}, "it needs `ended`"),
        ({"templates": [{"run": {"state": "Failed", "started": "P", "ended": "B"}}]}, "before it started"),
        ({"templates": [{"outputs": [{"name": "a"}]}]}, "either artifact_id or artifact_uri"),
        ({"templates": [{}, {}]}, "is there already"),
        ({"templates": [{"group": "none"}]}, "no resource group 'none'"),
        ({"templates": [{"properties": {"source": {}}}]}, "'properties.source' is required"),
        ({"templates": [{"state": "Stuck"}]}, "Invalid enum value"),
        ({"staging_groups": [{"name": GROUP, "template": "a", "template_group": "b"}]}, "is there already"),
        ({"images": [{"group": GROUP, "name": "i", "source": "somewhere"}]}, "address of a VHD"),
        ({"gallery_versions": [{**MINE, "soft_deleted": "2026-01-02T03:04:05Z"}]}, "soft_delete_days"),
    ],
)
def test_past_that_cannot_be_is_refused(order: dict[str, Any], words: str) -> None:
    shop = Shop()
    dates = {"P": ago(shop, days=1), "B": ago(shop, days=2)}
    for each in order.get("templates", ()):
        run = each.get("run")
        run = run and {key: dates.get(value, value) for key, value in run.items()}
        properties = template_body(shop)["properties"]
        defaults = {"group": GROUP, "name": "old", "properties": properties}
        each.update({**defaults, **each, **({"run": run} if run else {})})
    with pytest.raises((Refused, ValueError)) as refused:
        seed(shop, **order)
    assert words in str(refused.value)
