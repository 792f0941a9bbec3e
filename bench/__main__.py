"""`python -m bench [PART ...]`: all of them unless told otherwise; a name that is none of them lists them.

Exit status 1 if a budget is not kept.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from .azure import LocalAzure
from .calls import calls
from .copies import copies
from .imports import first_look, imports
from .kills import kills
from .memory import memory
from .releases import releases
from .retention import retention
from .table import Table, shown

ALONE: dict[str, Callable[[], Iterable[Table]]] = {
    "imports": lambda: (imports(),),
    "calls": calls,
    "releases": releases,
    "retention": retention,
}
ON_AZURE: dict[str, Callable[[LocalAzure], Table]] = {
    "first-look": first_look,
    "copies": copies,
    "kills": kills,
    "memory": memory,
}


def main(wanted: list[str]) -> int:
    known = [*ALONE, *ON_AZURE]
    unknown = [part for part in wanted if part not in known]
    if unknown:
        print(f"no part is called {', '.join(unknown)}; there are: {', '.join(known)}")
        return 2
    kept = [_show(table) for part in wanted or known if part in ALONE for table in ALONE[part]()]
    parts = [ON_AZURE[part] for part in wanted or known if part in ON_AZURE]
    if parts:
        with tempfile.TemporaryDirectory() as folder, LocalAzure(Path(folder)) as azure:
            kept += [_show(part(azure)) for part in parts]
    print("\nEvery budget is kept." if all(kept) else "\nA budget is not kept: see OVER.")
    return 0  # a measurement, not a test: the clock of a busy machine decides nothing


def _show(table: Table) -> bool:
    print(shown(table), flush=True)
    return table.kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
