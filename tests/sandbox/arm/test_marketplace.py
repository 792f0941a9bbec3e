"""The catalogue: text order on the wire, numbers inside, regions and deprecation."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from sandbox.arm.marketplace import Deprecation
from sandbox.azure import SUBSCRIPTION
from sandbox.switches import Switches

from .parts import API, World

NAMES = ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2")
PUBLISHERS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/publishers"
SKUS = f"{PUBLISHERS}/{NAMES[0]}/artifacttypes/vmimage/offers/{NAMES[1]}/skus"


@pytest.fixture
def world() -> World:
    return World()


def names(found: Any) -> list[str]:
    return [each["name"] for each in found]


def test_lists_are_bare_arrays_down_to_the_version(world: World) -> None:
    """Publishers, offers, SKUs, versions: no `value`, ids with capitals."""
    assert "Canonical" in names(world.get(f"{PUBLISHERS}?{API}"))
    assert NAMES[1] in names(world.get(f"{SKUS.rsplit('/', 2)[0]}?{API}"))
    assert names(world.get(f"{SKUS}?{API}")) == ["22_04-lts", "22_04-lts-gen2"]
    (first, _) = world.get(f"{SKUS}/{NAMES[2]}/versions?{API}")
    assert first["id"].endswith(f"/Skus/{NAMES[2]}/Versions/22.04.202609090")
    assert "properties" not in first


def test_versions_order_as_text_unless_switched() -> None:
    """22.04.9 comes after 22.04.202610070 as text; as numbers it is the oldest."""
    for collation, newest in (("text", "22.04.9"), ("numeric", "22.04.202610070")):
        world = World(switches=Switches().with_values({"orderby_collation": collation}))
        world.azure.catalogue.add_version(*NAMES, "22.04.9")
        listed = world.get(f"{SKUS}/{NAMES[2]}/versions?{API}&$orderby=name desc&$top=1")
        assert names(listed) == [newest]
        assert world.azure.catalogue.latest(*NAMES, "westeurope") == "22.04.202610070"


def test_sdk_lists_and_reads_versions(world: World) -> None:
    """With and without properties, and one by name."""
    images = world.compute().virtual_machine_images
    assert len(images.list("westeurope", *NAMES)) == 2
    full = images.list_with_properties("westeurope", *NAMES, expand="Properties")
    assert full[0].image_deprecation_status.image_state == "Active"
    one = images.get("westeurope", *NAMES, "22.04.202610070")
    assert one.hyper_v_generation == "V2"
    with pytest.raises(HttpResponseError) as caught:
        images.get("westeurope", *NAMES, "1.2.3")
    assert caught.value.status_code == 404


def test_version_reaches_regions_one_by_one(world: World) -> None:
    """It is listed, and latest, only where it has arrived."""
    world.azure.catalogue.add_version(*NAMES, "22.04.202611010", regions=["eastus"])
    assert world.azure.catalogue.latest(*NAMES, "westeurope") == "22.04.202610070"
    assert len(world.get(f"{SKUS}/{NAMES[2]}/versions?{API}")) == 2
    world.azure.catalogue.add_version(*NAMES, "22.04.202611010", regions=["westeurope"])
    assert len(world.get(f"{SKUS}/{NAMES[2]}/versions?{API}")) == 3
    assert len(world.get(f"{SKUS}/{NAMES[2]}/versions?{API}".replace("westeurope", "eastus"))) == 3


def test_deprecated_version_is_listed_but_not_latest(world: World) -> None:
    """ImageDeprecationStatus says so, with the alternative."""
    world.azure.catalogue.deprecate(
        *NAMES, "22.04.202610070", Deprecation("Deprecated", "2027-01-01T00:00:00Z", "ubuntu-24_04-lts")
    )
    listed = world.get(f"{SKUS}/{NAMES[2]}/versions?{API}&$expand=properties")
    state = listed[1]["properties"]["imageDeprecationStatus"]
    assert state["imageState"] == "Deprecated"
    assert state["alternativeOption"] == {"type": "Offer", "value": "ubuntu-24_04-lts"}
    assert world.azure.catalogue.latest(*NAMES, "westeurope") == "22.04.202609090"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{PUBLISHERS}/Nobody/artifacttypes/vmimage/offers?{API}", 404),
        (f"{SKUS}/none/versions?{API}", 404),
        (f"{SKUS}/{NAMES[2]}/versions?{API}&$top=none", 400),
        (f"{SKUS}/{NAMES[2]}/versions?{API}&$orderby=size", 400),
        (f"{PUBLISHERS.replace('westeurope', 'atlantis')}?{API}", 400),
    ],
)
def test_unknown_images_regions_and_options_are_errors(world: World, path: str, status: int) -> None:
    """404 for what is not offered, 400 for what cannot be asked."""
    assert world.send("GET", path).status == status


@pytest.mark.parametrize(
    ("given", "words"),
    [((*NAMES, "22.04"), "three decimal numbers"), (("a", "b", "c", "1.0.0"), "no platform image a:b:c")],
)
def test_impossible_versions_are_refused_by_name(world: World, given: Any, words: str) -> None:
    """Whoever adds a version learns what was wrong with it."""
    with pytest.raises(ValueError, match=words):
        world.azure.catalogue.add_version(*given)
