"""Storage addresses, built and read by one template: what does not fit it exactly is no address of ours.

A token is sent along with such an address, so nothing here is lenient: no other host, port or scheme, no
user information, query or fragment, and no escape that turns into a path.
"""

import re
from urllib.parse import quote, unquote_to_bytes

import msgspec

from shared.domain.errors import Invalid
from shared.domain.ids import ACCOUNT, CONTAINER, BlobAddress

_LONGEST = 2048
_NAME = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})+")
_KEPT = "/-._~!$&'()*+,;=:@"
"""What stays as it is in a blob's name, so that reading and building are each other's inverse."""


class Addresses(msgspec.Struct, frozen=True):
    """`template` is the setting, such as `https://{account}.blob.core.windows.net`."""

    template: str

    def base(self, account: str) -> str:
        """Where the account's blob service is."""
        if not ACCOUNT.fullmatch(account):
            raise Invalid(f"{account[:80]!r} is not the name of a storage account")
        return self.template.replace("{account}", account)

    def url_of(self, address: BlobAddress) -> str:
        return f"{self.base(address.account)}/{address.container}/{quote(address.name, safe=_KEPT)}"

    def address_of(self, url: str) -> BlobAddress:
        """Raises Invalid for anything but the plain URL of one blob."""
        before, _, behind = self.template.partition("{account}")
        account = f"{re.escape(before)}({ACCOUNT.pattern}){re.escape(behind)}"
        form = f"{account}/({CONTAINER.pattern})/({_NAME.pattern})"
        found = re.fullmatch(form, url) if len(url) <= _LONGEST else None
        if found is None:
            raise Invalid(
                f"{_shown(url)} is not the address of a blob; expected {self.template}/container/name,"
                " without query, fragment, port or user of its own"
            )
        return BlobAddress(found[1], found[2], _name(found[3], url))


def _name(escaped: str, url: str) -> str:
    try:
        name = unquote_to_bytes(escaped).decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"{_shown(url)}: the blob's name is not UTF-8") from error
    parts = name.split("/")
    faults = (
        (name.count("/") == escaped.count("/"), "an escaped slash"),
        ("\\" not in name, "a backslash"),
        (all(part not in ("", ".", "..") for part in parts), "an empty part, `.` or `..`"),
        (name.isprintable(), "a character that cannot be printed"),
        (len(name) <= 1024, "more than 1,024 characters"),
    )
    for fine, what in faults:
        if not fine:
            raise Invalid(f"{_shown(url)}: the blob's name has {what}")
    return name


def _shown(url: str) -> str:
    """Without its query, which may be a signature."""
    plain = url.split("?", 1)[0].split("#", 1)[0]
    return repr(plain[:200]) + (" with a query" if "?" in url else "")
