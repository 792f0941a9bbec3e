"""Functions of deployment templates that need nothing but their arguments.

What each does is said by Resource Manager's reference of template functions; texts count upper and lower case
only where it says so. Arguments come as JSON has them.
"""

import base64
import json
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from .parts import LARGEST, Unevaluable, kind

ANY: Final = 1_000


class Function(msgspec.Struct, frozen=True):
    least: int
    most: int
    act: Callable[..., Any]


def text(value: Any) -> str:
    found: str = _of(value, str, "text")
    return found


def _of(value: Any, *types: Any) -> Any:
    """The value, if it is of one of the types; the last argument is how they are called."""
    *allowed, expected = types
    if not isinstance(value, tuple(allowed)) or (isinstance(value, bool) and bool not in allowed):
        raise Unevaluable(f"{kind(value)} among the arguments; expected {expected}")
    return value


def whole(value: Any) -> int:
    found: int = _of(value, int, "a whole number")
    return found


def _flag(value: Any) -> bool:
    found: bool = _of(value, bool, "true or false")
    return found


def _all(values: Sequence[Any]) -> bool:
    return [_flag(each) for each in values] == [True] * len(values)


def _list(value: Any) -> list[Any]:
    found: list[Any] = _of(value, list, "a list")
    return found


def as_text(value: Any) -> str:
    """As `string()` and `concat()` write it."""
    if isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def same(one: Any, other: Any) -> bool:
    """As JSON: true is not 1."""
    return type(one) is type(other) and bool(one == other)


def _fitting(length: int) -> None:
    """Asked before a text is made: one that is small to write may be of any size."""
    if length > LARGEST:
        raise Unevaluable(f"a text of more than {LARGEST:,} characters")


def _concat(*parts: Any) -> Any:
    if parts and all(isinstance(part, list) for part in parts):
        return [each for part in parts for each in part]
    return "".join(as_text(_of(part, str, int, bool, "texts, or lists alone")) for part in parts)


def _format(form: Any, *values: Any) -> str:
    said, at, form = "", 0, text(form)
    while at < len(form):
        mark, rest = form[at], form[at:]
        if mark not in "{}":
            said, at = said + mark, at + 1
        elif rest.startswith(mark * 2):
            said, at = said + mark, at + 2
        else:
            number, closed, _ = rest[1:].partition("}")
            if mark == "}" or not closed or not number.isdecimal() or int(number[:4]) >= len(values):
                raise Unevaluable(f"{rest[:20]!r}; expected the number of a value in braces, such as {{0}}")
            said, at = said + as_text(values[int(number[:4])]), at + len(number) + 2
            _fitting(len(said))
    return said


def _split(value: Any, marks: Any) -> list[str]:
    parts = [text(value)]
    for mark in [text(each) for each in marks] if isinstance(marks, list) else [text(marks)]:
        parts = [each for part in parts for each in (part.split(mark) if mark else [part])]
    return parts


def _union(first: Any, *others: Any) -> Any:
    if isinstance(first, list):
        found: list[Any] = []
        for each in [each for part in (first, *others) for each in _list(part)]:
            if not any(same(each, one) for one in found):
                found.append(each)
        return found
    merged: dict[str, Any] = dict(_of(first, dict, "objects, or lists alone"))
    for other in others:
        for name, value in _of(other, dict, "objects, or lists alone").items():
            both = isinstance(merged.get(name), dict) and isinstance(value, dict)
            merged[name] = _union(merged[name], value) if both else value
    return merged


def _first(value: Any) -> Any:
    _of(value, str, list, "text or a list")
    return value[0] if value else ("" if isinstance(value, str) else None)


def _last(value: Any) -> Any:
    return _first(value[::-1] if isinstance(value, str | list) else value)


def _length(value: Any) -> int:
    found: str | list[Any] | dict[str, Any] = _of(value, str, list, dict, "text, a list or an object")
    return len(found)


def _contains(within: Any, wanted: Any) -> bool:
    if isinstance(within, str):
        return text(wanted) in within
    if isinstance(within, dict):
        return text(wanted).lower() in {name.lower() for name in within}
    return any(same(each, wanted) for each in _list(within))


def _empty(value: Any) -> bool:
    return value is None or _length(value) == 0


def _substring(value: Any, start: Any, length: Any = None) -> str:
    value, start = text(value), whole(start)
    end = len(value) if length is None else start + whole(length)
    if not 0 <= start <= end <= len(value):
        raise Unevaluable(f"characters {start} to {end} of a text of {len(value)}")
    return str(value[start:end])


def _take(value: Any, count: Any) -> Any:
    return _of(value, str, list, "text or a list")[: max(0, whole(count))]


def _skip(value: Any, count: Any) -> Any:
    return _of(value, str, list, "text or a list")[max(0, whole(count)) :]


def _divide(one: Any, other: Any) -> int:
    if not whole(other):
        raise Unevaluable("a division by 0")
    quotient: int = abs(whole(one)) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


def _remainder(one: Any, other: Any) -> int:
    return whole(one) - _divide(one, other) * int(other)


def _int(value: Any) -> int:
    try:
        return whole(value) if not isinstance(value, str) else int(value[:20])
    except ValueError:
        raise Unevaluable(f"{value[:40]!r}; expected a whole number") from None


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        if value.lower() not in ("true", "false"):
            raise Unevaluable(f"{value[:40]!r}; expected true or false")
        return value.lower() == "true"
    found: int = _of(value, int, bool, "true, false, 1 or 0")
    return found != 0


def _json(value: Any) -> Any:
    try:
        found = json.loads(text(value))
        json.dumps(found, allow_nan=False)
    except (ValueError, RecursionError):
        raise Unevaluable(f"{value[:40]!r}; expected JSON") from None
    return found


def _object(*parts: Any) -> dict[str, Any]:
    if len(parts) % 2:
        raise Unevaluable("a name without a value; expected pairs")
    return {text(name): value for name, value in zip(parts[::2], parts[1::2], strict=True)}


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _replace(value: Any, old: Any, new: Any) -> str:
    value, old, new = text(value), text(old), text(new)
    if not old:
        raise Unevaluable("an empty text to replace")
    _fitting(len(value) + value.count(old) * len(new))
    return str(value.replace(old, new))


def _join(values: Any, mark: Any) -> str:
    _fitting(len(_list(values)) * len(text(mark)))
    return text(mark).join(as_text(each) for each in _list(values))


def _uri(base: Any, relative: Any) -> str:
    """What comes after the last slash of the base gives way, unless that slash is one of `//`."""
    base, relative = text(base), text(relative)
    start, slash, _ = base.rpartition("/")
    root = base if not slash or start.endswith(("/", ":")) else start
    return f"{root.rstrip('/')}/{relative.removeprefix('/')}"


def _compare(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def act(one: Any, other: Any) -> bool:
        if isinstance(one, str):
            return holds(one, text(other))
        return holds(whole(one), whole(other))

    return act


def _smallest(*values: Any) -> int:
    return min(_numbers(values))


def _largest(*values: Any) -> int:
    return max(_numbers(values))


def _numbers(values: Any) -> list[int]:
    given = _list(values[0]) if len(values) == 1 and isinstance(values[0], list) else values
    if not given:
        raise Unevaluable("an empty list; expected whole numbers")
    return [whole(each) for each in given]


FUNCTIONS: Final[Mapping[str, Function]] = {
    "add": Function(2, 2, lambda one, other: whole(one) + whole(other)),
    "and": Function(2, ANY, lambda *values: _all(values)),
    "array": Function(1, 1, lambda value: value if isinstance(value, list) else [value]),
    "base64": Function(1, 1, lambda value: base64.b64encode(text(value).encode()).decode()),
    "bool": Function(1, 1, _bool),
    "coalesce": Function(1, ANY, _coalesce),
    "concat": Function(1, ANY, _concat),
    "contains": Function(2, 2, _contains),
    "createarray": Function(0, ANY, lambda *values: list(values)),
    "createobject": Function(0, ANY, _object),
    "div": Function(2, 2, _divide),
    "empty": Function(1, 1, _empty),
    "endswith": Function(2, 2, lambda value, end: text(value).lower().endswith(text(end).lower())),
    "equals": Function(2, 2, same),
    "false": Function(0, 0, lambda: False),
    "first": Function(1, 1, _first),
    "format": Function(1, ANY, _format),
    "greater": Function(2, 2, _compare(lambda one, other: one > other)),
    "greaterorequals": Function(2, 2, _compare(lambda one, other: one >= other)),
    "indexof": Function(2, 2, lambda value, wanted: text(value).lower().find(text(wanted).lower())),
    "int": Function(1, 1, _int),
    "join": Function(2, 2, _join),
    "json": Function(1, 1, _json),
    "last": Function(1, 1, _last),
    "lastindexof": Function(2, 2, lambda value, wanted: text(value).lower().rfind(text(wanted).lower())),
    "length": Function(1, 1, _length),
    "less": Function(2, 2, _compare(lambda one, other: one < other)),
    "lessorequals": Function(2, 2, _compare(lambda one, other: one <= other)),
    "max": Function(1, ANY, _largest),
    "min": Function(1, ANY, _smallest),
    "mod": Function(2, 2, _remainder),
    "mul": Function(2, 2, lambda one, other: whole(one) * whole(other)),
    "not": Function(1, 1, lambda value: not _flag(value)),
    "null": Function(0, 0, lambda: None),
    "or": Function(2, ANY, lambda *values: not _all([not _flag(each) for each in values])),
    "replace": Function(3, 3, _replace),
    "skip": Function(2, 2, _skip),
    "split": Function(2, 2, _split),
    "startswith": Function(2, 2, lambda value, start: text(value).lower().startswith(text(start).lower())),
    "string": Function(1, 1, as_text),
    "sub": Function(2, 2, lambda one, other: whole(one) - whole(other)),
    "substring": Function(2, 3, _substring),
    "take": Function(2, 2, _take),
    "tolower": Function(1, 1, lambda value: text(value).lower()),
    "toupper": Function(1, 1, lambda value: text(value).upper()),
    "trim": Function(1, 1, lambda value: text(value).strip()),
    "true": Function(0, 0, lambda: True),
    "union": Function(1, ANY, _union),
    "uri": Function(2, 2, _uri),
    "uricomponent": Function(1, 1, lambda value: urllib.parse.quote(text(value), safe="")),
}
