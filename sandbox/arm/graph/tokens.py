"""The words of a query."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.arm.errors import ArmError

_TOKEN = re.compile(
    r"""\s+|//[^\n]*|(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|(?P<number>\d+)"""
    r"""|(?P<word>project-away|!?[A-Za-z_][A-Za-z0-9_]*~?)|(?P<sign>=~|!~|==|!=|<=|>=|[|,()\[\].=<>])"""
)
_ESCAPES = {"n": "\n", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


END = Token("end", "the end of the query")


def invalid(why: str, code: str = "InvalidQuery") -> ArmError:
    """As Resource Graph refuses a query."""
    return ArmError(
        400,
        "BadRequest",
        "Please provide below info when asking for support: timestamp, correlationId.",
        details=({"code": code, "message": why},),
    )


def tokens(query: str) -> list[Token]:
    """Raises ArmError 400 for what is no word of the language."""
    found, at = [], 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None:
            raise invalid(f"Query is invalid: unexpected {query[at : at + 20]!r}.", "ParserFailure")
        if match.lastgroup == "text":
            inner = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), match.group()[1:-1])
            found.append(Token("text", inner))
        elif match.lastgroup:
            found.append(Token(match.lastgroup, match.group()))
        at = match.end()
    return [*found, END]
