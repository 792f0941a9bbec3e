"""Galleries and image definitions: what versions stand in. Both are made at once, as recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.arm import paging
from sandbox.arm.compute import reading
from sandbox.arm.errors import ArmError
from sandbox.arm.galleries import nest
from sandbox.arm.galleries.profiles import end_of_life, fixed
from sandbox.arm.inventory import DEFINITIONS, GALLERIES, VERSIONS
from sandbox.arm.records import Resource
from sandbox.http import Headers, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.limits import ResourceLimits
    from sandbox.arm.galleries.softdelete import SoftDeleted

SECONDS = 0.2
_IMMUTABLE = ("osType", "osState", "hyperVGeneration", "architecture", "identifier")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "osType": ("Linux", "Windows"),
    "osState": ("Generalized", "Specialized"),
    "hyperVGeneration": ("V1", "V2"),
    "architecture": ("x64", "Arm64"),
}
_GALLERY_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.]{0,78}[A-Za-z0-9])?")
_LIMITED = {GALLERIES: "Gallery", DEFINITIONS: "GalleryImage"}
_TRUSTED = {"name": "SecurityType", "value": "TrustedLaunchSupported"}


class Containers:
    """`deleted_at` is when something was last deleted below an id: the parent may not know of it yet."""

    def __init__(self, fabric: Fabric, limits: ResourceLimits, deleted: SoftDeleted) -> None:
        self._fabric, self._limits, self._deleted = fabric, limits, deleted
        self.deleted_at: dict[str, datetime] = {}

    def get_gallery(self, context: Context) -> Response:
        return self._get(context, GALLERIES)

    def get_definition(self, context: Context) -> Response:
        return self._get(context, DEFINITIONS)

    def list_galleries(self, context: Context) -> Response:
        """As recorded, ids in a list have their resource group in upper case."""
        scope = context.request.path.lower().split("/providers/")[0]
        rows = []
        for each in self._fabric.records.of_kind(GALLERIES, scope):
            if isinstance(each, Resource):
                parts = each.id.split("/")
                parts[4] = parts[4].upper()
                rows.append({**_shown(each), "id": "/".join(parts)})
        return paging.page(context.request, rows, self._fabric.page_size)

    def list_definitions(self, context: Context) -> Response:
        above = nest.parent(self._fabric, f"{context.request.path}/-", GALLERIES)
        found = self._fabric.records.of_kind(DEFINITIONS, above.id)
        rows = [_shown(each) for each in found if isinstance(each, Resource)]
        return paging.page(context.request, rows, self._fabric.page_size)

    def put_gallery(self, context: Context) -> Response:
        body = context.body()
        location = reading.location(body)
        if _GALLERY_NAME.fullmatch(context.params["name"]) is None:
            raise reading.invalid(
                "galleryName",
                "Gallery name is invalid. Allowed characters are English alphanumeric characters, with "
                "underscores, and periods allowed in the middle, up to 80 characters total. All other "
                "special characters, including dashes, are disallowed.",
            )
        sent = reading.section(body, "properties", "gallery")
        subscription, name = context.params["subscription"], context.params["name"]
        own = {"identifier": {"uniqueName": f"{subscription}-{name.upper()}"}}
        kept = {
            key: value
            for key, value in sent.items()
            if key not in ("identifier", "provisioningState") and value is not None
        }
        return self._put(context, GALLERIES, location, body, {**kept, **own})

    def put_definition(self, context: Context) -> Response:
        body = context.body()
        location = reading.location(body)
        nest.parent(self._fabric, context.request.path, GALLERIES)
        reading.check_name("galleryImage", context.params["name"])
        sent = reading.section(body, "properties", "galleryImage")
        known = self._fabric.records.get(context.request.path)
        own = known.properties if isinstance(known, Resource) else {}
        properties = self._definition(context, sent, own.get("endOfLifeDate"))
        for name in _IMMUTABLE:
            if name in own and properties.get(name) != own[name]:
                raise fixed(f"galleryImage.properties.{name}")
        self._check_unique(context, properties["identifier"])
        return self._put(context, DEFINITIONS, location, body, properties)

    def patch_gallery(self, context: Context) -> Response:
        return self._patch(context, self._known(context, GALLERIES), lambda _name: False)

    def patch_definition(self, context: Context) -> Response:
        return self._patch(context, self._known(context, DEFINITIONS), lambda name: name in _IMMUTABLE)

    def delete_gallery(self, context: Context) -> Response:
        return self._delete(context, GALLERIES, DEFINITIONS)

    def delete_definition(self, context: Context) -> Response:
        return self._delete(context, DEFINITIONS, VERSIONS)

    def _definition(self, context: Context, sent: dict[str, Any], own_end: str | None) -> dict[str, Any]:
        path = "galleryImage.properties"
        identifier = reading.section(sent, "identifier", path)
        names = {
            each: reading.text(identifier, each, f"{path}.identifier")
            for each in ("publisher", "offer", "sku")
        }
        newest = context.version >= "2025-03-03"  # from then on Gen 2 with trusted launch is the default
        defaults = {"hyperVGeneration": "V2" if newest else "V1", "architecture": "x64"}
        chosen = {
            name: reading.choice(
                str(sent.get(name) or defaults.get(name) or reading.text(sent, name, path)),
                allowed,
                f"{path}.{name}",
            )
            for name, allowed in _CHOICES.items()
        }
        features = reading.rows(sent, "features", path)
        if newest and "features" not in sent and "hyperVGeneration" not in sent:
            features = [_TRUSTED]
        own = {*_CHOICES, "identifier", "features", "disallowed", "provisioningState", "endOfLifeDate"}
        more = {key: value for key, value in sent.items() if key not in own and value is not None}
        end = end_of_life(sent, path, context.now, own_end)
        return {
            "hyperVGeneration": chosen["hyperVGeneration"],
            "architecture": chosen["architecture"],
            **({"features": features} if features else {}),
            **({"disallowed": sent["disallowed"]} if sent.get("disallowed") else {}),
            "osType": chosen["osType"],
            "osState": chosen["osState"],
            "identifier": names,
            **({"endOfLifeDate": end} if end else {}),
            **more,
        }

    def _check_unique(self, context: Context, identifier: dict[str, str]) -> None:
        gallery = context.request.path.rsplit("/", 2)[0]
        for each in self._fabric.records.of_kind(DEFINITIONS, gallery):
            if not isinstance(each, Resource) or each.id.lower() == context.request.path.lower():
                continue
            if {k: v.lower() for k, v in each.properties["identifier"].items()} == {
                k: v.lower() for k, v in identifier.items()
            }:
                raise ArmError(
                    409,
                    "Conflict",
                    "Gallery image: {} identified by (publisher:{publisher}, offer:{offer}, sku:{sku}) "
                    "already exists. Choose a different publisher, offer, sku combination.".format(
                        each.name, **identifier
                    ),
                    target="galleryImage.properties.identifier",
                )

    def _put(
        self, context: Context, kind: str, location: str, body: dict[str, Any], properties: dict[str, Any]
    ) -> Response:
        headers = self._limits.take(f"CreateUpdate{_LIMITED[kind]}", context)
        known = self._fabric.records.get(context.request.path)
        if isinstance(known, Resource):
            nest.stay(known, location)
        resource = known if isinstance(known, Resource) else Resource(context.request.path, kind, location)
        resource.tags = dict(reading.section(body, "tags", kind))
        resource.extra = {} if "tags" in body else {"tags": None}
        resource.properties = {**properties, "provisioningState": "Updating" if known else "Creating"}
        if known is None:
            self._fabric.records.put(resource)
        return self._begin(context, resource, 200 if known else 201, headers)

    def _patch(self, context: Context, resource: Resource, never: Callable[[str], bool]) -> Response:
        body = context.body()
        headers = self._limits.take(f"CreateUpdate{_LIMITED[resource.kind]}", context)
        sent = reading.section(body, "properties", resource.kind)
        for name, value in sent.items():
            if never(name) and value != resource.properties.get(name):
                raise fixed(f"galleryImage.properties.{name}")
        if body.get("tags") is not None:
            resource.tags = dict(reading.section(body, "tags", resource.kind))
        taken = {k: v for k, v in sent.items() if k not in ("identifier", "provisioningState")}
        resource.properties = {**resource.properties, **taken, "provisioningState": "Updating"}
        return self._begin(context, resource, 200, headers)

    def _begin(self, context: Context, resource: Resource, status: int, headers: dict[str, str]) -> Response:
        operation = nest.begin(self._fabric, context, resource.location)
        shown = _shown(resource)

        def done(_at: datetime) -> None:
            if resource.properties["provisioningState"] != "Deleting":
                resource.properties["provisioningState"] = "Succeeded"

        nest.finish_after(
            self._fabric, context, operation, resource.id, SECONDS, "write", resource.kind, done
        )
        answer = nest.answer(self._fabric, context, operation, status, shown)
        return Response(answer.status, answer.headers.also(headers), answer.body)

    def _get(self, context: Context, kind: str) -> Response:
        found = self._known(context, kind)
        return Response.of(200, _shown(found), self._limits.take(f"Get{_LIMITED[kind]}", context))

    def _known(self, context: Context, kind: str) -> Resource:
        found = self._fabric.records.get(context.request.path)
        if isinstance(found, Resource) and found.kind == kind:
            return found
        raise nest.not_found(kind, context)

    def _delete(self, context: Context, kind: str, below: str) -> Response:
        found = self._fabric.records.get(context.request.path)
        if not isinstance(found, Resource):
            return Response(204, Headers())
        stale = self.deleted_at.get(found.id.lower())
        seconds = self._fabric.switches.stale_parent_seconds
        is_stale = stale is not None and (context.now - stale).total_seconds() < seconds
        if is_stale or self._fabric.records.of_kind(below, found.id) or self._deleted.holds(found.id):
            raise nest.nested()
        found.properties["provisioningState"] = "Deleting"
        operation = nest.begin(self._fabric, context, found.location)

        def gone(at: datetime) -> None:
            self._fabric.records.remove(found.id)
            self._deleted.purge_below(found.id)
            self.deleted_at[found.id.rsplit("/", 2)[0].lower()] = at

        nest.finish_after(self._fabric, context, operation, found.id, SECONDS, "delete", kind, gone)
        return nest.answer(self._fabric, context, operation, 202)


def _shown(resource: Resource) -> dict[str, Any]:
    """`tags` is absent if it was not sent."""
    return {name: value for name, value in resource.document().items() if value is not None}
