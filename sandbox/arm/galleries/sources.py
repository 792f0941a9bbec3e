"""What a version is made from: one image, machine, disk or VHD, in its region and of its kind.

Where a source is refused at once the sentence is that of Azure's page on troubleshooting shared image
galleries. That it is of another kind than the definition is found out only by the operation, which fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm import ids
from sandbox.arm.compute import reading
from sandbox.arm.compute.machines import Machine, shown_storage
from sandbox.arm.compute.shelf import DISKS, IMAGES, MACHINES, SNAPSHOTS, Kind
from sandbox.arm.errors import ArmError
from sandbox.arm.galleries.model import Content, Disk, Version
from sandbox.arm.inventory import ACCOUNTS, VERSIONS
from sandbox.arm.records import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.arm.compute.contents import Contents
    from sandbox.arm.compute.vhds import Vhds
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric

PATH = "galleryImageVersion.properties.storageProfile"
SYSTEM_CACHING, DATA_CACHING = "ReadWrite", "ReadOnly"
_SIZE_GB = 30
"""Of a source whose size nobody tells, such as a machine that was only seeded."""
_KINDS = (
    ("osState", "OS state", "BadRequest"),  # [Azure/azure-cli 24972]
    ("hyperVGeneration", "Hypervisor generation", "Conflict"),  # [MicrosoftDocs/azure-docs 118774]
    ("osType", "OS type", "Conflict"),
)


class Sources:
    def __init__(self, fabric: Fabric, contents: Contents, vhds: Vhds) -> None:
        self._fabric, self._contents, self._vhds = fabric, contents, vhds

    def read(self, context: Context, location: str, profile: dict[str, Any], definition: Resource) -> Content:
        """Raises ArmError where the source is wrong, missing, or elsewhere."""
        whole = reading.section(profile, "source", PATH)
        system = reading.section(profile, "osDiskImage", PATH)
        data = reading.rows(profile, "dataDiskImages", PATH)
        disks = [(system, f"{PATH}.osDiskImage")] + [
            (each, f"{PATH}.dataDiskImages[{at}]") for at, each in enumerate(data)
        ]
        sent = [source for disk, path in disks if (source := reading.section(disk, "source", path))]
        kinds = [name for name, value in whole.items() if value]
        if len(kinds) + bool(sent) != 1 or (sent and not system.get("source")):
            raise reading.invalid(
                PATH,
                "The gallery artifact version source can only be specified either directly under "
                "storageProfile or within individual OS or data disks. One and only one source type (user "
                "image, snapshot, disk, virtual machine) can be provided.",
            )
        if whole:
            return self._of_whole(context, location, whole, definition)
        _check_unique(data, sent)
        return self._of_disks(context, location, disks, definition)

    def _of_disks(
        self, context: Context, location: str, disks: list[tuple[dict[str, Any], str]], definition: Resource
    ) -> Content:
        (system, path), *data = disks
        first, kind = self._disk(context, location, system, path, SYSTEM_CACHING)
        more = [
            self._disk(context, location, each, where, DATA_CACHING, _lun(each, where))[0]
            for each, where in data
        ]
        named = str(system["source"].get("id") or "")
        return Content(None, first, tuple(more), flaw=flaw(named, definition, kind))

    def _of_whole(
        self, context: Context, location: str, source: dict[str, Any], definition: Resource
    ) -> Content:
        machine = source.get("virtualMachineId")
        if machine:
            found = self._there(context, str(machine), (MACHINES,), "virtualMachineId", "write", location)
            assert isinstance(found, Machine), "no other resource has that type"
            profile = shown_storage(found)
            state = "Generalized" if found.generalized else "Specialized"
            return _copied(found.id, source, profile, found.generation, state, definition)
        source_id = reading.text(source, "id", f"{PATH}.source")
        parsed = ids.parse(source_id)
        if parsed is not None and parsed.kind.lower() == VERSIONS.lower():
            return self._of_version(context, location, source, source_id, definition)
        found = self._there(context, source_id, (IMAGES,), "id", "read", location)
        profile = found.properties.get("storageProfile", {})
        generation = found.properties.get("hyperVGeneration")
        return _copied(found.id, source, profile, generation, "Generalized", definition)

    def _of_version(
        self, context: Context, location: str, source: dict[str, Any], source_id: str, definition: Resource
    ) -> Content:
        context.permit_linked(f"{VERSIONS}/read", source_id)
        found = self._fabric.records.get(source_id)
        region = found.region(location) if isinstance(found, Version) else None
        if not isinstance(found, Version) or region is None or region.state != "Completed":
            raise _missing(source_id)
        above = self._fabric.records.get(found.definition_id)
        kind = above.properties if isinstance(above, Resource) else {}
        own = found.content
        system = Disk({}, own.system.size_gb, own.system.caching, at_once=False)
        data = tuple(Disk({}, each.size_gb, each.caching, each.lun, at_once=False) for each in own.data)
        return Content(dict(source), system, data, flaw(source_id, definition, kind))

    def _disk(
        self,
        context: Context,
        location: str,
        sent: dict[str, Any],
        path: str,
        caching: str,
        lun: int | None = None,
    ) -> tuple[Disk, Mapping[str, Any]]:
        """The disk, and what its source tells of the system on it."""
        source, caching = sent["source"], str(sent.get("hostCaching") or caching)
        if source.get("uri"):
            account = source.get("storageAccountId") or source.get("id")
            if not isinstance(account, str) or f"/{ACCOUNTS.lower()}/" not in account.lower():
                raise reading.required(f"{path}.source.storageAccountId")
            size = self._vhds.size_gb(context, str(source["uri"]), location, f"{path}.source.uri", account)
            return Disk(dict(source), size, caching, lun), {}
        source_id = reading.text(source, "id", f"{path}.source")
        found = self._there(context, source_id, (DISKS, SNAPSHOTS), "id", "write", location)
        return Disk(dict(source), found.properties["diskSizeGB"], caching, lun), found.properties

    def _there(
        self,
        context: Context,
        source_id: str,
        kinds: tuple[Kind, ...],
        member: str,
        right: str,
        location: str,
    ) -> Resource:
        path = f"{PATH}.source.{member}"
        found = self._contents.source(context, source_id, kinds, path, right, missing=_missing)
        if found.location != location:
            raise _missing(source_id)
        return found


def _missing(source_id: str) -> ArmError:
    return ArmError(
        404,
        "NotFound",
        f"Source {source_id} is not found. Please check source exists, and is in the same region as gallery "
        "image version being created.",
    )


def _copied(
    source_id: str,
    source: dict[str, Any],
    profile: Mapping[str, Any],
    generation: str | None,
    state: str,
    definition: Resource,
) -> Content:
    """Of an image or a machine with all its disks: they are shown once the version is made."""
    system = profile.get("osDisk", {})
    kind = {"osState": state, "hyperVGeneration": generation, "osType": system.get("osType")}
    return Content(
        dict(source),
        _shown_later(system, SYSTEM_CACHING),
        tuple(_shown_later(disk, DATA_CACHING, disk["lun"]) for disk in profile.get("dataDisks", ())),
        flaw(source_id, definition, kind),
    )


def _shown_later(disk: Mapping[str, Any], caching: str, lun: int | None = None) -> Disk:
    size = disk.get("diskSizeGB") or _SIZE_GB
    return Disk({}, size, disk.get("caching") or caching, lun, at_once=False)


def _lun(sent: dict[str, Any], path: str) -> int:
    lun = sent.get("lun")
    if not isinstance(lun, int) or isinstance(lun, bool) or lun < 0:
        raise reading.required(f"{path}.lun")
    if not sent.get("source"):
        raise reading.required(f"{path}.source")
    return lun


def _check_unique(data: list[dict[str, Any]], sources: list[dict[str, Any]]) -> None:
    luns = [each.get("lun") for each in data]
    if len(set(luns)) != len(luns):
        raise reading.invalid(
            f"{PATH}.dataDiskImages",
            "Duplicated lun numbers have been detected in the input data disks. Lun number must be unique "
            "for each data disk.",
        )
    named = [str(each.get("uri") or each.get("id")).lower() for each in sources]
    if len(set(named)) != len(named):
        raise reading.invalid(
            PATH,
            "Duplicated source ids are found in the input disks. Source id should be unique for each disk.",
        )


def flaw(source_id: str, definition: Resource, kind: Mapping[str, Any]) -> tuple[str, str] | None:
    """Only what a source tells can differ from what its definition says."""
    for name, words, code in _KINDS:
        own, wanted = kind.get(name), definition.properties.get(name)
        if own and wanted and str(own).lower() != str(wanted).lower():
            return code, (
                f"The resource with id '{source_id}' has a different {words} ['{own}'] than the parent "
                f"gallery image {words} ['{wanted}']."
            )
    return None
