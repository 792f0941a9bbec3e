"""Marketplace versions through the real SDK, over the local Azure without sockets."""

from __future__ import annotations

import pytest

from sandbox.arm.marketplace import Deprecation
from sandbox.azure import SUBSCRIPTION
from sandbox.http import Response
from sandbox.identity.tokens import NOBODY
from shared.domain.errors import AccessDenied, Missing
from shared.domain.sources import MarketplaceSource
from shared.gateways.marketplace import ArmMarketplace

from .arm import ARM, ArmWorld, Said, connection_to

JAMMY = MarketplaceSource(
    SUBSCRIPTION, "westeurope", "Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2"
)
IMAGE = (JAMMY.publisher, JAMMY.offer, JAMMY.sku)


def test_versions_are_listed_with_their_deprecation_in_one_request() -> None:
    world = ArmWorld()
    world.azure.catalogue.add_version(*IMAGE, "22.04.202611010")
    world.azure.catalogue.deprecate(*IMAGE, "22.04.202609090", Deprecation("Deprecated"))
    world.azure.catalogue.deprecate(*IMAGE, "22.04.202610070", Deprecation("ScheduledForDeprecation"))
    found = {each.version.text: each.deprecated for each in world.marketplace.versions(JAMMY)}
    assert found == {"22.04.202609090": True, "22.04.202610070": False, "22.04.202611010": False}
    assert world.methods() == ["GET"]


def test_each_region_has_its_own_list() -> None:
    world = ArmWorld()
    world.azure.catalogue.add_version(*IMAGE, "22.04.202611010", regions=["eastus"])
    assert "22.04.202611010" not in {each.version.text for each in world.marketplace.versions(JAMMY)}


def test_an_unknown_image_is_missing() -> None:
    odd = MarketplaceSource(SUBSCRIPTION, "westeurope", "Canonical", "no-such-offer", "22_04-lts-gen2")
    with pytest.raises(Missing, match="no-such-offer"):
        ArmWorld().marketplace.versions(odd)


def test_a_missing_role_is_told_with_action_and_scope() -> None:
    with pytest.raises(AccessDenied) as caught:
        ArmWorld(principal=NOBODY).marketplace.versions(JAMMY)
    assert caught.value.action.startswith("Microsoft.Compute/locations/publishers/artifactTypes")
    assert caught.value.scope == f"/subscriptions/{SUBSCRIPTION}"


def test_versions_that_are_not_three_numbers_are_left_out() -> None:
    names = ["latest", "1.2", "18.04.9", "18.04.10", "1.2.3-beta", ""]
    said = Said(Response.of(200, [{"name": name, "id": "/x", "location": "westeurope"} for name in names]))
    found = ArmMarketplace(ARM, connection_to(said)).versions(JAMMY)
    assert [each.version.text for each in found] == ["18.04.9", "18.04.10"]
    assert not any(each.deprecated for each in found)
