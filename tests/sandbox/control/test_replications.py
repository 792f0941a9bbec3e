"""Orders about replications to come."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sandbox.control.galleries import GalleryOrders
from sandbox.control.orders import Refused, Replication, decode
from tests.sandbox.galleries.parts import Shop, body, update


def order(shop: Shop, **wanted: Any) -> GalleryOrders:
    orders = GalleryOrders(shop.azure)
    orders.plan(decode(msgspec.json.encode(wanted), Replication))
    return orders


def test_region_takes_as_long_as_ordered_and_fails_as_often() -> None:
    """The last order that covers a version and a region counts; a failed attempt is told with its words."""
    shop = Shop()
    order(shop, version="web/1.*", region="*us*", fails=1, details="no room", seconds=100)
    orders = order(shop, version="web/1.0.0", region="UK South", seconds=3600)
    assert [plan.region for plan in orders.plans()] == ["uksouth", "*us*"]
    shop.put(body("westeurope", "eastus2", "uksouth"))
    shop.wait(minutes=20)
    assert shop.regions() == {"West Europe": "Completed", "East US 2": "Failed", "UK South": "Replicating"}
    shop.wait(minutes=41)
    assert (shop.state(), shop.regions()["UK South"]) == ("Failed", "Completed")
    shop.made(update("westeurope", "eastus2", "uksouth"))
    assert (shop.state(), shop.regions()["East US 2"]) == ("Succeeded", "Completed")


def test_orders_can_be_forgotten() -> None:
    """A region that hangs by then goes on hanging until it is asked for anew."""
    shop = Shop()
    orders = order(shop, region="uksouth", hangs=True)
    shop.put(body("westeurope", "uksouth"))
    assert orders.forget() == {"forgotten": 1}
    shop.wait(days=2)
    assert shop.regions()["UK South"] == "Replicating"
    shop.put(update("westeurope"))
    shop.made(update("westeurope", "uksouth"))
    assert shop.regions()["UK South"] == "Completed"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"hangs": True, "fails": 1}, "neither fails nor ends"),
        ({"version": "web"}, "has no definition"),
        ({"region": "moon"}, "no region 'moon'"),
        ({"fails": -1}, ">= 0"),
        ({"regoin": "uksouth"}, "The keys are: version, region"),
    ],
)
def test_order_that_makes_no_sense_is_refused(wanted: dict[str, Any], words: str) -> None:
    """With what would."""
    with pytest.raises(Refused, match=words):
        order(Shop(), **wanted)
