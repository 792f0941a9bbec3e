"""Gallery versions: made, read, updated, deleted. Each is a long operation that ends with the replication."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.arm import paging
from sandbox.arm.compute import reading
from sandbox.arm.errors import ArmError, conflict, parent_not_found
from sandbox.arm.galleries import nest, profiles, softdelete
from sandbox.arm.galleries.model import Content, Version
from sandbox.arm.galleries.replication import UPDATE_SECONDS, Replication
from sandbox.arm.galleries.updates import PROPERTIES, Updates
from sandbox.arm.inventory import DEFINITIONS, VERSIONS
from sandbox.arm.records import Resource
from sandbox.http import Headers, Response

if TYPE_CHECKING:
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.containers import Containers
    from sandbox.arm.galleries.limits import ResourceLimits
    from sandbox.arm.galleries.softdelete import SoftDeleted
    from sandbox.arm.galleries.sources import Sources
    from sandbox.arm.records import Record

DELETE_SECONDS = 135.0
_NAME = re.compile(r"\d{1,10}\.\d{1,10}\.\d{1,10}", re.ASCII)
_LARGEST = 2**31 - 1


class Versions:
    def __init__(
        self,
        fabric: Fabric,
        replication: Replication,
        sources: Sources,
        containers: Containers,
        limits: ResourceLimits,
        deleted: SoftDeleted,
    ) -> None:
        self._fabric, self._replication, self._sources = fabric, replication, sources
        self._containers, self._limits, self.deleted = containers, limits, deleted
        self._updates = Updates(fabric, replication)
        fabric.records.reap_with(VERSIONS, replication.abandon)

    def get(self, context: Context) -> Response:
        version = self._known(context)
        headers = self._limits.take("GetGalleryImageVersion", context)
        expand = (context.request.param("$expand") or "").lower() == "replicationstatus"
        document = version.document(context.version, context.now, expand=expand)
        return Response.of(200, document, headers)

    def listed(self, context: Context) -> Response:
        above = nest.parent(self._fabric, f"{context.request.path}/-", DEFINITIONS)
        rows = [each.document(context.version, context.now) for each in self.of(above.id)]
        return paging.page(context.request, rows, self._fabric.page_size)

    def of(self, definition_id: str) -> list[Version]:
        found = self._fabric.records.of_kind(VERSIONS, definition_id)
        return [each for each in found if isinstance(each, Version)]

    def put(self, context: Context) -> Response:
        body = context.body()
        headers = self._limits.take("CreateUpdateGalleryImageVersion", context)
        known = self._fabric.records.get(context.request.path)
        buried = self.deleted.version(context.request.path)
        restoring = reading.section(body, "properties", "galleryImageVersion").get("restore") is True
        if restoring and buried is None:
            raise self._nothing_to_restore(context, known)
        if isinstance(known, Version):
            nest.stay(known, reading.location(body))
            return self._update(context, known, body, headers, tags=dict(body.get("tags") or {}))
        definition = nest.parent(self._fabric, context.request.path, DEFINITIONS)
        if buried is not None:
            return self._restore(context, buried, body, headers, asked=restoring)
        version = self._made(context, body, definition)
        operation = nest.begin(self._fabric, context, version.location)
        self._fabric.records.put(version)
        document = version.document(context.version, context.now)
        if version.content.flaw is not None:
            self._replication.refuse(version, version.content.flaw, operation, context.origin, context.now)
        else:
            for region in version.regions:
                self._replication.start(version, region, context.now)
            self._replication.wait(version, operation, context.origin, context.now, 0)
        answer = nest.answer(self._fabric, context, operation, 201, document)
        return Response(answer.status, answer.headers.also(headers), answer.body)

    def patch(self, context: Context) -> Response:
        body, version = context.body(), self._known(context)
        headers = self._limits.take("CreateUpdateGalleryImageVersion", context)
        tags = body.get("tags")
        return self._update(context, version, body, headers, tags=None if tags is None else dict(tags))

    def delete(self, context: Context) -> Response:
        """It goes for good with `bypassSoftDelete`, and where its gallery keeps nothing.

        An api-version that does not know the parameter passes it over, and the version is kept.
        """
        bypass = (context.request.param("bypassSoftDelete") or "").lower() == "true"
        bypass = bypass and context.version >= softdelete.SINCE
        version = self._fabric.records.get(context.request.path)
        if not isinstance(version, Version):
            if bypass:
                self.deleted.purge(context.request.path)
            return Response(204, Headers())
        headers = self._limits.take("DeleteGalleryImageVersion", context)
        self._check_deletable(version, context.now, bypass=bypass)
        if version.state != "Deleting":
            self._replication.abandon(version, context.now)
        version.state = "Deleting"
        operation = nest.begin(self._fabric, context, version.location)

        def gone(at: datetime) -> None:
            if self._fabric.records.get(version.id) is not version:
                return  # an earlier deletion was the faster one
            self._fabric.records.remove(version.id)
            self._containers.deleted_at[version.definition_id.lower()] = at
            if not bypass:
                self.deleted.bury(version, at)

        nest.finish_after(
            self._fabric, context, operation, version.id, DELETE_SECONDS, "delete", VERSIONS, gone
        )
        answer = nest.answer(self._fabric, context, operation, 202)
        return Response(answer.status, answer.headers.also(headers), answer.body)

    def _made(self, context: Context, body: dict[str, Any], definition: Resource) -> Version:
        name, location = context.params["name"], reading.location(body)
        check_name(name)
        properties = reading.section(body, "properties", "galleryImageVersion")
        profile = profiles.read(properties, location, context.now)
        sent = reading.section(properties, "storageProfile", PROPERTIES)
        safety = reading.section(properties, "safetyProfile", PROPERTIES)
        content = self._sources.read(context, location, sent, definition)
        tags = dict(body.get("tags") or {})
        path = context.request.path
        version = self.build(path, definition, content, profile, tags, context.now, safety)
        version.location = location
        return version

    def build(
        self,
        version_id: str,
        definition: Resource,
        content: Content,
        profile: dict[str, Any],
        tags: dict[str, str],
        now: datetime,
        safety: dict[str, Any] | None = None,
    ) -> Version:
        """A version in its definition's location, of what is known to be sound; not yet in the world."""
        safety = safety or {}
        return Version(
            id=version_id,
            location=definition.location,
            tags=tags,
            content=content,
            published=now,
            regions=profile["targetRegions"],
            replica_count=profile["replicaCount"],
            excluded=profile["excludeFromLatest"],
            storage=profile["storageAccountType"],
            mode=profile["replicationMode"],
            end_of_life=profile["endOfLifeDate"],
            allow_deletion=bool(profiles.flag(safety, "allowDeletionOfReplicatedLocations", PROPERTIES)),
            block_deletion=bool(profiles.flag(safety, "blockDeletionBeforeEndOfLife", PROPERTIES)),
        )

    def _update(
        self,
        context: Context,
        version: Version,
        body: dict[str, Any],
        headers: dict[str, str],
        *,
        tags: dict[str, str] | None,
    ) -> Response:
        self._updates.check(version)
        properties = reading.section(body, "properties", "galleryImageVersion")
        self._updates.apply(version, properties, context.now)
        if tags is not None:
            version.tags = tags
        version.state = "Creating" if version.state == "Creating" else "Updating"
        return self._updating(context, version, headers)

    def _updating(self, context: Context, version: Version, headers: dict[str, str]) -> Response:
        operation = nest.begin(self._fabric, context, version.location)
        self._replication.wait(version, operation, context.origin, context.now, UPDATE_SECONDS)
        document = version.document(context.version, context.now)
        answer = nest.answer(self._fabric, context, operation, 200, document)
        return Response(answer.status, answer.headers.also(headers), answer.body)

    def _check_deletable(self, version: Version, now: datetime, *, bypass: bool) -> None:
        end = version.end_of_life
        if version.block_deletion and end is not None and now < datetime.fromisoformat(end):
            raise conflict(
                f"The gallery image version '{version.name}' cannot be deleted before its end of life {end}, "
                "since blockDeletionBeforeEndOfLife is true.",
                "DeleteGalleryImageVersionBlockedBeforeEndOfLife",
            )
        if version.state == "Failed" and not bypass and self.deleted.keeps(version.id):
            raise conflict(  # documented as a limitation, without its code
                f"The gallery image version '{version.name}' has failed and cannot be soft-deleted: disable "
                "soft delete on its gallery, delete it, and enable soft delete again.",
                "OperationNotAllowed",
            )

    def _restore(
        self,
        context: Context,
        version: Version,
        body: dict[str, Any],
        headers: dict[str, str],
        *,
        asked: bool,
    ) -> Response:
        """A PUT without a source brings it back; another one of its name cannot be made.

        `properties.restore` says so in newer clients; azure-cli sends the location alone, as documented for
        2024-03-03 [Azure/azure-cli 26773]. Tags that are not sent are those that it had.
        """
        nest.stay(version, reading.location(body))
        sent = reading.section(body, "properties", "galleryImageVersion")
        needed = self._fabric.switches.restore_needs_flag
        if reading.section(sent, "storageProfile", PROPERTIES) or (needed and not asked):
            raise conflict(
                f"The gallery image version '{version.name}' is soft-deleted: restore it, or purge it.",
                "Conflict",
            )
        self.deleted.purge(version.id)
        if body.get("tags") is not None:
            version.tags = dict(body["tags"])
        version.state = "Updating"
        self._fabric.records.put(version)
        for region in version.regions:
            if region.state != "Completed":
                self._replication.start(version, region, context.now)
        return self._updating(context, version, headers)

    def _nothing_to_restore(self, context: Context, known: Record | None) -> ArmError:
        if known is None:
            nest.parent(self._fabric, context.request.path, DEFINITIONS)
            return nest.not_found(VERSIONS, context)
        name = known.id.rsplit("/", 1)[1]
        return conflict(
            f"The gallery image version '{name}' cannot be restored, since it is not soft-deleted.",
            "OperationNotAllowed",
        )

    def _known(self, context: Context) -> Version:
        found = self._fabric.records.get(context.request.path)
        if isinstance(found, Version):
            return found
        gallery = context.request.path.rsplit("/", 4)[0]
        if not isinstance(self._fabric.records.get(gallery), Resource):
            raise parent_not_found(gallery.rsplit("/", 1)[1])
        nest.parent(self._fabric, context.request.path, DEFINITIONS)
        raise nest.not_found(VERSIONS, context)


def check_name(name: str) -> None:
    """Raises ArmError 400 [Azure/azure-rest-api-specs 10707, Azure/az-hop 707]."""
    if not _NAME.fullmatch(name) or any(int(part) > _LARGEST for part in name.split(".")):
        raise reading.invalid(
            "galleryImageVersionName",
            "The image version name is invalid. The image version name should follow "
            f"Major(int).Minor(int).Patch(int) format, where int is between 0 and {_LARGEST:,} (inclusive). "
            "For e.g: 1.0.0, 2018.12.1 etc.",
        )
