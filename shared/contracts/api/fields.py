"""Plain data into a struct, with everything that is wrong with it.

msgspec stops at the first fault. Parameters and bodies of this API are flat, so each field is read on its
own, and people mend all of them at once.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from shared.contracts.faults import nearest

from .problems import RequestFault, Where

S = TypeVar("S", bound=msgspec.Struct)

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)


class Faulty(Exception):
    """What was given does not fit."""

    def __init__(self, faults: tuple[RequestFault, ...]) -> None:
        super().__init__(faults)
        self.faults = faults


def read(kind: type[S], given: Mapping[str, object], where: Where) -> S:
    """Raises Faulty with every fault. Outside a body, values are text as it stands in an address."""
    found: dict[str, object] = {}
    faults = list(_unknown(kind, given, where))
    for field in msgspec.structs.fields(kind):
        name = field.encode_name
        if name not in given:
            if field.required:
                faults.append(
                    RequestFault(where, _named(name, where), f"is missing; {_expected(field.type)}")
                )
            continue
        try:
            found[field.name] = _value(field.type, given[name], text=where != "body")
        except msgspec.ValidationError as error:
            told = (
                str(error)
                if isinstance(error, _Unfit)
                else f"{_expected(field.type)}, not {_shown(given[name])}"
            )
            faults.append(RequestFault(where, _named(name, where), told))
    if faults:
        raise Faulty(tuple(faults))
    return kind(**found)


class _Unfit(msgspec.ValidationError):
    """Its text is ours, and says all."""


def _unknown(kind: type[S], given: Mapping[str, object], where: Where) -> Iterator[RequestFault]:
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    for name in given:
        if name not in known:
            there = f"there are: {', '.join(known)}" if known else "there are none here"
            what = "field" if where == "body" else "parameter"
            told = f"no such {what}; {there}"
            yield RequestFault(where, _named(name[:80], where), told, nearest(name, known))


def _named(name: str, where: Where) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1") if where == "body" else name


def _value(kind: Any, value: object, *, text: bool) -> object:
    if isinstance(value, str) and _CONTROL.search(value):
        raise _Unfit("contains control characters or line breaks; expected one line of text")
    if isinstance(value, str) and text:
        info = _plain(kind)
        if isinstance(info, inspect.IntType) and not _WHOLE.fullmatch(value):
            raise msgspec.ValidationError
        if isinstance(info, inspect.DateTimeType) and "t" not in value.lower():
            raise msgspec.ValidationError  # msgspec would read digits as seconds since 1970
    return msgspec.convert(value, kind, strict=not text)


def _plain(kind: Any) -> inspect.Type:
    """Without what may be left out, and without its description."""
    told = inspect.type_info(kind)
    while True:
        if isinstance(told, inspect.Metadata):
            told = told.type
        elif isinstance(told, inspect.UnionType):
            told = next(each for each in told.types if not isinstance(each, inspect.NoneType))
        else:
            return told


def _expected(kind: Any) -> str:
    told = _plain(kind)
    match told:
        case inspect.IntType():
            return f"expected a whole number{_between(told.ge, told.le)}"
        case inspect.StrType() if told.pattern:
            return f"expected text of the form {told.pattern}"
        case inspect.StrType():
            return f"expected text of{_between(told.min_length or 0, told.max_length)} characters"
        case inspect.EnumType():
            return f"expected one of {', '.join(str(each.value) for each in told.cls)}"
        case inspect.LiteralType():
            return f"expected one of {', '.join(map(str, told.values))}"
        case inspect.BoolType():
            return "expected true or false"
        case inspect.DateTimeType():
            return "expected a moment with its time zone such as 2026-11-21T02:43:04Z"
        case _:
            return f"expected {msgspec.json.schema(kind).get('type', 'something else')}"


def _between(least: float | None, most: float | None) -> str:
    if least is None and most is None:
        return ""
    return f" at least {least}" if most is None else f" {least or 0} to {most}"


def _shown(value: object) -> str:
    return (
        f"{value!r}"[:80]
        if isinstance(value, str | int | float | bool | None)
        else f"a {type(value).__name__}"
    )
