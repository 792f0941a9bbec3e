"""What a managed image is made from, read from its request: one machine, or disks one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.arm.compute import reading
from sandbox.arm.compute.machines import Machine, shown_storage
from sandbox.arm.compute.shelf import DISKS, MACHINES, SNAPSHOTS, Kind
from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.records import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.arm.compute.contents import Contents
    from sandbox.arm.compute.vhds import Vhds
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric

_LINKS: dict[str, tuple[Kind, ...]] = {"managedDisk": (DISKS,), "snapshot": (SNAPSHOTS,)}
# As the documents ask it for gallery versions of the same sources; for images nothing was recorded.
_RIGHT = "write"


@dataclass(frozen=True, slots=True)
class ImageDisk:
    """`size_gb` is shown at once where the request or a VHD says it, or else when the image is made."""

    source: Mapping[str, Any]
    size_gb: int | None
    caching: str
    account_type: str
    head: Mapping[str, Any] = field(default_factory=dict)
    size_at_once: bool = False

    def document(self, *, sized: bool) -> dict[str, Any]:
        size = {"diskSizeGB": self.size_gb} if self.size_gb and (sized or self.size_at_once) else {}
        tail = {"caching": self.caching, "storageAccountType": self.account_type}
        return {**self.head, **size, **self.source, **tail}


@dataclass(frozen=True, slots=True)
class Made:
    system: ImageDisk
    data: tuple[ImageDisk, ...]
    generation: str


class ImageSources:
    def __init__(self, fabric: Fabric, contents: Contents, vhds: Vhds) -> None:
        self._fabric, self._contents, self._vhds = fabric, contents, vhds

    def read(self, context: Context, location: str, sent: dict[str, Any]) -> Made:
        """Raises ArmError where the source is wrong, missing, elsewhere, or not to be made an image of."""
        machine = reading.section(sent, "sourceVirtualMachine", "image")
        profile = reading.section(sent, "storageProfile", "image")
        if bool(machine) == bool(profile.get("osDisk")):
            raise reading.invalid(
                "image",
                "Exactly one of the parameters 'image.sourceVirtualMachine' and "
                "'image.storageProfile.osDisk' has to be there.",
            )
        if machine:
            made = self._of_machine(
                context, location, reading.text(machine, "id", "image.sourceVirtualMachine")
            )
            return _checked(made, sent.get("hyperVGeneration"), "sourceVirtualMachine")
        return self._of_disks(context, location, profile, sent.get("hyperVGeneration"))

    def _of_machine(self, context: Context, location: str, machine_id: str) -> Made:
        found = self._contents.source(
            context, machine_id, (MACHINES,), "image.sourceVirtualMachine.id", _RIGHT, missing=_no_machine
        )
        if not isinstance(found, Machine) or found.location != location:
            raise _no_machine(machine_id)
        if not found.generalized:
            raise conflict(
                f"The operation 'Create Image' requires the Virtual Machine '{found.name}' to be "
                "Generalized.",
                "OperationNotAllowed",
            )
        profile = shown_storage(found)
        system = self._taken(
            profile["osDisk"], {"osType": profile["osDisk"]["osType"], "osState": "Generalized"}
        )
        data = tuple(self._taken(disk, {"lun": disk["lun"]}) for disk in profile.get("dataDisks", ()))
        return Made(system, data, found.generation)

    def _taken(self, disk: Mapping[str, Any], head: Mapping[str, Any]) -> ImageDisk:
        """A disk of a machine: its record tells what the machine does not say any more."""
        caching, shown = disk.get("caching", "None"), disk.get("diskSizeGB")
        if disk.get("vhd"):
            source = {"blobUri": disk["vhd"]["uri"]}
            return ImageDisk(source, shown, caching, "Standard_LRS", head, size_at_once=shown is not None)
        disk_id = disk["managedDisk"]["id"]
        record = self._fabric.records.get(disk_id)
        if not isinstance(record, Resource):
            raise reading.not_found(disk_id)
        size, kind = record.properties["diskSizeGB"], record.extra["sku"]["name"]
        return ImageDisk({"managedDisk": {"id": disk_id}}, size, caching, kind, head)

    def _of_disks(self, context: Context, location: str, profile: dict[str, Any], generation: Any) -> Made:
        path = "image.storageProfile.osDisk"
        asked = reading.section(profile, "osDisk", "image.storageProfile")
        head = {
            "osType": reading.choice(
                reading.text(asked, "osType", path), ("Linux", "Windows"), f"{path}.osType"
            ),
            "osState": reading.choice(
                reading.text(asked, "osState", path), ("Generalized", "Specialized"), f"{path}.osState"
            ),
        }
        system, own = self._given(context, location, asked, path, head)
        data = []
        for at, disk in enumerate(reading.rows(profile, "dataDisks", "image.storageProfile")):
            where = f"image.storageProfile.dataDisks[{at}]"
            if not isinstance(disk.get("lun"), int):
                raise reading.required(f"{where}.lun")
            data.append(self._given(context, location, disk, where, {"lun": disk["lun"]})[0])
        if len({disk.head["lun"] for disk in data}) != len(data):
            raise reading.invalid(
                "image.storageProfile.dataDisks", "Two of the data disks have the same lun."
            )
        if own is None and not isinstance(generation, str):
            raise reading.required("image.hyperVGeneration")  # nothing else can tell that of a blob
        made = Made(system, tuple(data), own or str(generation))
        return _checked(made, generation, "osDisk")

    def _given(
        self, context: Context, location: str, disk: dict[str, Any], path: str, head: Mapping[str, Any]
    ) -> tuple[ImageDisk, str | None]:
        """One disk of a request, and the generation that its source is known to have."""
        members = [name for name in (*_LINKS, "blobUri") if disk.get(name)]
        if len(members) != 1:
            raise reading.invalid(
                path, f"Exactly one of managedDisk, snapshot and blobUri is needed in '{path}'."
            )
        name, size = members[0], reading.whole(disk, "diskSizeGB", path)
        caching, kind = disk.get("caching") or "None", disk.get("storageAccountType")
        if name == "blobUri":
            uri = reading.text(disk, name, path)
            own = self._vhds.size_gb(context, uri, location, f"{path}.{name}")
            source: dict[str, Any] = {name: uri}
            return ImageDisk(source, size or own, caching, kind or "Standard_LRS", head, bool(size)), None
        link = reading.text(reading.section(disk, name, path), "id", f"{path}.{name}")
        found = self._contents.source(context, link, _LINKS[name], f"{path}.{name}.id", _RIGHT)
        if found.location != location:
            raise reading.not_found(link)
        kind = kind or found.extra.get("sku", {}).get("name", "Standard_LRS")
        taken = ImageDisk(
            {name: {"id": link}}, size or found.properties["diskSizeGB"], caching, kind, head, bool(size)
        )
        return taken, found.properties.get("hyperVGeneration", "V1")


def _checked(made: Made, asked: Any, source: str) -> Made:
    """What is asked for has to be what the source is [MicrosoftDocs/azure-devops-docs 12411]."""
    if asked and str(asked).upper() != made.generation.upper():
        raise reading.invalid(
            "image.hyperVGeneration",
            f"The Input HyperVGeneration property: '{asked}' does not match with the HyperVGeneration "
            f"property: 'Gen{made.generation[-1]}' belonging to source: '{source}'.",
        )
    return made


def _no_machine(machine_id: str) -> ArmError:
    """[MicrosoftDocs/azure-docs 79975]."""
    name = machine_id.rsplit("/", 1)[-1]
    return ArmError(
        404,
        "NotFound",
        f"Source Virtual Machine '{name}' specified in the request does not exist in this Azure location.",
    )
