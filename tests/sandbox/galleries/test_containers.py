"""Galleries and image definitions: made at once, described anew, never changed in kind."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.azure import SUBSCRIPTION
from tests.sandbox.compute.parts import poll

from .parts import API, DEFINITION, GALLERY, HERE, PLACE, Shop

SENT: dict[str, Any] = {
    "location": HERE,
    "properties": {
        "osType": "Linux",
        "osState": "Generalized",
        "hyperVGeneration": "V2",
        "identifier": {"publisher": "p", "offer": "o", "sku": "s"},
        "disallowed": {},
        "features": [],
    },
}


@pytest.fixture
def shop() -> Shop:
    return Shop()


def definition(**properties: Any) -> dict[str, Any]:
    return {**SENT, "properties": {**SENT["properties"], **properties}}


def refused(shop: Shop, path: str, sent: dict[str, Any]) -> tuple[int, str, str]:
    answer = shop.send("PUT", f"{path}?{API}", sent)
    error = answer.json()["error"]
    return answer.status, error["code"], error.get("target", error["message"])


def test_gallery_is_made_in_a_moment(shop: Shop) -> None:
    """201 Creating, 200 Updating; no tags where none were sent; a unique name."""
    path = f"{PLACE}/galleries/more"
    new = shop.send("PUT", f"{path}?{API}", {"location": HERE, "properties": {"identifier": {}}})
    assert (new.status, new.json()["properties"]["provisioningState"]) == (201, "Creating")
    assert "tags" not in new.json()
    assert new.json()["properties"]["identifier"] == {"uniqueName": f"{SUBSCRIPTION}-MORE"}
    assert "CreateUpdateGallery3Min;49" in new.headers["x-ms-ratelimit-remaining-resource"]
    shop.wait(seconds=1)
    assert poll(shop, new, "Azure-AsyncOperation").json()["status"] == "Succeeded"
    again = shop.send("PUT", f"{path}?{API}", {"location": HERE, "tags": {}})
    assert (again.status, again.json()["properties"]["provisioningState"]) == (200, "Updating")
    shop.wait(seconds=1)
    assert shop.get(f"{path}?{API}")["properties"]["provisioningState"] == "Succeeded"
    assert refused(shop, path, {"location": "eastus"})[1] == "InvalidResourceLocation"


@pytest.mark.parametrize("name", ["my-gallery", "_gallery", "gallery.", "g" * 81])
def test_gallery_name_has_its_own_rule(shop: Shop, name: str) -> None:
    target = refused(shop, f"{PLACE}/galleries/{name}", {"location": HERE})
    assert target == (400, "InvalidParameter", "galleryName")


def test_galleries_are_listed_by_group_and_subscription(shop: Shop) -> None:
    """Their ids have the group in upper case, as recorded."""
    everywhere = f"{PLACE.split('/resourceGroups')[0]}/providers/Microsoft.Compute/galleries"
    for path in (f"{PLACE}/galleries", everywhere):
        found = {each["id"] for each in shop.get(f"{path}?{API}")["value"]}
        assert GALLERY.replace("image-factory", "IMAGE-FACTORY") in found


def test_definition_leaves_out_what_is_empty(shop: Shop) -> None:
    """Empty `disallowed` and `features` go, the architecture comes."""
    path = f"{GALLERY}/images/db"
    shown = shop.send("PUT", f"{path}?{API}", SENT).json()["properties"]
    assert (shown["architecture"], {"disallowed", "features"} & set(shown)) == ("x64", set())
    assert path in [each["id"] for each in shop.get(f"{GALLERY}/images?{API}")["value"]]


@pytest.mark.parametrize(
    ("api", "generation", "trusted"), [("2024-03-03", "V1", False), ("2025-03-03", "V2", True)]
)
def test_default_generation_came_with_an_api_version(
    shop: Shop, api: str, generation: str, trusted: bool
) -> None:
    """Since 2025-03-03 also trusted launch, if nothing else was said."""
    sent = definition(hyperVGeneration=None)
    del sent["properties"]["features"], sent["properties"]["hyperVGeneration"]
    shown = shop.send("PUT", f"{GALLERY}/images/db?api-version={api}", sent).json()["properties"]
    assert (shown["hyperVGeneration"], "features" in shown) == (generation, trusted)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (definition(osType="Plan9"), (400, "InvalidParameter", "galleryImage.properties.osType")),
        (
            definition(identifier={"publisher": "p", "offer": "o"}),
            (400, "InvalidParameter", "galleryImage.properties.identifier.sku"),
        ),
        (
            definition(endOfLifeDate="2001-01-01T00:00:00Z"),
            (400, "InvalidParameter", "galleryImage.properties.endOfLifeDate"),
        ),
        (
            definition(identifier={"publisher": "MAIN", "offer": "web", "sku": "web"}),
            (409, "Conflict", "galleryImage.properties.identifier"),
        ),
    ],
)
def test_wrong_definition_is_refused(
    shop: Shop, sent: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    assert refused(shop, f"{GALLERY}/images/db", sent) == expected
    assert shop.send("GET", f"{GALLERY}/images/db?{API}").status == 404


def test_definition_describes_itself_anew_and_stays_what_it_is(shop: Shop) -> None:
    known = shop.get(f"{DEFINITION}?{API}")
    sent = {"location": HERE, "properties": {**known["properties"], "osState": "Specialized"}}
    assert refused(shop, DEFINITION, sent) == (
        409,
        "PropertyChangeNotAllowed",
        "galleryImage.properties.osState",
    )
    for change in ({"osType": "Windows"}, {"description": "new"}):
        answer = shop.send("PATCH", f"{DEFINITION}?{API}", {"properties": change, "tags": {"a": "b"}})
        assert answer.status == (409 if "osType" in change else 200)
    shop.wait(seconds=1)
    seen = shop.get(f"{DEFINITION}?{API}")
    assert (seen["properties"]["description"], seen["tags"]) == ("new", {"a": "b"})
    assert seen["properties"]["osType"] == "Linux"


def test_definition_needs_its_gallery(shop: Shop) -> None:
    """The sentence names the gallery."""
    status, code, message = refused(shop, f"{PLACE}/galleries/none/images/db", SENT)
    assert (status, code) == (404, "ParentResourceNotFound")
    assert "Parent resource 'none' not found" in message
