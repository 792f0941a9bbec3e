"""Lists in pages: `nextLink` is absolute, opaque, and to be followed as it is."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox.arm.errors import bad_request
from sandbox.http import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def page(
    request: Request, items: Sequence[Any], size: int, headers: Mapping[str, str] | None = None
) -> Response:
    """The part of the list that the request's $skipToken asks for."""
    start = _position(request.param("$skipToken"))
    document: dict[str, Any] = {"value": list(items[start : start + size])}
    if start + size < len(items):
        kept = [(key, value) for key, value in request.query if key.lower() != "$skiptoken"]
        token = base64.urlsafe_b64encode(f"at={start + size}".encode()).decode()
        query = urlencode([*kept, ("$skipToken", token)], safe="$")
        document["nextLink"] = f"{request.base}{request.path}?{query}"
    return Response.of(200, document, headers)


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        key, _, value = base64.urlsafe_b64decode(token).decode().partition("=")
        if key == "at" and int(value) >= 0:
            return int(value)
    except (ValueError, binascii.Error):
        pass
    raise bad_request(
        "InvalidSkipToken", f"The $skipToken {token!r} is invalid: follow nextLink as it was given."
    )
