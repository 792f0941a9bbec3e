"""Managed images: of a generalized machine, or of disks, snapshots and VHDs that hold a generalized system.

The sizes of managed disks are not shown before the image is made; everything else is there at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm.compute import reading
from sandbox.arm.compute.disks import property_fixed
from sandbox.arm.compute.shelf import ASYNC_ONLY, IMAGES, Shelf
from sandbox.arm.records import Resource

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.arm.compute.imagesources import ImageSources, Made
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.router import Route
    from sandbox.http import Response

SECONDS = 8.0


class Images:
    def __init__(self, fabric: Fabric, sources: ImageSources) -> None:
        self._fabric, self._sources = fabric, sources
        self.shelf = Shelf(fabric, IMAGES)

    def routes(self) -> list[Route]:
        return self.shelf.routes(self._put, self._patch)

    def _put(self, context: Context) -> Response:
        body = context.body()
        known = self.shelf.writable(context, body)
        if known is not None:
            return self._update(context, known, body)
        location, sent = reading.location(body), reading.section(body, "properties", "image")
        made = self._sources.read(context, location, sent)
        image = Resource(
            context.request.path, IMAGES.name, location, dict(reading.section(body, "tags", "image"))
        )
        image.properties = _properties(sent, made, sized=False)
        self._fabric.records.put(image)

        def done(_at: datetime) -> None:
            state = image.properties["provisioningState"]
            image.properties = {**_properties(sent, made, sized=True), "provisioningState": state}
            self.shelf.finish(image)

        operation = self.shelf.begin(context, image, SECONDS, "write", done)
        return self.shelf.answer(context, operation, 201, ASYNC_ONLY, image.document())

    def _patch(self, context: Context) -> Response:
        return self._update(context, self.shelf.settled(self.shelf.known(context)), context.body())

    def _update(self, context: Context, image: Resource, body: dict[str, Any]) -> Response:
        """Tags alone: what an image is made of never changes."""
        _check_unchanged(image, reading.section(body, "properties", "image"))
        if body.get("tags") is not None:
            image.tags = dict(reading.section(body, "tags", "image"))
        image.properties["provisioningState"] = "Updating"
        operation = self.shelf.begin(context, image, SECONDS, "write", lambda _at: self.shelf.finish(image))
        return self.shelf.answer(context, operation, 200, ASYNC_ONLY, image.document())


def _properties(sent: dict[str, Any], made: Made, *, sized: bool) -> dict[str, Any]:
    source = (
        {"sourceVirtualMachine": sent["sourceVirtualMachine"]} if sent.get("sourceVirtualMachine") else {}
    )
    zones = (sent.get("storageProfile") or {}).get("zoneResilient")
    profile: dict[str, Any] = {
        "osDisk": made.system.document(sized=sized),
        "dataDisks": [disk.document(sized=sized) for disk in made.data],
        **({} if zones is None else {"zoneResilient": zones}),
    }
    return {
        **source,
        "storageProfile": profile,
        "provisioningState": "Creating",
        "hyperVGeneration": made.generation,
    }


def _check_unchanged(image: Resource, sent: dict[str, Any]) -> None:
    """A PUT may repeat what the image is; only the sources tell whether it is something else."""
    source = (reading.section(sent, "sourceVirtualMachine", "image").get("id") or "").lower()
    stored = (image.properties.get("sourceVirtualMachine") or {}).get("id", "").lower()
    if source and source != stored:
        raise property_fixed("image.sourceVirtualMachine.id")
    asked = reading.section(
        reading.section(sent, "storageProfile", "image"), "osDisk", "image.storageProfile"
    )
    system = image.properties["storageProfile"]["osDisk"]
    for name in ("managedDisk", "snapshot", "blobUri", "osType", "osState"):
        if asked.get(name) is not None and str(asked[name]).lower() != str(system.get(name)).lower():
            raise property_fixed(f"image.storageProfile.osDisk.{name}")
