"""The benchmarks can be run; what they measure is for `make bench` to say, on a machine that is idle."""

from pathlib import Path

import pytest

from bench.__main__ import main
from bench.azure import MIB, Disk
from bench.copies import calls_needed, size
from bench.imports import IMPORT, Fresh
from bench.table import Row, Table, shown


def test_a_table_says_whether_it_keeps_to_its_budget() -> None:
    table = Table("Copies", (Row("fast", "1 s", 1.05, 1.1, "×"), Row("slow", "2 s", 1.2, 1.1, "×")))
    text = shown(table)
    assert not table.kept
    assert [line.split()[3] for line in text.splitlines() if "×" in line] == ["within", "OVER"]


def test_a_disk_is_copied_in_calls_of_at_most_four_mebibytes() -> None:
    """None crosses a hole, and all that is allocated is in one of them."""
    calls = calls_needed(Disk("small", 64, 9))
    assert max(end - start for start, end in calls) <= 4 * MIB
    assert 9 * MIB < size(calls) < 10 * MIB


def test_a_fresh_process_tells_its_time_and_its_modules(tmp_path: Path) -> None:
    told = Fresh(tmp_path).run(IMPORT.format(modules="colorsys"))
    assert "colorsys" in told.modules
    assert told.cpu >= 0


def test_an_unknown_table_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["copys"]) == 2
    assert "copies" in capsys.readouterr().out
