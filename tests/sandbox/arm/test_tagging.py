"""Tags at a scope: one call that changes them alone, so that two writers do not undo one another."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.tagging import API_VERSIONS
from sandbox.azure import SUBSCRIPTION
from tests.sandbox.galleries.parts import API as GALLERY_API
from tests.sandbox.galleries.parts import DEFINITION, GALLERY, Shop, body, version_id

from .parts import GROUP, TEMPLATES, World

API = "api-version=2021-04-01"
ROOT = f"/subscriptions/{SUBSCRIPTION}"
HERE = f"{ROOT}/resourceGroups/{GROUP}"
ACCOUNT = f"{HERE}/providers/Microsoft.Storage/storageAccounts/archive"


def address(scope: str, version: str = API) -> str:
    return f"{scope}/providers/Microsoft.Resources/tags/default?{version}"


def sent(operation: str | None = None, /, **tags: Any) -> dict[str, Any]:
    properties = {"properties": {"tags": tags}}
    return properties if operation is None else {"operation": operation, **properties}


def patch(world: World, scope: str, operation: str, /, **tags: Any) -> dict[str, str]:
    """The tags after a change that goes."""
    answer = world.send("PATCH", address(scope), sent(operation, **tags))
    assert answer.status == 200, answer.body
    found: dict[str, str] = answer.json()["properties"]["tags"]
    return found


def code(world: World, method: str, scope: str, change: object = None, **options: Any) -> tuple[int, str]:
    answer = world.send(method, address(scope), change, **options)
    return answer.status, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    "scope", [ROOT, HERE, ACCOUNT, GALLERY, DEFINITION, version_id(), f"{TEMPLATES}/web"]
)
def test_every_scope_has_its_set_of_tags(scope: str) -> None:
    """Of a subscription, a group and resources of one, two and three types: put, read, merged, deleted."""
    shop = Shop()
    shop.made()
    shop.provisioned()
    put = shop.send("PUT", address(scope), sent(a="1", b="2")).json()
    assert (put["name"], put["type"]) == ("default", "Microsoft.Resources/tags")
    assert put["id"].lower() == address(scope).lower().split("?")[0]
    assert put["properties"] == {"tags": {"a": "1", "b": "2"}}
    assert patch(shop, scope, "Merge", c="3") == {"a": "1", "b": "2", "c": "3"}
    assert shop.get(address(scope.lower()))["properties"]["tags"] == {"a": "1", "b": "2", "c": "3"}
    version = GALLERY_API if scope != f"{TEMPLATES}/web" else "api-version=2024-02-01"
    assert shop.get(f"{scope}?{version}")["tags"] == {"a": "1", "b": "2", "c": "3"}
    deleted = shop.send("DELETE", address(scope))
    assert (deleted.status, deleted.body) == (200, b"")
    assert shop.get(address(scope))["properties"]["tags"] == {}


def test_operations_change_what_they_name_and_nothing_else() -> None:
    """Names have no case and keep their spelling, values have; Delete wants the value, or none at all."""
    world = World()
    patch(world, ACCOUNT, "Replace", Owner="me", Pin="no", Age="3")
    assert patch(world, ACCOUNT, "merge", PIN="yes") == {"Owner": "me", "Pin": "yes", "Age": "3"}
    assert patch(world, ACCOUNT, "Delete", owner="ME", age="3", none="x") == {"Owner": "me", "Pin": "yes"}
    assert patch(world, ACCOUNT, "Delete", owner="", pin=None) == {}


def test_version_keeps_its_state_and_shows_its_tag() -> None:
    """No operation, no provisioning state: also while it is being replicated, and in the list."""
    shop = Shop()
    shop.put(body())
    before = shop.version()
    assert before["properties"]["provisioningState"] == "Creating"
    patch(shop, version_id(), "Merge", marked="2026-01-02")
    assert shop.version() == {**before, "tags": {**before["tags"], "marked": "2026-01-02"}}
    listed = shop.get(f"{DEFINITION}/versions?{GALLERY_API}")["value"]
    assert [each["tags"]["marked"] for each in listed] == ["2026-01-02"]
    shop.wait(minutes=10)
    assert shop.version()["tags"]["marked"] == "2026-01-02"


def test_change_is_published_about_the_tags() -> None:
    """One event of Microsoft.Resources; none of the resource's own provider."""
    world = World()
    patch(world, ACCOUNT, "Merge", a="1")
    world.send("DELETE", address(ACCOUNT))
    written, gone = world.events
    assert written["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert written["subject"] == f"{ACCOUNT}/providers/Microsoft.Resources/tags/default"
    assert written["data"]["operationName"] == "Microsoft.Resources/tags/write"
    assert written["data"]["resourceProvider"] == "Microsoft.Resources"
    assert gone["data"]["operationName"] == "Microsoft.Resources/tags/delete"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (sent("Merge", **{f"t{n}": "" for n in range(51)}), "TagCountLimitExceeded"),
        (sent("Merge", **{"a" * 129: ""}), "InvalidTagName"),
        (sent("Merge", a="b" * 257), "InvalidTagValueLength"),
        (sent("Merge", **{"a/b": ""}), "InvalidTagNameCharacters"),
        (sent("Merge", a="1", A="2"), "DuplicateTagNames"),
        (sent("Merge", a=3), "InvalidRequestContent"),
        (sent("Move", a="3"), "InvalidRequestContent"),
        (sent(a="3"), "InvalidRequestContent"),
        ({"operation": "Merge", "properties": {}}, "InvalidRequestContent"),
    ],
)
def test_rules_of_tags_hold(change: dict[str, Any], expected: str) -> None:
    """What a set may hold; names on accounts are shorter than elsewhere. A refusal changes nothing."""
    world = World()
    patch(world, ACCOUNT, "Merge", kept="1")
    assert code(world, "PATCH", ACCOUNT, change) == (400, expected)
    assert world.get(address(ACCOUNT))["properties"]["tags"] == {"kept": "1"}
    if expected == "InvalidTagName":
        assert world.send("PATCH", address(HERE), change).status == 200


def test_set_may_be_full() -> None:
    """Fifty is the end of it, counted after the change: an update of one of them still goes."""
    world = World()
    patch(world, HERE, "Replace", **{f"t{n}": "" for n in range(50)})
    assert len(patch(world, HERE, "Merge", T7="new")) == 50
    assert code(world, "PATCH", HERE, sent("Merge", one="more")) == (400, "TagCountLimitExceeded")


def test_what_is_not_there_has_no_tags() -> None:
    """404 by each level, and no tags below a type that the world has not."""
    world, verbs = World(), ("GET", "PUT", "PATCH", "DELETE")
    missing = f"{HERE}/providers/Microsoft.Compute/galleries/none"
    assert {code(world, verb, missing, sent("Merge", a="1")) for verb in verbs} == {(404, "ResourceNotFound")}
    assert code(world, "GET", f"{ROOT}/resourceGroups/none") == (404, "ResourceGroupNotFound")
    assert code(world, "GET", ROOT.replace("0", "9")) == (404, "SubscriptionNotFound")
    old = world.send("GET", address(ACCOUNT, "api-version=2018-01-01")).json()["error"]
    assert "resource type 'tags'" in old["message"]
    assert "namespace 'Microsoft.Resources'" in old["message"]
    assert world.send("GET", address(ACCOUNT, f"api-version={API_VERSIONS[0]}")).status == 200


def test_what_is_being_deleted_is_not_tagged_any_more() -> None:
    shop = Shop()
    shop.made()
    shop.send("DELETE", f"{version_id()}?{GALLERY_API}")
    assert code(shop, "PATCH", version_id(), sent("Merge", a="1")) == (409, "OperationNotAllowed")
    shop.send("DELETE", f"{HERE}?{API}")
    assert code(shop, "PATCH", HERE, sent("Merge", a="1")) == (409, "ResourceGroupBeingDeleted")
    assert shop.send("GET", address(HERE)).status == 200


def test_right_to_tag_is_a_right_of_its_own() -> None:
    """Held at the resource it is enough for that, and for no other; writing tags is not reading them."""
    world = World()
    world.azure.roles.assign("nobody", "Image Factory", ACCOUNT)
    assert world.send("PATCH", address(ACCOUNT), sent("Merge", a="1"), principal="nobody").status == 200
    other = ACCOUNT.replace("archive", "factory")
    for scope, method in ((other, "PATCH"), (HERE, "PATCH"), (ACCOUNT, "GET"), (ACCOUNT, "DELETE")):
        refused = code(world, method, scope, sent("Merge", a="1"), principal="nobody")
        assert refused == (403, "AuthorizationFailed"), (scope, method)
