"""What Resource Manager publishes about the end of an operation, in the Event Grid schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.arm.context import Origin
    from sandbox.arm.fabric import Fabric

Verb = Literal["Write", "Delete", "Action"]
Outcome = Literal["Success", "Failure", "Cancel"]
_STATUS = {"Success": "Succeeded", "Failure": "Failed", "Cancel": "Canceled"}
AZURE_ITSELF = "00000000-0000-0000-0000-000000000001"


def publish(
    fabric: Fabric,
    origin: Origin,
    resource_id: str,
    operation: str,
    outcome: Outcome,
    at: datetime,
) -> None:
    """One event to the subscription's system topic. `operation` ends in /write, /delete or /action."""
    verb = operation.rsplit("/", 1)[1].capitalize()
    subscription = resource_id.split("/")[2]
    event = {
        "id": fabric.guid(),
        "topic": f"/subscriptions/{subscription}",
        "subject": resource_id,
        "eventType": f"Microsoft.Resources.Resource{verb}{outcome}",
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%S.%f}0Z",
        "data": _data(fabric, origin, resource_id, operation, outcome, at),
        "dataVersion": "2",
        "metadataVersion": "1",
    }
    fabric.emit(f"/subscriptions/{subscription}", event)


def _data(
    fabric: Fabric, origin: Origin, resource_id: str, operation: str, outcome: Outcome, at: datetime
) -> dict[str, Any]:
    personal: dict[str, Any] = {
        "authorization": _authorization(fabric, origin, resource_id, operation),
        "claims": _claims(fabric, origin, at),
        "httpRequest": {
            "clientRequestId": origin.client_request or origin.correlation,
            "clientIpAddress": "203.0.113.7",
            "method": origin.method,
            "url": origin.url,
        },
    }
    if fabric.switches.claims_form == "string":
        personal = {name: msgspec.json.encode(value).decode() for name, value in personal.items()}
    return {
        **personal,
        "correlationId": origin.correlation,
        "resourceProvider": operation.split("/", 1)[0],
        "resourceUri": resource_id,
        "operationName": operation,
        "status": _STATUS[outcome],
        "subscriptionId": resource_id.split("/")[2],
        "tenantId": fabric.tenant,
    }


def _authorization(fabric: Fabric, origin: Origin, resource_id: str, operation: str) -> dict[str, Any]:
    name = origin.caller.name if origin.caller else ""
    held = next((a for a in fabric.roles.assignments if a.principal == name.lower()), None)
    return {
        "scope": resource_id,
        "action": operation,
        "evidence": {
            "role": held.role if held else "",
            "roleAssignmentScope": held.scope if held else "",
            "principalId": origin.caller.object_id if origin.caller else AZURE_ITSELF,
            "principalType": "ServicePrincipal",
        },
    }


def _claims(fabric: Fabric, origin: Origin, at: datetime) -> dict[str, str]:
    object_id = origin.caller.object_id if origin.caller else AZURE_ITSELF
    return {
        "aud": origin.caller.audience if origin.caller else "https://management.core.windows.net/",
        "iss": f"https://sts.windows.net/{fabric.tenant}/",
        "iat": str(int(at.timestamp())),
        "ipaddr": "203.0.113.7",
        "name": origin.caller.name if origin.caller else "Azure Virtual Machine Image Builder",
        "http://schemas.microsoft.com/identity/claims/objectidentifier": object_id,
        "http://schemas.microsoft.com/identity/claims/tenantid": fabric.tenant,
        "ver": "1.0",
    }
