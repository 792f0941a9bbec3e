"""Requests and answers without sockets: what every face of the sandbox understands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import msgspec

Pairs = tuple[tuple[str, str], ...]


class Headers(Mapping[str, str]):
    """Names compare without case, and keep the spelling that they were given."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = items.items() if isinstance(items, Mapping) else items
        self._items = {name.lower(): (name, value) for name, value in pairs}

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items

    def also(self, more: Mapping[str, str]) -> Headers:
        return Headers([*self.items(), *more.items()])

    def __repr__(self) -> str:
        return f"Headers({dict(self.items())!r})"


@dataclass(frozen=True, slots=True)
class Request:
    """`base` is scheme and host as the client addressed it; `path` is decoded, `query` is decoded pairs."""

    method: str
    path: str
    query: Pairs = ()
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    base: str = ""

    @classmethod
    def to(
        cls, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Request:
        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method.upper(), unquote(parts.path) or "/", query, Headers(headers or {}), body, base)

    @property
    def target(self) -> str:
        """Path and query: what the patterns of faults are searched in."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def param(self, name: str) -> str | None:
        """The first query value of that name; Azure compares the names without case."""
        wanted = name.lower()
        return next((value for key, value in self.query if key.lower() == wanted), None)

    def json(self) -> Any:
        """The body as JSON, None where there is none. Raises ValueError where it is something else."""
        return msgspec.json.decode(self.body) if self.body.strip() else None


Drop = Literal["", "before", "after"]


@dataclass(frozen=True, slots=True)
class Response:
    """`drop` closes the connection in place of answering: `before` the effect or `after` it.

    `delay` is how many seconds a server (never an in-process transport) holds the answer back.
    """

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    drop: Drop = ""
    delay: float = 0.0

    @classmethod
    def of(cls, status: int, document: object = None, headers: Mapping[str, str] | None = None) -> Response:
        """An answer with a JSON document, or with no body at all where there is none."""
        given = Headers(headers or {})
        if document is None:
            return cls(status, given)
        body = msgspec.json.encode(document)
        kind = {} if "Content-Type" in given else {"Content-Type": "application/json; charset=utf-8"}
        return cls(status, given.also(kind), body)

    def json(self) -> Any:
        return msgspec.json.decode(self.body) if self.body.strip() else None


class Face(Protocol):
    """One service of the world as its clients see it. Synchronous: the world has one lock and no waiting."""

    def handle(self, request: Request) -> Response: ...
