"""Events as Resource Manager and the factory post them, to be changed one member at a time."""

from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from .builders import DEFINITION, SOURCE, SUBSCRIPTION, TEMPLATE

OPERATION = "Microsoft.VirtualMachineImages/imageTemplates/run/action"
OTHER = "99999999-2222-3333-4444-555555555555"


def arm(subject: Any = TEMPLATE, **changes: Any) -> func.EventGridEvent:
    """As Resource Manager tells of an ended run. `data_x=` changes member x of data; None leaves it out."""
    data = {
        "operationName": OPERATION,
        "status": "Succeeded",
        "correlationId": "5c0ffee5-0000-4000-8000-000000000000",
        "resourceUri": subject,
        "subscriptionId": SUBSCRIPTION,
        "claims": {"name": "Ada Lovelace", "ipaddr": "192.0.2.1"},
        "authorization": {"scope": subject, "action": OPERATION, "evidence": {"role": "Contributor"}},
        **{name.removeprefix("data_"): changes.pop(name) for name in [*changes] if name.startswith("data_")},
    }
    event: dict[str, Any] = {
        "id": "0e1f4a5c-1111-4222-8333-444455556666",
        "topic": f"/subscriptions/{SUBSCRIPTION}",
        "subject": subject,
        "event_type": "Microsoft.Resources.ResourceActionSuccess",
        "event_time": datetime(2026, 11, 21, tzinfo=UTC),
        "data": {name: value for name, value in data.items() if value is not None},
        "data_version": "2",
        **changes,
    }
    return func.EventGridEvent(**event)


def ours(subject: Any = SOURCE, **changes: Any) -> func.EventGridEvent:
    event: dict[str, Any] = {
        "id": "0123456789abcdef0123456789abcdef",
        "topic": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.EventGrid/topics/t",
        "subject": subject,
        "event_type": "ImageFactory.SourceVersionFound",
        "event_time": datetime(2026, 11, 21, tzinfo=UTC),
        "data": {"version": "22.04.202611010", "correlation": "look-2026-1"},
        "data_version": "1",
        **changes,
    }
    return func.EventGridEvent(**event)


VERSION = f"{DEFINITION}/versions/1.0.3"
VERSION_WRITTEN = "Microsoft.Compute/galleries/images/versions/write"
VERSION_DELETED = "Microsoft.Compute/galleries/images/versions/delete"


def of_version(subject: Any = VERSION, **changes: Any) -> func.EventGridEvent:
    """As Resource Manager tells that a gallery version was written."""
    told = {"data_operationName": VERSION_WRITTEN, "event_type": "Microsoft.Resources.ResourceWriteSuccess"}
    return arm(subject, **{**told, **changes})
