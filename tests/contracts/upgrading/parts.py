"""Templates to upgrade, and what an upgrade says of them by path."""

from typing import Any

from shared.contracts.faults import dotted
from shared.contracts.upgrading import NOWHERE, Context, Upgraded, upgrade

TYPE = "Microsoft.VirtualMachineImages/imageTemplates"
SOURCE = {"type": "PlatformImage", "publisher": "P", "offer": "O", "sku": "S", "version": "latest"}
VHD = {"type": "VHD", "runOutputName": "vhd"}
OFF = "taken off: "
HERE = Context("11111111-2222-3333-4444-555555555555", "images", "westeurope")


def template(**properties: Any) -> dict[str, Any]:
    """A template in the current form; None leaves a property out."""
    asked = {"source": SOURCE, "distribute": [VHD], **properties}
    return {
        "location": "westeurope",
        "properties": {name: value for name, value in asked.items() if value is not None},
    }


def deployment(resource: dict[str, Any] | None = None, /, **members: Any) -> dict[str, Any]:
    """A deployment template around an image template."""
    return {"resources": [{"type": TYPE, **(resource or template())}], **members}


def changes(upgraded: Upgraded) -> dict[str, str]:
    return {dotted(change.path): change.said for change in upgraded.changes}


def refused(upgraded: Upgraded) -> dict[str, str]:
    return {dotted(refusal.path): refusal.message for refusal in upgraded.refused}


def refusals(content: dict[str, Any], context: Context = NOWHERE) -> dict[str, str]:
    return refused(upgrade(content, {}, context))


def changed(content: dict[str, Any], context: Context = NOWHERE) -> tuple[Any, dict[str, str]]:
    """What comes out, and what is told; nothing may be refused."""
    upgraded = upgrade(content, {}, context)
    assert upgraded.refused == ()
    return upgraded.content, changes(upgraded)
