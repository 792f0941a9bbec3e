"""Seeds: what shall have been there before, in the words of the order that the control endpoint takes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sandbox.control import seeds
from sandbox.control.galleries import GalleryOrders
from sandbox.control.orders import Refused, decode
from sandbox.control.seeding import Seeding
from tests.sandbox.galleries.parts import API, DEFINITION, Shop, body, version_id

HOME = {"name": "westeurope"}
MINE = {"group": "image-factory", "gallery": "main", "definition": "web", "version": "1.0.0"}


def seed(shop: Shop, **order: Any) -> dict[str, int]:
    """Carry out an order as it comes over the wire."""
    return Seeding(shop.azure).carry_out(decode(msgspec.json.encode(order), seeds.Seed))


def version(shop: Shop, *regions: dict[str, Any], **more: Any) -> dict[str, Any]:
    seed(shop, gallery_versions=[{**MINE, "regions": list(regions), **more}])
    return shop.version(str(more.get("version", "1.0.0")))


def test_version_has_the_past_that_it_was_given() -> None:
    """Published long ago, replicated here, failed there, excluded in a third region, with its source."""
    shop = Shop()
    source = f"{DEFINITION}/versions/0.9.0"
    seen = version(
        shop,
        HOME,
        {"name": "East US 2", "state": "Failed", "details": "no room"},
        {"name": "uksouth", "exclude_from_latest": True, "replicas": 3, "storage": "Standard_ZRS"},
        published="2026-01-02T03:04:05Z",
        end_of_life="2026-03-04T00:00:00+00:00",
        source=source,
        tags={"VMImageBuilderSource": "x"},
    )
    profile, storage = seen["properties"]["publishingProfile"], seen["properties"]["storageProfile"]
    assert profile["publishedDate"].startswith("2026-01-02T03:04:05")
    assert profile["endOfLifeDate"] == "2026-03-04T00:00:00+00:00"
    assert (storage["source"]["id"], seen["tags"]) == (source, {"VMImageBuilderSource": "x"})
    assert shop.regions() == {"West Europe": "Completed", "East US 2": "Failed", "UK South": "Completed"}
    assert seen["properties"]["provisioningState"] == "Failed"
    [listed] = [each for each in GalleryOrders(shop.azure).listed() if each["gallery"] == "main"]
    home, american, british = listed["definitions"][0]["versions"][0]["regions"]
    assert (home["latest"], american["latest"], british["latest"]) == (True, False, False)
    assert (american["details"], british["replicas"], british["storage"]) == ("no room", 3, "Standard_ZRS")


def test_version_without_regions_is_in_its_definitions_alone() -> None:
    """And Azure goes on with what was half done: it ends with an event."""
    shop = Shop()
    assert version(shop)["properties"]["provisioningState"] == "Succeeded"
    assert shop.regions() == {"West Europe": "Completed"}
    half = version(shop, HOME, {"name": "uksouth", "state": "Replicating"}, version="1.0.1")
    assert half["properties"]["provisioningState"] == "Updating"
    assert not shop.events
    shop.wait(minutes=10)
    assert shop.regions("1.0.1") == {"West Europe": "Completed", "UK South": "Completed"}
    assert [each["subject"] for each in shop.events] == [version_id("1.0.1")]


def test_everything_that_versions_are_made_of_can_be_seeded() -> None:
    """A group in another region, and in it what Azure takes as the source of a version."""
    shop = Shop()
    place = {"group": "elsewhere"}
    counts = seed(
        shop,
        groups=[{"name": "elsewhere", "location": "North Europe"}],
        disks=[{**place, "name": "d", "size_gb": 64, "os_type": "Linux", "generation": "V2"}],
        snapshots=[{**place, "name": "s", "location": "UK South"}],
        machines=[{**place, "name": "m", "power": "deallocated", "generalized": True}],
        images=[{**place, "name": "i"}],
        galleries=[{**place, "name": "kept", "soft_delete_days": 9}],
        definitions=[{**place, "gallery": "kept", "name": "linux", "os_type": "Linux"}],
        gallery_versions=[{**MINE, "group": "elsewhere", "gallery": "kept", "definition": "linux"}],
    )
    assert {name for name, count in counts.items() if count} == {
        *("groups", "disks", "snapshots", "machines", "images", "galleries", "definitions"),
        "gallery_versions",
    }
    compute = DEFINITION.split("/galleries/")[0].replace("image-factory", "elsewhere")
    for path, where in (("disks/d", "northeurope"), ("snapshots/s", "uksouth"), ("images/i", "northeurope")):
        assert shop.get(f"{compute}/{path}?{API}")["location"] == where
    gallery = shop.get(f"{compute}/galleries/kept?{API}")["properties"]
    assert gallery["softDeletePolicy"] == {"isSoftDeleteEnabled": True, "retentionPeriodInDays": 9}
    made = body("northeurope", source={"source": {"virtualMachineId": f"{compute}/virtualMachines/m"}})
    made["location"] = "northeurope"
    path = f"{compute}/galleries/kept/images/linux/versions/2.0.0?{API}"
    assert shop.send("PUT", path, made).status == 201


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"galleries": [{"group": "none", "name": "g"}]}, "no resource group 'none'"),
        ({"images": [{"group": "image-factory", "name": "i", "location": "moon"}]}, "no region 'moon'"),
        ({"disks": [{"group": "image-factory", "name": "d", "size": 3}]}, "unknown field `size`"),
        ({"machines": [{"group": "image-factory", "name": "m", "generation": "V3"}]}, "Invalid enum value"),
        (
            {"definitions": [{"group": "image-factory", "gallery": "main", "name": "web"}]},
            "main/web is there",
        ),
        ({"gallery_versions": [{**MINE, "version": "1.0"}]}, "Major(int)"),
        ({"gallery_versions": [MINE, MINE]}, "is there already"),
        ({"gallery_versions": [{**MINE, "regions": [{"name": "uksouth"}]}]}, "must contain the location"),
        ({"gallery_versions": [{**MINE, "definition": "none"}]}, "no image definition"),
        ({"gallery_versions": [{**MINE, "source": "https://example.com/a.vhd"}]}, "the address of a VHD"),
        ({"gallery_versions": [{**MINE, "published": "2026-01-02T03:04:05"}]}, "timezone"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(order: dict[str, Any], words: str) -> None:
    """In Azure's own words where it has them."""
    with pytest.raises((Refused, ValueError)) as refused:
        seed(Shop(), **order)
    assert words in str(refused.value)
