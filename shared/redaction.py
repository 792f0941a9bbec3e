"""What must never be written anywhere: credentials, signatures, and the claims of the people in events."""

import functools
import re
from collections.abc import Callable, Mapping

REMOVED = "[removed]"


def _pattern(text: str, flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """Compiled at its first use: to import the app must stay cheap."""
    return functools.cache(lambda: re.compile(text, flags))


_SECRET_NAMES = _pattern(
    r"authorization|claims|(access_?|bearer_?)?token|sig(nature)?|secret|password|account_?key", re.IGNORECASE
)
_BEARER = _pattern(r"\b(Bearer|SharedKey(?:Lite)?)\s+[A-Za-z0-9\-._~+/:%]+=*", re.IGNORECASE)
_JWT = _pattern(r"\beyJ[\w\-]{6,}\.[\w\-]{2,}\.[\w\-]*")
_SIGNED = _pattern(
    r"((?:\b|%[0-9a-f]{2})sig|\bAccountKey|\bSharedAccessSignature|\bclient_secret|\baccess_token|[?&]code)(=|%3D)"
    r"[^&;\s\"'<>\\]+",
    re.IGNORECASE,
)
_VALUE_FOLLOWS = _pattern(
    r"(?<![a-z])(?P<name>[a-z\-]*authorization|claims|access_token|client_secret|password)"
    r"\\*[\"']?\s*[:=]\s*",
    re.IGNORECASE,
)
_OPENING_QUOTE = _pattern(r"\\*[\"']")
_PLAIN_END = _pattern(r"[\r\n,;}\]]|$")


def clean(fields: Mapping[str, object]) -> dict[str, object]:
    """Fields without secrets: by their names, and by what their values look like, at any depth."""
    return {
        name: REMOVED if _SECRET_NAMES().fullmatch(name) and value else _clean(value)
        for name, value in fields.items()
    }


def redact(text: str) -> str:
    """`text` without secrets."""
    text = _without_values(text)
    text = _BEARER().sub(rf"\1 {REMOVED}", text)
    text = _JWT().sub(REMOVED, text)
    return _SIGNED().sub(rf"\1\2{REMOVED}", text)


def _clean(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return clean({str(name): each for name, each in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(each) for each in value]
    return redact(str(value))


def _without_values(text: str) -> str:
    """Cuts what follows a telling name: a JSON object, a string (even one quoted within one) or words.

    A pattern cannot do it: claims are an object in some events and a string with an object in it in others.
    """
    kept, position = [], 0
    while match := _VALUE_FOLLOWS().search(text, position):
        start, end = match.end(), _value_end(text, match.end())
        kept += [text[position:start], _mark(text, start)]
        position = end
    return "".join([*kept, text[position:]])


def _mark(text: str, start: int) -> str:
    """In the quotes that the value stood in, so that what was JSON stays JSON."""
    quote = _OPENING_QUOTE().match(text, start)
    return (
        f"{quote[0]}{REMOVED}{quote[0]}"
        if quote
        else f'"{REMOVED}"'
        if text[start : start + 1] == "{"
        else REMOVED
    )


def _value_end(text: str, start: int) -> int:
    if quote := _OPENING_QUOTE().match(text, start):
        return _string_end(text, quote)
    if text.startswith(REMOVED, start):
        return start + len(REMOVED)
    if text[start : start + 1] in ("{", "["):
        return _object_end(text, start)
    found = _PLAIN_END().search(text, start)
    return found.start() if found else len(text)


def _string_end(text: str, quote: re.Match[str]) -> int:
    """After the closing quote: the first one of its kind that is escaped no deeper than the opening one."""
    depth, mark = len(quote[0]) - 1, quote[0][-1]
    position = quote.end()
    while (found := text.find(mark, position)) >= 0:
        escapes = (found - position) - len(text[position:found].rstrip("\\"))
        if escapes <= depth:
            return found + 1
        position = found + 1
    return len(text)


def _object_end(text: str, start: int) -> int:
    depth, position = 0, start
    while position < len(text):
        if quote := _OPENING_QUOTE().match(text, position):
            position = _string_end(text, quote)
            continue
        depth += (text[position] in "{[") - (text[position] in "}]")
        position += 1
        if depth == 0:
            return position
    return len(text)
