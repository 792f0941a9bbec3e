"""Compute galleries. An update is sent once; what becomes of it is seen by a later look."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared import telemetry
from shared.domain.errors import FactoryError, Missing, WrongState
from shared.domain.galleries import DefinitionId, GalleryVersion, Update, VersionId

from .arm import arm_call
from .compute import ComputeClients
from .connection import Connection
from .errors import Call, Meaning, Need, never, saying, translated
from .gallery_documents import patch, version

_TYPE = "Microsoft.Compute/galleries/images/versions"
_NOT_NOW: Mapping[int | tuple[int, str], Meaning] = {
    # Still updating, or a list that has got stale: which code says what was never recorded. Both are read
    # again, and decided again.
    409: saying(WrongState, "it takes no such update now"),
    (409, "PropertyChangeNotAllowed"): never,
    (400, "OperationNotAllowed"): saying(WrongState, "it takes no such update now"),
}


class ArmGalleries:
    """`ports.Galleries`."""

    def __init__(self, endpoint: str, connection: Connection) -> None:
        self._clients = ComputeClients(endpoint, connection)

    def get(self, id: VersionId) -> GalleryVersion | None:
        of = id.definition
        try:
            with translated(_call("reading", id.definition, "read", "Reader", id.version)):
                found = self._of(of).get(
                    of.group, of.gallery, of.name, id.version, expand="ReplicationStatus"
                )
                return version(found)
        except Missing:
            return None

    def list(self, id: DefinitionId) -> Iterator[GalleryVersion]:
        call = _call("listing the versions of", id, "read", "Reader")
        with translated(call):
            pages = self._of(id).list_by_gallery_image(id.group, id.gallery, id.name).by_page()
        while True:
            with translated(call):
                page = next(pages, None)
            if page is None:
                return
            yield from _readable(page)

    def update(self, version: GalleryVersion, change: Update) -> None:
        """By PATCH, whose body need not hold the tags: by PUT, those set since the read would be lost.

        The list of regions is whole in either verb. Both are documented; only PUT has been recorded.
        """
        of, name = version.id.definition, version.id.version
        with translated(_call("updating", of, "write", "Contributor", name, _NOT_NOW)):
            self._of(of).begin_update(
                of.group, of.gallery, of.name, name, patch(version, change), polling=False
            )

    def _of(self, id: DefinitionId) -> Any:
        return self._clients.of(id.subscription).gallery_image_versions


def _call(
    doing: str,
    id: DefinitionId,
    verb: str,
    role: str,
    version: str = "",
    but: Mapping[int | tuple[int, str], Meaning] | None = None,
) -> Call:
    scope = f"/subscriptions/{id.subscription}/resourceGroups/{id.group}"
    name = f"{id.gallery}/{id.name}"
    thing = f"gallery version {name}/{version}" if version else f"image definition {name}"
    return arm_call(f"{doing} {thing}", Need(f"{_TYPE}/{verb}", role, scope), but)


def _readable(page: Iterator[Any]) -> Iterator[GalleryVersion]:
    """One version that cannot be read must not hide the others: it gets its own look, which will say so."""
    for each in page:
        try:
            yield version(each)
        except FactoryError as error:
            telemetry.event("version-unreadable", version=str(each.get("id")), error=error)
