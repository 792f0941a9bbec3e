"""A request as it came, and what it means: the operation, its parameters and its body, all checked."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

import msgspec

from . import fields
from .operations import ROOT, Nothing, Operation
from .problems import JSON, PROBLEM, Refused, RequestFault, Where, faulty

LARGEST: Final = 64 * 1024
"""Bytes of a body; those of this API have a few hundred."""
KEY: Final = "idempotency-key"
KEY_FORM: Final = "^[!-~]{1,200}$"
_KEYS_OF_THE_HOST: Final = ("code", "clientId")
"""Function keys may be in the query: they are the host's affair."""

P = TypeVar("P")
Q = TypeVar("Q")
B = TypeVar("B")


class Raw(msgspec.Struct, frozen=True):
    """What the host hands over. Names of headers are in lower case; of a header or parameter that was sent
    twice, the host makes one with a comma.
    """

    method: str
    path: str
    """Below `/api/v1`."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Given(msgspec.Struct, Generic[P, Q, B], frozen=True):
    """What an operation is asked with."""

    at: P
    query: Q
    body: B


def route(operations: Sequence[Operation], method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """Refuses what is nobody's path (404), and a method that the path does not have (405)."""
    parts = tuple(path.strip("/").split("/"))
    fitting = [(each, found) for each in operations if (found := each.fits(parts)) is not None]
    wanted = "GET" if method == "HEAD" else method
    for each, found in fitting:
        if each.method == wanted:
            return each, found
    if not fitting:
        told = f"there is no {ROOT}/{path[:200]}; {ROOT}/docs lists what there is"
        raise Refused(HTTPStatus.NOT_FOUND, told)
    allow = sorted({each.method for each, _ in fitting} | {"HEAD" for each, _ in fitting if not each.acts})
    told = f"{method[:20]} is not possible here; possible are {', '.join(allow)}"
    raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, told, allow=tuple(allow))


def understand(operation: Operation, at: Mapping[str, str], raw: Raw) -> Given[Any, Any, Any]:
    """Refuses with every fault of path, query, headers and body."""
    _accepts(operation, raw.headers.get("accept", ""))
    query = {name: value for name, value in raw.query.items() if name not in _KEYS_OF_THE_HOST}
    faults: list[RequestFault] = []
    values: list[Any] = []
    parts: list[tuple[type[msgspec.Struct], Mapping[str, object], Where]] = [
        (operation.at, at, "path"),
        (operation.query, query, "query"),
        (operation.body or Nothing, _body(operation, raw, faults), "body"),
    ]
    for kind, given, where in parts:
        try:
            values.append(fields.read(kind, given, where))
        except fields.Faulty as error:
            faults += error.faults
    faults += _key_faults(operation, raw)
    if faults:
        raise faulty(tuple(faults))
    return Given(*values)


def key_of(operation: Operation, raw: Raw) -> str:
    """The idempotency key, with or without the quotes that its draft wants; empty if there is none."""
    key = raw.headers.get(KEY, "").strip() if operation.acts else ""
    return key[1:-1] if len(key) > 2 and key[0] == key[-1] == '"' else key


def _key_faults(operation: Operation, raw: Raw) -> list[RequestFault]:
    key = key_of(operation, raw)
    if not operation.acts or KEY not in raw.headers:
        return []
    if 1 <= len(key) <= 200 and all("!" <= c <= "~" for c in key):
        return []
    return [RequestFault("header", KEY, "expected 1 to 200 visible ASCII characters, such as a UUID")]


def _accepts(operation: Operation, header: str) -> None:
    wanted = [part.split(";")[0].strip().lower() for part in header.split(",") if part.strip()]
    kind = operation.media.split("/")[0]
    fine = ("*/*", f"{kind}/*", operation.media, PROBLEM)
    if wanted and not any(each in fine for each in wanted):
        told = f"the answer is {operation.media}, which `Accept: {header[:200]}` leaves out"
        raise Refused(HTTPStatus.NOT_ACCEPTABLE, told)


def _body(operation: Operation, raw: Raw, faults: list[RequestFault]) -> Mapping[str, object]:
    if len(raw.body) > LARGEST:
        told = f"the body has {len(raw.body)} bytes; at most {LARGEST} are read"
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
    if not raw.body.strip():
        return {}
    if operation.body is None and not operation.acts:
        return {}  # a GET with a body: it has no meaning, and does no harm
    kind = raw.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != JSON:
        told = f"the body is {kind[:80] or 'of no type'}; send `Content-Type: {JSON}`"
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, told)
    try:
        decoded = msgspec.json.decode(raw.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        faults.append(RequestFault("body", "", f"this is not JSON: {error}"))
        return {}
    if not isinstance(decoded, dict):
        faults.append(RequestFault("body", "", "expected a JSON object"))
        return {}
    return decoded
