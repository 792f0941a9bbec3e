"""The endpoint of Resource Graph: who may see which row, pages, the quota, and how far it is behind."""

from __future__ import annotations

import base64
import binascii
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.galleries.model import Version
from sandbox.arm.graph.expressions import Row
from sandbox.arm.graph.queries import Rows, run, table_of
from sandbox.arm.imagebuilder.template import Template
from sandbox.arm.imagebuilder.wire import template_document
from sandbox.arm.records import Resource
from sandbox.arm.router import Route
from sandbox.http import Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.records import Group

API_VERSIONS = ("2021-03-01", "2022-10-01", "2024-04-01")
INSTANCES = "microsoft.compute/virtualmachinescalesets/virtualmachines"
SUBSCRIPTION = "microsoft.resources/subscriptions"
GROUP = f"{SUBSCRIPTION}/resourcegroups"
PAGE, MOST = 100, 1000
QUOTA, WINDOW = 15, timedelta(seconds=5)
KEPT = 64
"""Results that can be paged on."""


@dataclass(frozen=True, slots=True)
class _Result:
    order: Sequence[str]
    rows: Rows


@dataclass(slots=True)
class _Snapshot:
    at: datetime
    tables: dict[str, Rows]


@dataclass(slots=True)
class ResourceGraph:
    fabric: Fabric
    _snapshot: _Snapshot | None = None
    _results: dict[str, _Result] = field(default_factory=dict)
    _asked: dict[str, deque[datetime]] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        path = "/providers/Microsoft.ResourceGraph/resources"
        return [Route("POST", path, self._query, None, versions=API_VERSIONS)]

    def _query(self, context: Context) -> Response:
        headers = self._quota(context)
        body = context.body()
        query, options = body.get("query"), body.get("options") or {}
        if not isinstance(query, str) or not query.strip():
            raise bad_request("BadRequest", "The query must not be empty.")
        top, token = options.get("$top", PAGE), options.get("$skipToken")
        if not isinstance(top, int) or not 1 <= top <= MOST:
            raise bad_request("BadRequest", f"$top must be between 1 and {MOST}.")
        name, start = _position(token) if token else (self.fabric.guid(), int(options.get("$skip") or 0))
        result = self._results.get(name) if token else self._evaluated(context, query, body)
        if result is None:
            raise bad_request("BadRequest", "The $skipToken is no longer valid.")
        self._keep(name, result)
        rows = result.rows[start : start + top]
        more = start + top < len(result.rows)
        document: dict[str, Any] = {
            "totalRecords": len(result.rows),
            "count": len(rows),
            "data": rows if options.get("resultFormat") != "table" else table_of(result.order, rows),
            "facets": [],
            "resultTruncated": "true" if more and "id" not in result.order else "false",
        }
        if more and "id" in result.order:
            document["$skipToken"] = base64.urlsafe_b64encode(f"{name}/{start + top}".encode()).decode()
        return Response.of(200, document, headers)

    def _evaluated(self, context: Context, query: str, body: dict[str, Any]) -> _Result:
        wanted = body.get("subscriptions")
        if wanted is not None and not isinstance(wanted, list):
            raise bad_request("BadRequest", "subscriptions must be a list.")
        scope = None if wanted is None else {str(each).lower() for each in wanted}
        tables = {
            name: [row for row in rows if self._visible(context, row, scope)]
            for name, rows in self._tables(context.now).items()
        }
        seen = {row["type"] for rows in tables.values() for row in rows}
        context.linked.extend(sorted(f"{_action(kind)}/read" for kind in seen))
        return _Result(*run(query, tables))

    def _visible(self, context: Context, row: Row, scope: set[str] | None) -> bool:
        """Left out without a word: what is outside the scope, or may not be read."""
        if scope is not None and row["subscriptionId"].lower() not in scope:
            return False
        return self.fabric.roles.allows(context.caller.name, f"{_action(row['type'])}/read", row["id"])

    def _tables(self, now: datetime) -> dict[str, Rows]:
        lag = timedelta(seconds=self.fabric.switches.graph_lag_seconds)
        if self._snapshot is None or now - self._snapshot.at >= lag:
            self._snapshot = _Snapshot(now, self._seen(now))
        return self._snapshot.tables

    def _seen(self, now: datetime) -> dict[str, Rows]:
        resources, instances, containers = list[Row](), list[Row](), list[Row]()
        records = self.fabric.records
        for subscription in records.subscriptions.values():
            containers.append(_subscription(subscription, self.fabric.tenant))
            for group in records.groups(subscription):
                containers.append(_group(group, self.fabric.tenant))
                for record in list(records.in_group(group)):
                    for document in _documents(record, now):
                        row = _row(document, group, self.fabric.tenant)
                        (instances if row["type"] == INSTANCES else resources).append(row)
        return {"resources": resources, "resourcecontainers": containers, "computeresources": instances}

    def _keep(self, name: str, result: _Result) -> None:
        self._results[name] = result
        while len(self._results) > KEPT:
            self._results.pop(next(iter(self._results)))

    def _quota(self, context: Context) -> dict[str, str]:
        """15 queries in 5 seconds for each principal [figures of Resource Graph's throttling page]."""
        asked = self._asked.setdefault(context.caller.name, deque())
        while asked and context.now - asked[0] >= WINDOW:
            asked.popleft()
        left = WINDOW - (context.now - asked[0]) if asked else WINDOW
        resets = f"00:00:{max(1, -(-left // timedelta(seconds=1))):02d}"
        if len(asked) >= QUOTA:
            told = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": resets}
            seconds = str(int(resets[-2:]))
            raise ArmError(
                429,
                "RateLimiting",
                "Client application has been throttled and should not attempt to repeat the request until an "
                "amount of time has elapsed.",
                headers={**told, "Retry-After": seconds},
            )
        asked.append(context.now)
        remaining = str(QUOTA - len(asked))
        return {"x-ms-user-quota-remaining": remaining, "x-ms-user-quota-resets-after": resets}


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
        **dict.fromkeys(("kind", "managedBy", "sku", "plan", "identity", "zones", "extendedLocation")),
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
    return _row({**head, "tags": group.tags, "properties": properties}, group, tenant)


def _subscription(subscription: str, tenant: str) -> Row:
    return {
        **dict.fromkeys(("kind", "managedBy", "sku", "plan", "identity", "zones", "extendedLocation")),
        "id": f"/subscriptions/{subscription}",
        "name": subscription,
        "type": SUBSCRIPTION,
        "location": "",
        "resourceGroup": "",
        "subscriptionId": subscription,
        "tenantId": tenant,
        "tags": {},
        "properties": {"state": "Enabled", "managementGroupAncestorsChain": []},
    }


def _action(kind: str) -> str:
    return "microsoft.resources/subscriptions/resourceGroups" if kind == GROUP else kind


def _position(token: str) -> tuple[str, int]:
    try:
        name, _, at = base64.urlsafe_b64decode(str(token)).decode().partition("/")
        return name, int(at)
    except (ValueError, binascii.Error) as error:
        raise bad_request("BadRequest", "The $skipToken is invalid.") from error
