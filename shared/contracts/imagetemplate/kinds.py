"""The kinds of values in an image template, and what is said of one that is no such thing."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from shared.contracts.positions import Path


class Remark(msgspec.Struct, frozen=True):
    """One thing to mend, or to think about."""

    path: Path
    message: str
    rule: str
    """Its name; the documentation says where each rule comes from."""
    suggestion: str = ""
    """The nearest valid choice, if there is one."""
    advice: bool = False


class Text(msgspec.Struct, frozen=True):
    expected: str
    pattern: str = ""
    choices: tuple[str, ...] = ()
    """In their one spelling: upper and lower case count."""
    of: str = ""
    """The id of a resource of this type, in lower case."""
    or_empty: bool = False
    """The empty text stands for one that is left out."""
    rule: str = "form"


class Flag(msgspec.Struct, frozen=True):
    expected: str = "true or false"


class Number(msgspec.Struct, frozen=True):
    expected: str
    least: int = -(2**31)
    most: int = 2**31 - 1


class Tags(msgspec.Struct, frozen=True):
    expected: str = "an object of texts"


class Many(msgspec.Struct, frozen=True):
    """A list."""

    of: "Kind"
    expected: str
    least: int = 0


class Ids(msgspec.Struct, frozen=True):
    """An object whose names are the ids of resources, each with an empty object."""

    of: Text
    expected: str


class Form(msgspec.Struct, frozen=True):
    """An object with known members."""

    what: str
    """As in: not a member of `what`."""
    members: Mapping[str, "Kind"]
    required: tuple[str, ...] = ()
    expected: str = "an object"


class Union(msgspec.Struct, frozen=True):
    """An object of one of several forms; one of its members says of which."""

    what: str
    variants: Mapping[str, Form]
    by: str = "type"
    expected: str = "an object"

    def choices(self) -> str:
        return listed(tuple(self.variants))


Kind = Text | Flag | Number | Tags | Many | Ids | Form | Union


def listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def wrong(value: Any) -> str:
    """As `shown`; what a published template left for its readers to fill in is told as that."""
    left = isinstance(value, str) and re.search("<[A-Za-z][^<>]*>", value)
    return f"{shown(value)} is a placeholder" if left else shown(value)


def shown(value: Any) -> str:
    """A text as it is written, since the mistake may be in it; of anything else what it is."""
    if isinstance(value, str):
        return repr(value[:200])
    if value is None:
        return "null"
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "an object")
