"""The older way to an image: a generalized machine on VHDs is copied beside them, described as a template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm.compute import reading
from sandbox.arm.errors import conflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.arm.compute.machines import Machine

SECONDS = 1.0
_SCHEMA = "http://schema.management.azure.com/schemas/2014-04-01-preview/VM_IP.json"
_ASKED = ("vmName", "adminUserName", "networkInterfaceId")


def capture(machine: Machine, body: Mapping[str, Any], version: str, copy: str) -> dict[str, Any]:
    """The template that the operation puts out; `copy` names the new disk. Raises ArmError for others.

    Managed disks are imaged instead; how that refusal is worded was not recorded.
    """
    prefix = reading.text(body, "vhdPrefix", "parameters")
    container = reading.text(body, "destinationContainerName", "parameters")
    system = machine.properties["storageProfile"]["osDisk"]
    if not machine.generalized:
        raise conflict(
            f"Operation 'capture' is not allowed on VM '{machine.name}' since the VM is not generalized.",
            "OperationNotAllowed",
        )
    if not system.get("vhd"):
        raise conflict(
            f"Operation 'capture' is not allowed on VM '{machine.name}' since its disks are managed: create "
            "an image of it.",
            "OperationNotAllowed",
        )
    account = system["vhd"]["uri"].rsplit("/", 2)[0]  # less container and blob
    file = f"{prefix}-osDisk.{machine.properties['vmId']}.vhd"
    disk = {
        "osType": system["osType"],
        "name": file,
        "createOption": "FromImage",
        "image": {"uri": f"{account}/system/Microsoft.Compute/Images/{container}/{file}"},
        "vhd": {"uri": f"{account}/vmcontainer{copy}/osDisk.{copy}.vhd"},
        "caching": system.get("caching", "None"),
    }
    return _template(machine, disk, version)


def _template(machine: Machine, disk: dict[str, Any], version: str) -> dict[str, Any]:
    size = machine.properties.get("hardwareProfile", {}).get("vmSize", "")
    profile = {
        "computerName": "[parameters('vmName')]",
        "adminUsername": "[parameters('adminUsername')]",
        "adminPassword": "[parameters('adminPassword')]",
    }
    interface = {"id": "[parameters('networkInterfaceId')]"}
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {
            **{name: {"type": "string"} for name in _ASKED},
            "vmSize": {"type": "string", "defaultValue": size},
            "adminPassword": {"type": "securestring"},
        },
        "resources": [
            {
                "name": "[parameters('vmName')]",
                "type": "Microsoft.Compute/virtualMachines",
                "location": machine.location,
                "apiVersion": version,
                "properties": {
                    "hardwareProfile": {"vmSize": "[parameters('vmSize')]"},
                    "provisioningState": 0,
                    "storageProfile": {"osDisk": disk},
                    "osProfile": profile,
                    "networkProfile": {"networkInterfaces": [interface]},
                },
            }
        ],
    }
