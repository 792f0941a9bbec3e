"""Requests that bear an idempotency key: what is remembered so that a repeated one is one request."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

KEPT: Final = timedelta(hours=48)
"""How long an answer is given again, at least 24 hours of which are promised."""


class RequestRecord(msgspec.Struct, frozen=True, tag="request"):
    """A request under its key, and its answer once there is one."""

    id: str
    """Of caller and key."""
    digest: str
    """Of what was asked: the same key with something else is refused."""
    at: datetime
    until: datetime
    """While it has no answer, whoever repeats it is told to wait so long; then it is carried out again."""
    status: int = 0
    """0 while it is being carried out."""
    headers: dict[str, str] = {}
    body: str = ""
    v: int = 1
