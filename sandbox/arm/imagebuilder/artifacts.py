"""What a run makes: VHDs as real page blobs, managed images and gallery versions as records."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sandbox import vhd as disks
from sandbox.arm import ids
from sandbox.arm.context import Origin
from sandbox.arm.errors import ArmError
from sandbox.arm.galleries import profiles
from sandbox.arm.galleries.model import Content, Disk, Version
from sandbox.arm.galleries.sources import flaw
from sandbox.arm.imagebuilder.template import Output, Template
from sandbox.arm.inventory import ACCOUNTS, IMAGES, VERSIONS
from sandbox.arm.marketplace import numbers
from sandbox.arm.records import Resource
from sandbox.arm.storage import BlobAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.provider import Galleries
    from sandbox.arm.imagebuilder.outcomes import VhdShape
    from sandbox.arm.imagebuilder.sources import Resolved
    from sandbox.arm.inventory import Inventory

WRITE_BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
_SECTOR = 512
_SIZE_GB = 30
_SPOIL: dict[str, Callable[[disks.Vhd], disks.Vhd]] = {
    "good": lambda vhd: vhd,
    "truncated": lambda vhd: disks.truncated(vhd, vhd.size // 2 // _SECTOR * _SECTOR),
    "broken_footer": disks.broken_footer,
    "dynamic": disks.dynamic,
}


class DistributionFailed(Exception):
    """One target cannot get its artifact; the others still may."""


@dataclass(frozen=True, slots=True)
class Build:
    """What is the same for every target of one run."""

    template: Template
    run_id: str
    source: Resolved
    customized: str
    spoil: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Artifact:
    """`version` is on its way when its disk is written."""

    output: Output
    address: BlobAddress
    version: Version | None = None


class Artifacts:
    def __init__(self, fabric: Fabric, inventory: Inventory, galleries: Galleries, shape: VhdShape) -> None:
        self._fabric, self._inventory, self.shape = fabric, inventory, shape
        self._galleries = galleries

    def plan(self, build: Build, target: dict[str, Any]) -> Artifact:
        """What the target gets, its record put in its place. Raises DistributionFailed."""
        makers = {"VHD": self._vhd, "ManagedImage": self._image, "SharedImage": self._version}
        return makers[target["type"]](build, target)

    def write(self, build: Build, artifacts: Iterable[Artifact]) -> None:
        """The disks themselves; slow, and needs nothing but the storage."""
        for each in artifacts:
            self._fabric.storage.write_vhd(
                each.address, self.disk(build), {"VMImageBuilderSource": build.source.tag}
            )

    def disk(self, build: Build) -> disks.Vhd:
        shape = self.shape
        made = _disk(
            build.source.tag, build.customized, shape.size_mib, shape.payload_mib, shape.fragment_kib
        )
        return _SPOIL[build.spoil](made)

    def _vhd(self, build: Build, target: dict[str, Any]) -> Artifact:
        address = self._address(build, target)
        return Artifact(
            Output(target["runOutputName"], artifact_uri=self._fabric.storage.url(address)), address
        )

    def _address(self, build: Build, target: dict[str, Any]) -> BlobAddress:
        uri = target.get("uri")
        if not uri:
            return self._staged(build, target["runOutputName"])
        address = self._fabric.storage.parse(uri)
        if address is None or not address.container:
            raise DistributionFailed(f"the uri '{uri}' is not the address of a container or blob")
        account = self._inventory.account(address.account)
        if account is None:
            raise DistributionFailed(f"the storage account of '{uri}' was not found")
        if not self._may(build, WRITE_BLOB, account.id, data=True):
            raise DistributionFailed(
                f"the template's identity may not write to '{uri}': it needs the role Storage Blob Data "
                f"Contributor on {account.id}"
            )
        name = address.name or self._staged(build, target["runOutputName"]).name
        return BlobAddress(address.account, address.container, name)

    def _image(self, build: Build, target: dict[str, Any]) -> Artifact:
        image_id = target["imageId"]
        parsed = ids.parse(image_id)
        if parsed is None or parsed.kind.lower() != IMAGES.lower():
            raise DistributionFailed(f"the imageId '{image_id}' is not the id of a managed image")
        self._must_have_group(parsed)
        self._permit(build, f"{IMAGES}/write", image_id)
        blob = self._staged(build, parsed.name)
        system = build.source.system
        image = Resource(image_id, IMAGES, target["location"], self._tags(build, target))
        image.properties = {
            "storageProfile": {
                "osDisk": {
                    "osType": system.get("osType") or "Linux",
                    "osState": "Generalized",
                    "diskSizeGB": _SIZE_GB,
                    "blobUri": self._fabric.storage.url(blob),
                    "caching": "ReadWrite",
                    "storageAccountType": "Standard_LRS",
                },
                "dataDisks": [],
                "zoneResilient": False,
            },
            "provisioningState": "Succeeded",
            "hyperVGeneration": system.get("hyperVGeneration") or "V1",
        }
        self._fabric.records.put(image)
        return Artifact(Output(target["runOutputName"], artifact_id=image_id), blob)

    def _version(self, build: Build, target: dict[str, Any]) -> Artifact:
        asked = target["galleryImageId"]
        explicit = "/versions/" in asked.lower()
        definition_id = asked.rsplit("/", 2)[0] if explicit else asked
        definition = self._galleries.definition(definition_id)
        if definition is None:
            raise DistributionFailed(f"the image definition '{definition_id}' was not found")
        name = asked.rsplit("/", 1)[1] if explicit else self._next_version(build, definition.id, target)
        version_id = f"{definition.id}/versions/{name}"
        deleted = self._galleries.versions.deleted.version(version_id)
        if self._fabric.records.get(version_id) is not None or deleted is not None:
            raise DistributionFailed(f"the image version '{version_id}' already exists")
        self._permit(build, f"{VERSIONS}/write", version_id)
        blob = self._staged(build, name)
        tags = {**self._tags(build, target), "correlationId": build.run_id}
        try:
            profile = profiles.read({"publishingProfile": _profile(target)}, definition.location)
        except ArmError as refused:
            raise DistributionFailed(refused.message) from refused
        wrong = flaw(self._fabric.storage.url(blob), definition, build.source.system)
        content = Content(None, Disk(self._source(build, blob), _SIZE_GB, "ReadWrite"), flaw=wrong)
        made = self._galleries.versions.build(version_id, definition, content, profile, tags, build.at)
        self._fabric.records.put(made)
        return Artifact(Output(target["runOutputName"], artifact_id=version_id), blob, made)

    def withdraw(self, artifacts: Iterable[Artifact]) -> None:
        """The run ended before its disks were written: the versions that waited for them never came about."""
        for each in artifacts:
            if each.version is not None and self._fabric.records.get(each.version.id) is each.version:
                self._fabric.records.remove(each.version.id)

    def release(self, build: Build, version: Version, at: datetime) -> None:
        """The disk is written: the version is brought to its regions, by Image Builder's own request."""
        origin = Origin(None, build.run_id, None, "PUT", version.id)
        self._galleries.make(version, origin, at)

    def _source(self, build: Build, blob: BlobAddress) -> dict[str, Any]:
        assert build.template.staging is not None, "a provisioned template has its staging group"
        account = f"{build.template.staging.group_id}/providers/{ACCOUNTS}/{blob.account}"
        return {"uri": self._fabric.storage.url(blob), "storageAccountId": account}

    def _next_version(self, build: Build, definition_id: str, target: dict[str, Any]) -> str:
        """One patch above the highest, as the scheme "Latest" says; 1.0.0 into an empty definition."""
        versioning = target.get("versioning") or {}
        known = [each.rank for each in self._galleries.versions.of(definition_id)]
        if versioning.get("scheme") == "Source" and build.source.exact:
            return ".".join(map(str, numbers(build.source.exact.rsplit("/", 1)[-1])))
        wanted = versioning.get("major", -1)
        if wanted >= 0:
            known = [rank for rank in known if rank[0] == wanted]
        first = (max(wanted, 1) if wanted != 0 else 0, 0, -1)
        major, minor, patch = max(known, default=first)
        return f"{major}.{minor}.{patch + 1}"

    def _staged(self, build: Build, name: str) -> BlobAddress:
        assert build.template.staging is not None, "a provisioned template has its staging group"
        account = build.template.staging.account
        if not self._fabric.storage.account_exists(account):
            raise DistributionFailed(f"the staging storage account '{account}' was not found")
        return BlobAddress(account, "vhds", f"{name}_{build.at:%Y%m%d%H%M%S}.vhd")

    def _may(self, build: Build, action: str, scope: str, *, data: bool = False) -> bool:
        identities = build.template.identity_ids
        return any(self._fabric.roles.allows(each, action, scope, data=data) for each in identities)

    def _permit(self, build: Build, action: str, scope: str) -> None:
        """Image Builder writes with the template's identity."""
        if not self._may(build, action, scope):
            raise DistributionFailed(
                f"Not authorized to access the resource: {scope}. Please check the user assigned identity "
                f"has the correct permissions: {action} is missing"
            )

    def _must_have_group(self, parsed: ids.ResourceId) -> None:
        if self._fabric.records.group(parsed.subscription, parsed.group) is None:
            raise DistributionFailed(f"the resource group '{parsed.group}' of '{parsed}' was not found")

    def _tags(self, build: Build, target: dict[str, Any]) -> dict[str, str]:
        return {**(target.get("artifactTags") or {}), "VMImageBuilderSource": build.source.tag}


def _profile(target: dict[str, Any]) -> dict[str, Any]:
    """The publishing profile that a distribution target asks for, in either of its forms."""
    storage = target.get("storageAccountType") or "Standard_LRS"
    listed = target.get("targetRegions") or [
        {"name": each} for each in target.get("replicationRegions") or ()
    ]
    regions = [
        {
            "name": each["name"],
            "regionalReplicaCount": each.get("replicaCount") or 1,
            "storageAccountType": each.get("storageAccountType") or storage,
        }
        for each in listed
    ]
    return {
        "targetRegions": regions,
        "excludeFromLatest": target.get("excludeFromLatest") or False,
        "storageAccountType": storage,
        "replicationMode": target.get("replicationMode") or "Full",
    }


@lru_cache(maxsize=4)
def _disk(
    source: str, customized: str, size_mib: int, payload_mib: int, fragment_kib: int | None
) -> disks.Vhd:
    """Kept, because thousands of runs in one process build the same thing, and large disks take seconds."""
    seed = hashlib.sha256(f"{source}|{customized}".encode()).hexdigest()
    files = {
        "etc/image-source": f"{source}\n".encode(),
        "etc/customizations": f"{customized}\n".encode(),
    }
    return disks.make_vhd(
        files, size_mib=size_mib, payload_mib=payload_mib, seed=seed, fragment_kib=fragment_kib
    )
