"""What a request to Resource Graph asks for, and the place in a result where a page begins."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.arm.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 1000
"""Rows on a page, also where nothing is said [learn.microsoft.com: work-with-data]."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins. `top` is how long the page before it was meant to be."""

    result: str
    start: int
    top: int

    def token(self) -> str:
        return base64.urlsafe_b64encode(f"{self.result}/{self.start}/{self.top}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Question:
    query: str
    subscriptions: frozenset[str] | None
    top: int
    skip: int
    after: Place | None
    table: bool


def question(body: Mapping[str, Any]) -> Question:
    """Raises ArmError 400 for what cannot be asked."""
    query, options, wanted = body.get("query"), body.get("options") or {}, body.get("subscriptions")
    if not isinstance(query, str) or not query.strip():
        raise _bad("The query must not be empty.")
    if not isinstance(options, dict):
        raise _bad("options must be an object.")
    if wanted is not None and not isinstance(wanted, list):
        raise _bad("subscriptions must be a list.")
    token = options.get("$skipToken")
    after = _place(token) if token else None
    return Question(
        query=query,
        subscriptions=None if wanted is None else frozenset(str(each).lower() for each in wanted),
        top=_number(options, "$top", 1, MOST, after.top if after else MOST),
        skip=_number(options, "$skip", 0, 2**31 - 1, after.start if after else 0),
        after=after,
        table=options.get("resultFormat") == "table",
    )


def _number(options: Mapping[str, Any], name: str, least: int, most: int, otherwise: int) -> int:
    found = options.get(name)
    if found is None:
        return otherwise
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
        raise _bad(f"{name} must be a number from {least} to {most}.")
    return found


def _place(token: object) -> Place:
    try:
        result, start, top = base64.urlsafe_b64decode(str(token)).decode().split("/")
        return Place(result, int(start), int(top))
    except (ValueError, binascii.Error) as error:
        raise _bad("The $skipToken is invalid.") from error


def _bad(message: str) -> Exception:
    return bad_request("BadRequest", message)
