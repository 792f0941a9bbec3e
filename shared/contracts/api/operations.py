"""What an operation is: the one description that routes, checks and documents it."""

import re
from http import HTTPStatus
from typing import Final

import msgspec

from shared.domain.callers import Role

from .problems import JSON

ROOT: Final = "/api/v1"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters, or no body."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path."""

    id: str
    method: str
    path: str
    """Below `/api/v1`, with `{parameters}`."""
    tag: str
    summary: str
    role: Role | None
    """What the caller needs; None for anybody."""
    at: type[msgspec.Struct] = Nothing
    """The parameters in the path."""
    query: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] | None = None
    answer: type[msgspec.Struct] | None = None
    media: str = JSON
    status: HTTPStatus = HTTPStatus.OK
    etag: bool = False
    """Whether what it shows changes and bears an ETag."""
    acts_on: str = ""
    """The operation that shows what this one changes: `If-Match` takes its ETag."""
    refusals: frozenset[HTTPStatus] = frozenset()
    """Besides those of every operation."""

    @property
    def acts(self) -> bool:
        return self.method != "GET"

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(_PARAMETER.findall(self.path))

    @property
    def statuses(self) -> tuple[HTTPStatus, ...]:
        """Every status that it may answer with."""
        found = {self.status, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_ACCEPTABLE, *self.refusals}
        if self.role is not None:
            found |= {
                HTTPStatus.UNAUTHORIZED,
                HTTPStatus.FORBIDDEN,
                HTTPStatus.TOO_MANY_REQUESTS,
                HTTPStatus.SERVICE_UNAVAILABLE,
            }
        if self.parameters:
            found.add(HTTPStatus.NOT_FOUND)
        if self.etag:
            found.add(HTTPStatus.NOT_MODIFIED)
        if self.acts:
            found |= {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
        if self.acts_on:
            found.add(HTTPStatus.PRECONDITION_FAILED)
        if self.acts or self.body:
            found |= {HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
        return tuple(sorted(found))

    def fits(self, parts: tuple[str, ...]) -> dict[str, str] | None:
        """The parameters in a path, or None if it is another's. Literals have no case, as in the host."""
        own = self.path.strip("/").split("/")
        if len(own) != len(parts):
            return None
        found: dict[str, str] = {}
        for template, part in zip(own, parts, strict=True):
            name = _PARAMETER.fullmatch(template)
            if name:
                found[name[1]] = part
            elif template.lower() != part.lower():
                return None
        return found
