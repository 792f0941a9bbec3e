"""Long operations: where their state is asked for, and how each provider words it.

Image Builder writes the operation's name in upper case and times with Z; Compute in lower case and with an
offset. Only Compute marks the Location header (`monitor=true`) and answers it by HTTP status.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sandbox.arm.errors import ArmError
from sandbox.http import Headers, Request, Response

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from datetime import datetime

Style = Literal["imagebuilder", "compute", "resources"]
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(slots=True)
class Operation:
    id: str
    style: Style
    subscription: str
    path: str
    start: datetime
    status: str = "InProgress"
    end: datetime | None = None
    error: dict[str, str] | None = None
    output: Any = None
    partition: str = ""

    @property
    def running(self) -> bool:
        return self.status == "InProgress"

    def finish(self, now: datetime, error: tuple[str, str] | None = None, status: str | None = None) -> None:
        self.end = now
        self.status = status or ("Failed" if error else "Succeeded")
        if error:
            self.error = {"code": error[0], "message": error[1]}

    def document(self) -> dict[str, Any]:
        stamp = zulu if self.style == "imagebuilder" else offset
        times = {"startTime": stamp(self.start)} | ({"endTime": stamp(self.end)} if self.end else {})
        failed = {"error": self.error} if self.error else {}
        if self.style == "imagebuilder":
            return {"name": self.id.upper(), "status": self.status, **times, **failed}
        result = {"properties": {"output": self.output}} if self.output is not None else {}
        return {**times, "status": self.status, "name": self.id, **result, **failed}


def zulu(at: datetime) -> str:
    """Seven digits and Z, trailing zeroes left out: as .NET writes it."""
    text = f"{at:%Y-%m-%dT%H:%M:%S.%f}0".rstrip("0").rstrip(".")
    return text + "Z"


def offset(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}0+00:00"


@dataclass(slots=True)
class Operations:
    """Every operation of the world, by its polling path."""

    random: random.Random
    guid: Callable[[], str]
    retry_after: Callable[[], int]
    _known: dict[str, Operation] = field(default_factory=dict)
    _certificate: str = ""

    def start(
        self, style: Style, subscription: str, collection: str, now: datetime, partition: str = ""
    ) -> Operation:
        """`collection` is the path below the subscription, such as providers/N/locations/l/operations.

        `partition` is what disks, images and machines (not galleries) write as `p` into polling URLs.
        """
        guid = self.guid()
        path = f"/subscriptions/{subscription}/{collection}/{guid}"
        operation = Operation(guid, style, subscription, path, now, partition=partition)
        self._known[path.lower()] = operation
        return operation

    def headers(self, operation: Operation, request: Request, *names: str) -> dict[str, str]:
        """The polling headers asked for, in the form of the operation's provider."""
        version = request.param("api-version") or ""
        signed = self._signature(operation.start)
        found: dict[str, str] = {}
        partition = f"p={operation.partition}&" if operation.partition else ""
        for name in names:
            monitor = "monitor=true&" if name == "Location" and operation.style == "compute" else ""
            found[name] = f"{request.base}{operation.path}?{partition}{monitor}api-version={version}{signed}"
        seconds = self.retry_after() or (15 if operation.style == "resources" else 0)
        return found | ({"Retry-After": str(seconds)} if seconds else {})

    def poll(self, request: Request) -> Response:
        operation = self._known.get(request.path.lower())
        if operation is None:
            raise ArmError(
                404, "NotFound", f"The operation {request.path.rsplit('/', 1)[-1]!r} was not found."
            )
        seconds = self.retry_after() if operation.running else 0
        headers = {"Retry-After": str(seconds)} if seconds else {}
        if operation.style == "resources":
            return self._by_status(operation, request, 200)
        if operation.style == "compute" and request.param("monitor") == "true":
            return self._by_status(operation, request, 200)
        return Response.of(200, operation.document(), headers | {"Content-Type": "application/json"})

    def _by_status(self, operation: Operation, request: Request, done: int) -> Response:
        if operation.running:
            return Response(202, Headers(self.headers(operation, request, "Location")))
        if operation.error:
            raise ArmError(409, operation.error["code"], operation.error["message"])
        return Response.of(done, operation.output)

    def _signature(self, now: datetime) -> str:
        """As long as the real one, so that whoever stores a polling URL finds room for it."""
        if not self._certificate:
            self._certificate = self._letters(2491)
        ticks = int(now.timestamp() * 10_000_000) + 621355968000000000
        return f"&t={ticks}&c={self._certificate}&s={self._letters(342)}&h={self._letters(43)}"

    def _letters(self, length: int) -> str:
        return "".join(self.random.choices(_ALPHABET, k=length))
