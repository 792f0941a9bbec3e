"""From `Creating` to `Succeeded` or `Failed`: what Image Builder looks at after it accepted a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.arm.imagebuilder.schema import UNIONS
from sandbox.arm.imagebuilder.sources import SourceRefused
from sandbox.arm.imagebuilder.staging import StagingRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.arm.fabric import Fabric
    from sandbox.arm.imagebuilder.scripts import Scripts
    from sandbox.arm.imagebuilder.sources import Sources
    from sandbox.arm.imagebuilder.staging import StagingGroups
    from sandbox.arm.imagebuilder.template import Template

JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
_HELP = "For more details, go to https://aka.ms/azvmimagebuilderts."


@dataclass(frozen=True, slots=True)
class Fault:
    """`code` is what the operation shows, `provisioning_code` what the template shows."""

    code: str
    message: str
    provisioning_code: str = "Other"


class Provisioning:
    def __init__(self, fabric: Fabric, sources: Sources, staging: StagingGroups, scripts: Scripts) -> None:
        self._fabric, self._sources, self._staging, self._scripts = fabric, sources, staging, scripts

    def begin(self, template: Template, at: datetime, done: Callable[[Fault | None, datetime], None]) -> None:
        """Scripts are read aside, since they may lie in real storage; then all is decided at once."""
        checksums: dict[int, str] = {}

        def work() -> None:
            for position, step in enumerate(template.customizers):
                computed = self._scripts.checksum(step, template.identity_ids)
                if computed:
                    checksums[position] = computed

        def finish(when: datetime) -> None:
            template.computed_checksums = checksums
            done(self.complete(template), when)

        broken = Fault("InternalOperationError", "The scripts could not be read.", "ServerError")
        self._fabric.aside(at, work, finish, lambda when: done(broken, when))

    def complete(self, template: Template) -> Fault | None:
        """The staging group comes into being even if the template then fails, as recorded."""
        fault = self._source_fault(template) or _steps_fault(template) or _distribute_fault(template)
        try:
            template.staging = self._staging.create(template)
        except StagingRefused as refused:
            fault = fault or Fault("BadStagingResourceGroup", str(refused), "BadStagingResourceGroup")
        fault = fault or self._network_fault(template)
        self.introduce(template)
        return fault

    def introduce(self, template: Template) -> None:
        """From then on the template shows who its identities are."""
        template.identity["userAssignedIdentities"] = {
            each: self._identity(each) for each in template.identity_ids
        }

    def _source_fault(self, template: Template) -> Fault | None:
        try:
            template.exact_version = self._sources.resolve(template).exact
        except SourceRefused as refused:
            return Fault(refused.code, refused.message, refused.provisioning_code)
        return None

    def _network_fault(self, template: Template) -> Fault | None:
        network = (template.properties.get("vmProfile") or {}).get("vnetConfig") or {}
        for name in ("subnetId", "containerInstanceSubnetId"):
            subnet = network.get(name)
            if not subnet:
                continue
            vnet = subnet.rsplit("/", 2)[0]
            if not all(self._fabric.roles.allows(each, JOIN, subnet) for each in template.identity_ids):
                return Fault(
                    "Unauthorized",
                    f"Not authorized to access the resource: {vnet}. Please check the user assigned identity "
                    f"has the correct permissions. {_HELP}",
                )
            if self._fabric.records.get(subnet) is None:
                return Fault(
                    "NotFound",
                    f"The resource was not found: {subnet}. Please check the subnet of the template's "
                    f"vnetConfig. {_HELP}",
                )
        return None

    def _identity(self, identity_id: str) -> dict[str, str]:
        found = self._fabric.records.get(identity_id)
        properties: dict[str, Any] = getattr(found, "properties", {})
        return {key: str(properties.get(key, "")) for key in ("principalId", "clientId")}


def _steps_fault(template: Template) -> Fault | None:
    validators = (template.properties.get("validate") or {}).get("inVMValidations") or ()
    places = (("customize", "Customizer", template.customizers), ("inVMValidations", "Validator", validators))
    for place, word, steps in places:
        for position, step in enumerate(steps):
            kind = step.get("type", "")
            if not kind:
                return _fault(f"Bad{word}Type", f"{word} {position} has no type.")
            if kind not in UNIONS[place]:
                return _fault(f"Unsupported{word}Type", f"The {word.lower()} type '{kind}' is not supported.")
            if kind in ("Shell", "PowerShell") and bool(step.get("scriptUri")) == bool(step.get("inline")):
                return _fault(
                    f"No{word}Script",
                    f"{word} {position} ({kind}) must have either scriptUri or inline.",
                )
            if kind == "File" and not (step.get("sourceUri") and step.get("destination")):
                return _fault(f"No{word}Script", f"{word} {position} (File) needs sourceUri and destination.")
    return None


def _distribute_fault(template: Template) -> Fault | None:
    needed = {"ManagedImage": ("imageId", "location"), "SharedImage": ("galleryImageId",), "VHD": ()}
    for each in template.distributors:
        kind, name = each.get("type", ""), each["runOutputName"]
        if kind not in needed:
            return _fault("BadDistributeType", f"The distribute type '{kind}' of {name} is not supported.")
        missing = [member for member in needed[kind] if not each.get(member)]
        if missing:
            return _fault("BadDistributeType", f"The distribute target {name} ({kind}) needs {missing[0]}.")
        if kind == "SharedImage" and each.get("targetRegions") and each.get("replicationRegions"):
            return _fault(
                "BadSharedImageDistribute",
                f"The distribute target {name} must not have both targetRegions and replicationRegions.",
            )
    return None


def _fault(code: str, message: str) -> Fault:
    return Fault(code, message, code)
