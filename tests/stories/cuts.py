"""Cutting a worker off: every request that the app sends passes a gate, and the gate can be the end of it.

A worker that is killed sends nothing more, not even to clean up; one whose answer is lost goes on with an
error. Requests are counted over all gateways, so that a story can be cut at its n-th request whatever it is.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal

from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from shared.domain.errors import Unreachable

Kind = Literal["kill", "drop"]
When = Literal["before", "after"]


class Killed(BaseException):
    """The worker's process is gone. No handler of errors sees this."""


class Gate:
    """Counts requests; at `at` (from 1) the worker is cut before the request is sent, or after it was."""

    def __init__(self, at: int | None = None, when: When = "before", kind: Kind = "kill") -> None:
        self.at, self.when, self.kind = at, when, kind
        self.count = 0
        self.again: int | None = None
        """How many requests after the first cut a second one follows."""
        self.cut_at: str | None = None
        self.names: list[str] = []
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        """Storage requests, with their arguments."""
        self.before: Callable[[int], None] = lambda count: None
        """Told the number of each request before it is sent: for what others do in between."""
        self._dead = False

    def revive(self) -> None:
        """Another worker takes over."""
        self._dead = False

    def through(self, name: str, send: Callable[[], Any], *, sockets: bool = False) -> Any:
        if self._dead:
            raise Killed(name)
        self.count += 1
        self.names.append(name)
        self.before(self.count)
        cut = self.count == self.at
        if cut:
            self.cut_at = name
            self.at, self.again = (self.count + self.again, None) if self.again else (self.at, None)
        if cut and self.when == "before":
            self._cut(name, sockets)
        answer = send()
        if cut:
            self._cut(name, sockets)
        return answer

    def _cut(self, name: str, sockets: bool) -> None:
        if self.kind == "kill":
            self._dead = True
            raise Killed(name)
        if sockets:
            lost = ServiceRequestError if self.when == "before" else ServiceResponseError
            raise lost(f"the connection was cut at {name}")
        raise Unreachable(f"the connection was cut at {name}")


class Gated:
    """A storage port whose every method, being one request, passes the gate."""

    def __init__(self, port: object, name: str, gate: Gate) -> None:
        self._port, self._name, self._gate = port, name, gate

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._port, method)
        if not callable(call):
            return call

        def through(*args: Any, **kwargs: Any) -> Any:
            self._gate.asked.append((f"{self._name}.{method}", args))
            return self._gate.through(f"{self._name}.{method}", lambda: call(*args, **kwargs))

        return through


class InOrder:
    """Workers that work one after the other, so that a request's number always means the same request."""

    def run(self, tasks: Any, work: Callable[[Any], Any]) -> Iterator[Any]:
        for task in tasks:
            yield work(task)
