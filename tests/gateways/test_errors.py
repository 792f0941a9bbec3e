"""The one table: what Azure answers, and what it means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from sandbox.http import Headers, Response
from sandbox.transport import _answer
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
from shared.gateways.arm import arm_call, moment
from shared.gateways.copying import copying
from shared.gateways.errors import Call, Need, retry_after, translated

NEED = Need("Microsoft.X/y/read", "Reader", "/subscriptions/s")
CALL = Call("reading y", NEED)
ONCE = Call("running y", NEED, repeatable=False)
COPY = copying(
    "copying a to b",
    read=Need("blobs/read", "Storage Blob Data Reader", "storage account source"),
    write=Need("blobs/write", "Storage Blob Data Contributor", "storage account target"),
)
SOURCE = "CannotVerifyCopySource"


def meaning(call: Call, status: int, code: str = "", message: str = "No.", **headers: str) -> FactoryError:
    body = Response.of(status, {"error": {"code": code, "message": message}}, headers)
    return meaning_of(call, HttpResponseError(response=_answer(None, body)))


def meaning_of(call: Call, error: AzureError) -> FactoryError:
    with pytest.raises(FactoryError) as caught, translated(call):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (301, "", PermanentError),
        (400, "InvalidHeaderValue", PermanentError),
        (401, "InvalidAuthenticationToken", AccessDenied),
        (403, "AuthorizationFailed", AccessDenied),
        (403, "RequestDisallowedByPolicy", RetryableError),
        (404, "BlobNotFound", Missing),
        (404, "SubscriptionNotFound", AccessDenied),
        (408, "", RetryableError),
        (409, "EntityAlreadyExists", Conflict),
        (409, "MissingSubscriptionRegistration", RetryableError),
        (412, "ConditionNotMet", Conflict),
        (413, "", PermanentError),
        (418, "", PermanentError),
        (429, "OperationNotAllowed", Throttled),  # compute throttles under this code: the status counts
        (500, "InternalOperationError", RetryableError),
        (501, "NotImplemented", PermanentError),
        (503, "ServerBusy", Throttled),
        (503, "ServiceUnavailable", RetryableError),
        (507, "", RetryableError),
    ],
)
def test_the_status_decides_first_and_then_the_code(status: int, code: str, kind: type[FactoryError]) -> None:
    found = meaning(CALL, status, code)
    assert type(found) is kind
    assert str(found).startswith("reading y: ")
    assert str(status) in str(found)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
def test_a_failing_service_leaves_open_whether_what_must_not_be_repeated_was_done(status: int) -> None:
    assert type(meaning(ONCE, status)) is Unreachable
    assert type(meaning(ONCE, 429)) is Throttled


@pytest.mark.parametrize(
    "error",
    [
        ServiceRequestError("no route"),
        ServiceResponseError("reset"),
        IncompleteReadError("half"),
        DecodeError("not json"),
        HttpResponseError("nothing"),
        AzureError("whatever"),
        HttpResponseError(response=_answer(None, Response(200, Headers(), b"{"))),
    ],
)
def test_no_answer_or_half_of_one_is_unreachable(error: AzureError) -> None:
    assert type(meaning_of(CALL, error)) is Unreachable


@pytest.mark.parametrize(
    ("body", "headers", "shown"),
    [
        (b'{"error":{"code":"A","message":"text"}}', {}, "409 A: text"),
        (b'{"code":"A","message":"text"}', {}, "409 A: text"),
        (
            b'{"odata.error":{"code":"A","message":{"lang":"en","value":"text\\nRequestId:1"}}}',
            {},
            "409 A: text",
        ),
        (
            b'<?xml version="1.0"?><Error><Code>A</Code><Message>text\nTime:2</Message></Error>',
            {},
            "409 A: text",
        ),
        (b"", {"x-ms-error-code": "A"}, "409 A"),
        (b"<html>proxy</html>", {}, "409"),
        (b"plain", {}, "409: plain"),
        (b"[1]", {}, "409: [1]"),
        (b"\xff\xfe", {}, "409"),
        (b'{"error":"flat"}', {}, "409"),
    ],
)
def test_every_form_of_error_body_is_read(body: bytes, headers: dict[str, str], shown: str) -> None:
    answer = _answer(None, Response(409, Headers(headers), body))
    assert f"({shown}" in str(meaning_of(CALL, HttpResponseError(response=answer)))


@pytest.mark.parametrize(
    ("headers", "delay"),
    [
        ({}, None),
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "0"}, 0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-ms-retry-after-ms": "200"}, 0.2),
        ({"Retry-After": "Sat, 21 Nov 2026 09:00:30 GMT", "Date": "Sat, 21 Nov 2026 09:00:00 GMT"}, 30),
        ({"Retry-After": "Sat, 21 Nov 2026 08:00:00 GMT", "Date": "Sat, 21 Nov 2026 09:00:00 GMT"}, 0),
        ({"Retry-After": "Sat, 21 Nov 2026 09:00:30 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "999999999999999"}, 86400),
    ],
)
def test_the_delay_that_a_service_asks_for_is_kept(headers: dict[str, str], delay: float | None) -> None:
    assert retry_after(Headers(headers)) == (None if delay is None else timedelta(seconds=delay))
    found = meaning(CALL, 503, **headers)
    assert isinstance(found, RetryableError)
    assert found.delay == retry_after(Headers(headers))


def test_access_denied_names_action_role_and_scope() -> None:
    found = meaning(CALL, 403, "AuthorizationFailed")
    assert isinstance(found, AccessDenied)
    assert (found.action, found.scope) == (NEED.action, NEED.scope)
    assert all(part in str(found) for part in (NEED.action, "'Reader'", NEED.scope))


def test_a_linked_scope_is_named_when_it_is_the_one_that_lacks_the_role() -> None:
    message = (
        "The client has permission to perform action 'Microsoft.X/y/write' on scope '/a'; however, it does"
        " not have permission to perform action(s)"
        " 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the"
        " linked scope(s) '/subscriptions/s/resourceGroups/g' (respectively)."
    )
    found = meaning(CALL, 403, "LinkedAuthorizationFailed", message)
    assert isinstance(found, AccessDenied)
    assert found.action == "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
    assert found.scope == "/subscriptions/s/resourceGroups/g"
    other = meaning(CALL, 403, "LinkedAuthorizationFailed", "in other words")
    assert isinstance(other, AccessDenied)
    assert other.action == NEED.action


def test_network_rules_are_thought_of_where_they_may_be_the_reason() -> None:
    assert "network rules" in str(meaning(CALL, 403, "AuthorizationFailure"))
    assert "network rules" not in str(meaning(CALL, 403, "AuthorizationPermissionMismatch"))


@pytest.mark.parametrize(
    ("status", "code", "kind", "about"),
    [
        (403, SOURCE, AccessDenied, "storage account source"),
        (401, SOURCE, AccessDenied, "storage account source"),
        (403, "AuthorizationPermissionMismatch", AccessDenied, "storage account target"),
        (404, SOURCE, Missing, "the source"),
        (404, "BlobNotFound", Missing, "the target"),
        (409, SOURCE, RetryableError, "the source"),
        (412, SOURCE, "Changed", "the source"),
        (412, "SourceConditionNotMet", "Changed", "the source"),
        (412, "ConditionNotMet", "Changed", "the source"),
        (412, "LeaseLost", Conflict, "lease"),
        (412, "LeaseIdMismatchWithBlobOperation", Conflict, "lease"),
        (416, SOURCE, "Invalid", "the source"),
        (416, "InvalidPageRange", "Invalid", "the target"),
        (400, SOURCE, Unreachable, "the source"),
        (500, SOURCE, Unreachable, "the source"),
        (503, "ServerBusy", Throttled, "too many requests"),
    ],
)
def test_a_refused_copy_is_told_by_which_of_its_two_blobs_refused(
    status: int, code: str, kind: Any, about: str
) -> None:
    found = meaning(COPY, status, code)
    assert type(found).__name__ == (kind if isinstance(kind, str) else kind.__name__)
    assert about in str(found)


def test_resource_manager_says_that_a_thing_is_gone_by_certain_codes_alone() -> None:
    call = arm_call("reading y", NEED)
    assert type(meaning(call, 404, "ResourceNotFound")) is Missing
    assert type(meaning(call, 404, "InvalidResourceType")) is RetryableError
    assert type(meaning(call, 404)) is RetryableError


def test_times_of_azure_are_read_with_any_number_of_decimals() -> None:
    for text, microsecond in (
        ("2026-11-21T09:00:00Z", 0),
        ("2026-11-21T09:00:00.5Z", 500000),
        ("2026-11-21T09:00:00.123456789Z", 123456),
        ("2026-11-21T10:00:00.1234567+01:00", 123456),
        ("2026-11-21T09:00:00.12", 120000),
    ):
        found = moment(text)
        assert found is not None
        assert (found.hour, found.microsecond, found.utcoffset()) == (9, microsecond, timedelta(0))
    assert moment("") is None
    assert moment("0001-01-01T00:00:00Z") is None
