"""The marketplace lists on the wire: bare arrays, ids with capitals, text order unless switched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.marketplace import Catalogue, Sku, Version, numbers
from sandbox.arm.router import Route
from sandbox.http import Response

if TYPE_CHECKING:
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric

_BASE = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/publishers"
_OFFERS = f"{_BASE}/{{publisher}}/artifacttypes/vmimage/offers"
_SKUS = f"{_OFFERS}/{{offer}}/skus"
_VERSIONS = f"{_SKUS}/{{sku}}/versions"
_ACTION = "Microsoft.Compute/locations/publishers"


class Marketplace:
    def __init__(self, fabric: Fabric, catalogue: Catalogue) -> None:
        self._fabric, self.catalogue = fabric, catalogue

    def routes(self) -> list[Route]:
        skus = f"{_ACTION}/artifacttypes/offers/skus"
        return [
            Route("GET", _BASE, self._publishers, f"{_ACTION}/read"),
            Route("GET", _OFFERS, self._offers, f"{_ACTION}/artifacttypes/offers/read"),
            Route("GET", _SKUS, self._skus, f"{skus}/read"),
            Route("GET", _VERSIONS, self._versions, f"{skus}/versions/read"),
            Route("GET", f"{_VERSIONS}/{{version}}", self._version, f"{skus}/versions/read"),
        ]

    def _publishers(self, context: Context) -> Response:
        self._region(context)
        found = sorted({sku.publisher for sku in self.catalogue.skus()}, key=str.lower)
        return Response.of(200, [self._row(context, f"Publishers/{name}", name) for name in found])

    def _offers(self, context: Context) -> Response:
        self._region(context)
        publisher = context.params["publisher"].lower()
        skus = [sku for sku in self.catalogue.skus() if sku.publisher.lower() == publisher]
        if not skus:
            raise _no_artifact()
        place = f"Publishers/{skus[0].publisher}/ArtifactTypes/VMImage/Offers"
        names = sorted({sku.offer for sku in skus}, key=str.lower)
        return Response.of(200, [self._row(context, f"{place}/{name}", name) for name in names])

    def _skus(self, context: Context) -> Response:
        self._region(context)
        wanted = (context.params["publisher"].lower(), context.params["offer"].lower())
        skus = [s for s in self.catalogue.skus() if (s.publisher.lower(), s.offer.lower()) == wanted]
        if not skus:
            raise _no_artifact()
        rows = sorted(skus, key=lambda sku: sku.name.lower())
        return Response.of(200, [self._row(context, _place(sku), sku.name) for sku in rows])

    def _versions(self, context: Context) -> Response:
        sku, region = self._sku(context), self._region(context)
        listed = [version for version in sku.versions.values() if version.in_region(region)]
        field, _, direction = (context.request.param("$orderby") or "name asc").partition(" ")
        if field.lower() != "name" or direction.lower() not in ("asc", "desc", ""):
            raise bad_request(
                "InvalidParameter", "The $orderby supports 'name asc' and 'name desc'.", "$orderby"
            )
        by_number = self._fabric.switches.orderby_collation == "numeric"
        listed.sort(
            key=lambda v: numbers(v.name) if by_number else v.name, reverse=direction.lower() == "desc"
        )
        listed = listed[: self._top(context)]
        full = (context.request.param("$expand") or "").lower() == "properties"
        return Response.of(200, [self._entry(context, sku, version, full) for version in listed])

    def _version(self, context: Context) -> Response:
        sku, region = self._sku(context), self._region(context)
        version = sku.versions.get(context.params["version"])
        if version is None or not version.in_region(region):
            raise _no_artifact()
        return Response.of(200, self._entry(context, sku, version, True))

    def _top(self, context: Context) -> int | None:
        top = context.request.param("$top")
        if top is None:
            return None
        if not top.isdecimal() or not int(top):
            raise bad_request("InvalidParameter", f"The $top must be a positive number, not '{top}'.", "$top")
        return int(top)

    def _region(self, context: Context) -> str:
        region = context.params["location"].lower()
        if region not in self.catalogue.regions:
            raise bad_request(
                "NoRegisteredProviderFound",
                f"No registered resource provider found for location '{region}' and API version "
                f"'{context.version}' for type 'locations/publishers'. The supported locations are "
                f"'{', '.join(sorted(self.catalogue.regions))}'.",
            )
        return region

    def _sku(self, context: Context) -> Sku:
        params = context.params
        found = self.catalogue.find(params["publisher"], params["offer"], params["sku"])
        if found is None:
            raise _no_artifact()
        return found

    def _row(self, context: Context, place: str, name: str) -> dict[str, Any]:
        subscription, region = context.params["subscription"], context.params["location"]
        where = f"/Subscriptions/{subscription}/Providers/Microsoft.Compute/Locations/{region}"
        return {"location": region, "name": name, "id": f"{where}/{place}"}

    def _entry(self, context: Context, sku: Sku, version: Version, full: bool) -> dict[str, Any]:
        row = self._row(context, f"{_place(sku)}/Versions/{version.name}", version.name)
        return {"properties": _properties(sku, version), **row} if full else row


def _place(sku: Sku) -> str:
    return f"Publishers/{sku.publisher}/ArtifactTypes/VMImage/Offers/{sku.offer}/Skus/{sku.name}"


def _properties(sku: Sku, version: Version) -> dict[str, Any]:
    secure = [{"name": "SecurityType", "value": "TrustedLaunchSupported"}] if sku.generation == "V2" else []
    disk = {"operatingSystem": sku.os, "sizeInGb": 127 if sku.os == "Windows" else 31}
    plan = {"plan": dict(sku.plan)} if sku.plan else {}
    return {
        "hyperVGeneration": sku.generation,
        "architecture": sku.architecture,
        "replicaType": "Unmanaged",
        "replicaCount": 10,
        "disallowed": {"vmDiskType": "None"},
        "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": False},
        "imageDeprecationStatus": version.deprecation.document(),
        "features": [*secure, {"name": "IsAcceleratedNetworkSupported", "value": "True"}],
        "osDiskImage": disk,
        "dataDiskImages": [],
        **plan,
    }


def _no_artifact() -> ArmError:
    return ArmError(404, "NotFound", "Artifact: VMImage was not found.")
