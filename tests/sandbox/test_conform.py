"""Playing recordings: what is played, what the world is given first, and the answer to the shell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.conform import run
from sandbox.prerequisites import prepare

from .arm.parts import API, TEMPLATES, World, template_body

if TYPE_CHECKING:
    from pathlib import Path

PLAYER = """
import json, ssl, sys, urllib.request
words = dict(zip(sys.argv[1::2], sys.argv[2::2]))
trust = ssl.create_default_context(cafile=words["--ca"])
request = urllib.request.Request(words["--base"] + "/subscriptions?api-version=2022-12-01")
request.add_header("Authorization", "Bearer " + words["--token"])
seen = json.load(urllib.request.urlopen(request, context=trust))
sys.exit(0 if seen["value"] and sys.argv[-1].endswith("one.json") else 1)
"""


FOUNDER = """
import json, ssl, sys, urllib.request
words = dict(zip(sys.argv[1::2], sys.argv[2::2]))
trust = ssl.create_default_context(cafile=words["--ca"])
url = words["--base"] + "/subscriptions/s/resourcegroups/g?api-version=2022-09-01"
request = urllib.request.Request(url, b'{"location": "westus2"}', method="PUT")
request.add_header("Authorization", "Bearer " + words["--token"])
new = urllib.request.urlopen(request, context=trust).status == 201
name = sys.argv[-1].rsplit("/", 1)[1]
total = 0 if name == "none.json" else 1
good = total if new and name != "bad.json" else 0
print(f"{name} {good} of {total} conform\\n{good} of {total} recorded interactions conform")
sys.exit(0 if good == total and total else 1)
"""


def recording(world: World, state: str, **properties: Any) -> list[dict[str, Any]]:
    path = f"{TEMPLATES}/web?{API}"
    seen = {
        "type": "Microsoft.VirtualMachineImages/imageTemplates",
        "properties": {"provisioningState": state},
    }
    return [
        {
            "request": {"method": "PUT", "path": path, "body": template_body(world, **properties)},
            "response": {"status": 201, "headers": {}, "body": {}},
        },
        {
            "request": {"method": "GET", "path": path, "body": None},
            "response": {"status": 200, "headers": {}, "body": seen},
        },
    ]


@pytest.mark.parametrize("state", ["Succeeded", "Failed"])
def test_templates_that_succeeded_find_what_they_refer_to(state: str) -> None:
    """A recording leaves its set-up out; one that failed is given nothing."""
    world = World()
    subnet = f"{TEMPLATES.split('/providers')[0]}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    properties: dict[str, Any] = {
        "source": {"type": "PlatformImage", "publisher": "P", "offer": "O", "sku": "S", "version": "1.2.3"},
        "vmProfile": {"vnetConfig": {"subnetId": subnet}},
    }
    lines = prepare(world.azure, recording(world, state, **properties))
    assert bool(lines) is (state == "Succeeded")
    world.provisioned(**properties)
    assert world.properties()["provisioningState"] == state


def test_recordings_are_played_over_tls_with_a_token(tmp_path: Path) -> None:
    """Examples of a specification are no recording; the player's exit status is the answer."""
    (tmp_path / "replay.py").write_text(PLAYER)
    (tmp_path / "one.json").write_text(json.dumps(recording(World(), "Succeeded")))
    (tmp_path / "spec-examples.json").write_text('{"GetRunOutput.json": {}}')
    assert run([str(tmp_path)]) == 0
    (tmp_path / "two.json").write_text(json.dumps(recording(World(), "Succeeded")))
    assert run([str(tmp_path)]) == 1


def test_each_recording_has_a_world_and_all_have_one_sum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Recorders give the same names to many recordings; what was skipped altogether is no failure."""
    (tmp_path / "replay.py").write_text(FOUNDER)
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_text(json.dumps(recording(World(), "Succeeded")))
    assert run([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 of 2 recorded interactions conform"
    (tmp_path / "empty.json").write_text("[]")
    (tmp_path / "none.json").write_text(json.dumps(recording(World(), "Succeeded")))
    assert run([str(tmp_path)]) == 0
    (tmp_path / "bad.json").write_text(json.dumps(recording(World(), "Succeeded")))
    assert run([str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 of 3 recorded interactions conform"


def test_folder_without_recordings_is_said_to_be_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, and why."""
    assert run([str(tmp_path)]) == 2
    assert "no recording (*.json) is in it" in capsys.readouterr().err
