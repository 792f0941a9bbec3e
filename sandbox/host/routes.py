"""HTTP routes as ASP.NET writes them: `images/{name}/look`, `items/{id:int}`, `files/{*path}`, `{page?}`."""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from sandbox.host.functions import AppFault, Function

_PARAMETER: Final = re.compile(r"\{(?P<all>\*{0,2})(?P<name>\w+)(?P<rules>(?::[^{}?]+)*)(?P<optional>\?)?\}")
_RULE: Final = re.compile(r":(?P<name>\w+)(?:\((?P<argument>.*?)\))?")


def _parses(parse: Callable[[str], object]) -> Callable[[str, str], bool]:
    def check(value: str, _: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return check


def _length(value: str, argument: str) -> bool:
    least, _, most = argument.partition(",")
    return int(least) <= len(value) <= int(most or least)


def _in_range(value: str, argument: str) -> bool:
    least, _, most = argument.partition(",")
    return value.lstrip("-").isdigit() and int(least) <= int(value) <= int(most)


_RULES: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "alpha": lambda value, _: re.fullmatch("[A-Za-z]*", value) is not None,
    "bool": lambda value, _: value.lower() in ("true", "false"),
    "datetime": _parses(datetime.fromisoformat),
    "decimal": _parses(float),
    "double": _parses(float),
    "float": _parses(float),
    "guid": _parses(uuid.UUID),
    "int": lambda value, _: re.fullmatch(r"-?\d+", value) is not None and -(2**31) <= int(value) < 2**31,
    "long": lambda value, _: re.fullmatch(r"-?\d+", value) is not None and -(2**63) <= int(value) < 2**63,
    "length": _length,
    "minlength": lambda value, argument: len(value) >= int(argument),
    "maxlength": lambda value, argument: len(value) <= int(argument),
    "min": lambda value, argument: value.lstrip("-").isdigit() and int(value) >= int(argument),
    "max": lambda value, argument: value.lstrip("-").isdigit() and int(value) <= int(argument),
    "range": _in_range,
    "regex": lambda value, argument: re.search(argument, value, re.IGNORECASE) is not None,
}


class Segment(msgspec.Struct, frozen=True):
    """One part between slashes: literal text, or a parameter with its rules."""

    literal: str = ""
    name: str = ""
    rules: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    rest: bool = False


class Route(msgspec.Struct, frozen=True):
    function: Function
    methods: frozenset[str]
    segments: tuple[Segment, ...]

    def match(self, parts: list[str]) -> dict[str, str] | None:
        """Return the route parameters, or None if the path is another's."""
        found: dict[str, str] = {}
        for position, segment in enumerate(self.segments):
            if segment.rest:
                found[segment.name] = "/".join(parts[position:])
                return found
            if position >= len(parts):
                if segment.optional:
                    continue
                return None
            part = parts[position]
            if segment.literal:
                if segment.literal.lower() != part.lower():
                    return None
            elif not part or not all(_RULES[rule](part, argument) for rule, argument in segment.rules):
                return None
            else:
                found[segment.name] = part
        return found if len(parts) <= len(self.segments) else None


class Router:
    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        self.routes = [_route(each, prefix) for each in sorted(functions, key=lambda each: each.name.lower())]
        """In the order of the functions' names: the real host knows no closest route (its issue 9876)."""

    def find(self, method: str, path: str) -> tuple[Function, dict[str, str]] | None:
        parts = path.strip("/").split("/")
        for route in self.routes:
            if route.methods and method not in route.methods:
                continue
            found = route.match(parts)
            if found is not None:
                return route.function, found
        return None


def _route(function: Function, prefix: str) -> Route:
    template = str(function.binding.get("route") or function.name)
    path = "/".join(part for part in (prefix, template.strip("/")) if part)
    methods = frozenset(str(each).upper() for each in function.binding.get("methods") or ())
    return Route(function, methods, tuple(_segment(part, function) for part in path.split("/")))


def _segment(part: str, function: Function) -> Segment:
    if "{" not in part:
        return Segment(literal=part)
    match = _PARAMETER.fullmatch(part)
    if match is None:
        raise AppFault(f"{function.name}: the route part {part!r} is not of the form {{name:rule}}")
    rules = tuple((rule["name"].lower(), rule["argument"] or "") for rule in _RULE.finditer(match["rules"]))
    for name, _ in rules:
        if name not in _RULES:
            raise AppFault(f"{function.name}: no route rule {name!r}; there are {', '.join(_RULES)}")
    return Segment(name=match["name"], rules=rules, optional=bool(match["optional"]), rest=bool(match["all"]))
