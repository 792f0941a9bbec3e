"""Errors as problem details (RFC 9457), and how a request is refused."""

from datetime import timedelta
from http import HTTPStatus
from typing import Final, Literal

import msgspec

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"

Where = Literal["path", "query", "header", "body"]


class RequestFault(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One thing to mend in a request."""

    where: Where
    name: str
    """The parameter, or a JSON pointer into the body; empty for the whole body."""
    message: str
    suggestion: str = ""
    """The nearest valid choice, if there is one."""


class Problem(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What was wrong, and what to do."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    correlation: str = ""
    """What the journal and the logs know the request by."""
    faults: tuple[RequestFault, ...] = ()
    """Everything that is wrong with the request."""


class Refused(Exception):
    """The request ends here, with this answer."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        faults: tuple[RequestFault, ...] = (),
        allow: tuple[str, ...] = (),
        again: timedelta | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = faults
        self.allow = allow
        """The methods that there are (405)."""
        self.again = again
        """When to try again."""


def faulty(faults: tuple[RequestFault, ...]) -> Refused:
    """400 with all of them."""
    detail = "; ".join(f"{fault.where} {fault.name}: {fault.message}".replace(" :", ":") for fault in faults)
    return Refused(HTTPStatus.BAD_REQUEST, detail[:2000], faults=faults)


def encode(status: HTTPStatus, detail: str, correlation: str, faults: tuple[RequestFault, ...] = ()) -> bytes:
    """The body of an error answer."""
    told = Problem(status.phrase, status.value, detail, correlation=correlation, faults=faults)
    return msgspec.json.encode(told)
