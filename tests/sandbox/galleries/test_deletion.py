"""Versions go before definitions, definitions before galleries; soft delete keeps versions for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.arm.context import Origin
from sandbox.arm.galleries import profiles
from sandbox.arm.galleries.model import Content, Disk
from tests.sandbox.compute.parts import poll

from .parts import API, DEFINITION, GALLERY, HERE, Shop, body, version_id

DELETED = f"{GALLERY}/softDeletedArtifactTypes/Images/artifacts/web/versions"


def gone(shop: Shop, path: str) -> Any:
    answer = shop.send("DELETE", f"{path}?{API}")
    shop.wait(minutes=5)
    return answer


def keeping() -> Shop:
    """A world whose gallery keeps deleted versions."""
    shop = Shop()
    policy = {"properties": {"softDeletePolicy": {"isSoftDeleteEnabled": True}}}
    assert shop.send("PATCH", f"{GALLERY}?{API}", policy).status == 200
    shop.wait(seconds=1)
    return shop


def test_parents_go_last() -> None:
    """CannotDeleteResource while something is below; 202 with both headers; an event at the end."""
    shop = Shop()
    shop.made()
    for path in (GALLERY, DEFINITION):
        refused = shop.send("DELETE", f"{path}?{API}")
        assert (refused.status, refused.json()["error"]["code"]) == (409, "CannotDeleteResource")
    answer = shop.send("DELETE", f"{version_id()}?{API}")
    assert (answer.status, answer.body) == (202, b"")
    assert "monitor=true" in answer.headers["Location"]
    assert shop.state() == "Deleting"
    assert shop.refused(body())[:2] == (409, "OperationNotAllowed")
    assert shop.send("DELETE", f"{version_id()}?{API}").status == 202
    shop.wait(minutes=5)
    assert poll(shop, answer, "Location").status == 200
    assert shop.send("GET", f"{version_id()}?{API}").status == 404
    assert gone(shop, DEFINITION).status == 202
    assert gone(shop, GALLERY).status == 202
    assert gone(shop, GALLERY).status == 204
    assert shop.events[-1]["data"]["operationName"] == "Microsoft.Compute/galleries/delete"


def test_parent_may_be_stale_for_a_while() -> None:
    """Right after its last version has gone a definition is still refused, if so wished."""
    shop = Shop()
    shop.azure.switches = shop.azure.switches.with_values({"stale_parent_seconds": 20.0})
    shop.made()
    shop.send("DELETE", f"{version_id()}?{API}")
    shop.wait(seconds=135)
    assert shop.send("DELETE", f"{DEFINITION}?{API}").status == 409
    shop.wait(seconds=20)
    assert shop.send("DELETE", f"{DEFINITION}?{API}").status == 202


def test_deletion_ends_what_was_going_on() -> None:
    """A version on its way: the operation of its PUT is cancelled, nobody waits for ever."""
    shop = Shop()
    answer = shop.send("PUT", f"{version_id()}?{API}", body())
    shop.send("DELETE", f"{version_id()}?{API}")
    ended = poll(shop, answer, "Azure-AsyncOperation").json()
    assert (ended["status"], ended["error"]["code"]) == ("Canceled", "OperationPreempted")
    assert shop.events[-1]["eventType"] == "Microsoft.Resources.ResourceWriteCancel"
    shop.wait(minutes=10)
    assert shop.send("GET", f"{version_id()}?{API}").status == 404


def test_deletion_of_the_group_ends_it_too() -> None:
    shop = Shop()
    answer = shop.send("PUT", f"{version_id()}?{API}", body())
    group = shop.azure.setting.group_id
    shop.send("DELETE", f"{group}?api-version=2022-09-01")
    shop.wait(hours=1)
    assert poll(shop, answer, "Azure-AsyncOperation").json()["status"] == "Canceled"


def test_maker_learns_that_its_version_was_deleted_before_it_was_released() -> None:
    """Image Builder puts a version in its place before its disk is written."""
    shop, states = Shop(), list[str]()
    galleries, now = shop.azure.galleries, shop.clock.now()
    definition = galleries.definition(DEFINITION)
    assert definition is not None
    content, profile = Content(None, Disk({}, 30, "ReadWrite")), profiles.read({}, HERE)
    version = galleries.versions.build(version_id(), definition, content, profile, {}, now)
    shop.azure.fabric.records.put(version)
    shop.send("DELETE", f"{version_id()}?{API}")
    version.ended.append(lambda ended, _at: states.append(ended.state))
    galleries.make(version, Origin(None, "run", None, "PUT", version_id()), now)
    assert (states, shop.state()) == (["Failed"], "Deleting")


def test_end_of_life_can_forbid_deletion() -> None:
    """Until it has come; the date comes back with an offset, whatever its own was."""
    shop = Shop()
    end = f"{shop.clock.now():%Y}-12-31T23:59:59.000+02:00"
    sent = body(HERE, endOfLifeDate=end)
    sent["properties"]["safetyProfile"] = {"blockDeletionBeforeEndOfLife": True}
    seen = shop.made(sent)["properties"]
    assert seen["publishingProfile"]["endOfLifeDate"] == f"{shop.clock.now():%Y}-12-31T21:59:59+00:00"
    refused = shop.send("DELETE", f"{version_id()}?{API}")
    code = "DeleteGalleryImageVersionBlockedBeforeEndOfLife"
    assert (refused.status, refused.json()["error"]["code"]) == (409, code)
    shop.wait(days=400)
    assert shop.send("DELETE", f"{version_id()}?{API}").status == 202


def test_soft_deleted_version_comes_back_as_it_was() -> None:
    """Listed with the time it has; restored by a PUT of its location, source and date with it."""
    shop = keeping()
    before = shop.made(body(HERE, "eastus"))
    gone(shop, version_id())
    (row,) = shop.get(f"{DELETED}?{API}")["value"]
    assert (row["name"], row["properties"]["resourceArmId"]) == ("1.0.0", version_id())
    assert shop.refused(body())[:2] == (409, "Conflict")
    assert shop.refused({"location": "eastus"})[:2] == (409, "InvalidResourceLocation")
    answer = shop.put({"location": HERE, "properties": {"restore": True, "storageProfile": {}}})
    assert answer["properties"]["provisioningState"] == "Updating"
    shop.wait(minutes=10)
    assert shop.version() == before
    assert shop.get(f"{DELETED}?{API}")["value"] == []


def test_restored_version_keeps_its_tags() -> None:
    """Unless the PUT sends others."""
    shop = keeping()
    shop.made({**body(), "tags": {"pin": "yes"}})
    for sent, tags in (({}, {"pin": "yes"}), ({"tags": {"b": "c"}}, {"b": "c"})):
        gone(shop, version_id())
        shop.put({"location": HERE, "properties": {"restore": True}, **sent})
        shop.wait(minutes=10)
        assert shop.version()["tags"] == tags


def test_only_what_is_soft_deleted_is_restored() -> None:
    """Not a version that is there, and not one that never was; nor by its location alone, if so wished."""
    shop, restore = keeping(), {"location": HERE, "properties": {"restore": True}}
    assert shop.refused(restore)[:2] == (404, "ResourceNotFound")
    shop.made()
    assert shop.refused(restore)[:2] == (409, "OperationNotAllowed")
    gone(shop, version_id())
    shop.azure.switches = shop.azure.switches.with_values({"restore_needs_flag": True})
    assert shop.refused({"location": HERE})[:2] == (409, "Conflict")
    assert shop.put(restore)["properties"]["provisioningState"] == "Updating"


def test_days_of_grace_follow_those_of_retention() -> None:
    """It can be used in the first and restored in both; versions of the api before tell of neither end."""
    shop = Shop()
    policy = {"isSoftDeleteEnabled": True, "retentionPeriodInDays": 3, "gracePeriodInDays": 2}
    shop.send("PATCH", f"{GALLERY}?{API}", {"properties": {"softDeletePolicy": policy}})
    shop.made()
    gone(shop, version_id())
    (row,) = shop.get(f"{DELETED}?{API}")["value"]
    dates = ("softDeletedTime", "consumptionEndTime", "hardDeletionTargetTime")
    at, usable, until = (datetime.fromisoformat(row["properties"][name]) for name in dates)
    assert (usable - at, until - at) == (timedelta(days=3), timedelta(days=5))
    (old,) = shop.get(f"{DELETED}?api-version=2024-03-03")["value"]
    assert set(old["properties"]) == {"resourceArmId", "softDeletedArtifactType", "softDeletedTime"}
    shop.wait(days=4)
    assert shop.get(f"{DELETED}?{API}")["value"] == [row]
    shop.wait(days=1)
    assert shop.get(f"{DELETED}?{API}")["value"] == []


def test_bypass_is_passed_over_by_who_does_not_know_it() -> None:
    """The parameter came with 2026-03-03: before, the version is kept all the same."""
    shop = keeping()
    shop.made()
    shop.send("DELETE", f"{version_id()}?bypassSoftDelete=true&api-version=2025-03-03")
    shop.wait(minutes=5)
    assert len(shop.get(f"{DELETED}?{API}")["value"]) == 1


def test_list_is_that_of_a_definition_that_is_there() -> None:
    """And what was deleted in one that is gone does not turn up in the next of its name."""
    shop = keeping()
    shop.made()
    gone(shop, version_id())
    shop.send(
        "PATCH", f"{GALLERY}?{API}", {"properties": {"softDeletePolicy": {"isSoftDeleteEnabled": False}}}
    )
    before = shop.get(f"{DEFINITION}?{API}")
    gone(shop, DEFINITION)
    missing = shop.send("GET", f"{DELETED}?{API}")
    assert (missing.status, missing.json()["error"]["code"]) == (404, "ParentResourceNotFound")
    assert shop.send("PUT", f"{DEFINITION}?{API}", before).status == 201
    assert shop.get(f"{DELETED}?{API}")["value"] == []


def test_version_deleted_on_its_way_goes_on_when_restored() -> None:
    shop = keeping()
    shop.put(body(HERE, "eastus"))
    gone(shop, version_id())
    shop.put({"location": HERE})
    shop.wait(minutes=10)
    assert set(shop.regions().values()) == {"Completed"}


@pytest.mark.parametrize("way", ["bypass", "purge", "time", "gone and bypass"])
def test_version_is_gone_for_good(way: str) -> None:
    """By the parameter, by the list of the deleted ones, after seven days; its number is free again."""
    shop = keeping()
    shop.made()
    shop.send("DELETE", f"{version_id()}?{'bypassSoftDelete=true&' * (way == 'bypass')}{API}")
    shop.wait(minutes=5)
    if way == "purge":
        assert shop.send("DELETE", f"{DELETED}/1.0.0?{API}").status == 200
        assert shop.send("DELETE", f"{DELETED}/1.0.0?{API}").status == 204
    elif way == "time":
        shop.wait(days=7)
    elif way == "gone and bypass":
        assert shop.send("DELETE", f"{version_id()}?bypassSoftDelete=true&{API}").status == 204
    assert shop.get(f"{DELETED}?{API}")["value"] == []
    assert shop.put(body())["properties"]["provisioningState"] == "Creating"


def test_definition_waits_for_what_it_could_get_back() -> None:
    """Until that is purged, or the gallery keeps nothing any more."""
    shop = keeping()
    shop.made()
    gone(shop, version_id())
    assert shop.send("DELETE", f"{DEFINITION}?{API}").status == 409
    policy = {"properties": {"softDeletePolicy": {"isSoftDeleteEnabled": False}}}
    shop.send("PATCH", f"{GALLERY}?{API}", policy)
    assert shop.send("DELETE", f"{DEFINITION}?{API}").status == 202


def test_failed_version_cannot_be_soft_deleted() -> None:
    """A documented limitation; without soft delete it goes."""
    shop = keeping()
    image = shop.images()
    definition = shop.azure.galleries.definition(DEFINITION)
    assert definition is not None
    definition.properties["osType"] = "Windows"
    shop.made(body(source={"source": {"id": image}}))
    assert shop.state() == "Failed"
    assert shop.send("DELETE", f"{version_id()}?{API}").status == 409
    assert shop.send("DELETE", f"{version_id()}?bypassSoftDelete=true&{API}").status == 202
