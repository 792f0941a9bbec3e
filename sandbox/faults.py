"""Faults on demand, in front of every service: refused, lost, answered late, or fatal to the host."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from sandbox.http import Headers, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.clock import Clock

Service = Literal["arm", "blob", "queue", "table", "eventgrid", "identity"]
SERVICES: tuple[str, ...] = ("arm", "blob", "queue", "table", "eventgrid", "identity")


@dataclass(frozen=True, slots=True)
class Fault:
    """`when=before`: the effect is not done. `when=after`: it is done, and the answer is replaced or lost.

    It fires on the `nth` request that matches (1 = the next one) and on the `count - 1` matches after it.
    `path` is a regular expression, searched without case in path and query.
    """

    service: str
    action: Literal["status", "drop", "delay", "kill_host"]
    when: Literal["before", "after"] = "before"
    method: str | None = None
    path: str = ""
    nth: int = 1
    count: int = 1
    status: int = 503
    code: str = "ServiceUnavailable"
    retry_after: int | None = None
    seconds: float = 0.0
    id: str = ""


@dataclass(frozen=True, slots=True)
class Fired:
    """One firing of a fault: which, on what, when."""

    fault: str
    method: str
    target: str
    at: datetime


class Faults:
    def __init__(self, clock: Clock, kill_host: Callable[[], None] | None = None) -> None:
        self._clock = clock
        self._ids = itertools.count(1)
        self._faults: dict[str, tuple[Fault, re.Pattern[str]]] = {}
        self._seen: dict[str, int] = {}
        self._fired: list[Fired] = []
        self.kill_host: Callable[[], None] = kill_host or (lambda: None)

    def add(self, fault: Fault) -> Fault:
        """Arm a fault; it gets an id unless it has one. Raises ValueError if it could never fire."""
        if fault.service not in SERVICES:
            raise ValueError(f"no service {fault.service!r}: choose one of {', '.join(SERVICES)}")
        if fault.nth < 1 or fault.count < 1:
            raise ValueError(f"nth and count start at 1, got nth={fault.nth}, count={fault.count}")
        try:
            pattern = re.compile(fault.path, re.IGNORECASE)
        except re.error as error:
            raise ValueError(f"path {fault.path!r} is not a regular expression: {error}") from error
        fault = fault if fault.id else replace(fault, id=f"fault-{next(self._ids)}")
        self._faults[fault.id] = (fault, pattern)
        self._seen[fault.id] = 0
        return fault

    def remove(self, fault_id: str) -> bool:
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        self._faults.clear()
        self._fired.clear()

    def list(self) -> tuple[Fault, ...]:
        return tuple(fault for fault, _ in self._faults.values())

    def fired(self, fault_id: str | None = None) -> tuple[Fired, ...]:
        return tuple(fired for fired in self._fired if fault_id is None or fired.fault == fault_id)

    def due(self, service: str, method: str, target: str) -> tuple[Fault, ...]:
        """The faults that fire on this request. Counts it: ask once per request."""
        firing = []
        for fault, pattern in self._faults.values():
            if fault.service != service or (fault.method and fault.method.upper() != method.upper()):
                continue
            if not pattern.search(target):
                continue
            self._seen[fault.id] += 1
            if fault.nth <= self._seen[fault.id] < fault.nth + fault.count:
                self._fired.append(Fired(fault.id, method, target, self._clock.now()))
                firing.append(fault)
        return tuple(firing)

    def around(self, service: str, request: Request, answer: Callable[[Request], Response]) -> Response:
        """Answer the request, or fail as the armed faults say."""
        if not self._faults:
            return answer(request)
        firing = self.due(service, request.method, request.target)
        delay = sum(fault.seconds for fault in firing if fault.action == "delay")
        for fault in firing:
            if fault.when == "before" and fault.action != "delay":
                return replace(self.strike(fault), delay=delay)
        response = answer(request)
        for fault in firing:
            if fault.when == "after" and fault.action != "delay":
                return replace(self.strike(fault), delay=delay)
        return replace(response, delay=response.delay + delay)

    def strike(self, fault: Fault) -> Response:
        """What the client gets from a fault that is not a delay."""
        if fault.action == "kill_host":
            self.kill_host()
        if fault.action != "status":
            return Response(0, drop=fault.when)
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        error = {"code": fault.code, "message": f"Injected by {fault.id}."}
        if fault.service in ("blob", "queue", "table"):
            return Response(fault.status, Headers({"x-ms-error-code": fault.code, **headers}))
        return Response.of(fault.status, {"error": error}, headers)
