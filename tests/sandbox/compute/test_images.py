"""Managed images: of machines, disks, snapshots and VHDs; and the reasons for which there is none."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.roles import Role
from tests.sandbox.arm.parts import World

from .parts import API, HERE, act, body, creation, disk, image, machine, made, refused, running, snapshot, vhd


@pytest.fixture
def world() -> World:
    return World()


def of_machine(name: str = "vm", location: str = HERE, **more: Any) -> dict[str, Any]:
    return body(location, sourceVirtualMachine={"id": machine(name)}, **more)


def of_disk(location: str = HERE, generation: str | None = None, **source: Any) -> dict[str, Any]:
    system = {"osType": "Linux", "osState": "Generalized", **source}
    more = {"hyperVGeneration": generation} if generation else {}
    return body(location, storageProfile={"osDisk": system}, **more)


def test_generalized_machine_becomes_an_image(world: World) -> None:
    """201 and the async header alone; the sizes of managed disks show when it is made."""
    running(world, disk_gb=64, data_disks_gb=(8,), generation="V1")
    act(world, "vm", "deallocate")
    act(world, "vm", "generalize")
    answer = world.send("PUT", f"{image('i')}?{API}", of_machine(hyperVGeneration="V1"))
    assert (answer.status, "Location" in answer.headers) == (201, False)
    assert "/operations/" in answer.headers["Azure-AsyncOperation"]
    assert answer.headers["azure-asyncnotification"] == "Enabled"
    properties = answer.json()["properties"]
    system = properties["storageProfile"]["osDisk"]
    assert (properties["provisioningState"], "diskSizeGB" in system) == ("Creating", False)
    assert (system["osState"], system["storageAccountType"]) == ("Generalized", "Premium_LRS")
    assert refused(world, image("i"), of_machine())[:2] == (409, "Conflict")
    world.wait(minutes=1)
    found = world.get(f"{image('i')}?{API}")["properties"]
    profile = found["storageProfile"]
    assert (found["provisioningState"], found["hyperVGeneration"]) == ("Succeeded", "V1")
    assert (profile["osDisk"]["diskSizeGB"], profile["dataDisks"][0]["diskSizeGB"]) == (64, 8)
    assert [disk["lun"] for disk in profile["dataDisks"]] == [0]
    assert world.events[-1]["data"]["operationName"] == "Microsoft.Compute/images/write"


def test_machine_on_a_vhd_shows_its_size_at_once(world: World) -> None:
    """The image then holds the VHD's address."""
    system = {
        "osType": "Linux",
        "vhd": {"uri": "https://a.blob.core.windows.net/vhds/x.vhd"},
        "diskSizeGB": 30,
    }
    document = {"location": HERE, "properties": {"storageProfile": {"osDisk": system, "dataDisks": []}}}
    seeded = world.azure.compute.seeds.machine_as(machine("vm"), document)
    seeded.power, seeded.generalized = "stopped", True
    made_of = world.send("PUT", f"{image('i')}?{API}", of_machine()).json()["properties"]["storageProfile"]
    assert (made_of["osDisk"]["diskSizeGB"], made_of["osDisk"]["blobUri"]) == (30, system["vhd"]["uri"])


def test_machine_that_is_not_generalized_makes_no_image(world: World) -> None:
    """OperationNotAllowed says which operation and which machine."""
    running(world)
    status, code, message = refused(world, image("i"), of_machine())
    assert (status, code) == (409, "OperationNotAllowed")
    assert message == "The operation 'Create Image' requires the Virtual Machine 'vm' to be Generalized."


def test_machine_has_to_be_there_and_of_that_generation(world: World) -> None:
    """A missing one and one elsewhere get the same 404; another generation names both."""
    running(world, generalized=True, power="deallocated")
    for sent in (of_machine("none"), of_machine(location="uksouth")):
        status, code, message = refused(world, image("i"), sent)
        assert (status, code) == (404, "NotFound")
        assert message.endswith("specified in the request does not exist in this Azure location.")
    status, code, message = refused(world, image("i"), of_machine(hyperVGeneration="V1"))
    assert (status, code, "'V1'" in message, "'Gen2'" in message) == (400, "InvalidParameter", True, True)


def test_disks_and_snapshots_become_images(world: World) -> None:
    """Of a disk its kind, of a snapshot the default; the generation is the source's."""
    running(world)
    system_disk = world.get(f"{disk('')[:-1]}?{API}")["value"][0]["id"]
    made(world, snapshot("s"), creation("Copy", sourceResourceId=system_disk))
    data = made(world, disk("data"), creation("Empty", 8))["id"]
    first = of_disk(managedDisk={"id": system_disk}, caching="ReadOnly")
    first["properties"]["storageProfile"]["dataDisks"] = [{"lun": 3, "managedDisk": {"id": data}}]
    found = made(world, image("of-disk"), first)["properties"]
    profile = found["storageProfile"]
    assert (profile["osDisk"]["storageAccountType"], found["hyperVGeneration"]) == ("Premium_LRS", "V2")
    assert (profile["osDisk"]["caching"], profile["dataDisks"][0]["diskSizeGB"]) == ("ReadOnly", 8)
    taken = made(world, image("of-snapshot"), of_disk(generation="V2", snapshot={"id": snapshot("s")}))
    assert taken["properties"]["storageProfile"]["osDisk"]["snapshot"] == {"id": snapshot("s")}


def test_vhd_becomes_an_image_if_its_generation_is_told(world: World) -> None:
    """Nothing but the request knows the generation of a blob."""
    uri = vhd(world)
    assert refused(world, image("i"), of_disk(blobUri=uri))[2].startswith("Required parameter 'image.hyperV")
    found = made(world, image("i"), of_disk(generation="V1", blobUri=uri))["properties"]["storageProfile"]
    assert (found["osDisk"]["blobUri"], found["osDisk"]["diskSizeGB"]) == (uri, 30)
    assert "does not exist" in refused(world, image("j"), of_disk(generation="V1", blobUri=f"{uri}x"))[2]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (body(), 400, "InvalidParameter"),
        (of_disk(), 400, "InvalidParameter"),
        (of_disk(snapshot={"id": snapshot("s")}, blobUri="https://x"), 400, "InvalidParameter"),
        (of_disk(osType="Solaris", snapshot={"id": snapshot("s")}), 400, "InvalidParameter"),
        (of_disk(managedDisk={"id": disk("none")}), 404, "NotFound"),
        (of_disk(managedDisk={"id": snapshot("s")}), 400, "InvalidParameter"),
        (of_disk(managedDisk={"id": "d"}), 400, "LinkedInvalidPropertyId"),
        (of_disk("uksouth", managedDisk={"id": disk("d")}), 404, "NotFound"),
        (of_disk(generation="V2", managedDisk={"id": disk("d")}), 400, "InvalidParameter"),
    ],
)
def test_wrong_source_is_refused(world: World, sent: dict[str, Any], status: int, code: str) -> None:
    """None, two, of the wrong type, missing, elsewhere, of another generation: no image is left behind."""
    made(world, disk("d"), creation("Empty", 4))
    assert refused(world, image("i"), sent)[:2] == (status, code)
    assert world.send("GET", f"{image('i')}?{API}").status == 404


def test_luns_are_unique(world: World) -> None:
    made(world, disk("d"), creation("Empty", 4))
    sent = of_disk(managedDisk={"id": disk("d")})
    data = {"managedDisk": {"id": disk("d")}}
    sent["properties"]["storageProfile"]["dataDisks"] = [{"lun": 0, **data}, {"lun": 0, **data}]
    assert "same lun" in refused(world, image("i"), sent)[2]
    sent["properties"]["storageProfile"]["dataDisks"] = [data]
    assert "dataDisks[0].lun" in refused(world, image("i"), sent)[2]


def test_image_changes_its_tags_alone(world: World) -> None:
    """200 `Updating`, by PUT or PATCH; another source is PropertyChangeNotAllowed."""
    running(world, generalized=True, power="deallocated")
    made(world, image("i"), of_machine())
    again = world.send("PUT", f"{image('i')}?{API}", of_machine() | {"tags": {"a": "b"}})
    assert (again.status, again.json()["properties"]["provisioningState"]) == (200, "Updating")
    assert "Location" not in again.headers
    world.wait(minutes=1)
    assert world.send("PATCH", f"{image('i')}?{API}", {"tags": {"c": "d"}}).status == 200
    world.wait(minutes=1)
    assert world.get(f"{image('i')}?{API}")["tags"] == {"c": "d"}
    assert refused(world, image("i"), of_machine("other"))[:2] == (409, "PropertyChangeNotAllowed")
    changed = of_disk(managedDisk={"id": disk("d")})
    assert refused(world, image("i"), changed)[:2] == (409, "PropertyChangeNotAllowed")


def test_image_needs_the_right_to_its_source(world: World) -> None:
    """Writing images is not enough: the machine has to be the caller's to write too."""
    running(world, generalized=True, power="deallocated")
    world.azure.roles.define(Role("Image Maker", ("Microsoft.Compute/images/write",)))
    world.azure.roles.assign("maker", "Image Maker", "/")
    status, code, message = refused(world, image("i"), of_machine(), principal="maker")
    assert (status, code) == (403, "LinkedAuthorizationFailed")
    assert "Microsoft.Compute/virtualMachines/write" in message


def test_image_is_deleted_and_outlives_its_machine(world: World) -> None:
    """202 with both headers; whatever it was made of may go before."""
    machine_id = running(world, generalized=True, power="deallocated")
    made(world, image("i"), of_machine())
    world.send("DELETE", f"{machine_id}?{API}")
    world.wait(minutes=1)
    assert world.get(f"{image('i')}?{API}")["properties"]["provisioningState"] == "Succeeded"
    gone = world.send("DELETE", f"{image('i')}?{API}")
    assert (gone.status, {"Azure-AsyncOperation", "Location"} <= set(gone.headers)) == (202, True)
    world.wait(minutes=1)
    assert world.send("GET", f"{image('i')}?{API}").status == 404
