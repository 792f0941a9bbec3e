"""The one table from what Azure answers to the errors of the domain: by status first, then by code.

Texts are shown to people and never decided by. A gateway states what differs for a call of its own, in
`Call.but`.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import msgspec

from shared.domain.errors import (
    AccessDenied,
    Conflict,
    FactoryError,
    Missing,
    PermanentError,
    RetryableError,
    Throttled,
    Unreachable,
)

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError

LONGEST_DELAY = timedelta(days=1)
"""A service that asks for more is asked again after a day."""


class Need(msgspec.Struct, frozen=True):
    """What a call needs: the role action, a built-in role that has it, and where it has to be granted."""

    action: str
    role: str
    scope: str


class Refusal(msgspec.Struct, frozen=True):
    """An error answer, taken apart."""

    status: int
    code: str
    text: str
    delay: timedelta | None = None


Meaning = Callable[["Call", Refusal], FactoryError]


class Call(msgspec.Struct, frozen=True):
    """One request, as far as its failure has to be explained."""

    doing: str
    """`reading blob a/b/c`: how the message begins."""
    need: Need
    but: Mapping[int | tuple[int, str], Meaning] = {}
    """Where this call differs from the table: by status, or by status and code (which goes first)."""
    repeatable: bool = True
    """False if carrying it out twice does harm: then a failing service leaves open whether it was."""


@contextlib.contextmanager
def translated(call: Call) -> Iterator[None]:
    """Every error of an SDK within leaves as one of the domain's, chained from its cause."""
    from azure.core.exceptions import AzureError  # here: nothing is imported until Azure is called

    try:
        yield
    except AzureError as error:
        raise domain_error(error, call) from error


def domain_error(error: "AzureError", call: Call) -> FactoryError:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if response is None or not isinstance(status, int) or status < 300:
        # No answer, or half of one: what was asked for may have been done.
        return Unreachable(f"{call.doing}: no answer ({_first_line(error.message)})")
    return refused(refusal_of(status, response), call)


def refused(refusal: Refusal, call: Call) -> FactoryError:
    """What an error answer means for this call."""
    keys = ((refusal.status, refusal.code), refusal.status)
    table = next((each for key in keys for each in (call.but.get(key), _TABLE.get(key)) if each), None)
    return (table or _by_class)(call, refusal)


def refusal_of(status: int, response: Any) -> Refusal:
    """`response` is any of azure-core's; bodies are JSON (with and without envelope), XML, or none at all."""
    code, text = _told(response)
    code = response.headers.get("x-ms-error-code") or code
    return Refusal(status, code, text, retry_after(response.headers))


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Seconds, milliseconds or a date, as services like it; a date is measured by the service's clock."""
    delay = None
    milliseconds = headers.get("retry-after-ms") or headers.get("x-ms-retry-after-ms") or ""
    value = (headers.get("Retry-After") or "").strip()
    if milliseconds.isdecimal():
        delay = timedelta(milliseconds=int(milliseconds[:12]))
    elif value.isdecimal():
        delay = timedelta(seconds=int(value[:9]))
    elif value:
        with contextlib.suppress(ValueError, TypeError):
            until = parsedate_to_datetime(value)
            now = parsedate_to_datetime(headers.get("Date") or "")
            delay = max(until - now, timedelta(0))
    return None if delay is None else min(delay, LONGEST_DELAY)


def denied(call: Call, refusal: Refusal) -> AccessDenied:
    """Never a sign that the thing is missing."""
    need = call.need
    linked = _LINKED.search(refusal.text) if refusal.code == "LinkedAuthorizationFailed" else None
    action, scope = (linked["action"], linked["scope"]) if linked else (need.action, need.scope)
    hint = "" if linked else f" (the role {need.role!r} has it)"
    network = ", or the network rules of the account keep it out" if refusal.code in _NETWORK else ""
    return AccessDenied(
        f"{call.doing}: access denied ({_brief(refusal)}). The factory's identity needs {action} on"
        f" {scope}{hint}{network}; grant it, and the work goes on by itself",
        action=action,
        scope=scope,
        delay=refusal.delay,
    )


def missing(call: Call, refusal: Refusal) -> FactoryError:
    return Missing(f"{call.doing}: it does not exist ({_brief(refusal)})")


def conflict(call: Call, refusal: Refusal) -> FactoryError:
    return Conflict(f"{call.doing}: something changed in between ({_brief(refusal)})", refusal.delay)


def later(call: Call, refusal: Refusal) -> FactoryError:
    return RetryableError(f"{call.doing}: not now ({_brief(refusal)})", refusal.delay)


def throttled(call: Call, refusal: Refusal) -> FactoryError:
    """Refused before anything was done."""
    return Throttled(f"{call.doing}: too many requests ({_brief(refusal)})", refusal.delay)


def failing(call: Call, refusal: Refusal) -> FactoryError:
    """The service failed in the middle: harmless where the call can be repeated, else nobody knows."""
    if call.repeatable:
        return later(call, refusal)
    return Unreachable(f"{call.doing}: whether it was done is unknown ({_brief(refusal)})", refusal.delay)


def never(call: Call, refusal: Refusal) -> FactoryError:
    return PermanentError(f"{call.doing}: refused ({_brief(refusal)})")


def saying(kind: Callable[[str], FactoryError], why: str) -> Meaning:
    """An error of this kind, with these words of explanation."""

    def meaning(call: Call, refusal: Refusal) -> FactoryError:
        error = kind(f"{call.doing}: {why} ({_brief(refusal)})")
        if isinstance(error, RetryableError):
            error.delay = refusal.delay
        return error

    return meaning


_TABLE: dict[int | tuple[int, str], Meaning] = {
    401: denied,
    403: denied,
    (403, "RequestDisallowedByPolicy"): saying(RetryableError, "an Azure policy forbids it; ask its owner"),
    # Resource Manager says this as well of a subscription on which the identity has no role at all.
    (404, "SubscriptionNotFound"): denied,
    404: missing,
    408: failing,
    409: conflict,
    (409, "MissingSubscriptionRegistration"): saying(
        RetryableError, "the resource provider is not registered in the subscription: register it"
    ),
    412: conflict,
    429: throttled,
    500: failing,
    501: never,
    502: failing,
    503: failing,
    (503, "ServerBusy"): throttled,
    504: failing,
    505: never,
}
_NETWORK = frozenset({"AuthorizationFailure", "IpAuthorizationError", "NetworkAclDenied"})
_LINKED = re.compile(
    r"action\(?s?\)? '(?P<action>[^']{1,200})' on the linked scope\(?s?\)? '(?P<scope>[^']{1,600})'"
)
_XML = re.compile(r"<(Code|Message|AuthenticationErrorDetail)>([^<]*)</\1>", re.IGNORECASE)


def _by_class(call: Call, refusal: Refusal) -> FactoryError:
    """Redirects are not followed: a token goes to no other host."""
    return (never if refusal.status < 500 else failing)(call, refusal)


def _told(response: Any) -> tuple[str, str]:
    try:
        body = response.text()
    except (ValueError, LookupError, RuntimeError):  # not text, or a stream that is gone
        return "", ""
    if body.lstrip().startswith("<") or "<Code>" in body[:300]:
        found = {name.lower(): text for name, text in _XML.findall(body)}
        texts = (found.get("message", ""), found.get("authenticationerrordetail", ""))
        return found.get("code", ""), " ".join(text for text in texts if text)
    return _told_in_json(body)


def _told_in_json(body: str) -> tuple[str, str]:
    """`{error:{code,message}}`, the older form without `error`, and the one of tables."""
    try:
        document = msgspec.json.decode(body.encode())
    except msgspec.DecodeError:
        return "", body[:200]
    for envelope in ("error", "odata.error"):
        if isinstance(document, dict) and isinstance(document.get(envelope), dict):
            document = document[envelope]
    if not isinstance(document, dict):
        return "", body[:200]
    message = document.get("message", "")
    if isinstance(message, dict):
        message = message.get("value", "")
    return str(document.get("code", "")), str(message)


def _brief(refusal: Refusal) -> str:
    code = f" {refusal.code}" if refusal.code else ""
    text = _first_line(refusal.text)
    return f"{refusal.status}{code}: {text}" if text else f"{refusal.status}{code}"


def _first_line(text: object) -> str:
    line = str(text).strip().splitlines()[:1]
    return line[0][:300] if line else ""
