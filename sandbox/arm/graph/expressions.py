"""Conditions and values of a query, as functions of a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from sandbox.arm.graph.tokens import Misunderstood, Token

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
    "!endswith": _folded(lambda left, right: not left.endswith(right)),
    "has": _folded(_has),
    "!has": _folded(lambda left, right: not _has(left, right)),
}
_MEMBERSHIPS = {"in": (False, True), "!in": (False, False), "in~": (True, True), "!in~": (True, False)}
"""Whether it is without regard to case, and what a member of the list is answered."""
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "not": lambda value: not value,
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
            raise Misunderstood(self.next)

    def name(self) -> str:
        if self.next.kind != "word":
            raise Misunderstood(self.next)
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
    if words.next.kind in ("sign", "word") and sign in _MEMBERSHIPS:
        words.take()
        return _membership(left, _list(words), *_MEMBERSHIPS[sign])
    if words.next.kind not in ("sign", "word") or sign not in COMPARISONS:
        return left
    words.take()
    compare, right = COMPARISONS[sign], value(words, columns)
    return lambda row: compare(left(row), right(row))


def _membership(left: Value, listed: list[Any], folded: bool, answer: bool) -> Value:
    if not folded:
        return lambda row: (left(row) in listed) is answer
    known = {text(each).lower() for each in listed}
    return lambda row: (text(left(row)).lower() in known) is answer


def _list(words: Words) -> list[Any]:
    words.expect("(")
    found = [_literal(words)]
    while words.has(","):
        found.append(_literal(words))
    words.expect(")")
    return found


def _literal(words: Words) -> Any:
    if words.next.kind not in ("number", "text"):
        raise Misunderstood(words.next)
    token = words.take()
    return int(token.text) if token.kind == "number" else token.text


def value(words: Words, columns: set[str]) -> Value:
    """A literal, a column or a member of one, or a function of these."""
    if words.next.kind in ("text", "number"):
        constant = _literal(words)
        return lambda _row: constant
    if words.has("("):
        inner = condition(words, columns)
        words.expect(")")
        return inner
    token, name = words.next, words.name()
    if name.lower() in _CONSTANTS:
        fixed = _CONSTANTS[name.lower()]
        return lambda _row: fixed
    if words.has("("):
        return _call(token, words, columns)
    return _path(token, words, columns)


def _call(token: Token, words: Words, columns: set[str]) -> Value:
    function = _FUNCTIONS.get(token.text.lower())
    if function is None:
        raise Misunderstood(token, f"Unknown function: '{token.text}'.", "UnknownFunction")
    inner = condition(words, columns)
    words.expect(")")
    return lambda row: function(inner(row))


def _path(token: Token, words: Words, columns: set[str]) -> Value:
    if token.text not in columns:
        raise Misunderstood(token, f"There is no column '{token.text}' here.", "InvalidQueryLanguage")
    steps = [token.text]
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
