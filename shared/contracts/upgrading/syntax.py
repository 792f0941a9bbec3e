"""The expression language of deployment templates, as far as its form goes: a text becomes a tree.

`[concat(parameters('a').b[0], 'it''s')]`: calls, texts in single quotes, whole numbers, and members by dot or
bracket; there are no operators.
"""

from typing import Final

import msgspec

from .parts import DEEPEST, Unevaluable

_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_DIGITS: Final = frozenset("0123456789")
_LONGEST: Final = 24_576
"""Characters of an expression, as Resource Manager allows."""


class Literal(msgspec.Struct, frozen=True):
    value: str | int


class Call(msgspec.Struct, frozen=True):
    name: str
    arguments: tuple["Node", ...]


class Access(msgspec.Struct, frozen=True):
    """A member of an object, or an element of a list."""

    of: "Node"
    key: "Node"


Node = Literal | Call | Access


def is_expression(text: str) -> bool:
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def unescaped(text: str) -> str:
    """`[[x]` is the text `[x]`; only texts that end with a bracket have to be escaped."""
    return text[1:] if text.startswith("[[") and text.endswith("]") else text


def parse(text: str) -> Node:
    """Raises Unevaluable for what is no expression."""
    if len(text) > _LONGEST:
        raise Unevaluable(f"an expression of {len(text):,} characters; expected at most {_LONGEST:,}")
    return _Parser(text[1:-1]).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> Node:
        node = self._node(0)
        if self._peek():
            raise self._unexpected("the end of the expression")
        return node

    def _node(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise Unevaluable(f"nested more than {DEEPEST} deep")
        node = self._start(depth)
        while (mark := self._peek()) in (".", "["):
            self._at += 1
            if mark == "." and self._peek() not in _LETTERS:
                raise self._unexpected("the name of a member")
            node = Access(node, Literal(self._word()) if mark == "." else self._node(depth + 1))
            if mark == "[":
                self._take("]")
        return node

    def _start(self, depth: int) -> Node:
        mark = self._peek()
        if mark == "'":
            return Literal(self._quoted())
        if mark == "-" or mark in _DIGITS:
            return Literal(self._number())
        if mark not in _LETTERS:
            raise self._unexpected("a function, a text in single quotes or a number")
        name = self._word()
        while self._peek() == ".":  # a function of the template's own: namespace.function()
            self._at += 1
            name = f"{name}.{self._word()}"
        self._take("(")
        arguments: list[Node] = []
        while self._peek() != ")":
            if arguments:
                self._take(",")
            arguments.append(self._node(depth + 1))
        self._take(")")
        return Call(name, tuple(arguments))

    def _peek(self) -> str:
        """The next character that counts; empty at the end."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _take(self, mark: str) -> None:
        if self._peek() != mark:
            raise self._unexpected(mark)
        self._at += 1

    def _word(self) -> str:
        self._peek()
        start = self._at
        while self._at < len(self._text) and self._text[self._at] in _LETTERS | _DIGITS:
            self._at += 1
        return self._text[start : self._at]

    def _number(self) -> int:
        start = self._at
        self._at += 1
        while self._at < len(self._text) and self._text[self._at] in _DIGITS:
            self._at += 1
        told = self._text[start : self._at]
        if told == "-" or len(told) > 20:
            raise self._unexpected("a whole number")
        return int(told)

    def _quoted(self) -> str:
        parts: list[str] = []
        while True:
            end = self._text.find("'", self._at + 1)
            if end < 0:
                raise self._unexpected("a single quote that ends the text")
            parts.append(self._text[self._at + 1 : end])
            self._at = end + 1
            if self._text[self._at : self._at + 1] != "'":  # two of them are one within the text
                return "'".join(parts)

    def _unexpected(self, expected: str) -> Unevaluable:
        found = self._text[self._at : self._at + 1]
        where = f"{found!r} in column {self._at + 2}" if found else "its end"
        return Unevaluable(f"an expression that cannot be read at {where}; expected {expected}")
