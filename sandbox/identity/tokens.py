"""Tokens of the sandbox, in the shape that clients of Azure look into.

Real services trust the directory's public keys. Here one process issues and checks everything, so a random
key per world is enough, and a token of yesterday's world, or a forged one, is refused like any stranger's.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

FACTORY: Final = "factory"
OPERATOR: Final = "operator"
NOBODY: Final = "nobody"

_HEADER: Final = {"alg": "HS256", "typ": "JWT", "kid": "sandbox"}
_SKEW: Final = timedelta(seconds=5)  # both ends live on one machine; the ticks of two clocks are all there is


class TokenRefused(Exception):
    """The bearer token cannot be accepted; `reason` says what was wrong with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Principal(msgspec.Struct, frozen=True):
    name: str
    object_id: str


class _Claims(msgspec.Struct, frozen=True):
    aud: str
    iss: str
    nbf: int
    exp: int
    oid: str
    app_displayname: str


class Tokens:
    """Issues and checks the tokens of one world."""

    def __init__(self, tenant: str, key: bytes | None = None) -> None:
        self.tenant = tenant
        self.issuer = f"https://sts.windows.net/{tenant}/"
        self._key = key or secrets.token_bytes(32)
        self._seen: dict[str, _Claims] = {}

    def principal(self, name: str) -> Principal:
        """Return who bears this name here; object ids are derived, so they outlive the world."""
        return Principal(name=name, object_id=str(uuid.uuid5(uuid.UUID(self.tenant), f"principal/{name}")))

    def client_id(self, name: str) -> str:
        return str(uuid.uuid5(uuid.UUID(self.tenant), f"application/{name}"))

    def issue(self, principal: str, audience: str, now: datetime, lifetime: timedelta) -> str:
        who = self.principal(principal)
        start = int(now.timestamp())
        claims: dict[str, object] = {
            "aud": audience,
            "iss": self.issuer,
            "iat": start,
            "nbf": start,
            "exp": int((now + lifetime).timestamp()),
            "appid": self.client_id(principal),
            "app_displayname": principal,
            "idtyp": "app",
            "oid": who.object_id,
            "sub": who.object_id,
            "tid": self.tenant,
            "uti": secrets.token_urlsafe(16),
            "ver": "1.0",
            # azure-cli reads from this claim which identity it has logged in with
            "xms_mirid": f"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{principal}",
        }
        signed = f"{_encode(_HEADER)}.{_encode(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def check(self, token: str, audience: str | Iterable[str], now: datetime) -> Principal:
        """Return the bearer of the token, or raise `TokenRefused`."""
        claims = self._claims(token)
        accepted = (audience,) if isinstance(audience, str) else tuple(audience)
        if claims.aud.rstrip("/").lower() not in {each.rstrip("/").lower() for each in accepted}:
            raise TokenRefused(f"The token is for {claims.aud}, this service accepts {', '.join(accepted)}.")
        if now.timestamp() >= claims.exp:
            raise TokenRefused(f"The token expired at {claims.exp}, it is {int(now.timestamp())} now.")
        if (now + _SKEW).timestamp() < claims.nbf:
            raise TokenRefused(f"The token is not valid before {claims.nbf}.")
        return Principal(name=claims.app_displayname, object_id=claims.oid)

    def audience(self, token: str) -> str | None:
        """Return whom a token of this world is for, expired or not; None for a stranger's."""
        try:
            return self._claims(token).aud
        except TokenRefused:
            return None

    def _claims(self, token: str) -> _Claims:
        seen = self._seen.get(token)
        if seen is not None:
            return seen
        signed, _, signature = token.rpartition(".")
        if signed.count(".") != 1:
            raise TokenRefused("The token is not a JWT: three parts divided by dots are expected.")
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            raise TokenRefused("The token's signature is not this directory's.")
        claims = _decode(signed.partition(".")[2])
        if claims.iss != self.issuer:
            raise TokenRefused(f"The token was issued by {claims.iss}, not by {self.issuer}.")
        if len(self._seen) > 1000:  # a long-lived world must not hoard expired tokens
            self._seen.clear()
        self._seen[token] = claims
        return claims

    def _signature(self, signed: str) -> str:
        return _base64url(hmac.new(self._key, signed.encode(), hashlib.sha256).digest())


def _encode(part: Mapping[str, object]) -> str:
    return _base64url(msgspec.json.encode(part))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(part: str) -> _Claims:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=_Claims)
    except (ValueError, msgspec.DecodeError) as error:
        raise TokenRefused("The token's claims cannot be read.") from error
