"""An azure-core transport without sockets: the same clients, the same pipeline, some 0.2 ms a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest
from azure.core.rest._http_response_impl import HttpResponseImpl  # the one base that old clients take as well
from azure.core.utils import case_insensitive_dict

from sandbox.http import Face, Request, Response


class SandboxTransport(HttpTransport[HttpRequest, HttpResponseImpl]):
    """Hands a request to the face whose base URL it begins with; usable as `transport=` of any client."""

    def __init__(self, faces: Mapping[str, Face], sleep: Callable[[float], object] | None = None) -> None:
        self._faces = {base.rstrip("/").lower(): face for base, face in faces.items()}
        self.slept: list[float] = []
        self._sleep = sleep or self.slept.append

    def send(self, request: Any, **_kwargs: Any) -> HttpResponseImpl:
        asked = Request.to(request.method, request.url, dict(request.headers), _content(request))
        face = self._faces.get(asked.base.lower())
        if face is None:
            known = ", ".join(sorted(self._faces))
            raise ServiceRequestError(f"no service of the sandbox answers at {asked.base}: known are {known}")
        response = face.handle(asked)
        if response.drop == "before":
            raise ServiceRequestError(
                f"the connection was closed before {asked.method} {asked.path} was sent"
            )
        if response.drop == "after":
            raise ServiceResponseError(
                f"the connection was closed before {asked.method} {asked.path} was answered"
            )
        return _answer(request, response)

    def sleep(self, duration: float) -> None:
        """What a client waits between retries and polls; it is noted only, unless time is to move with it."""
        self._sleep(duration)

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def __exit__(self, *_args: object) -> None:
        self.close()


class _Connection:
    """What the clients close when they have read an answer."""

    def close(self) -> None:
        """There was none."""


def _content(request: Any) -> bytes:
    content = getattr(request, "content", None) or getattr(request, "body", None) or b""
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, bytes):
        return content
    return b"".join(content) if isinstance(content, Iterator | list | tuple) else bytes(content)


def _answer(request: Any, response: Response) -> HttpResponseImpl:
    headers: MutableMapping[str, str] = case_insensitive_dict(dict(response.headers))
    headers.setdefault("Content-Length", str(len(response.body)))
    answered = HttpResponseImpl(
        request=request,
        internal_response=_Connection(),
        block_size=4096,
        status_code=response.status,
        reason="",
        headers=headers,
        content_type=headers.get("Content-Type", ""),
        stream_download_generator=lambda *_args, **_kwargs: iter([response.body]),
    )
    answered.read()
    return answered
