"""The OpenAPI 3.1 document, made from the table of operations and the types that check requests."""

import functools
from http import HTTPStatus
from typing import Any, Final

import msgspec

from .operations import ROOT, Nothing, Operation
from .problems import JSON, PROBLEM, Problem
from .requests import KEY_FORM
from .table import OPERATIONS

_REFS: Final = "#/components/schemas/{name}"
_KEYS: Final = {
    "functionKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-functions-key",
        "description": "A function key counts as Factory.Operate, the host's master key as Factory.Admin.",
    },
    "functionKeyInQuery": {
        "type": "apiKey",
        "in": "query",
        "name": "code",
        "description": "The same in the query; better kept out of logs.",
    },
    "appService": {
        "type": "http",
        "scheme": "bearer",
        "description": "Behind App Service authentication, with the app roles of whoever is signed in.",
    },
}
_WHY: Final = {
    HTTPStatus.OK: "As asked for.",
    HTTPStatus.ACCEPTED: "Accepted: `Location` tells what becomes of it.",
    HTTPStatus.NOT_MODIFIED: "It still has the ETag that `If-None-Match` names.",
    HTTPStatus.BAD_REQUEST: "The request is faulty: every fault is told.",
    HTTPStatus.UNAUTHORIZED: "No key, or nobody is signed in. The host answers without a body.",
    HTTPStatus.FORBIDDEN: "The caller lacks the role.",
    HTTPStatus.NOT_FOUND: "There is no such thing.",
    HTTPStatus.NOT_ACCEPTABLE: "`Accept` leaves out what is answered.",
    HTTPStatus.CONFLICT: "Not in the state that the thing is in; or the same request is under way.",
    HTTPStatus.PRECONDITION_FAILED: "It has changed: it no longer has the ETag that `If-Match` names.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too long.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is no JSON by its `Content-Type`.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The idempotency key is known with another request.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests, here or at Azure: again after `Retry-After`.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Something that is needed is faulty or does not answer.",
}
_AGAIN: Final = (HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@functools.cache
def document(version: str) -> bytes:
    return msgspec.json.format(msgspec.json.encode(described(version)), indent=1)


def described(version: str) -> dict[str, Any]:
    """The document as data: for the page as well."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image Factory",
            "version": version,
            "description": "Keeps virtual machine images fresh, safe and where they are needed.",
        },
        "servers": [{"url": ROOT}],
        "tags": [{"name": tag} for tag in dict.fromkeys(o.tag for o in OPERATIONS)],
        "paths": paths,
        "components": {"schemas": schemas(), "securitySchemes": _KEYS},
    }


@functools.cache
def schemas() -> dict[str, Any]:
    """Everything that goes in bodies, by name."""
    bodies = [kind for o in OPERATIONS for kind in (o.body, o.answer) if kind]
    _, found = msgspec.json.schema_components((*dict.fromkeys(bodies), Problem), ref_template=_REFS)
    return found


def fields(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of a struct of parameters, whose parts stand in the address or the query."""
    _, found = msgspec.json.schema_components((kind,), ref_template=_REFS)
    own = found[kind.__name__]
    properties = own.get("properties", {})
    plain = {name: _resolved(part, found) for name, part in properties.items()}
    return {"properties": plain, "required": own.get("required", [])}


def _resolved(part: Any, found: dict[str, Any]) -> Any:
    """A parameter's schema, in place of a reference to it, and without the null of one that is left out."""
    if "$ref" in part:
        rest = {k: v for k, v in part.items() if k != "$ref"}
        return {**found[part["$ref"].rpartition("/")[2]], **rest}
    if "anyOf" in part:
        given = [each for each in part["anyOf"] if each != {"type": "null"}]
        rest = {k: v for k, v in part.items() if k not in ("anyOf", "default")}
        return {**_resolved(given[0], found), **rest} if len(given) == 1 else part
    return part


def _operation(operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters(operation),
        "responses": {str(s.value): _response(operation, s) for s in operation.statuses},
        "security": [{name: []} for name in _KEYS] if operation.role else [],
    }
    if operation.role:
        told["description"] = f"Takes the role {operation.role.value}."
        told["x-role"] = operation.role.value
    if operation.body and operation.body is not Nothing:
        told["requestBody"] = {"content": {JSON: {"schema": _ref(operation.body)}}}
    return told


def parameters(operation: Operation) -> list[dict[str, Any]]:
    """Of path, query and headers."""
    found = []
    for place, kind in (("path", operation.at), ("query", operation.query)):
        told = fields(kind)
        for name, schema in told["properties"].items():
            found.append(_parameter(place, name, schema, required=name in told["required"]))
    if operation.acts:
        why = "Any text of your own: with the same key it is carried out once, for at least a day."
        found.append(_parameter("header", "Idempotency-Key", {"type": "string", "pattern": KEY_FORM}, why))
    if operation.acts_on:
        why = f"An ETag as {operation.acts_on} gave it: only if it still is the same."
        found.append(_parameter("header", "If-Match", {"type": "string"}, why))
    if operation.etag:
        why = "An ETag as it was given before: 304 if it still is the same."
        found.append(_parameter("header", "If-None-Match", {"type": "string"}, why))
    return found


def _parameter(
    place: str, name: str, schema: dict[str, Any], why: str = "", *, required: bool = False
) -> dict[str, Any]:
    told = why or schema.get("description", "")
    plain = {k: v for k, v in schema.items() if k not in ("description", "title")}
    about = {"description": told} if told else {}
    return {"name": name, "in": place, "required": required or place == "path", **about, "schema": plain}


def _response(operation: Operation, status: HTTPStatus) -> dict[str, Any]:
    told: dict[str, Any] = {"description": _WHY[status]}
    headers: dict[str, str] = {}
    if status is operation.status:
        schema = _ref(operation.answer) if operation.answer else {}
        told["content"] = {operation.media: {"schema": schema}}
        headers |= {"Location": "What to follow."} if status is HTTPStatus.ACCEPTED else {}
        headers |= {"ETag": "Of what is shown."} if operation.etag else {}
    elif operation.id == "health":  # down: the same in other words
        told["content"] = {JSON: {"schema": _ref(operation.answer)}}
    elif status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_MODIFIED):
        told["content"] = {PROBLEM: {"schema": _ref(Problem)}}
    if status in _AGAIN and operation.role:
        headers["Retry-After"] = "Seconds after which it may be tried again, where that may help."
    if headers:
        told["headers"] = {
            name: {"description": why, "schema": {"type": "string"}} for name, why in headers.items()
        }
    return told


def _ref(kind: type[msgspec.Struct] | None) -> dict[str, str]:
    return {"$ref": _REFS.format(name=kind.__name__)} if kind else {}
