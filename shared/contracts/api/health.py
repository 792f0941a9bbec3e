"""Is the factory well; and the description of the API itself."""

from enum import Enum
from http import HTTPStatus
from typing import Final

import msgspec

from .operations import Operation


class Standing(Enum):
    OK = "ok"
    DEGRADED = "degraded"
    """Work waits and is made up for: Resource Manager or Event Grid does not answer as it should."""
    DOWN = "down"
    """Nothing works: the configuration is faulty, or storage does not answer."""


class HealthPart(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    status: Standing
    told: str


class Health(msgspec.Struct, frozen=True, rename="camel"):
    """Asked at most every fifteen seconds of each part; in between the last answer is told again."""

    status: Standing
    version: str
    mode: str | None
    """What the factory may do, `observe` or `act`; null while its configuration is faulty."""
    images: int | None
    parts: tuple[HealthPart, ...]
    faults: int
    """How many the configuration has. Every other operation tells them, to those who may read."""


OPERATIONS: Final = (
    Operation(
        id="health",
        method="GET",
        path="/health",
        tag="Work",
        summary="Whether the factory is well, and its version",
        role=None,
        answer=Health,
        refusals=frozenset({HTTPStatus.SERVICE_UNAVAILABLE}),
    ),
    Operation(
        id="describe",
        method="GET",
        path="/openapi.json",
        tag="This API",
        summary="This description, as OpenAPI 3.1",
        role=None,
    ),
    Operation(
        id="read",
        method="GET",
        path="/docs",
        tag="This API",
        summary="This description, as a page to read",
        role=None,
        media="text/html",
    ),
)
