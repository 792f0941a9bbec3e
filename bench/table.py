"""Tables of what was measured: each row against its budget, if it has one."""

from collections.abc import Iterable

import msgspec


class Row(msgspec.Struct, frozen=True):
    """`measured` and `budget` have the same unit; a row without a budget is there for comparison."""

    what: str
    told: str
    measured: float | None = None
    budget: float | None = None
    unit: str = ""

    @property
    def verdict(self) -> str:
        if self.measured is None or self.budget is None:
            return ""
        return "within" if self.measured <= self.budget else "OVER"


class Table(msgspec.Struct, frozen=True):
    title: str
    rows: tuple[Row, ...]
    note: str = ""

    @property
    def kept(self) -> bool:
        return all(row.verdict != "OVER" for row in self.rows)


def shown(table: Table) -> str:
    """The table as text."""
    head = ("", "measured", "budget", "", "in detail")
    lines = [head, *(_cells(row) for row in table.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    body = "\n".join(_line(line, widths) for line in lines)
    note = f"\n{table.note}" if table.note else ""
    return f"\n{table.title}\n{'=' * len(table.title)}\n{body}{note}"


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    return (row.what, _number(row.measured, row.unit), _number(row.budget, row.unit), row.verdict, row.told)


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    first, measured, budget, verdict, told = (
        text.rjust(width) if column in (1, 2) else text.ljust(width)
        for column, (text, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"{first}  {measured}  {budget}  {verdict}  {told}".rstrip()


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.2f}{unit}" if unit == "×" else f"{value:g}{unit}"
