"""The sample in `config/` is what people copy: it is sound, and as Azure would take it."""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.imagebuilder import models

from shared.contracts import schema
from shared.contracts.factory import load
from shared.domain.factory import AfterArchive, Mode

CONFIG = Path(__file__).parents[2] / "config"
TEMPLATES = sorted((CONFIG / "templates").glob("*.json"))
SCRIPTS = sorted((CONFIG / "scripts").iterdir())
HOST = "https://scripts.blob.core.windows.net/scripts/"

each_template = pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.stem)


def content(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def test_the_sample_is_sound_and_careful() -> None:
    """It observes until somebody decides otherwise, and shows both answers to what becomes of templates."""
    factory = load(CONFIG / "factory.yaml")
    assert factory.mode is Mode.OBSERVE
    assert {image.after_archive for image in factory.images.values()} == set(AfterArchive)
    assert all(image.source is not None for image in factory.images.values())


def test_the_sample_releases_through_three_rings_and_what_is_built_from_it() -> None:
    """Five regions; each version reaches at first only its home, and is latest nowhere."""
    factory = load(CONFIG / "factory.yaml")
    definition, image = factory.definition("windows-2022"), factory.image("windows-2022-dev")
    assert [len(ring.regions) for ring in definition.rings] == [1, 2, 2]
    assert definition.ring_of(definition.home) == 0
    assert factory.fed_by(definition.id) == (factory.image("windows-2022"),)
    assert factory.ancestors(image) == (factory.image("windows-2022"),)
    assert image.source_text == "images/windows-2022 in westeurope"
    assert [factory.defined(id) for id in image.feeds] == [factory.definition("windows-2022-dev")]


def test_the_committed_schema_is_the_generated_one() -> None:
    """`make schema` writes it."""
    assert (CONFIG / "factory.schema.json").read_text(encoding="utf-8") == schema.text()


def test_the_schema_knows_the_defaults_of_the_domain() -> None:
    timing = schema.generate()["$defs"]["TimingPart"]["properties"]
    assert (timing["claim"]["default"], timing["retry_after"]["default"]) == ("10m", ["30m", "2h", "8h"])
    assert all("default" in part and ("title" in part) for part in timing.values())


def test_editors_find_the_schema() -> None:
    first = (CONFIG / "factory.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=factory.schema.json"


def test_every_template_file_belongs_to_an_image() -> None:
    named = re.findall(r"templates/(\S+)\.json", (CONFIG / "factory.yaml").read_text(encoding="utf-8"))
    assert sorted(named) == sorted(file.stem for file in TEMPLATES)


def unknown(written: Any, model: type[Any]) -> Iterator[str]:
    """Members that the SDK's model of this API version does not have: Azure refuses them."""
    instance = model._deserialize(written, [])
    fields = {field._rest_name: (name, field) for name, field in type(instance)._attr_to_rest_field.items()}
    for name, value in written.items():
        if name not in fields:
            yield f"{type(instance).__name__}.{name}"
            continue
        nested = getattr(instance, fields[name][0])
        pairs = zip(nested, value, strict=True) if isinstance(nested, list) else [(nested, value)]
        for typed, raw in pairs:
            if hasattr(typed, "_attr_to_rest_field"):
                yield from unknown(raw, type(typed))


@each_template
def test_azure_knows_every_member_of_a_template(file: Path) -> None:
    assert list(unknown(content(file), models.ImageTemplate)) == []


def customizers(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = content(file)["properties"]["customize"]
    return found


@each_template
def test_checksums_are_those_of_the_scripts(file: Path) -> None:
    for customizer in customizers(file):
        uri = customizer.get("scriptUri") or customizer.get("sourceUri")
        if uri is not None:
            assert uri.startswith(HOST)
            script = CONFIG / "scripts" / uri.removeprefix(HOST)
            assert customizer["sha256Checksum"] == hashlib.sha256(script.read_bytes()).hexdigest()


def test_every_script_is_used() -> None:
    texts = "".join(file.read_text(encoding="utf-8") for file in TEMPLATES)
    assert all(f"{HOST}{script.name}" in texts for script in SCRIPTS)


def test_the_sample_shows_the_customizers_that_people_use() -> None:
    kinds = {file.stem: {customizer["type"] for customizer in customizers(file)} for file in TEMPLATES}
    assert kinds == {
        "ubuntu-22": {"Shell", "File"},
        "windows-2022": {"PowerShell", "WindowsUpdate", "WindowsRestart", "File"},
        "windows-2022-dev": {"PowerShell", "WindowsRestart"},
    }


def test_the_sample_shows_vhds_gallery_versions_and_both() -> None:
    kinds = {
        file.stem: [each["type"] for each in content(file)["properties"]["distribute"]] for file in TEMPLATES
    }
    assert kinds == {
        "ubuntu-22": ["VHD"],
        "windows-2022": ["VHD", "SharedImage"],
        "windows-2022-dev": ["SharedImage"],
    }


@each_template
def test_outputs_have_names_of_their_own(file: Path) -> None:
    """Each with the name of its image in it: the archive and the journal show it."""
    names = [each["runOutputName"] for each in content(file)["properties"]["distribute"]]
    assert len(set(names)) == len(names)
    assert all(name.startswith(f"{file.stem}-") for name in names)


@pytest.mark.parametrize("script", [s for s in SCRIPTS if s.suffix == ".sh"], ids=lambda script: script.name)
def test_shell_scripts_are_at_least_well_formed(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_keep_their_bytes_on_every_system(script: Path) -> None:
    """Checksums are over bytes: no carriage returns that a checkout might add or take away."""
    assert b"\r" not in script.read_bytes()
