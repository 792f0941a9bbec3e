"""What all calls of Resource Manager share: what its refusals mean, and how to read its documents."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.domain.errors import RetryableError

from .errors import Call, Meaning, Need, missing, saying

GONE = ("NotFound", "ParentResourceNotFound", "ResourceGroupNotFound", "ResourceNotFound")
"""The codes with which 404 says that a thing, or what it stands in, does not exist."""

_FRACTION = re.compile(r"\.\d+")


def arm_call(
    doing: str,
    need: Need,
    but: Mapping[int | tuple[int, str], Meaning] | None = None,
    *,
    repeatable: bool = True,
) -> Call:
    gone: dict[int | tuple[int, str], Meaning] = {(404, code): missing for code in GONE}
    unclear = saying(
        RetryableError, "Resource Manager does not say that it is gone, only that it finds nothing"
    )
    return Call(doing, need, {**gone, 404: unclear, **(but or {})}, repeatable)


def text_at(document: object, *path: str) -> str:
    """The text that stands there; nothing if there is none, or something else than text."""
    found = at(document, *path)
    return found if isinstance(found, str) else ""


def at(document: object, *path: str) -> Any:
    """A member of nested objects. The models of an SDK are read as the JSON that they hold.

    Their attributes would be parsed: times lose decimals, and it takes all of them to name a run.
    """
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def moment(text: str) -> datetime | None:
    """A time, aware and in UTC, cut to microseconds; None for none, also as Go writes it (the year 1)."""
    if not text or text.startswith("0001-01-01"):
        return None
    try:
        found = datetime.fromisoformat(_FRACTION.sub(lambda match: match[0][:7].ljust(7, "0"), text))
    except ValueError as error:
        raise RetryableError(f"{text[:60]!r} is not a time; Azure may say it better the next time") from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
