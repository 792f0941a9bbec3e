"""Gallery versions: made, updated, deleted. Each is a long operation that ends with the replication.

An update is the whole state, whether it comes as PUT or as PATCH: the list of regions that is sent replaces
the one that is there. No ETag guards it; `allowDeletionOfReplicatedLocations: false` does, a little.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.arm import paging
from sandbox.arm.compute import reading
from sandbox.arm.errors import conflict, parent_not_found
from sandbox.arm.galleries import nest, profiles
from sandbox.arm.galleries.model import Content, Version
from sandbox.arm.galleries.replication import UPDATE_SECONDS, Replication
from sandbox.arm.galleries.softdelete import SoftDeleted
from sandbox.arm.inventory import DEFINITIONS, VERSIONS
from sandbox.arm.records import Resource
from sandbox.http import Headers, Response

if TYPE_CHECKING:
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.containers import Containers
    from sandbox.arm.galleries.limits import ResourceLimits
    from sandbox.arm.galleries.sources import Sources

DELETE_SECONDS = 135.0
_PROPERTIES = "galleryImageVersion.properties"
_NAME = re.compile(r"\d{1,10}\.\d{1,10}\.\d{1,10}")
_LARGEST = 2**31 - 1


class Versions:
    def __init__(
        self,
        fabric: Fabric,
        replication: Replication,
        sources: Sources,
        containers: Containers,
        limits: ResourceLimits,
    ) -> None:
        self._fabric, self._replication, self._sources = fabric, replication, sources
        self._containers, self._limits = containers, limits
        self.deleted = SoftDeleted(fabric)
        fabric.records.reap_with(VERSIONS, self._reap)

    def get(self, context: Context) -> Response:
        version = self._known(context)
        headers = self._limits.take("GetGalleryImageVersion", context)
        expand = (context.request.param("$expand") or "").lower() == "replicationstatus"
        document = version.document(context.version, context.now, expand=expand)
        return Response.of(200, document, headers)

    def listed(self, context: Context) -> Response:
        above = nest.parent(self._fabric, f"{context.request.path}/-", DEFINITIONS)
        headers = self._limits.take("ListGalleryImageVersions", context)
        found = self.of(above.id)
        rows = [each.document(context.version, context.now) for each in found]
        return paging.page(context.request, rows, self._fabric.page_size, headers)

    def of(self, definition_id: str) -> list[Version]:
        found = self._fabric.records.of_kind(VERSIONS, definition_id)
        return [each for each in found if isinstance(each, Version)]

    def put(self, context: Context) -> Response:
        body = context.body()
        headers = self._limits.take("CreateUpdateGalleryImageVersion", context)
        known = self._fabric.records.get(context.request.path)
        if isinstance(known, Version):
            return self._update(context, known, body, headers, tags=dict(body.get("tags") or {}))
        definition = nest.parent(self._fabric, context.request.path, DEFINITIONS)
        buried = self.deleted.version(context.request.path)
        if buried is not None:
            return self._restore(context, buried, body, headers)
        version = self._made(context, body, definition)
        operation = nest.begin(self._fabric, context, version.location)
        self.add(version, context.now)
        self._replication.wait(version, operation, context.origin, context.now, 0)
        answer = nest.answer(
            self._fabric, context, operation, 201, version.document(context.version, context.now)
        )
        return Response(answer.status, answer.headers.also(headers), answer.body)

    def patch(self, context: Context) -> Response:
        body, version = context.body(), self._known(context)
        headers = self._limits.take("CreateUpdateGalleryImageVersion", context)
        tags = body.get("tags")
        return self._update(context, version, body, headers, tags=None if tags is None else dict(tags))

    def delete(self, context: Context) -> Response:
        version = self._fabric.records.get(context.request.path)
        if not isinstance(version, Version):
            if (context.request.param("bypassSoftDelete") or "").lower() == "true":
                self.deleted.purge(context.request.path)
            return Response(204, Headers())
        headers = self._limits.take("DeleteGalleryImageVersion", context)
        self._check_end_of_life(version, context.now)
        version.state = "Deleting"
        for region in version.regions:
            self._replication.stop(region)
        operation = nest.begin(self._fabric, context, version.location)
        bypass = (context.request.param("bypassSoftDelete") or "").lower() == "true"

        def gone(at: datetime) -> None:
            self._fabric.records.remove(version.id)
            self._containers.deleted_at[version.definition_id.lower()] = at
            self._reap(version, at)
            if not bypass:
                self.deleted.bury(version, at)

        nest.finish_after(
            self._fabric, context, operation, version.id, DELETE_SECONDS, "delete", VERSIONS, gone
        )
        answer = nest.answer(self._fabric, context, operation, 202)
        return Response(answer.status, answer.headers.also(headers), answer.body)

    def add(self, version: Version, now: datetime) -> None:
        """Put it into the world, on its way to its regions."""
        self._fabric.records.put(version)
        for region in version.regions:
            self._replication.start(version, region, now)

    def _made(self, context: Context, body: dict[str, Any], definition: Resource) -> Version:
        name, location = context.params["name"], reading.location(body)
        if not _NAME.fullmatch(name) or any(int(part) > _LARGEST for part in name.split(".")):
            raise reading.invalid(
                "galleryImageVersion.name",
                f"The entity name '{name}' is invalid: expected Major.Minor.Patch, each a 32-bit integer.",
            )
        properties = reading.section(body, "properties", "galleryImageVersion")
        profile = profiles.read(properties, location)
        if location != definition.location:
            raise reading.invalid(
                "galleryImageVersion.location",
                f"The location '{location}' is not that of the gallery image, '{definition.location}'.",
            )
        sent = reading.section(properties, "storageProfile", _PROPERTIES)
        safety = reading.section(properties, "safetyProfile", _PROPERTIES)
        content = self._sources.read(context, location, sent, definition)
        return self.build(
            context.request.path,
            definition,
            content,
            profile,
            dict(body.get("tags") or {}),
            context.now,
            safety,
        )

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
        """A version from what is known to be sound; `add` puts it into the world."""
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
            allow_deletion=bool(profiles.flag(safety, "allowDeletionOfReplicatedLocations", _PROPERTIES)),
            block_deletion=bool(profiles.flag(safety, "blockDeletionBeforeEndOfLife", _PROPERTIES)),
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
        self._check_updatable(version)
        properties = reading.section(body, "properties", "galleryImageVersion")
        self._apply(version, properties, context.now)
        if tags is not None:
            version.tags = tags
        version.state = "Creating" if version.state == "Creating" else "Updating"
        operation = nest.begin(self._fabric, context, version.location)
        self._replication.wait(version, operation, context.origin, context.now, UPDATE_SECONDS)
        document = version.document(context.version, context.now)
        answer = nest.answer(self._fabric, context, operation, 200, document)
        return Response(answer.status, answer.headers.also(headers), answer.body)

    def _check_updatable(self, version: Version) -> None:
        if version.state == "Deleting":
            raise conflict(
                f"The gallery image version '{version.name}' is being deleted: nothing else is allowed.",
                "OperationNotAllowed",
            )
        if version.busy and self._fabric.switches.update_while_updating == "refused":
            raise conflict(
                f"The gallery image version '{version.name}' is being updated: wait until that has ended.",
                "OperationNotAllowed",
            )

    def _apply(self, version: Version, properties: dict[str, Any], now: datetime) -> None:
        """Check everything before anything is changed."""
        profile = reading.section(properties, "publishingProfile", _PROPERTIES)
        safety = reading.section(properties, "safetyProfile", _PROPERTIES)
        path = profiles.PATH
        _unchanged(profile, "storageAccountType", version.storage)
        _unchanged(profile, "replicationMode", version.mode or "Full")
        _same_source(version, reading.section(properties, "storageProfile", _PROPERTIES))
        allow = profiles.flag(safety, "allowDeletionOfReplicatedLocations", _PROPERTIES)
        block = profiles.flag(safety, "blockDeletionBeforeEndOfLife", _PROPERTIES)
        allowed = version.allow_deletion if allow is None else allow
        count = reading.whole(profile, "replicaCount", path) or version.replica_count
        excluded, end = profiles.flag(profile, "excludeFromLatest", path), profiles.end_of_life(profile)
        sent = reading.rows(profile, "targetRegions", path)
        if sent:
            wanted = profiles.targets(sent, version.location, count, version.storage)
            merged = profiles.merge(version, wanted, self._fabric.switches, guarded=not allowed)
            self._replace(version, merged, now)
        version.replica_count = count
        version.excluded = version.excluded if excluded is None else excluded
        version.end_of_life = end or version.end_of_life
        version.allow_deletion = allowed
        version.block_deletion = version.block_deletion if block is None else block

    def _replace(self, version: Version, merged: list[Any], now: datetime) -> None:
        for region in version.regions:
            if region not in merged:
                self._replication.stop(region)
        version.regions = merged
        again = self._fabric.switches.failed_region_retried
        for region in merged:
            if region.state == "Unknown" or (region.state == "Failed" and again):
                self._replication.start(version, region, now)

    def _check_end_of_life(self, version: Version, now: datetime) -> None:
        if not version.block_deletion or version.end_of_life is None:
            return
        if now < datetime.fromisoformat(version.end_of_life):
            raise conflict(
                f"The gallery image version '{version.name}' cannot be deleted before its end of life "
                f"{version.end_of_life}, since blockDeletionBeforeEndOfLife is true.",
                "DeleteGalleryImageVersionBlockedBeforeEndOfLife",
            )

    def _restore(
        self, context: Context, version: Version, body: dict[str, Any], headers: dict[str, str]
    ) -> Response:
        """A PUT without a source brings it back; another one of its name cannot be made."""
        sent = reading.section(body, "properties", "galleryImageVersion")
        if reading.section(sent, "storageProfile", _PROPERTIES):
            raise conflict(
                f"The gallery image version '{version.name}' is soft-deleted: restore it, or purge it.",
                "Conflict",
            )
        self.deleted.purge(version.id)
        version.tags, version.state = dict(body.get("tags") or {}), "Updating"
        self._fabric.records.put(version)
        operation = nest.begin(self._fabric, context, version.location)
        self._replication.wait(version, operation, context.origin, context.now, UPDATE_SECONDS)
        document = version.document(context.version, context.now)
        answer = nest.answer(self._fabric, context, operation, 200, document)
        return Response(answer.status, answer.headers.also(headers), answer.body)

    def _reap(self, version: Version, _now: datetime) -> None:
        for region in version.regions:
            self._replication.stop(region)

    def _known(self, context: Context) -> Version:
        found = self._fabric.records.get(context.request.path)
        if isinstance(found, Version):
            return found
        gallery = context.request.path.rsplit("/", 4)[0]
        if not isinstance(self._fabric.records.get(gallery), Resource):
            raise parent_not_found(gallery.rsplit("/", 1)[1])
        nest.parent(self._fabric, context.request.path, DEFINITIONS)
        raise nest.not_found(VERSIONS, context)


def _unchanged(profile: dict[str, Any], name: str, own: str) -> None:
    sent = profile.get(name)
    if sent is not None and str(sent).lower() != own.lower():
        raise profiles.fixed(f"{profiles.PATH}.{name}")


def _same_source(version: Version, storage: dict[str, Any]) -> None:
    """An empty storage profile, or one that names no source, keeps what is there."""
    path = f"{_PROPERTIES}.storageProfile"
    sent = reading.section(storage, "source", path)
    if sent and sent != (version.content.source or {}):
        raise profiles.fixed(f"{path}.source")
    system = reading.section(reading.section(storage, "osDiskImage", path), "source", path)
    if system and system != version.content.system.source:
        raise profiles.fixed(f"{path}.osDiskImage.source")
