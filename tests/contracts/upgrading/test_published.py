"""Templates as their authors published them, placeholders and mistakes included: what is changed in each.

They come from danielsollondon/azvmimagebuilder and Azure/azvmimagebuilder.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.faults import dotted
from shared.contracts.positions import parse
from shared.contracts.upgrading import Context, Upgraded, reading, upgrade
from tests.sandbox.arm.parts import TEMPLATES, World

PUBLISHED = Path(__file__).parent / "published"
HERE = Context("11111111-2222-3333-4444-555555555555", "images", "westeurope")
OFF = "taken off: "
BARE = {
    "type": f"{OFF}every template file is of this type",
    "apiVersion": f"{OFF}a request names the api-version, its body does not",
    "dependsOn": f"{OFF}a member of deployments",
}
WRAPPED = {
    "": "the image template resources[0] is taken out of its deployment template",
    "resources[0].name": f"{OFF}factory.yaml names the template (template_name)",
    "resources[0].type": BARE["type"],
    "resources[0].apiVersion": BARE["apiVersion"],
    "resources[0].dependsOn": BARE["dependsOn"],
}
REGIONS = "replicationRegions is now targetRegions"
UNGIVEN = "has no value; expected a defaultValue, or a value in the parameter file (NAME.parameters.json)"


def published(name: str) -> Upgraded:
    return reading.read(PUBLISHED / f"{name}.json", HERE).upgraded


def changes(upgraded: Upgraded) -> dict[str, str]:
    return {dotted(change.path): change.said for change in upgraded.changes}


def refused(upgraded: Upgraded) -> dict[str, str]:
    return {dotted(refusal.path): refusal.message for refusal in upgraded.refused}


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("linux-gallery-2022-02-14", {"properties.distribute[0].replicationRegions": REGIONS}),
        ("linux-identity-2019-05-01-preview", {"properties.distribute[0].replicationRegions": REGIONS}),
        ("linux-vhd-2019-05-01-preview", {}),
        ("linux-vnet-2020-02-14", {}),
    ],
)
def test_a_published_resource_loses_what_a_body_must_not_have(name: str, more: dict[str, str]) -> None:
    upgraded = published(name)
    assert changes(upgraded) == {**BARE, **more}
    assert list(changes(upgraded)) == [*BARE, *more]
    assert upgraded.refused == ()
    assert upgraded.content.keys() <= {"location", "tags", "identity", "properties"}


def test_regions_of_a_published_template_become_targets() -> None:
    (target,) = published("linux-gallery-2022-02-14").content["properties"]["distribute"]
    assert list(target) == ["type", "galleryImageId", "runOutputName", "artifactTags", "targetRegions"]
    assert target["targetRegions"] == [{"name": "<region1>"}, {"name": "<region2>"}]


def test_a_published_deployment_without_its_parameters_says_which_one_it_lacks() -> None:
    upgraded = published("windows-gallery-deployment")
    region = {"resources[0].properties.distribute[0].replicationRegions": REGIONS}
    assert changes(upgraded) == {**WRAPPED, **region}
    assert refused(upgraded) == {
        "resources[0].location": "\"[parameters('svclocation')]\" cannot be computed: "
        f"parameter svclocation {UNGIVEN}"
    }
    given = {"svclocation": {"value": "westus2"}}
    whole = upgrade(json.loads((PUBLISHED / "windows-gallery-deployment.json").read_text()), given)
    assert whole.refused == ()
    assert whole.content["location"] == "westus2"


def test_a_published_deployment_with_two_outputs_takes_values_from_the_file_beside_it() -> None:
    """Its own parameter file is for an earlier form of it: five values are missing, three are not wanted."""
    upgraded = published("gallery-and-managed-deployment")
    here = "resources[0].properties"
    gallery = (
        "/subscriptions/<subid>/resourceGroups/<rgname>/providers/Microsoft.Compute"
        "/galleries/<sharedImageGalName>/images/"
    )
    assert changes(upgraded) == {
        **WRAPPED,
        "parameters": "the parameter file has values for what is not declared: "
        "destinationresgroupid, sha256Checksum, sourceURI",
        "resources[0].location": '"[parameters(\'svclocation\')]" is "westcentralus"',
        f"{here}.customize[0].name": '"[parameters(\'customizestepname\')]" is ""',
        f"{here}.customize[0].scriptUri": '"[parameters(\'customizescriptpath\')]" is ""',
        f"{here}.distribute[0].galleryImageId": f'"[variables(\'sigresourceid\')]" is "{gallery}"',
        f"{here}.distribute[0].runOutputName": '"[parameters(\'sharedgalimagename\')]" is ""',
        f"{here}.distribute[0].tags": "tags is now artifactTags",
        f"{here}.distribute[0].replicationRegions": REGIONS,
        f"{here}.distribute[1].location": '"[parameters(\'destinationregion\')]" is "westcentralus"',
        f"{here}.distribute[1].runOutputName": '"[parameters(\'managedimagename\')]" is ""',
    }
    source = {f"{here}.source.{name}": name for name in ("publisher", "offer", "sku", "version")}
    assert refused(upgraded) == {
        **{
            path: f"\"[parameters('{name}')]\" cannot be computed: parameter {name} {UNGIVEN}"
            for path, name in source.items()
        },
        f"{here}.distribute[1].imageId": "\"[variables('mdiresourceid')]\" cannot be computed: "
        f"parameter managedImageResGroupId {UNGIVEN}",
    }


def test_a_published_iso_source_is_refused_with_the_reason() -> None:
    upgraded = published("iso-source-deployment")
    told = refused(upgraded)
    assert told["resources[0].properties.source"] == (
        "Image Builder takes no ISO sources since 31 March 2020; expected a source of type PlatformImage "
        "(RHEL with your own subscription is in the marketplace as BYOS), ManagedImage or SharedImageVersion"
    )
    assert changes(upgraded) == WRAPPED
    assert [path for path in told if path.startswith("resources[0].properties.source.")] == []
    assert len(told) == 7


def test_a_parameter_file_is_no_template() -> None:
    upgraded = published("gallery-and-managed-deployment.parameters")
    assert refused(upgraded) == {"": "a parameter file; expected the template that it belongs to"}


def _filled(content: Any, fill: Callable[[str], str]) -> Any:
    """With values in place of `<placeholders>`."""
    if isinstance(content, dict):
        return {fill(name): _filled(each, fill) for name, each in content.items()}
    if isinstance(content, list):
        return [_filled(each, fill) for each in content]
    return fill(content) if isinstance(content, str) else content


@pytest.mark.parametrize(
    "name",
    [
        "linux-gallery-2022-02-14",
        "linux-identity-2019-05-01-preview",
        "linux-vnet-2020-02-14",
        "windows-gallery-deployment",
    ],
)
def test_image_builder_accepts_what_was_published_once_it_is_upgraded(name: str) -> None:
    """As written, with values in place of `<placeholders>`, it is refused: today's api-version is strict."""
    world = World()
    values = {"<imgBuilderId>": world.azure.setting.identity_id, "<region>": "westeurope"}
    content = _filled(
        json.loads((PUBLISHED / f"{name}.json").read_text()),
        lambda text: values.get(
            text, text.replace("<", "").replace(">", "").replace("region1", "westeurope")
        ),
    )
    given = {"svclocation": {"value": "westeurope"}}
    upgraded = upgrade(copy.deepcopy(content), given)
    assert upgraded.refused == ()
    path = f"{TEMPLATES}/web?api-version=2024-02-01"
    assert world.send("PUT", path, content).status == 400
    put = world.send("PUT", path, dict(upgraded.content))
    assert put.status == 201, put.body


@pytest.mark.parametrize("file", sorted(PUBLISHED.glob("*.json")), ids=lambda file: file.stem)
def test_every_change_to_a_published_file_has_its_line(file: Path) -> None:
    """What is told points at what is written; what comes out was written somewhere."""
    written = reading.read(file, HERE)
    lines = parse(written.text).lines
    told = [change.path for change in written.upgraded.changes]
    told += [refusal.path for refusal in written.upgraded.refused]
    assert [path for path in told if path not in lines] == []
    whole = lines.keys()
    parts = parse(json.dumps(written.upgraded.content)).lines
    assert [path for path in parts if written.upgraded.origin(path) not in whole] == []
