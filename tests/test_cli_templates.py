"""`validate` and `schema` on the command line: what they take, what goes where, and how they exit."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared import cli
from tests.contracts.builders import template_file, write_factory, yaml

FILES = Path(__file__).parent / "contracts" / "templates"
SAMPLE = Path(__file__).parent.parent / "config"
Output = pytest.CaptureFixture[str]


def validate(*files: Path) -> int:
    return cli.main(["validate", *map(str, files)])


def with_properties(**changes: object) -> dict[str, object]:
    sound: dict[str, Any] = template_file()
    return {**sound, "properties": {**sound["properties"], **changes}}


def test_faults_go_to_the_error_output_and_what_is_sound_to_the_output(capsys: Output) -> None:
    sound, faulty = FILES / "good" / "linux.json", FILES / "wrong" / "timeout-short.json"
    assert validate(sound) == 0
    assert capsys.readouterr() == (f"{sound}: an image template, no faults\n", "")
    assert validate(faulty) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[-1] == f"{faulty}: 1 fault"


def test_several_files_are_told_in_their_order_and_counted_together(capsys: Output) -> None:
    names = ("wrong/timeout-short", "advised/abort", "wrong/timeout-long", "good/linux")
    files = [FILES / f"{name}.json" for name in names]
    assert validate(*files) == 1
    *lines, last = capsys.readouterr().err.splitlines()
    assert [line.partition(".json:")[0].rpartition("/")[2] for line in lines] == [
        "timeout-short",
        "timeout-long",
        "abort",
    ]
    assert last == "4 files: 2 faults, 1 piece of advice"


def test_a_factory_is_told_with_the_advice_on_its_templates_each_once(tmp_path: Path, capsys: Output) -> None:
    path = write_factory(
        tmp_path, yaml(), ubuntu=with_properties(errorHandling={"onCustomizerError": "abort"})
    )
    template = tmp_path / "templates" / "ubuntu.json"
    assert validate(path, template) == 0
    told = capsys.readouterr()
    assert told.out == "2 files: no faults, 1 piece of advice\n"
    assert told.err.startswith(
        f"{template}:1: properties.errorHandling.onCustomizerError: advice: abort leaves"
    )
    faulty = path.read_text().replace("archive:", "mood: act\narchive:")
    path.write_text(faulty)
    assert validate(path) == 1
    fault, advice, last = capsys.readouterr().err.splitlines()
    assert (": mood: " in fault, ": advice: " in advice) == (True, True)
    assert last == f"{path}: 1 fault, 1 piece of advice"


def test_a_managed_image_of_another_subscription_is_told_where_that_is_known(
    tmp_path: Path, capsys: Output
) -> None:
    """A template file alone does not say where its template is."""
    other = "/subscriptions/99999999-2222-3333-4444-555555555555/resourceGroups/g/providers"
    source = {"type": "ManagedImage", "imageId": f"{other}/Microsoft.Compute/images/x"}
    path = write_factory(tmp_path, yaml(), ubuntu=with_properties(source=source))
    assert validate(tmp_path / "templates" / "ubuntu.json") == 0
    assert validate(path) == 1
    assert (
        capsys.readouterr()
        .err.splitlines()[0]
        .endswith(
            "ubuntu.json:1: properties.source.imageId: in subscription 99999999-2222-3333-4444-555555555555; "
            "expected one in the template's own, 11111111-2222-3333-4444-555555555555 [managed-image]"
        )
    )


@pytest.mark.parametrize(
    ("name", "said"), [("x.json", "no such file"), ("templates", "a directory; expected")]
)
def test_a_file_that_is_not_there_is_wrong_usage(
    tmp_path: Path, capsys: Output, name: str, said: str
) -> None:
    (tmp_path / "templates").mkdir()
    with pytest.raises(SystemExit) as ended:
        validate(FILES / "good" / "linux.json", tmp_path / name)
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{tmp_path / name}: {said}" in told.err


def test_what_the_readme_shows_is_what_is_printed(tmp_path: Path, capsys: Output) -> None:
    """Of the sample as it is, and with three mistakes."""
    name, readme = "config/templates/windows-2022.json", (SAMPLE.parent / "README.md").read_text()
    text = (SAMPLE.parent / name).read_text()
    for right, mistake in (
        ("240", "5"),
        ("validExitCodes", "validExitcodes"),
        ("artifactTags", "aritfactTags"),
    ):
        text = text.replace(right, mistake, 1)
    file = tmp_path / "windows-2022.json"
    file.write_text(text)
    assert validate(SAMPLE / "factory.yaml") == 0
    assert validate(file) == 1
    told = capsys.readouterr()
    printed = (told.out + told.err).replace(str(file), name).replace(str(SAMPLE.parent) + "/", "")
    assert len(printed.splitlines()) == 5
    assert [line for line in printed.splitlines() if line not in readme.splitlines()] == []


def schema(capsys: Output, *of: str) -> object:
    assert cli.main(["schema", *of]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_schema_of_the_factory_is_the_one_beside_the_sample(capsys: Output) -> None:
    assert schema(capsys) == json.loads((SAMPLE / "factory.schema.json").read_text())


def test_the_schema_of_templates_holds_what_can_be_said_of_each_member(capsys: Output) -> None:
    """What is good fits, and what breaks a rule about a single member does not. It knows no null."""
    generated = schema(capsys, "template")
    jsonschema.Draft202012Validator.check_schema(generated)
    fits = jsonschema.Draft202012Validator(generated).is_valid
    good = [*(FILES / "good").glob("*.json"), *(SAMPLE / "templates").glob("*.json")]
    assert [file.stem for file in good if not fits(json.loads(file.read_text()))] == ["nulls"]
    rules = ("case", "unknown-member", "choice", "bounds", "kind", "missing")
    for file in (FILES / "wrong").glob("*.json"):
        told = file.with_suffix(".txt").read_text().splitlines()[0]
        if any(told.endswith(f"[{rule}]") for rule in rules):
            assert not fits(json.loads(file.read_text())) or file.stem == "timeout-short", file.stem
