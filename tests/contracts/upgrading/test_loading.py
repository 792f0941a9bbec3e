"""Older template files as the app meets them: read as what they are today, with faults where they are."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared import cli
from shared.contracts.factory import FactoryFile, load, read
from shared.contracts.faults import FaultyConfiguration
from tests.contracts.builders import DEFINITION, IDENTITY, SUBSCRIPTION, faults_of, write_factory, yaml

from . import parts
from .parts import TYPE, VHD, deployment

PARAMETERS = {"region": {"type": "string"}}
RELEASED = """\
definitions:
  ubuntu:
    gallery: gallery
    location: westeurope
    rings: [{name: all, regions: {westeurope: {}}}]
"""


def template(**properties: Any) -> dict[str, Any]:
    """One that can be loaded: upgrades do without an identity."""
    identity = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    return {**parts.template(**properties), "identity": identity}


def by_parameter(**members: Any) -> dict[str, Any]:
    """A deployment template whose location is a parameter without a default."""
    return deployment({**template(), "location": "[parameters('region')]", **members}, parameters=PARAMETERS)


def give(folder: Path, region: object) -> Path:
    file = folder / "templates" / "ubuntu.parameters.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"parameters": {"region": {"value": region}}}))
    return file


def told(folder: Path, content: object, top: str = "") -> list[str]:
    faults = faults_of(folder, yaml(top=top), ubuntu=content)
    return [str(fault).replace(f"{folder}/templates/", "") for fault in faults]


def test_an_older_file_is_put_in_its_current_form(tmp_path: Path) -> None:
    """With the place of its image for what a deployment would have known by itself."""
    network = {"name": "net", "subnetName": "build", "resourceGroupName": "[resourceGroup().name]"}
    older = by_parameter(apiVersion="2019-05-01-preview", name="x")
    older["resources"][0]["properties"] = template(vmProfile={"vnetConfig": network})["properties"]
    give(tmp_path, "westeurope")
    image = load(write_factory(tmp_path, yaml(), ubuntu=older)).image("ubuntu")
    subnet = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Network"
        "/virtualNetworks/net/subnets/build"
    )
    assert msgspec.json.decode(image.body) == template(vmProfile={"vnetConfig": {"subnetId": subnet}})
    assert image.location == "westeurope"


def test_a_changed_parameter_file_is_noticed(tmp_path: Path) -> None:
    """Also one that was missing, or that was no JSON."""
    path = write_factory(tmp_path, yaml(), ubuntu=by_parameter())
    file = FactoryFile(path)
    with pytest.raises(FaultyConfiguration, match="parameter region has no value"):
        file.current()
    given = give(tmp_path, "westeurope")
    assert file.current().image("ubuntu").location == "westeurope"
    given.write_text("{")
    with pytest.raises(FaultyConfiguration, match=r"ubuntu\.parameters\.json:1: this is not JSON"):
        file.current()
    os.utime(give(tmp_path, "northeurope"), ns=(1, 1))
    assert file.current().image("ubuntu").location == "northeurope"
    assert [file.name for file in read(path).files] == [
        "factory.yaml",
        "ubuntu.json",
        "ubuntu.parameters.json",
    ]


def test_a_file_in_the_current_form_has_no_other_beside_it(tmp_path: Path) -> None:
    path = write_factory(tmp_path, yaml(), ubuntu=template())
    assert [file.name for file in read(path).files] == ["factory.yaml", "ubuntu.json"]


def test_what_is_refused_is_told_with_all_that_is_wrong_elsewhere(tmp_path: Path) -> None:
    """And once: what stands in a place that is refused is not in the current form."""
    content = by_parameter(tags={"a": 1})
    assert told(tmp_path, json.dumps(content, indent=1)) == [
        "ubuntu.json:5: resources[0].location: \"[parameters('region')]\" cannot be computed: parameter "
        "region has no value; expected a defaultValue, or a value in the parameter file "
        "(NAME.parameters.json) [expression]",
        "ubuntu.json:28: resources[0].tags.a: a number; expected a text in quotes [kind]",
    ]


def test_a_fault_in_an_upgraded_part_is_told_where_it_is_written(tmp_path: Path) -> None:
    """By its older name, and in its line."""
    target = {
        "type": "sharedImage",
        "galleryImageId": DEFINITION,
        "runOutputName": "x",
        "excludeFromLatest": True,
        "replicationRegions": ["northeurope"],
    }
    content = {"type": TYPE, **template(distribute=[VHD, target])}
    assert told(tmp_path, json.dumps(content, indent=1), top=RELEASED) == [
        "ubuntu.json:22: properties.distribute[1].replicationRegions: leaves out westeurope; expected the "
        "home region of definition ubuntu to be among them"
    ]


def test_validate_tells_what_is_read_as_if_it_were_upgraded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.dumps(
        {"type": TYPE, **template(customize=[{"type": "shell", "inline": ["true"]}])}, indent=1
    )
    path = write_factory(tmp_path, yaml(), ubuntu=content)
    file = tmp_path / "templates" / "ubuntu.json"
    assert cli.main(["validate", str(path)]) == 0
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        f"{file}:2: type: upgraded: taken off: every template file is of this type",
        f"{file}:20: properties.customize[0].type: upgraded: type shell is now Shell",
        f"{file}:1: advice: an older form, read as if upgraded: 2 change(s); `upgrade --write` writes them "
        "down [older-form]",
    ]
    assert out == f"{path}: 1 image(s), 1 source(s), 0 definition(s), no faults, 1 piece of advice\n"
