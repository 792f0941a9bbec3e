"""A template file and the parameter file beside it, read and brought to the current form."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from . import Context, Upgraded, upgrade


class Unreadable(Exception):
    """Which file is no JSON, or not of the expected kind, and in which line."""

    def __init__(self, file: Path, line: int, said: str) -> None:
        super().__init__(said)
        self.file, self.line, self.said = file, line, said


class Written(msgspec.Struct, frozen=True):
    """A file as it is written, and what it is in the current form."""

    text: str
    upgraded: Upgraded


def read(file: Path, context: Context, parameters: Path | None = None) -> Written:
    """Raises Unreadable, and OSError for the file itself. A parameter file is looked for if none is named."""
    from .wrapper import is_deployment

    text, content = _json(file)
    if not isinstance(content, dict):
        raise Unreadable(file, 1, f"{_kind(content)}; expected an object: an Image Builder template")
    if not is_deployment(content):
        return Written(text, upgrade(content, {}, context))
    beside = parameters or parameter_file(file)
    given = _parameters(beside) if parameters or beside.is_file() else {}
    return Written(text, upgrade(content, given, context))


def parameter_file(file: Path) -> Path:
    """As tools name it: beside the template, wherever it is one of a deployment."""
    return file.parent / f"{file.stem}.parameters.json"


def _parameters(file: Path) -> Mapping[str, Any]:
    """By name: an object with a value, or with a reference to a key vault."""
    _, content = _json(file)
    given = content.get("parameters") if isinstance(content, dict) else None
    if not isinstance(given, dict) or not all(isinstance(each, dict) for each in given.values()):
        raise Unreadable(file, 1, 'not a parameter file; expected {"parameters": {NAME: {"value": ...}}}')
    return given


def _json(file: Path) -> tuple[str, object]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return text, json.loads(text, parse_constant=_refuse, parse_float=_number, object_pairs_hook=_once)
    except _Twice as error:
        raise _told_twice(file, text, str(error)) from error
    except json.JSONDecodeError as error:
        raise Unreadable(
            file, error.lineno, f"this is not JSON: {error.msg} (column {error.colno})"
        ) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(file, 1, f"this is not JSON: {str(error)[:200]}") from error


def _kind(value: object) -> str:
    if isinstance(value, str):
        return repr(value[:80])
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "null")


class _Twice(Exception):
    pass


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON would silently keep the last of two equal names."""
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _told_twice(file: Path, text: str, name: str) -> Unreadable:
    from shared.contracts.positions import parse  # and with it PyYAML, for faulty files

    said = f"{name!r} is there twice"
    flaws = [flaw for flaw in parse(text).flaws if flaw.message.startswith(said)]
    return Unreadable(file, flaws[0].line, flaws[0].message) if flaws else Unreadable(file, 1, said)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")


def _number(text: str) -> float:
    """What Python would make infinite of it could not be written down again."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is a number too large")
    return value
