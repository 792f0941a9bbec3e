"""Who may pass: bearer tokens of this world with the role for it, and nothing else.

No account of the sandbox takes keys or SAS, like accounts that are set up as they should be; a request that
brings one learns so.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from sandbox.arm.roles import Roles
from sandbox.clock import Clock
from sandbox.identity.tokens import TokenRefused, Tokens
from sandbox.storage.actions import Need
from sandbox.storage.errors import Refusal

AUDIENCE: Final = "https://storage.azure.com"

_DIRECTORY: Final = "https://login.microsoftonline.com"
_UNAUTHENTICATED: Final = (
    "Server failed to authenticate the request. "
    "Please refer to the information in the www-authenticate header."
)
_MISMATCH: Final = Refusal(
    403,
    "AuthorizationPermissionMismatch",
    "This request is not authorized to perform this operation using this permission.",
)
_KEY_BASED: Final = Refusal(
    403,
    "KeyBasedAuthenticationNotPermitted",
    "Key based authentication is not permitted on this storage account.",
)


class Caller(msgspec.Struct, frozen=True):
    principal: str
    audience: str


class Gate:
    def __init__(
        self, clock: Clock, tokens: Tokens, roles: Roles, scope_of: Callable[[str], str | None]
    ) -> None:
        self._clock = clock
        self._tokens = tokens
        self._roles = roles
        self._scope_of = scope_of

    def caller(self, service: str, account: str, authorization: str, *, signed: bool) -> Caller | Refusal:
        """Return whose request it is; `signed` says that its address carries a SAS."""
        scheme, _, token = authorization.partition(" ")
        if signed or scheme in ("SharedKey", "SharedKeyLite"):
            return _KEY_BASED
        if scheme.lower() != "bearer":
            return self._unauthenticated("NoAuthenticationInformation", "No bearer token was given.")
        audiences = (AUDIENCE, f"https://{account}.{service}.core.windows.net")
        try:
            principal = self._tokens.check(token, audiences, self._clock.now())
        except TokenRefused as refused:
            return self._unauthenticated("InvalidAuthenticationInfo", refused.reason)
        return Caller(principal=principal.name, audience=self._tokens.audience(token) or "")

    def action(self, caller: Caller, account: str, needed: Iterable[Need]) -> str | Refusal:
        """Return the action that lets the caller pass (several, joined by commas, for a mixed batch)."""
        scope = self._scope_of(account) or "/"
        held: list[str] = []
        for need in needed:
            place = scope + need.below
            allowed = (each for each in need.actions if self._allows(caller, each, place, need.data))
            action = next(allowed, None)
            if action is None:
                return _MISMATCH
            held.append(action)
        return ",".join(sorted(set(held)))

    def _allows(self, caller: Caller, action: str, scope: str, data: bool) -> bool:
        return self._roles.allows(caller.principal, action, scope, data)

    def _unauthenticated(self, code: str, reason: str) -> Refusal:
        challenge = (
            f"Bearer authorization_uri={_DIRECTORY}/{self._tokens.tenant}/oauth2/authorize "
            f"resource_id={AUDIENCE}"
        )
        return Refusal(
            401,
            code,
            _UNAUTHENTICATED,
            headers={"WWW-Authenticate": challenge},
            detail={"AuthenticationErrorDetail": reason},
        )
