"""What an upgrade says: what was changed, what cannot be, and where each part had been written."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared.contracts.positions import Path

DEEPEST: Final = 60
"""How deep a template may nest. Azure's own go about eight deep."""
LARGEST: Final = 100_000
"""Characters of a computed value."""


class Context(msgspec.Struct, frozen=True):
    """Where the template lives, as far as it is known: what a deployment would have known by itself."""

    subscription: str = ""
    group: str = ""
    location: str = ""
    """Of the resource group."""


class Change(msgspec.Struct, frozen=True):
    """`path` is that of the file as it is written."""

    path: Path
    said: str


class Refusal(msgspec.Struct, frozen=True):
    """What cannot be upgraded, and why. `path` is that of the file as it is written."""

    path: Path
    message: str
    rule: str


class Upgraded(msgspec.Struct, frozen=True):
    """A template in the current form; of no use if anything was refused."""

    content: Mapping[str, Any]
    changes: tuple[Change, ...] = ()
    refused: tuple[Refusal, ...] = ()
    moved: Mapping[Path, tuple[Path, bool]] = {}
    """Parts that were written elsewhere: where, and whether all within comes from that very place."""
    wrapped: bool = False
    """It came out of a deployment template, for which a parameter file counts."""

    def origin(self, path: Path) -> Path:
        """Where a part of the content is written in the file."""
        return origin(self.moved, path)[0]


class Unevaluable(Exception):
    """Why an expression has no value, for whoever reads the list of faults."""


def origin(moved: Mapping[Path, tuple[Path, bool]], path: Path) -> tuple[Path, bool]:
    """Where it is written, and whether all within comes from that very place."""
    for length in range(len(path), -1, -1):
        if found := moved.get(path[:length]):
            written, whole = found
            return (written if whole else (*written, *path[length:])), whole
    return path, False


def show(value: object, most: int = 160) -> str:
    """A value as JSON writes it, on one line."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def kind(value: object) -> str:
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return "null" if value is None else names.get(type(value), "an object")
