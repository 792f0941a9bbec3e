"""What a version may be made from, what a list of regions may hold, and who may do it."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.roles import Role
from tests.sandbox.compute.parts import act, creation, disk, made, poll, running, snapshot, vhd

from .parts import API, DEFINITION, GALLERY, HERE, Shop, body, of_vhd, version_id

TARGETS = "galleryImageVersion.properties.publishingProfile.targetRegions"
STORAGE = "galleryImageVersion.properties.storageProfile"


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.mark.parametrize(
    ("sent", "target"),
    [
        (body("eastus"), TARGETS),
        (body(HERE, "West Europe"), TARGETS),
        (body(HERE, "atlantis"), TARGETS),
        (body({"name": HERE, "regionalReplicaCount": 101}), TARGETS),
        (
            body({"name": HERE, "regionalReplicaCount": 60}, {"name": "eastus", "regionalReplicaCount": 41}),
            TARGETS,
        ),
        (body({"name": HERE, "regionalReplicaCount": 0}), f"{TARGETS}.regionalReplicaCount"),
        (body({"name": HERE, "storageAccountType": "StandardSSD_LRS"}), TARGETS),
        (body({"name": HERE, "excludeFromLatest": "no"}), f"{TARGETS}.excludeFromLatest"),
        (body(replicationMode="Half"), TARGETS.replace("targetRegions", "replicationMode")),
        (body(endOfLifeDate="soon"), TARGETS.replace("targetRegions", "endOfLifeDate")),
        (body(endOfLifeDate="2001-01-01"), TARGETS.replace("targetRegions", "endOfLifeDate")),
        (body(source={}), STORAGE),
        (body(source={"source": {"id": "/i", "virtualMachineId": "/v"}}), STORAGE),
        (body(source={"source": {"id": "/i"}} | of_vhd()), STORAGE),
        (body(source={"dataDiskImages": [{"lun": 0, "source": {"id": "/d"}}]}), STORAGE),
        (body(source={"source": {"id": f"{GALLERY}"}}), f"{STORAGE}.source.id"),
        (
            body(
                source={
                    "osDiskImage": {"source": {"uri": "https://archive.blob.core.windows.net/vhds/os.vhd"}}
                }
            ),
            f"{STORAGE}.osDiskImage.source.storageAccountId",
        ),
        (body(source=of_vhd("none.vhd")), f"{STORAGE}.osDiskImage.source.uri"),
    ],
)
def test_wrong_member_is_named_and_nothing_is_made(shop: Shop, sent: dict[str, Any], target: str) -> None:
    assert shop.refused(sent) == (400, "InvalidParameter", target)
    assert shop.send("GET", f"{version_id()}?{API}").status == 404


@pytest.mark.parametrize("name", ["1.0", "1.0.x", "1.0.2147483648", "latest"])
def test_name_is_three_integers_of_32_bits(shop: Shop, name: str) -> None:
    assert shop.refused(body(), name) == (400, "InvalidParameter", "galleryImageVersionName")


@pytest.mark.parametrize("region", ["East US 2", "eastus2", "EastUS2"])
def test_regions_are_known_by_both_of_their_names(shop: Shop, region: str) -> None:
    found = shop.put(body("West Europe", region))["properties"]["publishingProfile"]["targetRegions"]
    assert [each["name"] for each in found] == ["West Europe", "East US 2"]


def test_members_of_a_region_that_nobody_knows_are_kept(shop: Shop) -> None:
    """Encryption, for one."""
    more = {"encryption": {"osDiskImage": {"diskEncryptionSetId": "/d"}}}
    found = shop.put(body({"name": HERE, **more}))["properties"]["publishingProfile"]["targetRegions"]
    assert found[0]["encryption"] == more["encryption"]


def test_version_may_be_elsewhere_than_its_definition(shop: Shop) -> None:
    """Its own location has to be among its regions, and its source there."""
    sent = body("eastus") | {"location": "eastus"}
    assert shop.refused(sent)[:2] == (400, "InvalidParameter")
    archive = shop.azure.inventory.account("archive")
    assert archive is not None
    archive.location = "eastus"  # type: ignore[misc]  # an account that was made there
    assert shop.put(sent)["location"] == "eastus"


def test_version_is_made_of_disks(shop: Shop) -> None:
    """Snapshots and a VHD together; luns and sources only once."""
    system = made(shop, snapshot("os"), creation("Import", sourceUri=vhd(shop)))
    data = made(shop, disk("data"), creation("Empty", 8))
    first = {"lun": 0, "source": {"id": data["id"]}}
    second = {"lun": 1, "hostCaching": "None", **of_vhd("more.vhd")["osDiskImage"]}
    vhd(shop, "more.vhd", 16)
    source = {"osDiskImage": {"source": {"id": system["id"]}}, "dataDiskImages": [first, second]}
    for wrong in (second | {"lun": 0}, first | {"lun": 1}, {"source": {"id": "/d"}}, {"lun": 2}):
        assert shop.refused(body(source=source | {"dataDiskImages": [first, wrong]}))[:2] == (
            400,
            "InvalidParameter",
        )
    seen = shop.made(body(source=source))["properties"]["storageProfile"]
    assert (seen["osDiskImage"]["sizeInGB"], seen["osDiskImage"]["hostCaching"]) == (30, "ReadWrite")
    shown = [(each["lun"], each["sizeInGB"], each["hostCaching"]) for each in seen["dataDiskImages"]]
    assert shown == [(0, 8, "ReadOnly"), (1, 16, "None")]
    changed = body(source={"dataDiskImages": [{"lun": 5}]})
    assert shop.refused(changed)[:2] == (409, "PropertyChangeNotAllowed")


def test_version_is_made_of_an_image_and_of_another_version(shop: Shop) -> None:
    """The disk is shown once it is made; the other version has to be in the region."""
    source = {"source": {"id": shop.images()}}
    assert "osDiskImage" not in shop.put(body(source=source))["properties"]["storageProfile"]
    copy = body(source={"source": {"id": version_id()}})
    assert shop.refused(copy, "2.0.0")[:2] == (404, "NotFound")
    shop.wait(minutes=10)
    seen = shop.made(copy, "2.0.0")["properties"]["storageProfile"]
    assert seen["osDiskImage"] == {"sizeInGB": 30, "hostCaching": "None", "source": {}}
    assert seen["source"] == {"id": version_id()}


def test_version_is_made_of_a_generalized_machine(shop: Shop) -> None:
    """One that is not makes a version that fails: its operation says why, no region gets it."""
    source = {"source": {"virtualMachineId": running(shop, generation="V2")}}
    answer = shop.send("PUT", f"{version_id()}?{API}", body(source=source))
    assert (answer.status, shop.state()) == (201, "Failed")
    error = poll(shop, answer, "Azure-AsyncOperation").json()["error"]
    assert error["code"] == "BadRequest"
    assert "a different OS state ['Specialized'] than the parent gallery image" in error["message"]
    assert set(shop.regions().values()) == {"Unknown"}
    assert shop.events[-1]["eventType"] == "Microsoft.Resources.ResourceWriteFailure"
    act(shop, "vm", "deallocate")
    act(shop, "vm", "generalize")
    assert shop.made(body(source=source), "1.0.1")["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "value", "code", "words"),
    [
        ("hyperVGeneration", "V1", "Conflict", "Hypervisor generation ['V2']"),
        ("osType", "Windows", "Conflict", "OS type ['Linux']"),
        ("osState", "Specialized", "BadRequest", "OS state ['Generalized']"),
    ],
)
def test_source_has_to_be_of_the_definitions_kind(
    shop: Shop, name: str, value: str, code: str, words: str
) -> None:
    """Accepted, then failed, in the recorded words."""
    definition = shop.azure.galleries.definition(DEFINITION)
    assert definition is not None
    definition.properties[name] = value
    answer = shop.send("PUT", f"{version_id()}?{API}", body(source={"source": {"id": shop.images()}}))
    error = poll(shop, answer, "Azure-AsyncOperation").json()["error"]
    assert (answer.status, error["code"]) == (201, code)
    assert f"has a different {words} than the parent gallery image" in error["message"]


def test_source_that_is_missing_or_elsewhere_is_not_found(shop: Shop) -> None:
    made(shop, disk("far"), creation("Empty", 4, "uksouth"))
    for source_id in (disk("none"), disk("far")):
        sent = body(source={"osDiskImage": {"source": {"id": source_id}}})
        status, code, message = shop.refused(sent)
        assert (status, code) == (404, "NotFound")
        assert message.startswith(f"Source {source_id} is not found. Please check source exists")


def test_parents_have_to_be_there(shop: Shop) -> None:
    """The nearest missing one is named; what is missing itself gets Resource Manager's own 404."""
    definition, gallery = f"{GALLERY}/images/none", f"{GALLERY}x/images/none"
    for path, parent in ((definition, "none"), (gallery, "mainx")):
        error = shop.send("GET", f"{path}/versions/1.0.0?{API}").json()["error"]
        assert error["code"] == "ParentResourceNotFound"
        assert f"nested resource. Parent resource '{parent}' not found" in error["message"]
    assert shop.send("PUT", f"{definition}/versions/1.0.0?{API}", body()).status == 404
    error = shop.send("GET", f"{version_id()}?{API}").json()["error"]
    assert error["code"] == "ResourceNotFound"
    assert "'Microsoft.Compute/galleries/images/versions/main/web/1.0.0'" in error["message"]


def test_sources_need_rights_of_their_own(shop: Shop) -> None:
    """Writing versions is not enough: disks and machines are written, VHDs need keys, images are read."""
    write = "Microsoft.Compute/galleries/images/versions/write"
    shop.azure.roles.define(Role("Version Maker", (write,)))
    shop.azure.roles.assign("maker", "Version Maker", "/")
    image, machine = shop.images(), running(shop)
    asked: dict[str, dict[str, Any]] = {
        "Microsoft.Storage/storageAccounts/listKeys/action": of_vhd(),
        "Microsoft.Compute/disks/write": {"osDiskImage": {"source": {"id": disk("d")}}},
        "Microsoft.Compute/snapshots/write": {"osDiskImage": {"source": {"id": snapshot("s")}}},
        "Microsoft.Compute/virtualMachines/write": {"source": {"virtualMachineId": machine}},
        "Microsoft.Compute/images/read": {"source": {"id": image}},
        "Microsoft.Compute/galleries/images/versions/read": {"source": {"id": version_id("9.9.9")}},
    }
    for action, source in asked.items():
        status, code, message = shop.refused(body(source=source), principal="maker")
        assert (status, code) == (403, "LinkedAuthorizationFailed")
        assert action in message
    assert shop.refused(body(), principal="nobody")[1] == "AuthorizationFailed"
