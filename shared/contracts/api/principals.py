"""Who calls: out of the header in which App Service authentication says it.

Base64 of JSON: claims, and which types of claim hold names and roles (learn.microsoft.com, "Work with user
identities in Azure App Service authentication"). The platform overwrites whatever a client sends under that
name; without the platform, anybody can write it. What it says is text of others, and cut to size.
"""

import base64
import binascii
import re
from typing import Final

import msgspec

from shared.domain.callers import Caller, Role
from shared.domain.errors import Invalid

HEADER: Final = "x-ms-client-principal"
_LONGEST: Final = 200
_ROLES: Final = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_NAMES: Final = (
    "preferred_username",
    "name",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
)
_IDS: Final = (
    "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "oid",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    "sub",
    "appid",
    "azp",
)


class _Claim(msgspec.Struct, frozen=True):
    typ: str
    val: str


class _Principal(msgspec.Struct, frozen=True):
    claims: tuple[_Claim, ...] = ()
    name_typ: str = ""
    role_typ: str = ""


def caller(header: str) -> Caller:
    """Raises Invalid for what no platform has written."""
    try:
        raw = base64.b64decode(header + "=" * (-len(header) % 4), validate=True)
        told = msgspec.json.decode(raw, type=_Principal)
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise Invalid(f"the header {HEADER} cannot be read: {error}") from error
    name = _first(told, (told.name_typ, *_NAMES))
    id = _first(told, _IDS)
    by = f"{name} ({id})" if name and id and name != id else name or id
    if not by:
        raise Invalid(f"the header {HEADER} names nobody: it has neither a name nor an id among its claims")
    return Caller(by, _highest(told))


def _first(told: _Principal, types: tuple[str, ...]) -> str:
    values = (c.val for typ in types if typ for c in told.claims if c.typ == typ and c.val.strip())
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", next(values, ""))
    return " ".join(plain.split())[: _LONGEST // 2 - 2]


def _highest(told: _Principal) -> Role | None:
    given = {c.val for c in told.claims if c.typ in (told.role_typ or "roles", *_ROLES)}
    return next((role for role in reversed(Role) if role.value in given), None)
