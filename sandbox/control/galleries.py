"""Orders about galleries: where each version is, and what shall happen to replications to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.arm import ids, regions
from sandbox.arm.galleries.replication import Plan
from sandbox.arm.inventory import DEFINITIONS, GALLERIES
from sandbox.arm.records import Resource
from sandbox.control.orders import Refused

if TYPE_CHECKING:
    from sandbox.arm.galleries.model import Region, Version
    from sandbox.azure import LocalAzure
    from sandbox.control.orders import Replication

_PATTERN = frozenset("*?[")


class GalleryOrders:
    def __init__(self, azure: LocalAzure) -> None:
        self._azure = azure

    def listed(self) -> list[dict[str, Any]]:
        """Every gallery with its definitions, their versions, and the regions of each."""
        records = self._azure.fabric.records
        found = records.of_kind(GALLERIES, "/subscriptions")
        return [self._gallery(each) for each in found if isinstance(each, Resource)]

    def plans(self) -> list[Plan]:
        return self._azure.galleries.replication.plans

    def plan(self, order: Replication) -> Plan:
        """The last one that covers a replication counts."""
        if order.hangs and (order.fails or order.seconds is not None):
            raise Refused("A replication that hangs neither fails nor ends: leave out fails and seconds.")
        if "/" not in order.version and order.version != "*":
            raise Refused(
                f"The pattern {order.version!r} has no definition: expected such as windows-2022/1.*, or *."
            )
        region = regions.plain(order.region)
        if region not in regions.DISPLAY and not _PATTERN & set(region):
            raise Refused(f"There is no region {order.region!r}; patterns such as *us* are possible.")
        plan = Plan(**{**msgspec.structs.asdict(order), "region": region})
        self._azure.galleries.plan(plan)
        return plan

    def forget(self) -> dict[str, int]:
        """What already hangs goes on hanging: only an update brings it to its region."""
        plans = self.plans()
        forgotten = len(plans)
        plans.clear()
        return {"forgotten": forgotten}

    def _gallery(self, gallery: Resource) -> dict[str, Any]:
        parsed = ids.parse(gallery.id)
        return {
            "gallery": gallery.name,
            "group": parsed.group if parsed else "",
            "location": gallery.location,
            "definitions": [self._definition(each) for each in self._definitions(gallery.id)],
        }

    def _definitions(self, gallery_id: str) -> list[Resource]:
        found = self._azure.fabric.records.of_kind(DEFINITIONS, gallery_id)
        return [each for each in found if isinstance(each, Resource)]

    def _definition(self, definition: Resource) -> dict[str, Any]:
        found = self._azure.galleries.versions.of(definition.id)
        shape = ("osType", "osState", "hyperVGeneration")
        return {
            "definition": definition.name,
            "location": definition.location,
            **{name: definition.properties.get(name) for name in shape},
            "versions": [self._version(each) for each in sorted(found, key=lambda each: each.rank)],
        }

    def _version(self, version: Version) -> dict[str, Any]:
        return {
            "version": version.name,
            "state": version.state,
            "published": version.published,
            "excluded": version.excluded,
            "end_of_life": version.end_of_life,
            "tags": version.tags,
            "regions": [self._region(version, each) for each in version.regions],
        }

    def _region(self, version: Version, region: Region) -> dict[str, Any]:
        status = region.status(self._azure.clock.now())
        return {
            "region": region.name,
            "state": region.state,
            "progress": status["progress"],
            "details": region.details,
            "replicas": region.replicas,
            "storage": region.storage,
            "excluded": region.excluded,
            "latest": self._azure.galleries.latest(version.definition_id, region.name) is version,
        }
