"""What Resource Graph knows: a row for each resource, resource group and subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm.galleries.model import Version
from sandbox.arm.imagebuilder.template import Template
from sandbox.arm.imagebuilder.wire import template_document
from sandbox.arm.records import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sandbox.arm.fabric import Fabric
    from sandbox.arm.graph.expressions import Row
    from sandbox.arm.graph.queries import Rows
    from sandbox.arm.records import Group

INSTANCES = "microsoft.compute/virtualmachinescalesets/virtualmachines"
SUBSCRIPTION = "microsoft.resources/subscriptions"
GROUP = f"{SUBSCRIPTION}/resourcegroups"
_OFTEN_MISSING = ("kind", "managedBy", "sku", "plan", "identity", "zones", "extendedLocation")


def tables(fabric: Fabric, now: datetime) -> dict[str, Rows]:
    """Everything as it is now, whoever may read it."""
    resources: Rows = []
    instances: Rows = []
    containers: Rows = []
    records = fabric.records
    for subscription in list(records.subscriptions.values()):
        tags = records.subscription_tags.get(subscription.lower(), {})
        containers.append(_subscription(subscription, tags, fabric.tenant))
        for group in records.groups(subscription):
            containers.append(_group(group, fabric.tenant))
            for record in list(records.in_group(group)):
                for document in _documents(record, now):
                    row = _row(document, group, fabric.tenant)
                    (instances if row["type"] == INSTANCES else resources).append(row)
    return {"resources": resources, "resourcecontainers": containers, "computeresources": instances}


def _documents(record: Any, now: datetime) -> Iterator[dict[str, Any]]:
    """What a plain GET shows of a record."""
    if isinstance(record, Version):
        yield record.document("2024-03-03", now)
    elif isinstance(record, Template):
        yield template_document(record)
    elif isinstance(record, Resource):
        yield record.document()


def _row(document: dict[str, Any], group: Group, tenant: str) -> Row:
    return {
        **dict.fromkeys(_OFTEN_MISSING),
        **document,
        "type": str(document["type"]).lower(),
        "resourceGroup": group.name.lower(),
        "subscriptionId": group.subscription,
        "tenantId": tenant,
        "tags": dict(document.get("tags") or {}),
        "properties": dict(document.get("properties") or {}),
    }


def _group(group: Group, tenant: str) -> Row:
    properties = {"provisioningState": group.state}
    head = {"id": group.id, "name": group.name, "type": GROUP, "location": group.location}
    document = {**head, "managedBy": group.managed_by, "tags": group.tags, "properties": properties}
    return _row(document, group, tenant)


def _subscription(subscription: str, tags: dict[str, str], tenant: str) -> Row:
    return {
        **dict.fromkeys(_OFTEN_MISSING),
        "id": f"/subscriptions/{subscription}",
        "name": subscription,
        "type": SUBSCRIPTION,
        "location": "",
        "resourceGroup": "",
        "subscriptionId": subscription,
        "tenantId": tenant,
        "tags": dict(tags),
        "properties": {"state": "Enabled", "managementGroupAncestorsChain": []},
    }


def read_action(kind: str) -> str:
    """What must be allowed at a row for it to be seen."""
    name = "microsoft.resources/subscriptions/resourceGroups" if kind == GROUP else kind
    return f"{name}/read"
