"""What is put into the world by hand: machines, disks, snapshots and images that nobody made by a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.arm import ids
from sandbox.arm.compute.contents import Content
from sandbox.arm.compute.machines import Machine, Machines, Power
from sandbox.arm.compute.shelf import DISKS, IMAGES, MACHINES, SNAPSHOTS
from sandbox.arm.operations import offset
from sandbox.arm.records import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.arm.compute.disks import Disks
    from sandbox.arm.fabric import Fabric


_POWERS: tuple[Power, ...] = ("running", "stopped", "deallocated")
_TOLD = ("computerName", "osName", "osVersion", "vmAgent")


class DiskSeed(msgspec.Struct, frozen=True, kw_only=True):
    """A managed disk or snapshot, as if it had been made from nothing."""

    size_gb: int = 30
    sku: str = "Premium_LRS"
    os_type: str | None = None
    generation: str | None = None


class MachineSeed(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual machine with its managed disks. `image` is its imageReference."""

    os_type: str = "Linux"
    generation: str = "V2"
    disk_gb: int = 30
    data_disks_gb: tuple[int, ...] = ()
    sku: str = "Premium_LRS"
    power: Power = "running"
    generalized: bool = False
    specialized: bool = False
    image: dict[str, str] | None = None


class Seeds:
    """Every id has its resource group, or KeyError is raised."""

    def __init__(self, fabric: Fabric, machines: Machines, disks: Disks, snapshots: Disks) -> None:
        self._fabric, self._machines = fabric, machines
        self._by_kind = {disks.shelf.kind.name: disks, snapshots.shelf.kind.name: snapshots}

    def disk(
        self, resource_id: str, location: str, seed: DiskSeed, tags: Mapping[str, str] | None = None
    ) -> Resource:
        """A disk or a snapshot, as the id says. Raises ValueError for any other id."""
        parsed = ids.parse(resource_id)
        kind = next((k for k in (DISKS, SNAPSHOTS) if parsed and parsed.kind.lower() == k.name.lower()), None)
        if kind is None:
            raise ValueError(f"{resource_id!r} is not the id of a managed disk or a snapshot")
        known = {"osType": seed.os_type, "hyperVGeneration": seed.generation}
        resource = Resource(resource_id, kind.name, location, dict(tags or {}))
        resource.properties = {"creationData": {"createOption": "Empty"}, "provisioningState": "Updating"}
        resource.extra = {"sku": {"name": seed.sku}}
        inherited = {name: value for name, value in known.items() if value}
        self._by_kind[kind.name].complete(
            resource, Content(seed.size_gb, inherited=inherited), self._fabric.clock.now()
        )
        self._fabric.records.put(resource)
        return resource

    def machine(
        self, resource_id: str, location: str, seed: MachineSeed, tags: Mapping[str, str] | None = None
    ) -> Machine:
        """A machine and its disks beside it."""
        name, now = resource_id.rsplit("/", 1)[1], offset(self._fabric.clock.now())
        place = resource_id.lower().split("/providers/")[0]
        group = resource_id[: len(place)]
        wanted = [
            ("OsDisk", None, seed.disk_gb),
            *(("disk", lun, gb) for lun, gb in enumerate(seed.data_disks_gb)),
        ]
        disks = []
        for word, lun, size in wanted:
            disk_name = f"{name}_{word}{'' if lun is None else lun}_{self._fabric.guid().replace('-', '')}"
            disk_id = f"{group}/providers/{DISKS.name}/{disk_name}"
            os_type = seed.os_type if lun is None else None
            generation = seed.generation if lun is None else None
            self.disk(
                disk_id,
                location,
                DiskSeed(size_gb=size, sku=seed.sku, os_type=os_type, generation=generation),
            )
            disks.append(_attached(disk_name, disk_id, seed, lun, size))
        reference = {"imageReference": seed.image} if seed.image else {}
        properties = {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "provisioningState": "Succeeded",
            "vmId": self._fabric.guid(),
            "storageProfile": {**reference, "osDisk": disks[0], "dataDisks": disks[1:]},
            **({} if seed.specialized else {"osProfile": {"computerName": name}}),
            "timeCreated": now,
        }
        machine = Machine(resource_id, MACHINES.name, location, dict(tags or {}), properties)
        machine.power, machine.generation = seed.power, seed.generation
        machine.generalized, machine.specialized = seed.generalized, seed.specialized
        machine.agent = _agent(name, now)
        return self._machines.place(machine)

    def machine_as(self, resource_id: str, document: Mapping[str, Any]) -> Machine:
        """A machine as an answer shows it, instance view included; managed disks are made where missing."""
        properties = dict(document.get("properties") or {})
        view = properties.pop("instanceView", None) or {}
        codes = [str(status.get("code")) for status in view.get("statuses", ())]
        machine = Machine(
            resource_id,
            MACHINES.name,
            str(document.get("location") or "").replace(" ", "").lower(),
            dict(document.get("tags") or {}),
            {**properties, "provisioningState": "Succeeded"},
        )
        machine.extra = {
            name: document[name] for name in ("identity", "plan", "zones", "resources") if name in document
        }
        machine.power = next((power for power in _POWERS if f"PowerState/{power}" in codes), "running")
        machine.generalized, machine.specialized = (
            f"OSState/{word}" in codes for word in ("generalized", "specialized")
        )
        machine.generation = view.get("hyperVGeneration", "V1")
        machine.agent = {name: view[name] for name in _TOLD if name in view}
        profile = properties.get("storageProfile") or {}
        for disk in (profile.get("osDisk") or {}, *(profile.get("dataDisks") or ())):
            managed = disk.get("managedDisk") or {}
            if managed.get("id") and self._fabric.records.get(managed["id"]) is None:
                system = disk.get("osType")
                seed = DiskSeed(
                    size_gb=disk.get("diskSizeGB", DiskSeed().size_gb),
                    sku=managed.get("storageAccountType", DiskSeed().sku),
                    os_type=system,
                    generation=machine.generation if system else None,
                )
                self.disk(managed["id"], machine.location, seed)
        return self._machines.place(machine)

    def image(
        self,
        resource_id: str,
        location: str,
        seed: MachineSeed,
        tags: Mapping[str, str] | None = None,
        source: str | None = None,
    ) -> Resource:
        """A managed image of a machine that is long gone; `source` is what it was made of, and shows."""
        whole, of_disk = _origin(source) if source else ({}, {})
        state = "Generalized" if not seed.specialized else "Specialized"
        common = {"caching": "ReadWrite", "storageAccountType": seed.sku}
        head = {"osType": seed.os_type, "osState": state, "diskSizeGB": seed.disk_gb, **of_disk}
        data = [{"lun": lun, "diskSizeGB": size, **common} for lun, size in enumerate(seed.data_disks_gb)]
        image = Resource(resource_id, IMAGES.name, location, dict(tags or {}))
        image.properties = {
            **whole,
            "storageProfile": {"osDisk": {**head, **common}, "dataDisks": data},
            "provisioningState": "Succeeded",
            "hyperVGeneration": seed.generation,
        }
        self._fabric.records.put(image)
        return image


def _origin(source: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """How an image shows what it was made of: beside its disks, or at its system disk.

    Raises ValueError for what no managed image is made of.
    """
    parsed = ids.parse(source)
    kind = parsed.kind.lower() if parsed else ""
    members = {DISKS.name.lower(): "managedDisk", SNAPSHOTS.name.lower(): "snapshot"}
    if kind == MACHINES.name.lower():
        return {"sourceVirtualMachine": {"id": source}}, {}
    if kind in members:
        return {}, {members[kind]: {"id": source}}
    if source.startswith("https://"):
        return {}, {"blobUri": source}
    raise ValueError(
        f"source {source!r}: expected the id of a machine, a disk or a snapshot, or the address of a VHD"
    )


def _attached(name: str, disk_id: str, seed: MachineSeed, lun: int | None, size: int) -> dict[str, Any]:
    head = {"osType": seed.os_type} if lun is None else {"lun": lun}
    return {
        **head,
        "name": name,
        "createOption": "FromImage" if lun is None else "Empty",
        "caching": "ReadWrite" if lun is None else "None",
        "managedDisk": {"storageAccountType": seed.sku, "id": disk_id},
        "deleteOption": "Detach",
        "diskSizeGB": size,
    }


def _agent(computer: str, at: str) -> dict[str, Any]:
    status = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Ready",
        "message": "Guest Agent is running",
        "time": at,
    }
    agent = {"vmAgentVersion": "2.13.0.2", "statuses": [status], "extensionHandlers": []}
    return {"computerName": computer, "vmAgent": agent}
