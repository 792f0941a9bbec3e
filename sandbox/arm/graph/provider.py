"""The endpoint of Resource Graph: who may see which row, pages, and how far it is behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.graph import rows
from sandbox.arm.graph.asking import Place, Question, question
from sandbox.arm.graph.queries import Result, Rows, run, table_of
from sandbox.arm.graph.quota import RETRY_AFTER, Quotas
from sandbox.arm.graph.tokens import Misunderstood
from sandbox.arm.router import Route
from sandbox.http import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.graph.expressions import Row

API_VERSIONS = ("2021-03-01", "2022-10-01", "2024-04-01")
KEPT = 64
"""Results that can be paged on."""
_THROTTLED = (
    "Client application has been throttled and should not attempt to repeat the request until an amount of "
    "time has elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
)
_INVALID = (
    "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the "
    "error before retrying."
)


@dataclass(slots=True)
class _Snapshot:
    at: datetime
    tables: dict[str, Rows]


@dataclass(slots=True)
class ResourceGraph:
    fabric: Fabric
    _snapshot: _Snapshot | None = None
    _results: dict[tuple[str, str], Result] = field(default_factory=dict)
    _quotas: Quotas = field(default_factory=Quotas)

    def routes(self) -> list[Route]:
        path = "/providers/Microsoft.ResourceGraph/resources"
        return [Route("POST", path, self._query, None, versions=API_VERSIONS)]

    def _query(self, context: Context) -> Response:
        goes, headers = self._quotas.take(context.caller.name, context.now)
        if not goes:
            detail = {"code": "RateLimiting", "message": _THROTTLED}
            raise _refused(context, 429, "RateLimiting", [detail], {**headers, "Retry-After": RETRY_AFTER})
        asked = question(context.body())
        name = asked.after.result if asked.after else self.fabric.guid()
        result = self._result(context, asked, name)
        start = 0 if result.limited else asked.skip  # documented: $skip is passed over beside limit or take
        page = result.rows[start : start + asked.top]
        more = start + asked.top < len(result.rows)
        paged = more and not result.limited and "id" in result.order
        document: dict[str, Any] = {
            "totalRecords": len(result.rows),
            "count": len(page),
            "data": table_of(result, page) if asked.table else page,
            "facets": [],
            "resultTruncated": "true" if more and not paged else "false",
        }
        if paged:
            document["$skipToken"] = Place(name, start + asked.top, asked.top).token()
        return Response.of(200, document, headers)

    def _result(self, context: Context, asked: Question, name: str) -> Result:
        """As it was for the first page, or, where pages move, as it is now."""
        key = (context.caller.name, name)
        if asked.after is None or self.fabric.switches.graph_pages_move:
            self._results[key] = self._evaluated(context, asked)
        elif key not in self._results:
            raise bad_request("BadRequest", "The $skipToken is no longer valid.")
        while len(self._results) > KEPT:
            self._results.pop(next(iter(self._results)))
        return self._results[key]

    def _evaluated(self, context: Context, asked: Question) -> Result:
        tables = {
            name: [row for row in found if self._visible(context, row, asked.subscriptions)]
            for name, found in self._tables(context.now).items()
        }
        seen = {row["type"] for found in tables.values() for row in found}
        context.linked.extend(sorted(rows.read_action(kind) for kind in seen))
        try:
            return run(asked.query, tables)
        except Misunderstood as error:
            details: list[Mapping[str, object]] = [
                {"code": "InvalidQuery", "message": _INVALID},
                error.detail,
            ]
            raise _refused(context, 400, "BadRequest", details) from error

    def _visible(self, context: Context, row: Row, scope: frozenset[str] | None) -> bool:
        """Left out without a word: what is outside the scope, or may not be read."""
        if scope is not None and row["subscriptionId"].lower() not in scope:
            return False
        return self.fabric.roles.allows(context.caller.name, rows.read_action(row["type"]), row["id"])

    def _tables(self, now: datetime) -> dict[str, Rows]:
        lag = timedelta(seconds=self.fabric.switches.graph_lag_seconds)
        if self._snapshot is None or now - self._snapshot.at >= lag:
            self._snapshot = _Snapshot(now, rows.tables(self.fabric, now))
        return self._snapshot.tables


def _refused(
    context: Context,
    status: int,
    code: str,
    details: Sequence[Mapping[str, object]],
    headers: Mapping[str, str] | None = None,
) -> ArmError:
    message = (
        "Please provide below info when asking for support: "
        f"timestamp = {context.now:%Y-%m-%dT%H:%M:%S.%f}0Z, correlationId = {context.correlation}."
    )
    return ArmError(status, code, message, details=details, headers=headers)
