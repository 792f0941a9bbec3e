"""What a machine says about itself: its agent while it has one, its disks, and its states in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.arm.compute.machines import Machine


def instance_view(machine: Machine) -> dict[str, Any]:
    """A deallocated machine has no agent that could tell; one that is only stopped still shows it."""
    at = machine.properties.get("timeCreated", "")
    told = machine.agent if machine.power != "deallocated" else {}
    profile = machine.properties.get("storageProfile", {})
    names = [each.get("name", "") for each in (profile.get("osDisk", {}), *profile.get("dataDisks", ()))]
    return {
        **told,
        "disks": [{"name": name, "statuses": [_provisioned(at)]} for name in names],
        "hyperVGeneration": machine.generation,
        "statuses": _statuses(machine, at),
    }


def _statuses(machine: Machine, at: str) -> list[dict[str, Any]]:
    words = [name for name in ("generalized", "specialized") if getattr(machine, name)]
    found: list[dict[str, Any]] = [
        {"code": f"OSState/{word}", "level": "Info", "displayStatus": f"VM {word}"} for word in words
    ]
    power = {
        "code": f"PowerState/{machine.power}",
        "level": "Info",
        "displayStatus": f"VM {machine.power}",
    }
    return [*found, _provisioned(at), power]


def _provisioned(at: str) -> dict[str, Any]:
    return {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "time": at,
    }
