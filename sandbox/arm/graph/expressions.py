"""Conditions and values of a query, as functions of a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from sandbox.arm.graph.tokens import Token, invalid

Row = dict[str, Any]
Value = Callable[[Row], Any]


def text(value: object) -> str:
    """`tostring`: dynamic values become JSON, nothing becomes an empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _folded(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: compare(text(left).lower(), text(right).lower())


def _has(left: str, right: str) -> bool:
    """As a whole term: terms are runs of letters and digits."""
    return re.search(rf"(?<![a-z0-9]){re.escape(right)}(?![a-z0-9])", left) is not None


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "=~": _folded(lambda left, right: left == right),
    "!~": _folded(lambda left, right: left != right),
    "contains": _folded(lambda left, right: right in left),
    "!contains": _folded(lambda left, right: right not in left),
    "startswith": _folded(lambda left, right: left.startswith(right)),
    "!startswith": _folded(lambda left, right: not left.startswith(right)),
    "endswith": _folded(lambda left, right: left.endswith(right)),
    "has": _folded(_has),
    "in": lambda left, right: left in right,
    "!in": lambda left, right: left not in right,
    "in~": lambda left, right: text(left).lower() in [text(each).lower() for each in right],
    "!in~": lambda left, right: text(left).lower() not in [text(each).lower() for each in right],
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "tostring": text,
    "tolower": lambda value: text(value).lower(),
    "isempty": lambda value: text(value) == "",
    "isnotempty": lambda value: text(value) != "",
    "isnull": lambda value: value is None,
    "isnotnull": lambda value: value is not None,
}
_CONSTANTS = {"true": True, "false": False}


class Words:
    """The tokens of a query, one after the other."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at = tokens, 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        self.at += self.next.kind != "end"
        return self.tokens[self.at - 1]

    def has(self, *texts: str) -> bool:
        """Take the next token if it is one of these."""
        if self.next.kind != "text" and self.next.text.lower() in texts:
            self.take()
            return True
        return False

    def expect(self, wanted: str) -> None:
        if not self.has(wanted):
            raise invalid(f"Query is invalid: expected {wanted!r}, got {self.next}.", "ParserFailure")

    def name(self) -> str:
        if self.next.kind != "word":
            raise invalid(f"Query is invalid: expected a name, got {self.next}.", "ParserFailure")
        return self.take().text


def condition(words: Words, columns: set[str]) -> Value:
    either = [_both(words, columns)]
    while words.has("or"):
        either.append(_both(words, columns))
    return either[0] if len(either) == 1 else lambda row: any(each(row) for each in either)


def _both(words: Words, columns: set[str]) -> Value:
    both = [_one(words, columns)]
    while words.has("and"):
        both.append(_one(words, columns))
    return both[0] if len(both) == 1 else lambda row: all(each(row) for each in both)


def _one(words: Words, columns: set[str]) -> Value:
    left, sign = value(words, columns), words.next.text.lower()
    if words.next.kind == "text" or sign not in COMPARISONS:
        return left
    words.take()
    compare = COMPARISONS[sign]
    if sign.rstrip("~").lstrip("!") == "in":
        listed = _list(words)
        return lambda row: compare(left(row), listed)
    right = value(words, columns)
    return lambda row: compare(left(row), right(row))


def _list(words: Words) -> list[Any]:
    words.expect("(")
    found = [_literal(words)]
    while words.has(","):
        found.append(_literal(words))
    words.expect(")")
    return found


def _literal(words: Words) -> Any:
    token = words.take()
    if token.kind == "number":
        return int(token.text)
    if token.kind != "text":
        raise invalid(f"Query is invalid: expected a text or a number, got {token}.", "ParserFailure")
    return token.text


def value(words: Words, columns: set[str]) -> Value:
    """A literal, a column or a member of one, or a function of these."""
    if words.next.kind in ("text", "number"):
        constant = _literal(words)
        return lambda _row: constant
    if words.has("("):
        inner = condition(words, columns)
        words.expect(")")
        return inner
    name = words.name()
    if name.lower() in _CONSTANTS:
        fixed = _CONSTANTS[name.lower()]
        return lambda _row: fixed
    if words.has("("):
        return _call(name, words, columns)
    return _path(name, words, columns)


def _call(name: str, words: Words, columns: set[str]) -> Value:
    inner = condition(words, columns)
    words.expect(")")
    if name.lower() == "not":
        return lambda row: not inner(row)
    function = _FUNCTIONS.get(name.lower())
    if function is None:
        raise invalid(f"Query is invalid: the function {name!r} is not known here.")
    return lambda row: function(inner(row))


def _path(name: str, words: Words, columns: set[str]) -> Value:
    if name not in columns:
        raise invalid(f"Query is invalid: no column {name!r}.")
    steps = [name]
    while words.next.text in (".", "[") and words.next.kind == "sign":
        if words.has("."):
            steps.append(words.name())
        else:
            words.expect("[")
            steps.append(str(_literal(words)))
            words.expect("]")

    def read(row: Row) -> Any:
        found: Any = row
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        return found

    return read
