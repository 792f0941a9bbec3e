"""The disks, VHDs, machines, images and galleries that a recording uses but does not make.

Where a request succeeded, whatever it refers to was there: in its region, as large as some answer says, with
the operating system of what was made of it. A machine was in the state in which its image could be made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm import ids, regions
from sandbox.arm.compute.seeds import DiskSeed, MachineSeed
from sandbox.arm.compute.shelf import DISKS, MACHINES, SNAPSHOTS
from sandbox.arm.compute.sizes import GIB
from sandbox.arm.galleries.model import Content, Disk, Region, Version
from sandbox.arm.inventory import ACCOUNTS, DEFINITIONS, GALLERIES, IMAGES, VERSIONS
from sandbox.arm.records import Group, Resource
from sandbox.recording import references
from sandbox.vhd import FOOTER, Vhd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.arm.compute.machines import Power
    from sandbox.azure import LocalAzure
    from sandbox.recording import Recording, Write

_GB = 30
_ENDS: dict[str, Power] = {"deallocate": "deallocated", "powerOff": "stopped", "start": "running"}


class Beforehand:
    """`played` are the types whose requests will be sent; the others' effects have to be there already."""

    def __init__(self, azure: LocalAzure, recording: Recording, played: frozenset[str]) -> None:
        self._azure, self._recording, self._played = azure, recording, played
        self._makers: dict[str, Callable[[str, Write], Iterator[str]]] = {
            ACCOUNTS.lower(): self._account,
            DISKS.name.lower(): self._disk,
            SNAPSHOTS.name.lower(): self._disk,
            MACHINES.name.lower(): self._machine,
            IMAGES.lower(): self._image,
            GALLERIES.lower(): self._gallery,
            DEFINITIONS.lower(): self._definition,
            VERSIONS.lower(): self._version,
        }

    def plays(self, kind: str) -> bool:
        """Types are named by how they begin: galleries are played with the images in them."""
        return any(f"{kind.lower()}/".startswith(f"{each}/") for each in self._played)

    def before(self, write: Write) -> Iterator[str]:
        """Make what one request needs; a line for each thing."""
        if not write.created:
            yield from self.needed(write.path, write)
        parsed = ids.parse(write.path)
        if parsed is not None and len(parsed.names) > 1:
            yield from self.needed(write.path.rsplit("/", 2)[0], write)
        for member, text in references(write.body):
            if text.startswith("https://"):
                yield from self._blob(text, write) if member.lower().endswith("uri") else ()
            else:
                yield from self.needed(text, write)

    def needed(self, resource_id: str, write: Write) -> Iterator[str]:
        parsed = ids.parse(resource_id)
        if parsed is None or (self.plays(parsed.kind) and self._recording.makes(resource_id)):
            return
        maker = self._makers.get(parsed.kind.lower())
        if maker is None or self._azure.fabric.records.get(resource_id) is not None:
            return
        group_of(self._azure, resource_id, write.location)
        yield from maker(resource_id, write)

    def _account(self, resource_id: str, write: Write) -> Iterator[str]:
        yield from self._open(resource_id.rsplit("/", 1)[1], resource_id, write)

    def _open(self, account: str, near: str, write: Write) -> Iterator[str]:
        if self._azure.inventory.account(account) is None:
            parsed = group_of(self._azure, near, write.location)
            self._azure.storage.create_account(account)
            self._azure.inventory.add_account(parsed.group_id, account).location = write.location
            yield f"{ACCOUNTS} {account}"

    def _blob(self, url: str, write: Write) -> Iterator[str]:
        address = self._azure.storage.parse(url)
        if address is None or not address.name or self._azure.storage.size(address) is not None:
            return
        yield from self._open(address.account, write.path, write)
        size = self._recording.size_gb(url) or _GB
        self._azure.storage.write_vhd(address, Vhd(size * GIB + FOOTER, ()), {})
        yield f"VHD {address.container}/{address.name} in {address.account}, {size} GB"

    def _disk(self, resource_id: str, write: Write) -> Iterator[str]:
        shape = self.shape(resource_id, write)
        read = self._recording.first_read(resource_id) or {}
        seed = DiskSeed(
            size_gb=self._size(resource_id),
            sku=(read.get("sku") or {}).get("name", "Premium_LRS"),
            os_type=shape.os_type,
            generation=shape.generation,
        )
        location = _location(read) or write.location
        self._azure.compute.seeds.disk(resource_id, location, seed, read.get("tags"))
        yield _line(resource_id)

    def _machine(self, resource_id: str, write: Write) -> Iterator[str]:
        """As it was first read; or, where nothing is going to be done to it any more, as it was used."""
        seeds, read = self._azure.compute.seeds, self._recording.first_read(resource_id)
        if read is None:
            machine = seeds.machine(resource_id, write.location, self.shape(resource_id, write))
        else:
            machine = seeds.machine_as(resource_id, read)
        steps = self._recording.actions(resource_id)
        if not self._acts_on(resource_id):
            if "sourceVirtualMachine" in (write.body.get("properties") or {}) or "generalize" in steps:
                machine.generalized, machine.power = True, "deallocated"
            ends = [_ENDS[step] for step in steps if step in _ENDS]
            machine.power = ends[-1] if ends else machine.power
        state = "generalized" if machine.generalized else "specialized" if machine.specialized else ""
        yield f"{_line(resource_id)}, {', '.join(word for word in (machine.power, state) if word)}"

    def _acts_on(self, machine_id: str) -> bool:
        """Whether its actions will be sent: the player leaves resources alone that no PUT names."""
        put = any(write.path.lower() == machine_id.lower() for write in self._recording.writes())
        return put and self.plays(MACHINES.name)

    def _image(self, resource_id: str, write: Write) -> Iterator[str]:
        read = self._recording.first_read(resource_id) or {}
        location = _location(read) or write.location
        self._azure.compute.seeds.image(
            resource_id, location, self.shape(resource_id, write), read.get("tags")
        )
        yield _line(resource_id)

    def _gallery(self, resource_id: str, write: Write) -> Iterator[str]:
        parsed = ids.parse(resource_id)
        assert parsed is not None, "only ids get here"
        unique = f"{parsed.subscription}-{parsed.name.upper()}"
        yield from self._plain(resource_id, GALLERIES, write, {"identifier": {"uniqueName": unique}})

    def _definition(self, resource_id: str, write: Write) -> Iterator[str]:
        yield from self.needed(resource_id.rsplit("/", 2)[0], write)
        shape, name = self.shape(resource_id, write), resource_id.rsplit("/", 1)[1]
        system = {
            "hyperVGeneration": shape.generation,
            "architecture": "x64",
            "osType": shape.os_type,
            "osState": "Specialized" if shape.specialized else "Generalized",
            "identifier": {"publisher": name, "offer": name, "sku": name},
        }
        yield from self._plain(resource_id, DEFINITIONS, write, system)

    def _plain(self, resource_id: str, kind: str, write: Write, default: dict[str, Any]) -> Iterator[str]:
        read = self._recording.first_read(resource_id) or {}
        location = _location(read) or write.location
        properties = {**default, **(read.get("properties") or {}), "provisioningState": "Succeeded"}
        resource = Resource(resource_id, kind, location, dict(read.get("tags") or {}), properties)
        self._azure.fabric.records.put(resource)
        yield _line(resource_id)

    def _version(self, resource_id: str, write: Write) -> Iterator[str]:
        """It has replicated to wherever it was read to be, and to where it is used."""
        yield from self.needed(resource_id.rsplit("/", 2)[0], write)
        read = self._recording.first_read(resource_id) or {}
        profile = (read.get("properties") or {}).get("publishingProfile") or {}
        listed = [regions.plain(str(each.get("name"))) for each in profile.get("targetRegions") or ()]
        home = _location(read) or write.location
        version = Version(
            resource_id,
            home,
            dict(read.get("tags") or {}),
            Content(None, Disk({}, self._size(resource_id), "ReadWrite")),
            self._azure.clock.now(),
            [
                Region(name, 1, "Standard_LRS", state="Completed")
                for name in dict.fromkeys((home, *listed, write.location))
            ],
            state="Succeeded",
            made=True,
        )
        self._azure.fabric.records.put(version)
        yield _line(resource_id)

    def shape(self, resource_id: str, write: Write) -> MachineSeed:
        """The system in a disk, image or machine: by its own answers, or by those of what was made of it."""

        def told(name: str, default: str) -> str:
            above = write.path.rsplit("/versions/", 1)[0]
            answers = (self._recording.told(each, name) for each in (resource_id, write.path, above))
            return next((str(found) for found in answers if found), default)

        return MachineSeed(
            os_type=told("osType", "Linux"),
            generation=told("hyperVGeneration", "V1"),
            disk_gb=self._size(resource_id),
            specialized=told("osState", "Generalized") == "Specialized",
        )

    def _size(self, resource_id: str) -> int:
        found = self._recording.told(resource_id, "diskSizeGB") or self._recording.size_gb(resource_id)
        return int(found or _GB)


def group_of(azure: LocalAzure, resource_id: str, location: str) -> ids.ResourceId:
    """The id, taken apart, with its resource group in place. Raises ValueError for what is no id."""
    parsed = ids.parse(resource_id)
    if parsed is None:
        raise ValueError(f"{resource_id!r} in the recording is not a resource id")
    if azure.fabric.records.group(parsed.subscription, parsed.group) is None:
        azure.fabric.records.add_group(Group(parsed.subscription, parsed.group, location))
    return parsed


def _location(document: Mapping[str, Any]) -> str:
    return str(document.get("location") or "").replace(" ", "").lower()


def _line(resource_id: str) -> str:
    parsed = ids.parse(resource_id)
    return f"{parsed.kind} {'/'.join(parsed.names)}" if parsed else resource_id
