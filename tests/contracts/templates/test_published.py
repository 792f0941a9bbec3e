"""Templates as people published them: with their placeholders filled in there is nothing left to tell."""

import json
import re
import shutil
from pathlib import Path

import pytest

from shared import cli
from tests.contracts.builders import IDENTITY, SUBSCRIPTION
from tests.contracts.upgrading.test_published import PUBLISHED

PLACEHOLDERS = {
    "imgBuilderId": IDENTITY,
    "subscriptionID": SUBSCRIPTION,
    "region": "westeurope",
    "region1": "westeurope",
    "region2": "northeurope",
    "scriptUrl": "https://example.com/a.sh",
}
Output = pytest.CaptureFixture[str]


def filled(name: str, folder: Path) -> Path:
    text = (PUBLISHED / f"{name}.json").read_text()
    file = folder / f"{name}.json"
    file.write_text(re.sub("<([A-Za-z0-9]+)>", lambda found: PLACEHOLDERS.get(found[1], found[1]), text))
    return file


@pytest.mark.parametrize(
    "name",
    [
        "linux-gallery-2022-02-14",
        "linux-identity-2019-05-01-preview",
        "linux-vnet-2020-02-14",
        "windows-gallery-deployment",
    ],
)
def test_a_published_template_is_sound_once_it_is_filled_in(
    name: str, tmp_path: Path, capsys: Output
) -> None:
    """Older ones by what they are in the current form. As published, every placeholder is told."""
    location = {"parameters": {"svclocation": {"value": "westeurope"}}}
    (tmp_path / f"{name}.parameters.json").write_text(json.dumps(location))
    assert cli.main(["validate", str(filled(name, tmp_path))]) == 0, capsys.readouterr().err
    assert "an image template, no faults" in capsys.readouterr().out
    shutil.copy(PUBLISHED / f"{name}.json", tmp_path)
    assert cli.main(["validate", str(tmp_path / f"{name}.json")]) == 1
    assert "is a placeholder" in capsys.readouterr().err


def test_a_published_template_without_an_identity_lacks_nothing_else(tmp_path: Path, capsys: Output) -> None:
    """It was not asked for in 2019, and cannot be made up."""
    file = filled("linux-vhd-2019-05-01-preview", tmp_path)
    assert cli.main(["validate", str(file)]) == 1
    fault = capsys.readouterr().err.splitlines()[0]
    expected = '{"type": "UserAssigned", "userAssignedIdentities": {ID: {}}}'
    assert fault == f"{file}:1: identity: missing; expected {expected} [missing]"
