"""What a version's answers look like, from the PUT to the end of its replication."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.compute.parts import poll

from .parts import API, DEFINITION, HERE, Shop, body, update, version_id


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_new_version_is_creating_and_then_shows_its_disk(shop: Shop) -> None:
    """201 with Azure-AsyncOperation alone; the region by its display name, defaults filled in."""
    answer = shop.send("PUT", f"{version_id()}?{API}", body("westeurope"))
    assert (answer.status, "Location" in answer.headers) == (201, False)
    assert "/locations/WestEurope/capsOperations/" in answer.headers["Azure-AsyncOperation"]
    assert answer.headers["x-ms-ratelimit-remaining-resource"] == (
        "Microsoft.Compute/CreateUpdateGalleryImageVersion3Min;374,"
        "Microsoft.Compute/CreateUpdateGalleryImageVersion30Min;1199"
    )
    properties = answer.json()["properties"]
    assert properties["publishingProfile"]["targetRegions"] == [
        {"name": "West Europe", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}
    ]
    assert (properties["provisioningState"], properties["publishingProfile"]["replicaCount"]) == (
        "Creating",
        1,
    )
    assert "sizeInGB" not in properties["storageProfile"]["osDiskImage"]
    assert poll(shop, answer, "Azure-AsyncOperation").json()["status"] == "InProgress"
    shop.wait(minutes=10)
    assert poll(shop, answer, "Azure-AsyncOperation").json()["status"] == "Succeeded"
    done = shop.version()["properties"]
    assert (done["provisioningState"], done["storageProfile"]["osDiskImage"]["sizeInGB"]) == ("Succeeded", 30)
    assert done["publishingProfile"]["publishedDate"] == properties["publishingProfile"]["publishedDate"]


@pytest.mark.parametrize(
    ("api", "validations", "block"), [("2023-07-03", False, False), ("2024-03-03", True, True)]
)
def test_members_come_with_their_api_version(shop: Shop, api: str, validations: bool, block: bool) -> None:
    shop.made()
    properties = shop.version(api=f"api-version={api}")["properties"]
    assert ("validationsProfile" in properties) is validations
    assert ("blockDeletionBeforeEndOfLife" in properties["safetyProfile"]) is block


def test_replication_status_is_told_when_asked_for_only(shop: Shop) -> None:
    """It grows with time; the whole is in progress while one region is."""
    shop.put(body("westeurope", "eastus2"))
    assert "replicationStatus" not in shop.get(f"{version_id()}?{API}")["properties"]
    seen = []
    for _ in range(4):
        status = shop.version()["properties"]["replicationStatus"]
        seen.append(sum(each["progress"] for each in status["summary"]))
        assert status["aggregatedState"] == "InProgress"
        shop.wait(minutes=1.5)
    assert seen == sorted(set(seen))
    shop.wait(minutes=10)
    status = shop.version()["properties"]["replicationStatus"]
    assert status["aggregatedState"] == "Completed"
    assert status["summary"][1] == {
        "region": "East US 2",
        "state": "Completed",
        "details": "",
        "progress": 100,
    }


def test_end_of_an_update_is_told_by_an_event(shop: Shop) -> None:
    """One for each write, when it is over; its subject is the version."""
    shop.put(body())
    assert not [each for each in shop.events if each["subject"] == version_id()]
    shop.wait(minutes=10)
    shop.made(update(HERE, "eastus"))
    told = [each for each in shop.events if each["subject"] == version_id()]
    assert [each["eventType"] for each in told] == ["Microsoft.Resources.ResourceWriteSuccess"] * 2
    assert told[0]["data"]["operationName"] == "Microsoft.Compute/galleries/images/versions/write"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_update_keeps_the_source_and_replaces_the_rest(shop: Shop, method: str) -> None:
    """PUT with an empty storageProfile, or PATCH without one; 200, Updating, 150 seconds at least."""
    before = shop.made(body(HERE, replicaCount=2))
    assert before["properties"]["publishingProfile"]["targetRegions"][0]["regionalReplicaCount"] == 2
    sent = update({"name": HERE, "excludeFromLatest": True}, excludeFromLatest=True)
    if method == "PATCH":
        del sent["properties"]["storageProfile"]
    answer = shop.send(method, f"{version_id()}?{API}", sent | {"tags": {"a": "b"}})
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (200, "Updating")
    shop.wait(seconds=149)
    assert shop.state() == "Updating"
    shop.wait(seconds=1)
    after = shop.version()
    profile = after["properties"]["publishingProfile"]
    assert (after["properties"]["provisioningState"], after["tags"]) == ("Succeeded", {"a": "b"})
    assert (profile["excludeFromLatest"], profile["targetRegions"][0]["excludeFromLatest"]) == (True, True)
    assert after["properties"]["storageProfile"] == before["properties"]["storageProfile"]


@pytest.mark.parametrize(
    ("sent", "target"),
    [
        (update(HERE, storageAccountType="Premium_LRS"), "publishingProfile.storageAccountType"),
        (update(HERE, replicationMode="Shallow"), "publishingProfile.replicationMode"),
        (body(HERE, source={"source": {"id": "/x"}}), "storageProfile.source.id"),
        (
            body(HERE, source={"osDiskImage": {"source": {"id": "/x"}}}),
            "storageProfile.osDiskImage.source.id",
        ),
    ],
)
def test_what_never_changes_is_named(shop: Shop, sent: dict[str, Any], target: str) -> None:
    shop.made()
    path = f"galleryImageVersion.properties.{target}"
    assert shop.refused(sent) == (409, "PropertyChangeNotAllowed", path)
    assert shop.state() == "Succeeded"


def test_a_regions_storage_type_stays_what_it_is(shop: Shop) -> None:
    """Also when it was left out and the version's is another; nothing of the update is kept."""
    shop.made(body(HERE, {"name": "eastus", "storageAccountType": "Premium_LRS"}))
    sent = update({"name": HERE, "regionalReplicaCount": 3}, "eastus")
    answer = shop.send("PUT", f"{version_id()}?{API}", sent)
    assert answer.status == 400
    assert "Please specify 'Premium_LRS'" in answer.json()["error"]["message"]
    assert shop.version()["properties"]["publishingProfile"]["targetRegions"][0]["regionalReplicaCount"] == 1
    shop.made(update(HERE, {"name": "eastus", "storageAccountType": "Premium_LRS"}))


def test_versions_of_a_definition_are_listed_in_pages(shop: Shop) -> None:
    """By their parents; those of another definition are not among them."""
    shop.azure.fabric.page_size = 2
    for name in ("1.0.0", "1.0.1", "1.1.0"):
        shop.put(body(), name)
    page = shop.get(f"{DEFINITION}/versions?{API}")
    rest = shop.get(page["nextLink"].split(".sandbox", 1)[1])
    assert [each["name"] for each in (*page["value"], *rest["value"])] == ["1.0.0", "1.0.1", "1.1.0"]
    assert "nextLink" not in rest


def test_too_many_writes_are_refused_by_compute(shop: Shop) -> None:
    """429 with OperationNotAllowed, the real code in details; later it goes again."""
    for _ in range(375):
        shop.wait(milliseconds=150)
        shop.send("PUT", f"{version_id()}?{API}", {"location": HERE})
    answer = shop.send("PUT", f"{version_id()}?{API}", body())
    assert (answer.status, answer.headers["Retry-After"]) == (429, "180")
    error = answer.json()["error"]
    assert (error["code"], error["details"][0]["code"]) == ("OperationNotAllowed", "TooManyRequests")
    assert error["details"][0]["target"] == "CreateUpdateGalleryImageVersion3Min"
    shop.wait(minutes=3)
    shop.put(body())
