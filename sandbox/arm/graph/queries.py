"""A query: a table, and what is done with its rows one operator after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.arm.graph.expressions import Row, Value, Words, condition, text, value
from sandbox.arm.graph.tokens import Misunderstood, tokens

Rows = list[Row]
Tables = Mapping[str, Rows]

COLUMNS = (
    *("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy"),
    *("sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"),
)
_UNITED = {"resources", "resourcecontainers"}
MOST_LEGS = 3
_TYPES: Mapping[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class Result:
    """`limited`: the query has cut its rows by itself, so that they are not paged."""

    order: tuple[str, ...]
    rows: Rows
    limited: bool


class Query:
    """Raises Misunderstood for what is not of the language, or of the part of it that is known here."""

    def __init__(self, words: Words, tables: Tables, *, legs: bool = False) -> None:
        self._words, self._tables = words, tables
        named = words.next.kind == "word" and words.next.text.lower() in tables
        self.table = words.take().text.lower() if named else "resources"
        self.rows, self.columns = list(tables[self.table]), set(COLUMNS)
        self.order: tuple[str, ...] = COLUMNS
        self.legs, self.limited = 1, False
        if not named:
            self._operate()
        while words.has("|"):
            self._operate()
        if not legs and words.next.kind != "end":
            raise Misunderstood(words.next)

    def _operate(self) -> None:
        token = self._words.next
        operator = _OPERATORS.get(self._words.name().lower())
        if operator is None:
            raise Misunderstood(token, f"The operator '{token.text}' is not known here.")
        operator(self)

    def where(self) -> None:
        holds = condition(self._words, self.columns)
        self.rows = [row for row in self.rows if holds(row)]

    def _items(self) -> list[tuple[str, Value]]:
        found = [self._item(1)]
        while self._words.has(","):
            found.append(self._item(len(found) + 1))
        return found

    def _item(self, place: int) -> tuple[str, Value]:
        """`name = value`; by itself, a column or member is named by its path, anything else by its place."""
        words = self._words
        at = words.at
        if words.next.kind == "word" and words.tokens[at + 1].text == "=":
            name = words.name()
            words.expect("=")
            return name, condition(words, self.columns)
        found = value(words, self.columns)
        between = [token for token in words.tokens[at : words.at] if token.text not in (".", "[", "]")]
        path = between[0].kind == "word" and all(token.kind in ("word", "text") for token in between)
        return "_".join(token.text for token in between) if path else f"Column{place}", found

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
        for read, descending in reversed(keys):  # each sort keeps what the less important ones have done
            self.rows = _sorted(self.rows, read, descending)

    def _key(self) -> tuple[Value, bool]:
        """What is compared, and whether the greatest comes first: so it does where nothing is said."""
        read = value(self._words, self.columns)
        return read, not self._words.has("asc") and (self._words.has("desc") or True)

    def take(self) -> None:
        if self._words.next.kind != "number":
            raise Misunderstood(self._words.next)
        self.rows, self.limited = self.rows[: int(self._words.take().text)], True

    def count(self) -> None:
        self.rows = [{"Count": len(self.rows)}]
        self.order, self.columns = ("Count",), {"Count"}

    def union(self) -> None:
        self._leg()
        while self._words.has(","):
            self._leg()

    def _leg(self) -> None:
        self._words.expect("(")
        token = self._words.next
        leg = Query(self._words, self._tables, legs=True)
        self._words.expect(")")
        self.legs += leg.legs
        if {self.table, leg.table} - _UNITED:
            why = "A union is for the tables Resources and ResourceContainers."
        elif self.legs > MOST_LEGS:
            why = f"A union has at most {MOST_LEGS} legs."
        else:
            self.rows, self.limited = [*self.rows, *leg.rows], self.limited or leg.limited
            self.order = (*self.order, *(name for name in leg.order if name not in self.columns))
            self.columns |= leg.columns
            return
        raise Misunderstood(token, why, "InvalidQueryLanguage")


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


def run(query: str, tables: Tables) -> Result:
    """Raises Misunderstood."""
    found = Query(Words(tokens(query)), tables)
    rows = [{name: row.get(name) for name in found.order} for row in found.rows]
    return Result(found.order, rows, found.limited)


def table_of(result: Result, rows: Rows) -> dict[str, Any]:
    """As `resultFormat: table` shows it: a column has the type that all its values share."""
    columns = [
        {"name": name, "type": _type({type(row[name]) for row in result.rows})} for name in result.order
    ]
    return {"columns": columns, "rows": [[row[name] for name in result.order] for row in rows]}


def _type(found: set[type]) -> str:
    only = found - {type(None)}
    return _TYPES.get(only.pop(), "object") if len(only) == 1 else "object"


def _sorted(rows: Rows, read: Value, descending: bool) -> Rows:
    return sorted(rows, key=lambda row: _rank(read(row)), reverse=descending)


def _rank(found: Any) -> tuple[int, float, str]:
    """Nothing is less than numbers, and they less than texts."""
    if found is None:
        return 0, 0.0, ""
    return (1, found, "") if isinstance(found, int | float) else (2, 0.0, text(found).lower())
