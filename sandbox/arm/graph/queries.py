"""A query: a table, and what is done with its rows one operator after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cmp_to_key
from typing import Any

from sandbox.arm.graph.expressions import Row, Value, Words, condition, text, value
from sandbox.arm.graph.tokens import invalid, tokens

Rows = list[Row]
Tables = Mapping[str, Rows]

COLUMNS = (
    *("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy"),
    *("sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"),
)
_UNITED = {"resources", "resourcecontainers"}
MOST_LEGS = 3


class Query:
    """Raises ArmError 400 for what is not of the language, or of the part of it that is known here."""

    def __init__(self, words: Words, tables: Tables, *, legs: bool = False) -> None:
        self._words, self._tables = words, tables
        named = words.next.kind == "word" and words.next.text.lower() in tables
        self.table = words.take().text.lower() if named else "resources"
        self.rows, self.columns = list(tables[self.table]), set(COLUMNS)
        self.order: tuple[str, ...] = COLUMNS
        if not named:
            self._operate()
        while words.has("|"):
            self._operate()
        if not legs and words.next.kind != "end":
            raise invalid(f"Query is invalid: unexpected {words.next}.", "ParserFailure")

    def _operate(self) -> None:
        name = self._words.name().lower()
        operator = _OPERATORS.get(name)
        if operator is None:
            raise invalid(f"Query is invalid: the operator {name!r} is not known here.")
        operator(self)

    def where(self) -> None:
        holds = condition(self._words, self.columns)
        self.rows = [row for row in self.rows if holds(row)]

    def _items(self) -> list[tuple[str, Value]]:
        found = [self._item()]
        while self._words.has(","):
            found.append(self._item())
        return found

    def _item(self) -> tuple[str, Value]:
        """`name = value`, or a column or member by itself, whose name is that of its path."""
        words = self._words
        at = words.at
        if words.next.kind == "word" and words.tokens[at + 1].text == "=":
            name = words.name()
            words.expect("=")
            return name, condition(words, self.columns)
        found = value(words, self.columns)
        between = words.tokens[at : words.at]
        return "_".join(token.text for token in between if token.text not in ".[]") or "Column1", found

    def project(self) -> None:
        items = self._items()
        self.rows = [{name: read(row) for name, read in items} for row in self.rows]
        self.order = tuple(name for name, _ in items)
        self.columns = set(self.order)

    def extend(self) -> None:
        items = self._items()
        self.rows = [{**row, **{name: read(row) for name, read in items}} for row in self.rows]
        self.order = (*self.order, *(name for name, _ in items if name not in self.columns))
        self.columns |= {name for name, _ in items}

    def away(self) -> None:
        gone = {self._words.name()}
        while self._words.has(","):
            gone.add(self._words.name())
        self.order = tuple(name for name in self.order if name not in gone)
        self.columns -= gone
        self.rows = [{name: row.get(name) for name in self.order} for row in self.rows]

    def sort(self) -> None:
        self._words.expect("by")
        keys = [self._key()]
        while self._words.has(","):
            keys.append(self._key())

        def compare(left: Row, right: Row) -> int:
            for read, sign in keys:
                one, other = text(read(left)).lower(), text(read(right)).lower()
                if one != other:
                    return sign if one > other else -sign
            return 0

        self.rows = sorted(self.rows, key=cmp_to_key(compare))

    def _key(self) -> tuple[Value, int]:
        read = value(self._words, self.columns)
        ascending = self._words.has("asc")
        if not ascending:  # descending is the default
            self._words.has("desc")
        return read, 1 if ascending else -1

    def take(self) -> None:
        if self._words.next.kind != "number":
            raise invalid(f"Query is invalid: expected a number, got {self._words.next}.", "ParserFailure")
        self.rows = self.rows[: int(self._words.take().text)]

    def count(self) -> None:
        self.rows = [{"Count": len(self.rows)}]
        self.order, self.columns = ("Count",), {"Count"}

    def union(self) -> None:
        legs = 1
        while True:
            self._words.expect("(")
            leg = Query(self._words, self._tables, legs=True)
            self._words.expect(")")
            legs += 1
            if {self.table, leg.table} - _UNITED:
                raise invalid("Query is invalid: union is for the tables Resources and ResourceContainers.")
            self.rows = [*self.rows, *leg.rows]
            self.order = (*self.order, *(name for name in leg.order if name not in self.columns))
            self.columns |= leg.columns
            if not self._words.has(","):
                break
        if legs > MOST_LEGS:
            raise invalid(f"Query is invalid: a union has at most {MOST_LEGS} legs.")


_OPERATORS: dict[str, Callable[[Query], None]] = {
    "where": Query.where,
    "project": Query.project,
    "extend": Query.extend,
    "order": Query.sort,
    "sort": Query.sort,
    "take": Query.take,
    "limit": Query.take,
    "count": Query.count,
    "union": Query.union,
    "project-away": Query.away,
}


def run(query: str, tables: Tables) -> tuple[Sequence[str], Rows]:
    """Columns in order, and the rows. Raises ArmError 400."""
    found = Query(Words(tokens(query)), tables)
    return found.order, [{name: row.get(name) for name in found.order} for row in found.rows]


def table_of(order: Sequence[str], rows: Rows) -> dict[str, Any]:
    """As `resultFormat: table` shows it."""
    columns = [{"name": name, "type": "object"} for name in order]
    return {"columns": columns, "rows": [[row[name] for name in order] for row in rows]}
