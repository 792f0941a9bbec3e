"""Soft delete: where a gallery's policy says so, a deleted version can be brought back for some days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.arm import paging
from sandbox.arm.operations import offset
from sandbox.arm.records import Resource

if TYPE_CHECKING:
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.model import Version
    from sandbox.http import Response

DEFAULT_DAYS = 7


@dataclass(slots=True)
class Buried:
    version: Version
    at: datetime
    until: datetime

    def document(self) -> dict[str, Any]:
        return {
            "name": self.version.name,
            "id": self.version.id,
            "location": self.version.location,
            "properties": {
                "resourceArmId": self.version.id,
                "softDeletedArtifactType": "Images",
                "softDeletedTime": offset(self.at),
                "consumptionEndTime": offset(self.at),
                "hardDeletionTargetTime": offset(self.until),
            },
        }


class SoftDeleted:
    """Versions by id, until their time is over."""

    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric
        self._buried: dict[str, Buried] = {}

    def bury(self, version: Version, at: datetime) -> None:
        """Keep it, if its gallery says so."""
        gallery = self._fabric.records.get(version.id.rsplit("/", 4)[0])
        policy = gallery.properties.get("softDeletePolicy") if isinstance(gallery, Resource) else None
        if not isinstance(policy, dict) or not policy.get("isSoftDeleteEnabled"):
            return
        days = policy.get("retentionPeriodInDays") or DEFAULT_DAYS
        self._buried[version.id.lower()] = Buried(version, at, at + timedelta(days=days))

    def version(self, version_id: str) -> Version | None:
        found = self._alive().get(version_id.lower())
        return found.version if found else None

    def purge(self, version_id: str) -> None:
        self._buried.pop(version_id.lower(), None)

    def listed(self, context: Context) -> Response:
        """`.../galleries/{g}/softDeletedArtifactTypes/Images/artifacts/{image}/versions`."""
        gallery = context.request.path.lower().split("/softdeletedartifacttypes/")[0]
        prefix = f"{gallery}/images/{context.params['image'].lower()}/versions/"
        rows = [each.document() for key, each in self._alive().items() if key.startswith(prefix)]
        return paging.page(context.request, rows, self._fabric.page_size)

    def _alive(self) -> dict[str, Buried]:
        now = self._fabric.clock.now()
        self._buried = {key: each for key, each in self._buried.items() if now < each.until}
        return self._buried
