"""Who is calling: 401 with the reason unless the token is this directory's, in date and meant for here."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.arm.errors import ArmError
from sandbox.identity.tokens import TokenRefused, Tokens

if TYPE_CHECKING:
    from sandbox.http import Request

MANAGEMENT = ("https://management.azure.com", "https://management.core.windows.net")


@dataclass(frozen=True, slots=True)
class Caller:
    name: str
    object_id: str
    audience: str


class Doorkeeper:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._claims: dict[str, dict[str, Any]] = {}

    def bearer(self, request: Request) -> str | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" and token.strip() else None

    def audience(self, request: Request) -> str | None:
        """What the token says that it is for, believed or not."""
        token = self.bearer(request)
        found = self.claims(token).get("aud") if token else None
        return found if isinstance(found, str) else None

    def admit(self, request: Request, now: datetime) -> Caller:
        token = self.bearer(request)
        if token is None:
            raise self._refusal(
                "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        accepted = (*MANAGEMENT, *((request.base,) if request.base else ()))
        try:
            who = self._tokens.check(token, accepted, now)
        except TokenRefused as refused:
            raise self._refused(token, accepted, now, refused) from refused
        return Caller(who.name, who.object_id, str(self.claims(token).get("aud", "")))

    def claims(self, token: str) -> dict[str, Any]:
        """The claims as they stand in the token, unchecked; empty where it has none."""
        if token not in self._claims:
            if len(self._claims) > 1000:
                self._claims.clear()
            self._claims[token] = _unchecked(token)
        return self._claims[token]

    def _refused(
        self, token: str, accepted: tuple[str, ...], now: datetime, refused: TokenRefused
    ) -> ArmError:
        claims = self.claims(token)
        audience, expiry = str(claims.get("aud", "")), claims.get("exp")
        if claims and audience.rstrip("/").lower() not in {each.rstrip("/").lower() for each in accepted}:
            allowed = ",".join(f"'{each}/','{each}'" for each in accepted)
            return self._refusal(
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource '{audience}'. "
                f"It should exactly match with one of the allowed audiences {allowed}.",
            )
        if isinstance(expiry, int | float) and expiry <= now.timestamp():
            over = datetime.fromtimestamp(expiry, now.tzinfo)
            return self._refusal(
                "ExpiredAuthenticationToken",
                f"The access token expiry UTC time '{over:%m/%d/%Y %I:%M:%S %p}' "
                f"is earlier than current UTC time '{now:%m/%d/%Y %I:%M:%S %p}'.",
            )
        return self._refusal("InvalidAuthenticationToken", f"The access token is invalid. {refused.reason}")

    def _refusal(self, code: str, message: str) -> ArmError:
        authority = f"https://login.windows.net/{self._tokens.tenant}"
        challenge = (
            f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{message}"'
        )
        return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})


def _unchecked(token: str) -> dict[str, Any]:
    part = ([*token.split("."), "", ""])[1]
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
