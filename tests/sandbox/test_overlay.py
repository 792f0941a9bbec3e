"""The factory's configuration in the sandbox: changed in a copy, never in place."""

from pathlib import Path

import pytest
import yaml

from sandbox.options import QUICK, Options, parse
from sandbox.overlay import OverlayFault, configured, merged

FACTORY = """\
# how it is in Azure
mode: observe
timing:
  claim: 10m
  stagger: 5m
"""


def written(folder: Path, overlay: str | None = None) -> tuple[Path, Path]:
    """The configuration, and what the app is to read."""
    file = folder / "config" / "factory.yaml"
    (file.parent / "templates").mkdir(parents=True)
    (file.parent / "templates" / "one.json").write_text("{}")
    file.write_text(FACTORY)
    over = folder / "overlay.yaml"
    if overlay is not None:
        over.write_text(overlay)
    options = Options(state=folder / "state", config=file, overlay=None if overlay is None else over)
    return file, configured(options)


def test_without_a_wish_the_file_itself_is_read(tmp_path: Path) -> None:
    file, read = written(tmp_path)
    assert read == file


def test_an_overlay_changes_what_it_names_in_a_copy_and_nothing_else(tmp_path: Path) -> None:
    file, read = written(tmp_path, "mode: act\ntiming: {claim: 20s}\nlimits: {runs_at_once: 1}\n")
    assert yaml.safe_load(read.read_text()) == {
        "mode": "act",
        "timing": {"claim": "20s", "stagger": "5m"},
        "limits": {"runs_at_once": 1},
    }
    assert file.read_text() == FACTORY
    assert (read.parent / "templates" / "one.json").exists()


def test_the_sandbox_acts_within_seconds_unless_it_is_told_to_take_the_file_as_it_is() -> None:
    assert yaml.safe_load(QUICK.read_text())["mode"] == "act"
    assert parse([]).overlay == QUICK
    assert parse(["--as-is"]).overlay is None


def test_null_in_an_overlay_takes_something_away() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": None}, "d": None}) == {"a": {"c": 2}}


def test_an_overlay_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(OverlayFault, match=r"overlay\.yaml holds list"):
        written(tmp_path, "- mode: act\n")
