"""One request from the host to a use case and back: who asks, what for, and what is answered.

Imported by the first request that comes: a worker that starts for a message pays for none of it.
"""

import hashlib
from http import HTTPStatus
from typing import Any

import azure.functions as func
import msgspec

from shared import telemetry
from shared.bootstrap import SettingsError, Worker
from shared.contracts.api import openapi, page, principals, requests
from shared.contracts.api.operations import ROOT, Operation
from shared.contracts.api.problems import JSON, Refused
from shared.contracts.api.requests import Given, Raw
from shared.contracts.api.table import OPERATIONS
from shared.domain.callers import Caller, Role
from shared.domain.errors import FactoryError, Invalid
from shared.usecases import unchanged
from shared.usecases.asking import Ask
from shared.usecases.once import Answer, id_of, once

from . import answers, boundary
from .resources import HANDLERS
from .resources.already import already_done
from .resources.health import tell_health

_KEYS = {Role.OPERATE: "function key", Role.ADMIN: "master key"}
"""Who the journal says it was, where keys are all that is known."""


def serve(this: Worker, request: func.HttpRequest, path: str, key: Role | None) -> func.HttpResponse:
    """`key` is what the key stands for that the host has let in; None where it asks for none."""
    correlation = boundary.new_correlation()
    with telemetry.bind(correlation=correlation):
        try:
            response = _serve(this, _raw(request, path), key, correlation)
        except Refused as refused:
            response = answers.problem(refused, correlation)
        except FactoryError as error:
            telemetry.event("request-failed", why=str(error))
            response = answers.problem(answers.refusal_of(error), correlation)
    if request.method == "HEAD":
        return func.HttpResponse(
            b"", status_code=response.status_code, mimetype=response.mimetype, headers=response.headers
        )
    return response


def unusable(error: SettingsError) -> func.HttpResponse:
    """There is no worker, since the app's settings cannot be used."""
    telemetry.event("settings-faulty", why=str(error))
    return answers.problem(answers.unusable(error), boundary.new_correlation())


def _raw(request: func.HttpRequest, path: str) -> Raw:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Raw(request.method.upper(), path, dict(request.params), headers, request.get_body())


def _serve(this: Worker, raw: Raw, key: Role | None, correlation: str) -> func.HttpResponse:
    operation, at = requests.route(OPERATIONS, raw.method, raw.path)
    caller = _caller(this, operation, raw, key)
    given = requests.understand(operation, at, raw)
    if caller is None:
        return _tell_anybody(this, operation)
    idempotency = requests.key_of(operation, raw)
    id = id_of(caller.by, idempotency) if idempotency else correlation
    ask = Ask(this.outside, this.factory(), caller.by, id, correlation)
    if not operation.acts:
        return _show(operation, ask, given, raw)

    def act() -> Answer:
        return _act(operation, ask, given, raw)

    done = once(ask.out, id, _digest(operation, given), act) if idempotency else act()
    return answers.answer(done.body.encode(), done.status, operation.media, done.headers)


def _caller(this: Worker, operation: Operation, raw: Raw, key: Role | None) -> Caller | None:
    """None for anybody. Refuses whoever is not known (401) or may not (403)."""
    needed = operation.role
    if needed is None:
        return None
    if this.settings.trust_principal:
        header = raw.headers.get(principals.HEADER, "")
        if not header:
            raise Refused(
                HTTPStatus.UNAUTHORIZED, "nobody is signed in; sign in with App Service authentication"
            )
        try:
            found = principals.caller(header)
        except Invalid as error:
            raise Refused(HTTPStatus.UNAUTHORIZED, str(error)) from error
        how = f"{found.by} has {found.role.value if found.role else 'no role of the factory'}"
    else:
        found = Caller(_KEYS[key], key) if key else Caller("nobody", None)
        how = "a function key counts as Factory.Operate; send the host's master key"
    if not found.may(needed):
        raise Refused(HTTPStatus.FORBIDDEN, f"{operation.summary}: this takes the role {needed.value}; {how}")
    return found


def _tell_anybody(this: Worker, operation: Operation) -> func.HttpResponse:
    if operation.id == "health":
        return tell_health(this)
    if operation.id == "read":
        return answers.answer(page.html(this.version), HTTPStatus.OK, operation.media, page.HEADERS)
    return answers.answer(openapi.document(this.version), HTTPStatus.OK, JSON)


def _show(operation: Operation, ask: Ask, given: Given[Any, Any, Any], raw: Raw) -> func.HttpResponse:
    body = msgspec.json.encode(HANDLERS[operation.id](ask, given).body)
    if not operation.etag:
        return answers.answer(body, operation.status, operation.media)
    etag = answers.etag_of(body)
    if answers.named(raw.headers.get("if-none-match", ""), etag, weak=True):
        return answers.answer(b"", HTTPStatus.NOT_MODIFIED, operation.media, {"ETag": etag})
    return answers.answer(body, operation.status, operation.media, {"ETag": etag})


def _act(operation: Operation, ask: Ask, given: Given[Any, Any, Any], raw: Raw) -> Answer:
    expected = raw.headers.get("if-match", "")
    if expected and operation.acts_on:
        ask = unchanged.pinned(ask)
        shown = HANDLERS[operation.acts_on](ask, Given(given.at, None, None))
        same = answers.named(expected, answers.etag_of(msgspec.json.encode(shown.body)), weak=False)
        if not same and not already_done(operation.id, ask, given):
            told = "it has changed since you read it; read it again and decide again"
            raise Refused(HTTPStatus.PRECONDITION_FAILED, told)
    reply = HANDLERS[operation.id](ask, given)
    headers = {"Location": ROOT + reply.location} if reply.location else {}
    return Answer(operation.status.value, headers, msgspec.json.encode(reply.body).decode())


def _digest(operation: Operation, given: Given[Any, Any, Any]) -> str:
    told = msgspec.json.encode((operation.id, given.at, given.query, given.body))
    return hashlib.sha256(told).hexdigest()
