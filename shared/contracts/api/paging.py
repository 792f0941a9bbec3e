"""Continuation tokens: where a list goes on, for the same list with the same filters alone.

A token holds the key of the last row that was given, never anything that Azure made: so whatever is sent
instead of one is known before storage is asked.
"""

import base64
import binascii
import hashlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from .problems import RequestFault, faulty

_SEAL: Final = 9

Limit = Annotated[int, Meta(ge=1, le=200, description="How many to give at most.")]
Next = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9_-]{1,1500}$",
        description="As the page before gave it; the filters must be the same.",
    ),
]


class Paging(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """What every list takes."""

    limit: Limit = 50
    next: Next | None = None


def token(listing: str, filters: Paging, last: str) -> str:
    content = last.encode()
    return base64.urlsafe_b64encode(_seal(listing, filters, content) + content).decode().rstrip("=")


def going_on(listing: str, filters: Paging) -> str | None:
    """The key after which the page begins; None for the first. Refuses what is no token of this list."""
    if filters.next is None:
        return None
    try:
        raw = base64.b64decode(filters.next + "=" * (-len(filters.next) % 4), altchars=b"-_", validate=True)
        content = raw[_SEAL:].decode()
    except (binascii.Error, ValueError):
        raw, content = b"", ""
    if not content or raw[:_SEAL] != _seal(listing, filters, content.encode()):
        told = "is not a token of this list with these filters; leave it out to begin anew"
        raise faulty((RequestFault("query", "next", told),))
    return content


def _seal(listing: str, filters: Paging, content: bytes) -> bytes:
    same = msgspec.structs.replace(filters, limit=1, next=None)
    return hashlib.sha256(b"\0".join((listing.encode(), msgspec.json.encode(same), content))).digest()[:_SEAL]
