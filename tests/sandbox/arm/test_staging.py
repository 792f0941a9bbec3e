"""A staging group of the customer's own: what it must be, and what is left of it."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.azure import SUBSCRIPTION

from .parts import API, TEMPLATES, World, template_body

OWN = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/own-staging"


def world_with_group(location: str = "westeurope", *, role: bool = True) -> World:
    world = World()
    world.send("PUT", f"{OWN}?{API}", {"location": location, "tags": {"keep": "me"}})
    if role:
        world.azure.roles.assign(world.azure.setting.identity_id, "Contributor", OWN)
    return world


def test_own_group_is_used_and_survives_empty() -> None:
    """ExactStagingResourceGroup names it; after the deletion it stands, with the customer's tags alone."""
    world = world_with_group()
    template = world.provisioned(stagingResourceGroup=OWN)
    assert world.properties()["exactStagingResourceGroup"] == OWN
    assert world.get(f"{OWN}?{API}")["tags"]["usedBy"] == "AzureVMImageBuilder"
    world.send("DELETE", f"{TEMPLATES}/web?{API}")
    world.wait(minutes=3)
    assert template.staging is not None
    assert not world.storage.account_exists(template.staging.account)
    assert world.get(f"{OWN}?{API}")["tags"] == {"keep": "me"}
    assert world.get(f"{OWN}/resources?{API}")["value"] == []


def test_own_name_that_does_not_exist_is_made_and_removed() -> None:
    """Then it is Image Builder's group, by the customer's name."""
    world = World()
    world.provisioned(stagingResourceGroup=OWN)
    assert world.get(f"{OWN}?{API}")["tags"]["createdBy"] == "AzureVMImageBuilder"
    world.send("DELETE", f"{TEMPLATES}/web?{API}")
    world.wait(minutes=3)
    assert world.send("GET", f"{OWN}?{API}").status == 404


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: world_with_group("uksouth"), "same region"),
        (lambda: world_with_group(role=False), "needs the role Contributor or Owner"),
    ],
)
def test_unsuitable_own_group_fails_the_template(make: Any, words: str) -> None:
    """BadStagingResourceGroup, with what is wrong."""
    world = make()
    world.send("PUT", f"{TEMPLATES}/web?{API}", template_body(world, stagingResourceGroup=OWN))
    world.wait(minutes=1)
    error = world.properties()["provisioningError"]
    assert error["provisioningErrorCode"] == "BadStagingResourceGroup"
    assert words in error["message"]


def test_own_group_serves_one_template_only() -> None:
    """A second template on it fails; an occupied group fails too."""
    world = world_with_group()
    world.provisioned(stagingResourceGroup=OWN)
    world.provisioned("second", stagingResourceGroup=OWN)
    assert "in use by the template web" in world.properties("second")["provisioningError"]["message"]
    occupied = world_with_group()
    occupied.azure.inventory.add_account(OWN, "busy")
    occupied.provisioned(stagingResourceGroup=OWN)
    assert "not empty" in occupied.properties()["provisioningError"]["message"]
