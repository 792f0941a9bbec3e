"""Whoever holds no token of this world, for this service, at this time, is a stranger."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.identity.tokens import TokenRefused, Tokens

TENANT = "11111111-1111-1111-1111-111111111111"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
STORAGE = "https://storage.azure.com"
HOUR = timedelta(hours=1)


def test_a_token_names_its_bearer() -> None:
    tokens = Tokens(TENANT)
    bearer = tokens.check(tokens.issue("factory", STORAGE, NOW, HOUR), STORAGE, NOW)
    assert bearer == tokens.principal("factory")


@pytest.mark.parametrize("audience", [STORAGE, STORAGE + "/"])
def test_a_slash_at_the_end_of_the_audience_means_nothing(audience: str) -> None:
    tokens = Tokens(TENANT)
    assert tokens.check(tokens.issue("factory", audience, NOW, HOUR), (STORAGE + "/",), NOW).name == "factory"


def test_all_three_parts_are_valid_base64url() -> None:
    parts = Tokens(TENANT).issue("factory", STORAGE, NOW, HOUR).split(".")
    claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    assert len(base64.urlsafe_b64decode(parts[2] + "=")) == 32
    assert claims["iss"].startswith("https://sts.windows.net/")
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (1793534400, 1793534400, 1793538000)


@pytest.mark.parametrize(
    ("spoil", "moment", "reason"),
    [
        (lambda token: token, NOW + HOUR, "expired"),
        (lambda token: token, NOW - HOUR, "not valid before"),
        (lambda token: token[:-2], NOW, "signature"),
        (lambda token: token + "ü", NOW, "signature"),
        (lambda _: Tokens(TENANT).issue("factory", STORAGE, NOW, HOUR), NOW, "signature"),
        (lambda _: "garbage", NOW, "not a JWT"),
        (lambda _: "", NOW, "not a JWT"),
    ],
)
def test_a_spoilt_token_is_refused_with_its_reason(
    spoil: Callable[[str], str], moment: datetime, reason: str
) -> None:
    tokens = Tokens(TENANT)
    with pytest.raises(TokenRefused, match=reason):
        tokens.check(spoil(tokens.issue("factory", STORAGE, NOW, HOUR)), STORAGE, moment)


def test_a_token_for_another_service_is_refused() -> None:
    tokens = Tokens(TENANT)
    with pytest.raises(TokenRefused, match="is for https://management"):
        tokens.check(tokens.issue("factory", "https://management.azure.com/", NOW, HOUR), STORAGE, NOW)
