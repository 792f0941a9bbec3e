"""What a new disk or snapshot holds: nothing, a copy, a VHD of a storage account, an upload, an image.

Whatever it is taken from has to be there, in the same region, and the caller's to use.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.arm import ids
from sandbox.arm.compute import reading
from sandbox.arm.compute.shelf import DISKS, SNAPSHOTS, Kind, kind_of
from sandbox.arm.compute.sizes import GIB, LARGEST_GB
from sandbox.arm.compute.vhds import whole_gb
from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.galleries.model import Version
from sandbox.arm.inventory import VERSIONS
from sandbox.arm.records import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.arm.compute.vhds import Vhds
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric

_FOOTER = 512


@dataclass(frozen=True, slots=True)
class Content:
    """`inherited` are members that the new resource takes over; `recorded` are added to its creationData.

    An imported disk is as long as its VHD said, unless more was asked for.
    """

    size_gb: int
    exact_bytes: int = 0
    state: str = "Unattached"
    inherited: Mapping[str, str] = field(default_factory=dict)
    recorded: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request for contents. `path` is how messages call its creationData."""

    context: Context
    location: str
    creation: dict[str, Any]
    size_gb: int | None
    noun: str

    @property
    def path(self) -> str:
        return f"{self.noun}.creationData"

    def sized(self, smallest: int) -> int:
        """As large as asked, and as what goes in. Raises ArmError 400 where that cannot be."""
        if self.size_gb is not None and self.size_gb < smallest:
            raise reading.invalid(
                f"{self.noun}.diskSizeGB",
                f"The value {self.size_gb} of parameter '{self.noun}.diskSizeGB' is out of range: what the "
                f"{self.noun} is made from needs {smallest} GB.",
            )
        return self.size_gb or smallest


class Contents:
    def __init__(self, fabric: Fabric, vhds: Vhds) -> None:
        self._fabric, self._vhds = fabric, vhds
        self._options: dict[str, Callable[[Wanted], Content]] = {
            "Empty": self._empty,
            "Copy": self._copy,
            "Import": self._import,
            "Upload": self._upload,
            "FromImage": self._from_image,
        }

    def of(self, wanted: Wanted, allowed: tuple[str, ...]) -> Content:
        """Raises ArmError where the source is wrong, missing, elsewhere or not the caller's to use."""
        option = reading.text(wanted.creation, "createOption", wanted.path)
        return self._options[reading.choice(option, allowed, f"{wanted.path}.createOption")](wanted)

    def source(
        self,
        context: Context,
        resource_id: str,
        kinds: tuple[Kind, ...],
        path: str,
        right: str,
        missing: Callable[[str], ArmError] = reading.not_found,
    ) -> Resource:
        """A resource in place that the caller may use. Raises ArmError 400, 403 or 404."""
        kind = kind_of(resource_id, kinds, path)
        context.permit_linked(f"{kind.name}/{right}", resource_id)
        found = self._fabric.records.get(resource_id)
        if not isinstance(found, Resource):
            raise missing(resource_id)
        return found

    def _empty(self, wanted: Wanted) -> Content:
        if wanted.size_gb is None:
            raise reading.required(f"{wanted.noun}.diskSizeGB")
        return Content(wanted.size_gb)

    def _copy(self, wanted: Wanted) -> Content:
        path = f"{wanted.path}.sourceResourceId"
        resource_id = reading.text(wanted.creation, "sourceResourceId", wanted.path)
        kinds, right = (DISKS, SNAPSHOTS), "beginGetAccess/action"  # [Azure/OpenShift 186, azure-docs 11362]
        found = self.source(wanted.context, resource_id, kinds, path, right)
        if found.location != wanted.location:
            raise reading.not_found(resource_id)
        if found.properties.get("provisioningState") != "Succeeded":
            raise conflict(f"Resource {found.name} is not ready to be copied: wait until it has succeeded.")
        return Content(
            wanted.sized(found.properties["diskSizeGB"]),
            inherited=self._inherited(resource_id),
            recorded={"sourceUniqueId": found.properties["uniqueId"]},
        )

    def _import(self, wanted: Wanted) -> Content:
        uri = reading.text(wanted.creation, "sourceUri", wanted.path)
        account = wanted.creation.get("storageAccountId")
        size = self._vhds.disk_bytes(
            wanted.context, uri, wanted.location, f"{wanted.path}.sourceUri", account
        )
        found = wanted.sized(whole_gb(size))
        return Content(found, exact_bytes=max(size, found * GIB))

    def _upload(self, wanted: Wanted) -> Content:
        """It waits for bytes; the size is that of the file, footer included."""
        path = f"{wanted.path}.uploadSizeBytes"
        size = reading.whole(wanted.creation, "uploadSizeBytes", wanted.path)
        if size is None:
            raise reading.required(path)
        if size <= _FOOTER or (size - _FOOTER) % (1024 * 1024):
            raise reading.invalid(
                path,
                f"The value {size} of parameter '{path}' is invalid: whole MB and a footer of 512 bytes.",
            )
        return Content(wanted.sized(-(-(size - _FOOTER) // GIB)), state="ReadyToUpload")

    def _from_image(self, wanted: Wanted) -> Content:
        """A gallery version alone: how large images of the marketplace are is not simulated."""
        member = "galleryImageReference" if "galleryImageReference" in wanted.creation else "imageReference"
        path = f"{wanted.path}.{member}"
        reference = reading.section(wanted.creation, member, wanted.path)
        resource_id, lun = reading.text(reference, "id", path), reference.get("lun")
        parsed = ids.parse(resource_id)
        if parsed is None or parsed.kind.lower() != VERSIONS.lower():
            raise reading.invalid(
                f"{path}.id", f"The id '{resource_id}' is not that of a gallery image version."
            )
        wanted.context.permit_linked(f"{VERSIONS}/read", resource_id)
        found = self._fabric.records.get(resource_id)
        region = found.region(wanted.location) if isinstance(found, Version) else None
        if not isinstance(found, Version) or region is None or region.state != "Completed":
            raise reading.not_found(resource_id)
        disks = (found.content.system, *found.content.data)
        chosen = next((disk for disk in disks if disk.lun == lun), None)
        if chosen is None:
            raise reading.invalid(
                f"{path}.lun", f"The version '{resource_id}' has no data disk of lun {lun}."
            )
        inherited = self._inherited(found.definition_id) if lun is None else {}
        return Content(wanted.sized(chosen.size_gb), inherited=inherited)

    def _inherited(self, resource_id: str) -> dict[str, str]:
        """What a disk with a system in it takes over from what it is made from."""
        found = self._fabric.records.get(resource_id)
        told = found.properties if isinstance(found, Resource) else {}
        return {name: told[name] for name in ("osType", "hyperVGeneration") if name in told}


def check_size(noun: str, size_gb: int) -> int:
    if not 1 <= size_gb <= LARGEST_GB:
        path = f"{noun}.diskSizeGB"
        raise reading.invalid(
            path, f"The value {size_gb} of parameter '{path}' is out of range: 1 to {LARGEST_GB}."
        )
    return size_gb
