"""One request at the front, taken apart once."""

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import aiohttp
import msgspec
from aiohttp import web
from multidict import CIMultiDict

from sandbox.storage.actions import Asked

_RANGE: Final = re.compile(r"bytes=(\d+)-(\d+)", re.IGNORECASE)
_OUR_OWN: Final = frozenset(
    ("authorization", "connection", "expect", "keep-alive", "transfer-encoding", "accept-encoding")
)
_BUFFERED: Final = 8 * 1024 * 1024  # up to here a body is read at once; beyond it streams through
_LARGE: Final = 1024 * 1024  # answers up to here are sent in one piece


class Place(msgspec.Struct, frozen=True):
    """Where a path-style address points: `rest` is raw and begins with a slash, or is empty."""

    account: str
    rest: str
    segments: tuple[str, ...]

    @property
    def blob(self) -> str:
        return "/".join((self.account, *self.segments))


def place(raw_path: str) -> Place | None:
    """Take a raw path apart; None if it is not one that a storage service would accept."""
    _, _, behind = raw_path.partition("/")
    account, slash, rest = behind.partition("/")
    segments = tuple(unquote(part) for part in rest.split("/")) if rest else ()
    if not account or any(part in (".", "..") for part in segments):
        return None
    return Place(account=account, rest=slash + rest if rest else "", segments=segments)


class Exchange(msgspec.Struct):
    """A request on its way through the front, with what was found out about it."""

    asked: Asked
    place: Place
    raw_query: str
    physical: str
    request: web.BaseRequest
    principal: str | None = None
    audience: str | None = None
    action: str | None = None

    @property
    def target(self) -> str:
        """The same request as Azurite has to see it."""
        return "/" + self.physical + self.place.rest + (f"?{self.raw_query}" if self.raw_query else "")

    @property
    def version(self) -> str:
        return self.request.headers.get("x-ms-version", "2023-11-03")

    def forwarded_headers(self) -> CIMultiDict[str]:
        """Host stays the client's, since Azurite writes it into the addresses that it answers with."""
        return CIMultiDict(
            (name, value) for name, value in self.request.headers.items() if name.lower() not in _OUR_OWN
        )

    def streams(self, answer: aiohttp.ClientResponse) -> bool:
        """Whether the answer is large content; lists, which the front may have to touch, are not."""
        large = (answer.content_length or 0) > _LARGE
        return large and self.request.method == "GET" and "comp" not in self.asked.query

    def range_length(self) -> int | None:
        """How many bytes are asked for, None if the request leaves that to the blob."""
        headers = self.request.headers
        found = _RANGE.fullmatch(headers.get("x-ms-range", headers.get("Range", "")))
        return int(found[2]) + 1 - int(found[1]) if found else None

    async def body(self) -> bytes | aiohttp.StreamReader | None:
        length = self.request.content_length
        if length is None:
            return self.request.content if self.request.body_exists else None
        if length > _BUFFERED:
            return self.request.content
        return await self.request.content.readexactly(length) if length else b""


def read(service: str, request: web.BaseRequest) -> tuple[Place | None, str, Asked]:
    """Return where the request points, its raw query, and what it asks."""
    parts = urlsplit(request.raw_path)
    found = place(parts.path)
    query = {name.lower(): value for name, value in parse_qsl(parts.query, True)}
    segments = found.segments if found else ()
    return found, parts.query, Asked(service, request.method, segments, query, request.headers)
