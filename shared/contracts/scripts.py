"""The scripts and files that a template names and that may change without it: of what else an image is made.

One with a checksum cannot: Image Builder builds with that very content or not at all, and the checksum is
part of the template.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

MOST: Final = 200
"""Addresses that are kept of one template: the mark of each has to fit into a row of the ledger."""
_MEMBERS: Final = ("scriptUri", "sourceUri")


def scripts(body: bytes) -> tuple[str, ...]:
    """The addresses without a checksum in customizers and validators, in order, each once."""
    return tuple(dict.fromkeys(_named(msgspec.json.decode(body))))[:MOST]


def _named(body: Any) -> Iterator[str]:
    properties = _member(body, "properties")
    steps = (_member(properties, "customize"), _member(_member(properties, "validate"), "inVMValidations"))
    for step in (each for some in steps if isinstance(some, list) for each in some):
        if _member(step, "sha256Checksum"):
            continue
        yield from (uri for name in _MEMBERS if isinstance(uri := _member(step, name), str) and uri)


def _member(of: Any, name: str) -> Any:
    return of.get(name) if isinstance(of, dict) else None
