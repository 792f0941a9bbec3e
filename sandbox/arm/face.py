"""The front door of Resource Manager: token, route, role, throttle, answer, record: in that order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sandbox.arm import errors
from sandbox.arm.access import Caller, Doorkeeper
from sandbox.arm.context import Context
from sandbox.arm.errors import ArmError
from sandbox.arm.router import Route, Router, scope_of
from sandbox.arm.throttle import Throttle
from sandbox.calls import Call, CallLog
from sandbox.http import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.arm.fabric import Fabric
    from sandbox.faults import Faults

_NOBODY = Caller("", "", "")


@dataclass(slots=True)
class _Trail:
    """What is known about a call by the time it is recorded."""

    caller: Caller | None = None
    action: str | None = None
    linked: list[str] = field(default_factory=list)
    limits: Mapping[str, str] = field(default_factory=dict)


class ResourceManager:
    """A Face."""

    def __init__(
        self,
        fabric: Fabric,
        routes: Iterable[Route],
        *,
        doorkeeper: Doorkeeper,
        faults: Faults,
        calls: CallLog,
        throttle: Throttle | None = None,
    ) -> None:
        self.fabric, self.throttle = fabric, throttle or Throttle()
        self._router = Router(routes)
        self._doorkeeper, self._faults, self._calls = doorkeeper, faults, calls

    def handle(self, request: Request) -> Response:
        self.fabric.run_due()
        trail, request_id = _Trail(), self.fabric.guid()
        prepared = self._prepare(request, request_id, trail)
        response = self._faults.around("arm", request, lambda _: self._answer(prepared, trail))
        self._record(request, response, trail)
        return self._stamped(request, response, request_id, trail)

    def _prepare(self, request: Request, request_id: str, trail: _Trail) -> tuple[Route, Context] | ArmError:
        """All that can be known before anything is done, so that refused calls are recorded with it."""
        now = self.fabric.clock.now()
        try:
            route, params = self._router.find(request)
        except ArmError as nowhere:
            return self._known_caller_first(request, nowhere)
        trail.action = route.action
        try:
            caller = _NOBODY if route.anonymous else self._doorkeeper.admit(request, now)
        except ArmError as refused:
            return refused
        trail.caller = caller
        correlation = request.headers.get("x-ms-correlation-request-id") or request_id
        scope = scope_of(request.method, tuple(request.path.strip("/").split("/")))
        context = Context(
            self.fabric, request, params, caller, now, correlation, route.action, scope, trail.linked
        )
        return route, context

    def _known_caller_first(self, request: Request, nowhere: ArmError) -> ArmError:
        """A stranger learns from 401 alone, not from what exists."""
        try:
            self._doorkeeper.admit(request, self.fabric.clock.now())
        except ArmError as refused:
            return refused
        return nowhere

    def _answer(self, prepared: tuple[Route, Context] | ArmError, trail: _Trail) -> Response:
        if isinstance(prepared, ArmError):
            return prepared.response()
        route, context = prepared
        try:
            if not route.anonymous:
                trail.limits = self.throttle.take(
                    context.request.method,
                    context.caller.name,
                    context.params.get("subscription"),
                    context.now,
                )
            context.permit()
            self._must_exist(context)
            return route.handler(context)
        except ArmError as refused:
            return refused.response()

    def _must_exist(self, context: Context) -> None:
        subscription, group = context.params.get("subscription"), context.params.get("group")
        founding = context.request.method == "PUT" and len(context.request.path.strip("/").split("/")) == 4
        if founding or subscription is None:
            return
        if subscription.lower() not in self.fabric.records.subscriptions:
            raise errors.subscription_not_found(subscription)
        if group is None:
            return
        found = self.fabric.records.group(subscription, group)
        if found is None:
            raise errors.group_not_found(group)
        if found.state == "Deleting" and context.request.method in ("PUT", "PATCH", "POST"):
            raise errors.group_being_deleted(found.name)

    def _record(self, request: Request, response: Response, trail: _Trail) -> None:
        self._calls.append(
            Call(
                service="arm",
                method=request.method,
                path=request.path,
                query=urlencode(request.query),
                status=response.status,
                at=self.fabric.clock.now(),
                audience=self._doorkeeper.audience(request),
                principal=trail.caller.name if trail.caller else None,
                action=trail.action,
                linked=tuple(trail.linked),
                correlation=request.headers.get("x-ms-client-request-id"),
            )
        )

    def _stamped(self, request: Request, response: Response, request_id: str, trail: _Trail) -> Response:
        now = self.fabric.clock.now()
        headers = {
            "Cache-Control": "no-cache",
            "Pragma": "no-cache",
            "Expires": "-1",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
            "Date": f"{now:%a, %d %b %Y %H:%M:%S GMT}",
            "x-ms-request-id": request_id,
            "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id", request_id),
            "x-ms-routing-request-id": f"SANDBOX:{now:%Y%m%dT%H%M%SZ}:{request_id}",
            **trail.limits,
        }
        echoed = request.headers.get("x-ms-client-request-id")
        if echoed:
            headers["x-ms-client-request-id"] = echoed
        return Response(
            response.status, response.headers.also(headers), response.body, response.drop, response.delay
        )
