"""What a version is made from: one image, machine, disk or VHD, in its region and of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm import ids
from sandbox.arm.compute import reading
from sandbox.arm.compute.machines import Machine, shown_storage
from sandbox.arm.compute.shelf import DISKS, IMAGES, MACHINES, SNAPSHOTS
from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.galleries.model import Content, Disk, Version
from sandbox.arm.inventory import ACCOUNTS, VERSIONS

if TYPE_CHECKING:
    from sandbox.arm.compute.contents import Contents
    from sandbox.arm.compute.vhds import Vhds
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.records import Resource

PATH = "galleryImageVersion.properties.storageProfile"
SYSTEM_CACHING, DATA_CACHING = "ReadWrite", "ReadOnly"
_SIZE_GB = 30
"""Of a source whose size nobody tells, such as a machine that was only seeded."""


class Sources:
    def __init__(self, fabric: Fabric, contents: Contents, vhds: Vhds) -> None:
        self._fabric, self._contents, self._vhds = fabric, contents, vhds

    def read(self, context: Context, location: str, profile: dict[str, Any], definition: Resource) -> Content:
        """Raises ArmError where the source is wrong, missing, elsewhere, or not the definition's kind."""
        whole = reading.section(profile, "source", PATH)
        system = reading.section(profile, "osDiskImage", PATH)
        if bool(whole) == bool(reading.section(system, "source", f"{PATH}.osDiskImage")):
            raise reading.invalid(
                PATH, f"Exactly one of '{PATH}.source' and '{PATH}.osDiskImage.source' has to be there."
            )
        if whole:
            return self._of_image(context, location, whole, definition)
        caching = str(system.get("hostCaching") or SYSTEM_CACHING)
        first = self._disk(context, location, system, f"{PATH}.osDiskImage", caching, definition)
        data = [
            self._disk(
                context,
                location,
                each,
                f"{PATH}.dataDiskImages[{at}]",
                str(each.get("hostCaching") or DATA_CACHING),
                None,
                _lun(each, at),
            )
            for at, each in enumerate(reading.rows(profile, "dataDiskImages", PATH))
        ]
        if len({disk.lun for disk in data}) != len(data):
            raise reading.invalid(f"{PATH}.dataDiskImages", "Two of the data disks have the same lun.")
        return Content(None, first, tuple(data))

    def _of_image(
        self, context: Context, location: str, source: dict[str, Any], definition: Resource
    ) -> Content:
        machine = source.get("virtualMachineId")
        if machine:
            found = self._contents.source(
                context, str(machine), (MACHINES,), f"{PATH}.source.virtualMachineId", "write"
            )
            if not isinstance(found, Machine) or found.location != location:
                raise reading.not_found(str(machine))
            return self._of_machine(found, source, definition)
        source_id = reading.text(source, "id", f"{PATH}.source")
        parsed = ids.parse(source_id)
        if parsed is not None and parsed.kind.lower() == VERSIONS.lower():
            return self._of_version(context, location, source, source_id)
        found = self._contents.source(context, source_id, (IMAGES,), f"{PATH}.source.id", "read")
        if found.location != location:
            raise reading.not_found(source_id)
        profile = found.properties.get("storageProfile", {})
        system = profile.get("osDisk", {})
        _check_kind(definition, system.get("osType"), found.properties.get("hyperVGeneration"))
        return Content(dict(source), _system(system), _data(profile))

    def _of_machine(self, machine: Machine, source: dict[str, Any], definition: Resource) -> Content:
        profile = shown_storage(machine)
        generalized = definition.properties.get("osState") == "Generalized"
        if generalized and not machine.generalized:
            raise conflict(
                f"The source Virtual Machine '{machine.name}' has to be generalized: the image definition's "
                "osState is Generalized.",
                "OperationNotAllowed",
            )
        _check_kind(definition, profile["osDisk"].get("osType"), machine.generation)
        return Content(dict(source), _system(profile["osDisk"]), _data(profile))

    def _of_version(self, context: Context, location: str, source: dict[str, Any], source_id: str) -> Content:
        context.permit_linked(f"{VERSIONS}/read", source_id)
        found = self._fabric.records.get(source_id)
        region = found.region(location) if isinstance(found, Version) else None
        if not isinstance(found, Version) or region is None or region.state != "Completed":
            raise reading.not_found(source_id)
        system = found.content.system
        return Content(
            dict(source), Disk({}, system.size_gb, system.caching, at_once=False), found.content.data
        )

    def _disk(
        self,
        context: Context,
        location: str,
        sent: dict[str, Any],
        path: str,
        caching: str,
        definition: Resource | None,
        lun: int | None = None,
    ) -> Disk:
        source = reading.section(sent, "source", path)
        if source.get("uri"):
            account = source.get("storageAccountId") or source.get("id")
            if not isinstance(account, str) or f"/{ACCOUNTS.lower()}/" not in account.lower():
                raise reading.required(f"{path}.source.storageAccountId")
            size = self._vhds.size_gb(context, str(source["uri"]), location, f"{path}.source.uri", account)
            return Disk(dict(source), size, caching, lun)
        source_id = reading.text(source, "id", f"{path}.source")
        kinds = (DISKS, SNAPSHOTS)
        found = self._contents.source(context, source_id, kinds, f"{path}.source.id", "write")
        if found.location != location:
            raise reading.not_found(source_id)
        if definition is not None:
            _check_kind(definition, found.properties.get("osType"), found.properties.get("hyperVGeneration"))
        return Disk(dict(source), found.properties["diskSizeGB"], caching, lun)


def _system(disk: dict[str, Any]) -> Disk:
    """The system disk of an image or a machine: shown once the version is made."""
    size, caching = disk.get("diskSizeGB") or _SIZE_GB, disk.get("caching") or SYSTEM_CACHING
    return Disk({}, size, caching, at_once=False)


def _data(profile: dict[str, Any]) -> tuple[Disk, ...]:
    return tuple(
        Disk(
            {},
            disk.get("diskSizeGB") or _SIZE_GB,
            disk.get("caching") or DATA_CACHING,
            disk["lun"],
            at_once=False,
        )
        for disk in profile.get("dataDisks", ())
    )


def _lun(sent: dict[str, Any], at: int) -> int:
    lun = sent.get("lun")
    if not isinstance(lun, int) or isinstance(lun, bool) or lun < 0:
        raise reading.required(f"{PATH}.dataDiskImages[{at}].lun")
    return lun


def _check_kind(definition: Resource, os_type: Any, generation: Any) -> None:
    """Only what a source tells can differ from what its definition says."""
    for name, own in (("osType", os_type), ("hyperVGeneration", generation)):
        wanted = definition.properties.get(name)
        if own and wanted and str(own).lower() != str(wanted).lower():
            raise _other_kind(name, str(own), str(wanted))


def _other_kind(name: str, own: str, wanted: str) -> ArmError:
    return reading.invalid(
        PATH, f"The {name} '{own}' of the source is not that of the gallery image definition, '{wanted}'."
    )
