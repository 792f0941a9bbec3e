"""Disks, snapshots, images and machines of Compute together: their routes, operations and seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.arm.compute.contents import Contents
from sandbox.arm.compute.disks import Disks
from sandbox.arm.compute.images import Images
from sandbox.arm.compute.imagesources import ImageSources
from sandbox.arm.compute.machines import Machines
from sandbox.arm.compute.seeds import Seeds
from sandbox.arm.compute.shelf import DISKS, NAMESPACE, SNAPSHOTS, Shelf
from sandbox.arm.compute.vhds import Vhds
from sandbox.arm.router import Route

if TYPE_CHECKING:
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.inventory import Inventory
    from sandbox.http import Response

_POLLS = ("operations", "DiskOperations")


class Compute:
    """`seeds` puts resources into the world; `vhds` says what is wrong with a blob as a source."""

    def __init__(self, fabric: Fabric, inventory: Inventory) -> None:
        self._fabric = fabric
        self.vhds = Vhds(fabric, inventory)
        contents = self.contents = Contents(fabric, self.vhds)
        self.disks = Disks(fabric, Shelf(fabric, DISKS), contents)
        self.snapshots = Disks(fabric, Shelf(fabric, SNAPSHOTS), contents)
        self.machines = Machines(fabric)
        self.images = Images(fabric, ImageSources(fabric, contents, self.vhds))
        self.seeds = Seeds(fabric, self.machines, self.disks, self.snapshots)

    def routes(self) -> list[Route]:
        where = f"/subscriptions/{{subscription}}/providers/{NAMESPACE}/locations/{{location}}"
        polls = [
            Route(
                "GET",
                f"{where}/{name}/{{operation}}",
                self._poll,
                f"{NAMESPACE}/locations/{name.lower()}/read",
            )
            for name in _POLLS
        ]
        shelves = (self.disks, self.snapshots, self.images, self.machines)
        return [*(route for each in shelves for route in each.routes()), *polls]

    def _poll(self, context: Context) -> Response:
        return self._fabric.operations.poll(context.request)
