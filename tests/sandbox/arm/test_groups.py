"""Resource groups, subscriptions and the resources that are only records."""

from __future__ import annotations

import pytest

from sandbox.azure import SUBSCRIPTION
from sandbox.http import Request

from .parts import API, BASE, GROUP, World

HERE = f"/subscriptions/{SUBSCRIPTION}/resourcegroups"


@pytest.fixture
def world() -> World:
    return World()


def test_group_is_made_read_tagged_and_listed(world: World) -> None:
    """201 when new, 200 when known; a subscription comes into being with its first group."""
    assert world.send("PUT", f"{HERE}/lab?{API}", {"location": "West Europe"}).status == 201
    assert (
        world.send("PUT", f"{HERE}/lab?{API}", {"location": "westeurope", "tags": {"a": "b"}}).status == 200
    )
    assert world.send("HEAD", f"{HERE}/LAB?{API}").status == 204
    world.send("PATCH", f"{HERE}/lab?{API}", {"tags": {"c": "d"}})
    assert world.get(f"{HERE}/lab?{API}")["tags"] == {"c": "d"}
    assert [each["name"] for each in world.get(f"{HERE}?{API}")["value"]] == [GROUP, "lab"]
    elsewhere = f"/subscriptions/22222222-2222-2222-2222-222222222222/resourcegroups/g?{API}"
    assert world.send("PUT", elsewhere, {"location": "uksouth"}).status == 201
    assert world.send("GET", elsewhere).status == 200


def test_group_does_not_move(world: World) -> None:
    """Another location for a known group is 409; no location at all is 400."""
    moved = world.send("PUT", f"{HERE}/{GROUP}?{API}", {"location": "uksouth"})
    assert (moved.status, moved.json()["error"]["code"]) == (409, "InvalidResourceGroupLocation")
    assert world.send("PUT", f"{HERE}/x?{API}", {}).status == 400


def test_group_is_deleting_until_its_operation_ends(world: World) -> None:
    """202 with Location; polls are 202, then 200; storage accounts in it go along."""
    accepted = world.send("DELETE", f"{HERE}/{GROUP}?{API}")
    assert (accepted.status, accepted.headers["Retry-After"]) == (202, "15")
    poll = accepted.headers["Location"].removeprefix(BASE)
    assert world.send("GET", poll).status == 202
    assert world.get(f"{HERE}/{GROUP}?{API}")["properties"]["provisioningState"] == "Deleting"
    assert world.send("PUT", f"{HERE}/{GROUP}?{API}", {"location": "westeurope"}).status == 409
    world.wait(minutes=1)
    assert world.send("GET", poll).status == 200
    assert world.send("GET", f"{HERE}/{GROUP}?{API}").status == 404
    assert not world.storage.account_exists("archive")


def test_group_is_deleted_by_who_may_and_once(world: World) -> None:
    """403 without the role, 404 for none; asked twice it goes once, and not what came after it."""
    lab = f"{HERE}/lab?{API}"
    assert world.send("DELETE", lab).json()["error"]["code"] == "ResourceGroupNotFound"
    world.send("PUT", lab, {"location": "westeurope"})
    assert world.send("DELETE", lab, principal="nobody").json()["error"]["code"] == "AuthorizationFailed"
    assert world.send("DELETE", lab).status == 202
    world.wait(seconds=50)
    again = world.send("DELETE", lab)
    assert again.status == 202
    world.azure.switches = world.azure.switches.with_values({"second_group_deletion": "refused"})
    refused = world.send("DELETE", lab)
    assert (refused.status, refused.json()["error"]["code"]) == (409, "ResourceGroupBeingDeleted")
    world.wait(seconds=20)
    assert world.send("PUT", lab, {"location": "uksouth"}).status == 201
    world.wait(minutes=1)
    assert world.get(lab)["location"] == "uksouth"
    assert world.send("GET", again.headers["Location"].removeprefix(BASE)).status == 200


def test_world_begins_with_its_accounts_identity_and_definitions(world: World) -> None:
    """They are in the list of their group, and each can be read."""
    seen = {each["name"]: each for each in world.get(f"{HERE}/{GROUP}/resources?{API}")["value"]}
    galleries = {"images", "windows-2022", "windows-2022-dev"}
    assert set(seen) == {"factory", "archive", "scripts", "image-builder"} | galleries
    account = world.get(f"{seen['archive']['id']}?{API}")
    assert account["properties"]["primaryEndpoints"]["blob"] == "https://archive.blob.core.windows.net/"
    assert (
        len(
            world.get(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Storage/storageAccounts?{API}")[
                "value"
            ]
        )
        == 3
    )
    identity = world.get(f"{seen['image-builder']['id']}?{API}")
    assert {"tenantId", "principalId", "clientId"} <= set(identity["properties"])


def test_networks_and_identities_can_be_put(world: World) -> None:
    """A subnet needs its network; the network shows its subnets."""
    network = f"{HERE}/{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
    orphan = world.send("PUT", f"{network}/subnets/a?{API}", {})
    assert (orphan.status, orphan.json()["error"]["code"]) == (404, "ParentResourceNotFound")
    assert world.send("PUT", f"{network}?{API}", {"location": "westeurope"}).status == 201
    assert world.send("PUT", f"{network}/subnets/a?{API}", {}).status == 201
    assert world.send("PUT", f"{network}/subnets/a?{API}", {}).status == 200
    assert [each["name"] for each in world.get(f"{network}?{API}")["properties"]["subnets"]] == ["a"]
    assert [each["name"] for each in world.get(f"{network}/subnets?{API}")["value"]] == ["a"]
    identity = f"{HERE}/{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/new"
    made = world.send("PUT", f"{identity}?{API}", {"location": "westeurope"}).json()
    assert world.get(f"{identity}?{API}")["properties"] == made["properties"]


def test_cloud_describes_itself_to_strangers(world: World) -> None:
    """azure-cli asks for this before it has a token; `suffixes` is an object."""
    answer = world.azure.arm.handle(Request.to("GET", f"{BASE}/metadata/endpoints?api-version=2022-09-01"))
    assert answer.status == 200
    assert answer.json()["resourceManager"] == f"{BASE}/"
    assert isinstance(answer.json()["suffixes"], dict)


def test_subscriptions_are_those_of_the_caller(world: World) -> None:
    """Whoever holds a role in one sees it; nobody sees none."""
    assert [each["subscriptionId"] for each in world.get(f"/subscriptions?{API}")["value"]] == [SUBSCRIPTION]
    assert world.send("GET", f"/subscriptions?{API}", principal="nobody").json()["value"] == []
    assert world.get(f"/subscriptions/{SUBSCRIPTION}?{API}")["state"] == "Enabled"
    assert world.get(f"/tenants?{API}")["value"][0]["tenantId"] == world.azure.setting.tenant


def test_storage_account_can_be_deleted_by_hand(world: World) -> None:
    """200 and its blobs are gone; 204 when there is none; afterwards Resource Manager says 404."""
    account = f"{HERE}/{GROUP}/providers/Microsoft.Storage/storageAccounts/archive?{API}"
    assert [world.send("DELETE", account).status for _ in range(2)] == [200, 204]
    assert not world.storage.account_exists("archive")
    assert world.send("GET", account).json()["error"]["code"] == "ResourceNotFound"


def test_everything_of_a_subscription_is_listed(world: World) -> None:
    """What `az resource list` and `az account list-locations` ask for."""
    root = f"/subscriptions/{SUBSCRIPTION}"
    assert len(world.get(f"{root}/resources?{API}")["value"]) == 7
    assert "westeurope" in [each["name"] for each in world.get(f"{root}/locations?{API}")["value"]]
