"""Bodies of the HTTP surface. Errors are problem details (RFC 9457)."""

from http import HTTPStatus
from typing import Final

import msgspec

from shared.domain.factory import Factory

from .faults import Fault

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"


class _Health(msgspec.Struct, frozen=True, rename="camel"):
    status: str
    """`ok`, or `faulty` while the factory acts on nothing because its configuration is faulty."""
    version: str
    mode: str | None
    images: int | None
    faults: tuple[Fault, ...]


class _Accepted(msgspec.Struct, frozen=True, rename="camel"):
    image: str
    correlation: str
    """What the journal and the logs know this look by."""


class _Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    title: str
    status: int
    detail: str
    type: str = "about:blank"
    instance: str = ""
    correlation: str = ""
    faults: tuple[Fault, ...] = ()


def healthy(version: str, factory: Factory) -> bytes:
    return _encode(_Health("ok", version, factory.mode.value, len(factory.images), ()))


def unhealthy(version: str, faults: tuple[Fault, ...]) -> bytes:
    """The app runs, and its configuration is faulty."""
    return _encode(_Health("faulty", version, None, None, faults))


def accepted(image: str, correlation: str) -> bytes:
    """A look has been queued (202)."""
    return _encode(_Accepted(image, correlation))


def problem(
    status: HTTPStatus,
    detail: str,
    *,
    instance: str = "",
    correlation: str = "",
    faults: tuple[Fault, ...] = (),
) -> bytes:
    """`detail` says what was wrong with this very request, and what to do."""
    return _encode(
        _Problem(status.phrase, status.value, detail, "about:blank", instance, correlation, faults)
    )


def _encode(body: msgspec.Struct) -> bytes:
    return msgspec.json.encode(body)
