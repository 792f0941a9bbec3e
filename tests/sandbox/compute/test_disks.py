"""Managed disks and snapshots: what a PUT answers, what it becomes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.galleries.model import Content, Disk, Region, Version
from sandbox.arm.inventory import DEFINITIONS
from sandbox.arm.records import Resource
from sandbox.arm.roles import Role
from tests.sandbox.arm.parts import World

from .parts import API, GIB, PLACE, act, creation, disk, made, poll, refused, running, snapshot, target, vhd


@pytest.fixture
def world() -> World:
    return World()


def test_new_disk_is_202_with_what_was_sent_and_then_says_the_rest(world: World) -> None:
    """Both headers, Location with monitor; the operation's output and the bare one are the finished disk."""
    sent = creation("Empty", 10) | {"sku": {"name": "Premium_LRS"}, "tags": {"a": "b"}}
    answer = world.send("PUT", f"{disk('d1')}?{API}", sent)
    assert answer.status == 202
    assert answer.json()["properties"] == {
        "creationData": {"createOption": "Empty"},
        "diskSizeGB": 10,
        "provisioningState": "Updating",
    }
    assert answer.json()["sku"] == {"name": "Premium_LRS"}
    assert "/DiskOperations/" in answer.headers["Azure-AsyncOperation"]
    assert "?p=" in answer.headers["Location"]
    assert "&monitor=true&api-version=2024-07-01" in answer.headers["Location"]
    assert poll(world, answer, "Azure-AsyncOperation").json()["status"] == "InProgress"
    assert poll(world, answer, "Location").status == 202
    world.wait(seconds=1)
    done, read = poll(world, answer, "Azure-AsyncOperation").json(), world.get(f"{disk('d1')}?{API}")
    assert (done["status"], done["properties"]["output"]) == ("Succeeded", read)
    assert poll(world, answer, "Location").json() == read
    properties = read["properties"]
    assert (properties["diskState"], properties["diskSizeBytes"]) == ("Unattached", 10 * GIB)
    assert (properties["tier"], properties["diskIOPSReadWrite"], properties["diskMBpsReadWrite"]) == (
        "P3",
        120,
        25,
    )
    assert (read["sku"], read["tags"]) == ({"name": "Premium_LRS", "tier": "Premium"}, {"a": "b"})


@pytest.mark.parametrize(
    ("sku", "size", "tier", "speed"),
    [
        ("Premium_LRS", 128, "P10", 500),
        ("Premium_ZRS", 129, "P15", 1100),
        ("Standard_LRS", 128, None, 500),
        ("StandardSSD_LRS", 8192, None, 2000),
        ("PremiumV2_LRS", 64, None, 3000),
    ],
)
def test_kind_and_size_make_the_speed(
    world: World, sku: str, size: int, tier: str | None, speed: int
) -> None:
    """Each tier reaches up to its size; premium disks alone show it."""
    found = made(world, disk("d"), creation("Empty", size) | {"sku": {"name": sku}})["properties"]
    assert (found.get("tier"), found["diskIOPSReadWrite"]) == (tier, speed)


def test_snapshot_of_a_disk_knows_where_it_came_from(world: World) -> None:
    """Size, system and generation are the disk's; a disk of it may be larger, and inherits them too."""
    running(world)
    source = world.get(f"{PLACE}/disks?{API}")["value"][0]
    taken = made(world, snapshot("s"), creation("Copy", sourceResourceId=source["id"]))
    assert taken["properties"]["creationData"]["sourceUniqueId"] == source["properties"]["uniqueId"]
    assert (taken["properties"]["diskSizeGB"], taken["properties"]["incremental"]) == (30, False)
    assert (taken["properties"]["osType"], taken["properties"]["hyperVGeneration"]) == ("Linux", "V2")
    assert taken["sku"] == {"name": "Standard_LRS", "tier": "Standard"}
    grown = made(world, disk("grown"), creation("Copy", 64, sourceResourceId=snapshot("s")))["properties"]
    assert (grown["diskSizeGB"], grown["osType"]) == (64, "Linux")


def test_vhd_is_imported_with_its_size(world: World) -> None:
    """Bytes as they are, GB without the rest; a disk and a snapshot take the same."""
    uri = vhd(world, size_gb=30.5)
    account = world.azure.setting.account_id("archive")
    for path in (disk("d"), snapshot("s")):
        sent = creation("Import", sourceUri=uri, storageAccountId=account)
        found = made(world, path, sent)["properties"]
        assert (found["diskSizeGB"], found["diskSizeBytes"]) == (30, 30.5 * GIB)


def test_disk_is_made_from_a_gallery_version(world: World) -> None:
    """Of its system disk, or of a data disk by its lun, where the version has replicated."""
    definition = f"{PLACE}/galleries/g/images/i"
    version = f"{definition}/versions/1.0.0"
    content = Content(None, Disk({}, 30, "ReadWrite"), (Disk({}, 8, "ReadOnly", 0),))
    here = Region("westeurope", 1, "Standard_LRS", state="Completed")
    records = world.azure.fabric.records
    records.put(Resource(definition, DEFINITIONS, "westeurope", properties={"osType": "Windows"}))
    records.put(Version(version, "westeurope", {}, content, world.clock.now(), [here]))
    system = creation("FromImage", imageReference={"id": version})
    found = made(world, disk("system"), system)["properties"]
    assert (found["diskSizeGB"], found["osType"]) == (30, "Windows")
    data = creation("FromImage", galleryImageReference={"id": version, "lun": 0})
    assert made(world, disk("data"), data)["properties"]["diskSizeGB"] == 8
    data["properties"]["creationData"]["galleryImageReference"]["lun"] = 1
    assert refused(world, disk("other"), data)[:2] == (400, "InvalidParameter")
    here.state = "Replicating"
    assert refused(world, disk("other"), system)[:2] == (404, "NotFound")


def test_upload_waits_for_its_bytes(world: World) -> None:
    """The size asked for is that of the file with its footer."""
    found = made(world, disk("d"), creation("Upload", uploadSizeBytes=20 * 1024**2 + 512))["properties"]
    assert (found["diskState"], found["diskSizeGB"]) == ("ReadyToUpload", 1)


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"location": "westeurope", "properties": {}}, "disk.creationData"),
        ({"location": "westeurope", "properties": []}, "disk.properties"),
        (creation("Empty", 4) | {"sku": {"name": "Gold"}}, "disk.sku.name"),
        (creation("Restore", 4), "disk.creationData.createOption"),
        (creation("Empty"), "disk.diskSizeGB"),
        (creation("Empty", 0), "disk.diskSizeGB"),
        (creation("Empty", 40000), "disk.diskSizeGB"),
        (creation("Copy"), "disk.creationData.sourceResourceId"),
        (creation("Copy", sourceResourceId=f"{PLACE}/images/i"), "disk.creationData.sourceResourceId"),
        (creation("Import", sourceUri="ftp://x"), "disk.creationData.sourceUri"),
        (
            creation("Import", sourceUri="https://archive.blob.core.windows.net/v/none.vhd"),
            "disk.creationData.sourceUri",
        ),
        (creation("Upload", uploadSizeBytes=1024), "disk.creationData.uploadSizeBytes"),
        (creation("Upload"), "disk.creationData.uploadSizeBytes"),
        (
            creation("FromImage", imageReference={"id": "/Subscriptions/s/Providers/x"}),
            "disk.creationData.imageReference.id",
        ),
    ],
)
def test_wrong_member_is_named(world: World, sent: dict[str, Any], path: str) -> None:
    """InvalidParameter with the path as the target; nothing is made."""
    assert refused(world, disk("d"), sent)[:2] == (400, "InvalidParameter")
    assert target(world, disk("d"), sent) == path
    assert world.send("GET", f"{disk('d')}?{API}").status == 404


def test_source_that_is_missing_or_elsewhere_is_not_found(world: World) -> None:
    """Compute's own 404 names the resource; that it is in another region is not said."""
    made(world, disk("d"), creation("Empty", 4))
    for sent in (
        creation("Copy", sourceResourceId=disk("none")),
        creation("Copy", location="uksouth", sourceResourceId=disk("d")),
    ):
        name = sent["properties"]["creationData"]["sourceResourceId"].rsplit("/", 1)[1]
        assert refused(world, snapshot("s"), sent) == (404, "NotFound", f"Resource {name} is not found.")
    status, code, message = refused(world, snapshot("s"), creation("Copy", sourceResourceId="d"))
    assert (status, code) == (400, "LinkedInvalidPropertyId")
    assert "Property id 'd'" in message


def test_missing_disk_gets_the_404_of_resource_manager(world: World) -> None:
    """It is another one than that of sources; a deletion of nothing is 204."""
    error = world.send("GET", f"{disk('none')}?{API}").json()["error"]
    assert error["code"] == "ResourceNotFound"
    assert "'Microsoft.Compute/disks/none' under resource group" in error["message"]
    assert world.send("PATCH", f"{disk('none')}?{API}", {}).status == 404
    assert world.send("DELETE", f"{disk('none')}?{API}").status == 204


def test_vhd_has_to_be_a_whole_disk_in_the_region(world: World) -> None:
    """The documented sentence for odd sizes; another region and a foreign account are refused."""
    odd = vhd(world, "odd.vhd", footer=0)
    status, _, message = refused(world, disk("d"), creation("Import", sourceUri=odd))
    assert (status, "must be a whole number (in MBs)" in message) == (400, True)
    good = vhd(world)
    elsewhere = creation("Import", location="uksouth", sourceUri=good)
    assert "it must be in 'uksouth'" in refused(world, disk("d"), elsewhere)[2]
    foreign = f"{PLACE.replace('Microsoft.Compute', 'Microsoft.Storage')}/storageAccounts/none"
    assert (
        refused(world, disk("d"), creation("Import", sourceUri=good, storageAccountId=foreign))[1]
        == "NotFound"
    )


def test_copying_needs_access_to_the_source(world: World) -> None:
    """Linked rights: beginGetAccess on disks, listKeys on the account of a VHD."""
    made(world, disk("d"), creation("Empty", 4))
    world.azure.roles.define(Role("Snapshot Maker", ("Microsoft.Compute/snapshots/write",)))
    world.azure.roles.assign("maker", "Snapshot Maker", "/")
    account = world.azure.setting.account_id("archive")
    asked = {
        "Microsoft.Compute/disks/beginGetAccess/action": creation("Copy", sourceResourceId=disk("d")),
        "Microsoft.Storage/storageAccounts/listKeys/action": creation(
            "Import", sourceUri=vhd(world), storageAccountId=account
        ),
    }
    for action, sent in asked.items():
        status, code, message = refused(world, snapshot("s"), sent, principal="maker")
        assert (status, code) == (403, "LinkedAuthorizationFailed")
        assert action in message


def test_disk_grows_and_changes_its_kind_but_not_its_origin(world: World) -> None:
    """PUT and PATCH merge; the sizes follow. Shrinking and another source are 409, another region too."""
    made(world, disk("d"), creation("Empty", 10))
    again = world.send("PATCH", f"{disk('d')}?{API}", {"tags": {"x": "y"}, "properties": {"diskSizeGB": 64}})
    assert (again.status, again.json()["properties"]["provisioningState"]) == (202, "Updating")
    assert refused(world, disk("d"), creation("Empty", 70))[:2] == (409, "Conflict")
    world.wait(seconds=1)
    found = made(world, disk("d"), creation("Empty") | {"sku": {"name": "Premium_LRS"}})
    assert (found["properties"]["diskSizeBytes"], found["properties"]["tier"]) == (64 * GIB, "P6")
    assert (found["tags"], found["sku"]["tier"]) == ({"x": "y"}, "Premium")
    assert refused(world, disk("d"), creation("Empty", 32))[:2] == (409, "OperationNotAllowed")
    other = creation("Copy", sourceResourceId=disk("e"))
    assert refused(world, disk("d"), other)[:2] == (409, "PropertyChangeNotAllowed")
    assert refused(world, disk("d"), creation("Empty", 64, "uksouth"))[:2] == (409, "InvalidResourceLocation")


def test_name_and_location_are_checked(world: World) -> None:
    assert refused(world, disk("a" * 81), creation("Empty", 4))[:2] == (400, "InvalidParameter")
    assert refused(world, disk("d"), creation("Empty", 4, ""))[:2] == (400, "LocationRequired")


def test_disk_of_a_machine_stays_until_it_is_let_go(world: World) -> None:
    """OperationNotAllowed names the machine; without it the disk goes, with an event."""
    machine_id = running(world)
    one = world.get(f"{PLACE}/disks?{API}")["value"][0]
    assert (one["managedBy"], one["properties"]["diskState"]) == (machine_id, "Attached")
    answer = world.send("DELETE", f"{one['id']}?{API}")
    assert (answer.status, answer.json()["error"]["code"]) == (409, "OperationNotAllowed")
    assert machine_id in answer.json()["error"]["message"]
    act(world, "vm", "deallocate")
    assert world.get(f"{one['id']}?{API}")["properties"]["diskState"] == "Reserved"
    world.send("DELETE", f"{machine_id}?{API}")
    world.wait(minutes=1)
    assert world.get(f"{one['id']}?{API}")["properties"]["diskState"] == "Unattached"
    gone = world.send("DELETE", f"{one['id']}?{API}")
    assert (gone.status, {"Azure-AsyncOperation", "Location"} <= set(gone.headers)) == (202, True)
    assert world.get(f"{one['id']}?{API}")["properties"]["provisioningState"] == "Deleting"
    world.wait(seconds=1)
    assert world.send("GET", f"{one['id']}?{API}").status == 404
    assert world.events[-1]["data"]["operationName"] == "Microsoft.Compute/disks/delete"


def test_lists_are_of_group_and_subscription_in_pages(world: World) -> None:
    world.azure.fabric.page_size = 2
    for name in ("a", "b", "c"):
        made(world, disk(name), creation("Empty", 4))
    everywhere = f"{PLACE.split('/resourceGroups')[0]}/providers/Microsoft.Compute/disks?{API}"
    for first in (f"{PLACE}/disks?{API}", everywhere):
        page = world.get(first)
        rest = world.get(page["nextLink"].split(".sandbox", 1)[1])
        assert [each["name"] for each in (*page["value"], *rest["value"])] == ["a", "b", "c"]


def test_operation_of_what_is_gone_fails(world: World) -> None:
    """Who polls learns that the entity was not found; a snapshot that outlives its disk is none the worse."""
    answer = world.send("PUT", f"{disk('d')}?{API}", creation("Empty", 4))
    world.azure.fabric.records.remove(disk("d"))
    world.wait(seconds=1)
    ended = poll(world, answer, "Azure-AsyncOperation").json()
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "NotFound")
    assert poll(world, answer, "Location").status == 409
