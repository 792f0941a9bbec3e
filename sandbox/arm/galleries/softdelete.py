"""Soft delete: where a gallery's policy says so, a deleted version can be brought back for some days.

The days of retention come first, then those of grace; until both are over it can be brought back, and only in
the first ones it could still be used [Restore-AzGalleryImageVersion; SoftDeletePolicy of azure-mgmt-compute].
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.arm import paging
from sandbox.arm.errors import parent_not_found
from sandbox.arm.operations import offset
from sandbox.arm.records import Resource
from sandbox.http import Headers, Response

if TYPE_CHECKING:
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.model import Version

DEFAULT_DAYS = 7
SINCE = "2026-03-03"
"""The api-version that brought grace, both ends, and `bypassSoftDelete` [Azure/azure-cli 34074]."""


@dataclass(slots=True)
class Buried:
    version: Version
    at: datetime
    usable_until: datetime
    until: datetime

    def document(self, api: str) -> dict[str, Any]:
        ends = {
            "consumptionEndTime": offset(self.usable_until),
            "hardDeletionTargetTime": offset(self.until),
        }
        return {
            "name": self.version.name,
            "id": self.version.id,
            "location": self.version.location,
            "properties": {
                "resourceArmId": self.version.id,
                "softDeletedArtifactType": "Images",
                "softDeletedTime": offset(self.at),
                **(ends if api >= SINCE else {}),
            },
        }


class SoftDeleted:
    """Versions by id, until their time is over."""

    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric
        self._buried: dict[str, Buried] = {}

    def keeps(self, version_id: str) -> bool:
        """Whether the version's gallery has soft delete enabled."""
        return self._policy(version_id).get("isSoftDeleteEnabled") is True

    def bury(self, version: Version, at: datetime) -> None:
        """Keep it, if its gallery says so."""
        if self.keeps(version.id):
            policy = self._policy(version.id)
            usable = at + timedelta(days=policy.get("retentionPeriodInDays") or DEFAULT_DAYS)
            until = usable + timedelta(days=policy.get("gracePeriodInDays") or 0)
            self._buried[version.id.lower()] = Buried(version, at, usable, until)

    def holds(self, definition_id: str) -> bool:
        """Whether a definition cannot go because of what it could get back.

        Documented: whoever disables soft delete may delete the definition nevertheless.
        """
        below = f"{definition_id.lower()}/versions/"
        return any(key.startswith(below) and self.keeps(key) for key in self._alive())

    def version(self, version_id: str) -> Version | None:
        found = self._alive().get(version_id.lower())
        return found.version if found else None

    def purge(self, version_id: str) -> None:
        self._buried.pop(version_id.lower(), None)

    def purge_below(self, parent_id: str) -> None:
        """Nothing can be brought back into a definition that is gone, nor into another of its name."""
        below = f"{parent_id.lower()}/"
        self._buried = {key: each for key, each in self._buried.items() if not key.startswith(below)}

    def listed(self, context: Context) -> Response:
        """`.../galleries/{g}/softDeletedArtifactTypes/Images/artifacts/{image}/versions`."""
        gallery = context.request.path.lower().split("/softdeletedartifacttypes/")[0]
        definition = f"{gallery}/images/{context.params['image'].lower()}"
        for parent in (gallery, definition):
            if self._fabric.records.get(parent) is None:
                raise parent_not_found(context.params["image" if parent is definition else "gallery"])
        alive = self._alive().items()
        rows = [each.document(context.version) for key, each in alive if key.startswith(f"{definition}/")]
        return paging.page(context.request, rows, self._fabric.page_size)

    def purged(self, context: Context) -> Response:
        """The documented way to be rid of one for good."""
        gallery, _, rest = context.request.path.lower().partition(
            "/softdeletedartifacttypes/images/artifacts/"
        )
        known = f"{gallery}/images/{rest}" in self._alive()
        self.purge(f"{gallery}/images/{rest}")
        return Response(200 if known else 204, Headers())

    def _policy(self, version_id: str) -> dict[str, Any]:
        gallery = self._fabric.records.get(version_id.rsplit("/", 4)[0])
        policy = gallery.properties.get("softDeletePolicy") if isinstance(gallery, Resource) else None
        return policy if isinstance(policy, dict) else {}

    def _alive(self) -> dict[str, Buried]:
        now = self._fabric.clock.now()
        self._buried = {key: each for key, each in self._buried.items() if now < each.until}
        return self._buried
