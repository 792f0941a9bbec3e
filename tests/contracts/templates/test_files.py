"""Template files, each wrong in one way, beside what `validate` prints of it: to the letter, line and all.

`wrong` has those that Azure would refuse or fail at, `advised` those that it takes and people regret, `good`
what nobody has to say anything about.
"""

import re
from pathlib import Path

import pytest

from shared import cli

HERE = Path(__file__).parent
Output = pytest.CaptureFixture[str]


def files(kind: str) -> list[Path]:
    return sorted((HERE / kind).glob("*.json"))


def printed(file: Path, capsys: Output) -> tuple[int, str]:
    code = cli.main(["validate", str(file)])
    told = capsys.readouterr()
    return code, (told.err + told.out).replace(f"{file.parent}/", "")


@pytest.mark.parametrize("file", files("wrong"), ids=lambda file: file.stem)
def test_a_wrong_file_is_told_with_line_fault_rule_and_suggestion(file: Path, capsys: Output) -> None:
    assert printed(file, capsys) == (1, file.with_suffix(".txt").read_text())


@pytest.mark.parametrize("file", files("advised"), ids=lambda file: file.stem)
def test_advice_is_told_apart_and_makes_nothing_faulty(file: Path, capsys: Output) -> None:
    assert printed(file, capsys) == (0, file.with_suffix(".txt").read_text())


@pytest.mark.parametrize("file", files("good"), ids=lambda file: file.stem)
def test_a_good_file_is_told_in_one_line(file: Path, capsys: Output) -> None:
    assert printed(file, capsys) == (0, f"{file.name}: an image template, no faults\n")


def shown(*kinds: str) -> set[str]:
    texts = (file.with_suffix(".txt").read_text() for kind in kinds for file in files(kind))
    return {rule for text in texts for rule in re.findall(r"\[([a-z-]+)\]$", text, re.M)}


def explained(section: str) -> set[str]:
    page = (HERE.parents[2] / "docs" / "templates.md").read_text()
    return set(
        re.findall(r"^\| `([a-z-]+)` \|", page.partition(f"## {section}")[2].partition("\n## ")[0], re.M)
    )


def test_every_rule_is_explained_and_broken_by_a_file_here() -> None:
    """But for one that needs to know where the template is; rules of upgrades are told elsewhere."""
    upgrading = {"one-template", "expression", "replication-regions", "older-form"}
    assert shown("wrong") - upgrading == explained("Rules") - {"managed-image"}
    assert shown("advised") == explained("Advice")


def test_there_are_many_ways_to_be_wrong() -> None:
    assert len(files("wrong")) > 150
