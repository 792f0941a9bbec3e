"""Managed disks and snapshots: a PUT is always 202 with both polling headers, also one that makes something.

While `Updating`, a new one shows no more than was sent; the operation's output is the finished resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm.compute import reading, sizes
from sandbox.arm.compute.contents import Content, Contents, Wanted, check_size
from sandbox.arm.compute.shelf import DISKS, Shelf
from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.operations import offset
from sandbox.arm.records import Resource

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.router import Route
    from sandbox.http import Response

SECONDS = 1.0
_SKUS = (
    "Standard_LRS",
    "Standard_ZRS",
    "StandardSSD_LRS",
    "StandardSSD_ZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "PremiumV2_LRS",
    "UltraSSD_LRS",
)
_OPTIONS = {
    "disk": ("Empty", "Copy", "Import", "Upload", "FromImage"),
    "snapshot": ("Empty", "Copy", "Import", "Upload"),
}


class Disks:
    """Those of one kind, which its shelf tells."""

    def __init__(self, fabric: Fabric, shelf: Shelf, contents: Contents) -> None:
        self._fabric, self.shelf, self._contents = fabric, shelf, contents
        self._noun = shelf.kind.noun
        shelf.before_delete = _check_free

    def routes(self) -> list[Route]:
        return self.shelf.routes(self._put, self._patch)

    def _put(self, context: Context) -> Response:
        body = context.body()
        known = self.shelf.writable(context, body)
        if known is not None:
            return self._update(context, known, body)
        properties = reading.section(body, "properties", self._noun)
        resource = Resource(
            context.request.path,
            self.shelf.kind.name,
            reading.location(body),
            dict(reading.section(body, "tags", self._noun)),
            {name: value for name, value in properties.items() if value is not None},
            self._beside(body, {"name": "Standard_LRS"}),
        )
        content = self._content(context, resource)
        resource.properties["provisioningState"] = "Updating"
        self._fabric.records.put(resource)
        shown, began = resource.document(), context.now

        def done(_at: datetime) -> dict[str, Any]:
            self.complete(resource, content, began)
            return resource.document()

        operation = self.shelf.begin(context, resource, SECONDS, "write", done)
        return self.shelf.answer(context, operation, 202, document=shown)

    def complete(self, resource: Resource, content: Content, began: datetime) -> None:
        """Everything that the service adds to what was sent."""
        sent = dict(resource.properties)
        own = sizes.performance(resource.extra["sku"]["name"], content.size_gb) if self._is_disk else {}
        resource.extra["sku"] = sizes.sku(resource.extra["sku"]["name"])
        resource.properties = {
            **content.inherited,
            **sent,
            "creationData": {**sent["creationData"], **content.recorded},
            "diskSizeGB": content.size_gb,
            **{name: value for name, value in own.items() if name != "tier"},
            "encryption": sent.get("encryption", {"type": "EncryptionAtRestWithPlatformKey"}),
            **({} if self._is_disk else {"incremental": sent.get("incremental", False)}),
            "networkAccessPolicy": sent.get("networkAccessPolicy", "AllowAll"),
            "publicNetworkAccess": sent.get("publicNetworkAccess", "Enabled"),
            "timeCreated": offset(began),
            "provisioningState": sent["provisioningState"],
            "diskState": content.state,
            "diskSizeBytes": content.exact_bytes or content.size_gb * sizes.GIB,
            "uniqueId": self._fabric.guid(),
            **{name: value for name, value in own.items() if name == "tier"},
        }
        self.shelf.finish(resource)

    @property
    def _is_disk(self) -> bool:
        return self.shelf.kind is DISKS

    def _content(self, context: Context, resource: Resource) -> Content:
        noun, properties = self._noun, resource.properties
        if "creationData" not in properties:
            raise reading.required(f"{noun}.creationData")
        size = reading.whole(properties, "diskSizeGB", noun)
        creation = reading.section(properties, "creationData", noun)
        content = self._contents.of(Wanted(context, resource.location, creation, size, noun), _OPTIONS[noun])
        check_size(noun, content.size_gb)
        return content

    def _patch(self, context: Context) -> Response:
        return self._update(context, self.shelf.settled(self.shelf.known(context)), context.body())

    def _update(self, context: Context, resource: Resource, body: dict[str, Any]) -> Response:
        """What changes is merged into what is there; where it came from never changes."""
        properties = reading.section(body, "properties", self._noun)
        self._check_unchanged(resource, reading.section(properties, "creationData", self._noun))
        size = reading.whole(properties, "diskSizeGB", self._noun) or resource.properties["diskSizeGB"]
        if check_size(self._noun, size) < resource.properties["diskSizeGB"]:
            raise conflict(
                f"The {self._noun} '{resource.name}' has {resource.properties['diskSizeGB']} GB and cannot "
                f"be resized to {size} GB: it can only grow.",
                "OperationNotAllowed",
            )
        if body.get("tags") is not None:
            resource.tags = dict(reading.section(body, "tags", self._noun))
        resource.extra |= self._beside(body, resource.extra["sku"])
        taken = {
            name: value for name, value in properties.items() if name != "creationData" and value is not None
        }
        own = sizes.performance(resource.extra["sku"]["name"], size) if self._is_disk else {}
        resource.properties = {
            **resource.properties,
            **taken,
            **own,
            "diskSizeBytes": max(size * sizes.GIB, resource.properties["diskSizeBytes"]),
            "provisioningState": "Updating",
        }
        shown = resource.document()

        def done(_at: datetime) -> dict[str, Any]:
            resource.extra["sku"] = sizes.sku(resource.extra["sku"]["name"])
            self.shelf.finish(resource)
            return resource.document()

        operation = self.shelf.begin(context, resource, SECONDS, "write", done)
        return self.shelf.answer(context, operation, 202, document=shown)

    def _check_unchanged(self, resource: Resource, creation: dict[str, Any]) -> None:
        stored = resource.properties["creationData"]
        for name, value in creation.items():
            if str(value).lower() != str(stored.get(name)).lower():
                raise property_fixed(f"{self._noun}.creationData.{name}")

    def _beside(self, body: dict[str, Any], default: dict[str, str]) -> dict[str, Any]:
        """Members beside the properties."""
        sku = reading.section(body, "sku", self._noun) or default
        zones = {"zones": body["zones"]} if body.get("zones") else {}
        path = f"{self._noun}.sku"
        return {
            "sku": {"name": reading.choice(reading.text(sku, "name", path), _SKUS, f"{path}.name")},
            **zones,
        }


def _check_free(disk: Resource) -> None:
    machine = disk.extra.get("managedBy")
    if machine:
        raise conflict(f"Disk {disk.name} is attached to VM {machine}.", "OperationNotAllowed")


def property_fixed(path: str) -> ArmError:
    """As recorded in public issues, target included [Azure/azure-sdk-for-net 37285]."""
    error = conflict(f"Changing property '{path}' is not allowed.", "PropertyChangeNotAllowed")
    error.target = path
    return error
