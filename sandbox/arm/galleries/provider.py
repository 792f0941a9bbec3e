"""Compute galleries together: their routes, and what others of the world do with versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.arm import ids, regions
from sandbox.arm.galleries.containers import Containers
from sandbox.arm.galleries.limits import ResourceLimits
from sandbox.arm.galleries.model import Version
from sandbox.arm.galleries.replication import Plan, Replication
from sandbox.arm.galleries.softdelete import SoftDeleted
from sandbox.arm.galleries.sources import Sources
from sandbox.arm.galleries.versions import Versions
from sandbox.arm.inventory import DEFINITIONS, GALLERIES, VERSIONS
from sandbox.arm.records import Resource
from sandbox.arm.router import Handler, Route

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.arm.compute.provider import Compute
    from sandbox.arm.context import Context, Origin
    from sandbox.arm.fabric import Fabric
    from sandbox.http import Response

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
_ALL = "/subscriptions/{subscription}/providers/Microsoft.Compute"


class Galleries:
    """`replication.plans` say what happens to replications to come."""

    def __init__(self, fabric: Fabric, compute: Compute) -> None:
        self._fabric = fabric
        self.replication = Replication(fabric)
        limits, deleted = ResourceLimits(), SoftDeleted(fabric)
        self.containers = Containers(fabric, limits, deleted)
        sources = Sources(fabric, compute.contents, compute.vhds)
        self.versions = Versions(fabric, self.replication, sources, self.containers, limits, deleted)
        fabric.records.reap_with(GALLERIES, lambda gallery, _at: deleted.purge_below(gallery.id))

    def routes(self) -> list[Route]:
        c, v = self.containers, self.versions
        gallery = f"{_GROUP}/galleries/{{name}}"
        definition = f"{_GROUP}/galleries/{{gallery}}/images/{{name}}"
        version = f"{_GROUP}/galleries/{{gallery}}/images/{{image}}/versions/{{name}}"
        below = f"{_GROUP}/galleries/{{gallery}}/softDeletedArtifactTypes/Images/artifacts/{{image}}/versions"
        table: tuple[tuple[str, str, Handler, str], ...] = (
            ("GET", gallery, c.get_gallery, f"{GALLERIES}/read"),
            ("PUT", gallery, c.put_gallery, f"{GALLERIES}/write"),
            ("PATCH", gallery, c.patch_gallery, f"{GALLERIES}/write"),
            ("DELETE", gallery, c.delete_gallery, f"{GALLERIES}/delete"),
            ("GET", f"{_GROUP}/galleries", c.list_galleries, f"{GALLERIES}/read"),
            ("GET", f"{_ALL}/galleries", c.list_galleries, f"{GALLERIES}/read"),
            ("GET", definition, c.get_definition, f"{DEFINITIONS}/read"),
            ("PUT", definition, c.put_definition, f"{DEFINITIONS}/write"),
            ("PATCH", definition, c.patch_definition, f"{DEFINITIONS}/write"),
            ("DELETE", definition, c.delete_definition, f"{DEFINITIONS}/delete"),
            ("GET", f"{_GROUP}/galleries/{{gallery}}/images", c.list_definitions, f"{DEFINITIONS}/read"),
            ("GET", version, v.get, f"{VERSIONS}/read"),
            ("PUT", version, v.put, f"{VERSIONS}/write"),
            ("PATCH", version, v.patch, f"{VERSIONS}/write"),
            ("DELETE", version, v.delete, f"{VERSIONS}/delete"),
            ("GET", version.removesuffix("/{name}"), v.listed, f"{VERSIONS}/read"),
            ("GET", below, v.deleted.listed, f"{GALLERIES}/read"),
            ("DELETE", f"{below}/{{name}}", v.deleted.purged, f"{VERSIONS}/delete"),
        )
        polls = f"{_ALL}/locations/{{location}}/capsOperations/{{operation}}"
        poll = Route("GET", polls, self._poll, "Microsoft.Compute/locations/capsoperations/read")
        return [*(Route(verb, path, handler, action) for verb, path, handler, action in table), poll]

    def make(self, version: Version, origin: Origin, now: datetime) -> None:
        """Bring a version that is in the world to its regions, as a request of Azure's own would.

        `version.ended` is called once when that is over, whatever came of it.
        """
        if self._fabric.records.get(version.id) is not version or version.state == "Deleting":
            state = version.state  # somebody was faster and deleted it
            self.replication.abandon(version, now)
            version.state = state
            return
        subscription = version.id.split("/")[2]
        where = f"providers/Microsoft.Compute/locations/{version.location}/capsOperations"
        operation = self._fabric.operations.start("compute", subscription, where, now)
        if version.content.flaw is not None:
            self.replication.refuse(version, version.content.flaw, operation, origin, now)
            return
        for region in version.regions:
            if region.state == "Unknown":
                self.replication.start(version, region, now)
        self.replication.wait(version, operation, origin, now, 0)

    def latest(self, definition_id: str, region: str) -> Version | None:
        """What `latest` means in the region: the highest version that has replicated and is not excluded."""
        there = (each for each in self.versions.of(definition_id) if each.latest_in(regions.plain(region)))
        return max(there, key=lambda each: each.rank, default=None)

    def version(self, version_id: str) -> Version | None:
        found = self._fabric.records.get(version_id)
        return found if isinstance(found, Version) else None

    def definition(self, definition_id: str) -> Resource | None:
        found = self._fabric.records.get(definition_id)
        return found if isinstance(found, Resource) and found.kind == DEFINITIONS else None

    def plan(self, plan: Plan) -> None:
        """The last plan that covers a replication counts."""
        self.replication.plans.insert(0, plan)

    def seed_gallery(self, group_id: str, name: str) -> Resource:
        """A gallery that was there before; returns the one that is there already."""
        parsed = ids.parse_group(group_id)
        group = self._fabric.records.group(*parsed) if parsed else None
        if parsed is None or group is None:
            raise ValueError(f"no resource group {group_id!r}: add the group before what is in it")
        gallery = Resource(f"{group.id}/providers/{GALLERIES}/{name}", GALLERIES, group.location)
        known = self._fabric.records.get(gallery.id)
        if isinstance(known, Resource):
            return known
        identifier = {"uniqueName": f"{parsed[0]}-{name.upper()}"}
        gallery.properties = {"identifier": identifier, "provisioningState": "Succeeded"}
        self._fabric.records.put(gallery)
        return gallery

    def seed_definition(
        self,
        group_id: str,
        gallery: str,
        name: str,
        *,
        os_type: str = "Windows",
        os_state: str = "Generalized",
        generation: str = "V2",
        location: str | None = None,
    ) -> Resource:
        """An image definition that was there before, with its gallery."""
        above = self.seed_gallery(group_id, gallery)
        made = Resource(f"{above.id}/images/{name}", DEFINITIONS, location or above.location)
        made.properties = {
            "hyperVGeneration": generation,
            "architecture": "x64",
            "osType": os_type,
            "osState": os_state,
            "identifier": {"publisher": gallery, "offer": name, "sku": name},
            "provisioningState": "Succeeded",
        }
        self._fabric.records.put(made)
        return made

    def _poll(self, context: Context) -> Response:
        return self._fabric.operations.poll(context.request)
