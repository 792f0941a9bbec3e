"""`upgrade` on the command line: what it prints and where, what it writes, and how it exits."""

import json
import shutil
from pathlib import Path

import pytest

from shared import cli

PUBLISHED = Path(__file__).parent / "contracts" / "upgrading" / "published"
Output = pytest.CaptureFixture[str]
OLD = """\
{
    "type": "Microsoft.VirtualMachineImages/imageTemplates",
    "properties": {
        "source": { "type": "platformImage", "publisher": "Canonicäl" }
    },
    "location": "westeurope"
}
"""
NEW = """\
{
  "properties": {
    "source": {
      "type": "PlatformImage",
      "publisher": "Canonicäl"
    }
  },
  "location": "westeurope"
}
"""


def upgrade(*arguments: object) -> int:
    return cli.main(["upgrade", *map(str, arguments)])


@pytest.fixture
def old(tmp_path: Path) -> Path:
    file = tmp_path / "old.json"
    file.write_text(OLD)
    return file


def test_the_new_form_goes_to_the_output_and_the_changes_beside_it(old: Path, capsys: Output) -> None:
    assert upgrade(old) == 0
    told = capsys.readouterr()
    assert told.out == NEW
    assert told.err.splitlines() == [
        f"{old}:2: type: taken off: every template file is of this type",
        f"{old}:4: properties.source.type: type platformImage is now PlatformImage",
        f"{old}: 2 change(s)",
    ]
    assert old.read_text() == OLD


def test_written_in_place_it_has_nothing_more_to_change(old: Path, capsys: Output) -> None:
    old.chmod(0o640)
    assert upgrade(old, "--write") == 0
    assert old.read_text() == NEW
    assert old.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in old.parent.iterdir()] == ["old.json"]
    assert capsys.readouterr().err.endswith("2 change(s), written\n")
    stamp = old.stat().st_mtime_ns
    assert upgrade(old, "--write") == 0
    assert old.stat().st_mtime_ns == stamp
    assert capsys.readouterr().err == f"{old}: in the current form already\n"


def test_a_deployment_needs_its_parameters_no_more_once_it_is_written(tmp_path: Path, capsys: Output) -> None:
    file = Path(shutil.copy(PUBLISHED / "windows-gallery-deployment.json", tmp_path / "windows.json"))
    beside = tmp_path / "windows.parameters.json"
    beside.write_text(json.dumps({"parameters": {"svclocation": {"value": "westeurope"}}}))
    assert upgrade(file, "--write") == 0
    assert json.loads(file.read_text())["location"] == "westeurope"
    assert capsys.readouterr().err.endswith(f"{beside}: no longer read; its values are in windows.json\n")


def test_where_something_is_refused_nothing_is_written(tmp_path: Path, capsys: Output) -> None:
    file = Path(shutil.copy(PUBLISHED / "iso-source-deployment.json", tmp_path / "iso.json"))
    before = file.read_bytes()
    assert upgrade(file, "--write") == 1
    assert file.read_bytes() == before
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{file}:50: resources[0].properties.source: Image Builder takes no ISO sources" in told.err
    assert told.err.endswith(f"{file}: 7 part(s) cannot be upgraded\n")


def test_several_files_go_into_a_folder_and_the_worst_of_them_counts(old: Path, capsys: Output) -> None:
    folder, missing = old.parent / "new", old.parent / "missing.json"
    folder.mkdir()
    assert upgrade(missing, old, "--output", folder) == 1
    assert (folder / "old.json").read_text() == NEW
    assert old.read_text() == OLD
    assert f"{missing}: No such file or directory" in capsys.readouterr().err


def test_where_a_deployment_would_go_is_told_by_options(old: Path, capsys: Output) -> None:
    content = {**json.loads(OLD), "location": "[resourceGroup().location]"}
    content["properties"]["stagingResourceGroup"] = "[resourceGroup().id]"
    old.write_text(json.dumps({"resources": [content]}))
    assert upgrade(old) == 1
    assert "resourceGroup().location is not known here" in capsys.readouterr().err
    where = ("--subscription", "s", "--resource-group", "g", "--location", "westeurope")
    assert upgrade(old, *where) == 0
    new = json.loads(capsys.readouterr().out)
    assert new["location"] == "westeurope"
    assert new["properties"]["stagingResourceGroup"] == "/subscriptions/s/resourceGroups/g"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("{", ":1: this is not JSON: Expecting property name enclosed in double quotes (column 2)"),
        ('{"a": 1}', ':1: not a parameter file; expected {"parameters": {NAME: {"value": ...}}}'),
    ],
)
def test_a_parameter_file_of_no_use_is_told_of(
    tmp_path: Path, capsys: Output, parameters: str, said: str
) -> None:
    file = tmp_path / "given.json"
    file.write_text(parameters)
    assert upgrade(PUBLISHED / "windows-gallery-deployment.json", "--parameters", file) == 1
    assert capsys.readouterr().err == f"{file}{said}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("a.json", "b.json"),
        ("a.json", "b.json", "--write", "--parameters", "c.json"),
        ("a.json", "--write", "--output", "x"),
        ("a.json", "--output", "not/there"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        upgrade(*arguments)
    assert ended.value.code == 2
    assert "usage: " in capsys.readouterr().err


def test_half_a_character_is_written_as_it_was(old: Path) -> None:
    old.write_text(OLD.replace("Canonicäl", "\\ud83d"))
    assert upgrade(old, "--write") == 0
    assert '"publisher": "\\ud83d"' in old.read_text()
