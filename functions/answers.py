"""From what a use case says to what is answered: bodies, problems, ETags."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import azure.functions as func
import msgspec

from shared.bootstrap import SettingsError
from shared.contracts.api import problems
from shared.contracts.api.requests import Given
from shared.contracts.faults import FaultyConfiguration
from shared.domain.errors import (
    AccessDenied,
    Busy,
    Changed,
    Conflict,
    Exists,
    FactoryError,
    Invalid,
    Missing,
    NotNow,
    RetryableError,
    Throttled,
    Unknown,
    Unreachable,
    WrongState,
)
from shared.usecases.asking import Ask
from shared.usecases.once import OtherRequest

_STATUS: Final[tuple[tuple[type[FactoryError], HTTPStatus], ...]] = (
    (FaultyConfiguration, HTTPStatus.SERVICE_UNAVAILABLE),
    (OtherRequest, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Unknown, HTTPStatus.NOT_FOUND),
    (Missing, HTTPStatus.NOT_FOUND),
    (NotNow, HTTPStatus.CONFLICT),
    (Invalid, HTTPStatus.BAD_REQUEST),
    (WrongState, HTTPStatus.CONFLICT),
    (Exists, HTTPStatus.CONFLICT),
    (Conflict, HTTPStatus.CONFLICT),
    (Busy, HTTPStatus.CONFLICT),
    (Changed, HTTPStatus.PRECONDITION_FAILED),
    (Throttled, HTTPStatus.TOO_MANY_REQUESTS),
    (AccessDenied, HTTPStatus.SERVICE_UNAVAILABLE),
    (Unreachable, HTTPStatus.SERVICE_UNAVAILABLE),
)
"""The first that fits. Anything else cannot be helped by whoever asks: 503."""

_SOON: Final = timedelta(seconds=5)
_LATER: Final = timedelta(seconds=30)


class Reply(msgspec.Struct, frozen=True):
    """What a handler answers with; the status is the operation's."""

    body: msgspec.Struct
    location: str = ""
    """What to follow, below `/api/v1`."""


Handler = Callable[[Ask, Given[Any, Any, Any]], Reply]
"""One call into a use case."""


def refusal_of(error: FactoryError) -> problems.Refused:
    """What an error becomes."""
    status = next((s for kind, s in _STATUS if isinstance(error, kind)), HTTPStatus.SERVICE_UNAVAILABLE)
    again = error.delay if isinstance(error, RetryableError) else None
    if again is None and status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        again = _LATER
    if again is None and isinstance(error, Conflict | Busy):
        again = _SOON
    if isinstance(error, FaultyConfiguration):
        faults = "; ".join(
            f"{Path(each.file).name}{str(each).removeprefix(each.file)}" for each in error.faults
        )
        told = (
            f"the configuration is faulty, so nothing is acted upon: {len(error.faults)} fault(s): {faults}"
        )
        return problems.Refused(status, told[:2000], again=again)
    return problems.Refused(status, str(error)[:2000], again=again)


def unusable(error: SettingsError) -> problems.Refused:
    """The app itself is not set up; what is missing is nobody's affair but its operators'."""
    told = f"the app's settings cannot be used: {len(error.faults)} fault(s), told in its logs"
    return problems.Refused(HTTPStatus.SERVICE_UNAVAILABLE, told, again=_LATER)


def problem(refused: problems.Refused, correlation: str) -> func.HttpResponse:
    headers = {}
    if refused.allow:
        headers["Allow"] = ", ".join(refused.allow)
    if refused.again is not None:
        headers["Retry-After"] = str(max(1, round(refused.again.total_seconds())))
    body = problems.encode(refused.status, refused.detail, correlation, refused.faults)
    return answer(body, refused.status, problems.PROBLEM, headers)


def answer(
    body: bytes, status: int, media: str, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    sent = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", **(headers or {})}
    return func.HttpResponse(body, status_code=int(status), mimetype=media, headers=sent)


def etag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def named(header: str, etag: str, *, weak: bool) -> bool:
    """Whether `If-Match` or `If-None-Match` names this ETag. Weak ones count for reading alone."""
    given = [each.strip() for each in header.split(",")]
    found = [each.removeprefix("W/") if weak else each for each in given]
    return "*" in found or etag in found
