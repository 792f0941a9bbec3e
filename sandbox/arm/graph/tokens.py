"""The words of a query, each with its place: a refusal points at the word that it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s+|//[^\n]*|(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|(?P<number>\d+)"""
    r"""|(?P<word>project-away|!?[A-Za-z_][A-Za-z0-9_]*~?)|(?P<sign>=~|!~|==|!=|<=|>=|[|,()\[\].=<>])"""
)
_ESCAPES = {"n": "\n", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Token:
    """`line` counts from 1, `column` from 0, as Resource Graph does."""

    kind: str
    text: str
    line: int = 1
    column: int = 0


class Misunderstood(Exception):
    """A query that is not of the language, or not of the part of it that is known here."""

    def __init__(self, token: Token, why: str = "", code: str = "ParserFailure") -> None:
        super().__init__(why or f"{code} at {token.text!r}")
        self.detail = {
            "code": code,
            "message": why or code,
            "line": token.line,
            "characterPositionInLine": token.column,
            "token": token.text,
        }


def tokens(query: str) -> list[Token]:
    """Raises Misunderstood for what is no word of the language."""
    found, at = [], 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None:
            raise Misunderstood(_token("sign", query[at], query, at))
        if match.lastgroup:
            found.append(_token(match.lastgroup, _text(match), query, at))
        at = match.end()
    return [*found, _token("end", "<EOF>", query, at)]


def _token(kind: str, text: str, query: str, at: int) -> Token:
    return Token(kind, text, query.count("\n", 0, at) + 1, at - query.rfind("\n", 0, at) - 1)


def _text(match: re.Match[str]) -> str:
    """A literal without its quotes."""
    if match.lastgroup != "text":
        return match.group()
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), match.group()[1:-1])
