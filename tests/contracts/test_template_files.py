"""Template files that the factory cannot use: what is told of them, and where."""

import json
from pathlib import Path

import pytest

from .builders import VHD, faults_of, template_file, yaml

SOURCE = {"type": "PlatformImage", "publisher": "P", "offer": "O", "sku": "S", "version": "latest"}


def told(folder: Path, text: str, **templates: object) -> list[str]:
    return [str(fault).replace(f"{folder}/", "") for fault in faults_of(folder, text, **templates)]


def with_source(**changes: object) -> dict[str, object]:
    source = {name: value for name, value in {**SOURCE, **changes}.items() if value is not None}
    return template_file(properties={"source": source, "distribute": [VHD]})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{\n  "location": "westeurope",\n}',
         "3: this is not JSON: Expecting property name enclosed in double quotes (column 1)"),
        ('{\n  "a": [1,\n',
         "3: this is not JSON: Expecting value (column 1)"),
        ("",
         "1: this is not JSON: Expecting value (column 1)"),
        ('{"a": NaN}',
         "1: this is not JSON: NaN is not a JSON number"),
        ('{"a": 1e999}',
         "1: this is not JSON: 1e999 is a number too large"),
        ("[" * 100_000,
         "1: this is not JSON: maximum recursion depth exceeded while decoding a JSON array from a "
         "unicode string"),
        ("[]",
         "1: a list; expected an object: an Image Builder template"),
        ('"x"',
         "1: 'x'; expected an object: an Image Builder template"),
        ("null",
         "1: null; expected an object: an Image Builder template"),
        ({"resources": []},
         "1: a deployment template without an image template; expected one resource of type "
         "Microsoft.VirtualMachineImages/imageTemplates [one-template]"),
        (template_file(location=None),
         "1: location: missing; expected the name of a region such as westeurope [missing]"),
        (template_file(location=5),
         "1: location: a number; expected the name of a region such as westeurope [kind]"),
        (template_file(location="a/b"),
         "1: location: 'a/b'; expected the name of a region such as westeurope [region]"),
        (template_file(Tags={}),
         "1: Tags: not a member of an image template: upper and lower case count since api-version "
         "2024-02-01; did you mean tags? [case]"),
        (template_file(tags={"a": 1}),
         "1: tags.a: a number; expected a text in quotes [kind]"),
        (template_file(type="Microsoft.Compute/images"),
         "1: type: another type of resource; expected Microsoft.VirtualMachineImages/imageTemplates "
         "[resource-type]"),
        (template_file(properties=None),
         "1: properties: missing; expected an object [missing]"),
        (template_file(properties={"Source": SOURCE, "distribute": [VHD]}),
         "1: properties.Source: not a member of properties: upper and lower case count since "
         "api-version 2024-02-01; did you mean source? [case]"),
        (template_file(properties={"source": "latest", "distribute": [VHD]}),
         "1: properties.source: 'latest'; expected an object [kind]"),
        (with_source(type=None),
         "1: properties.source.type: missing; expected PlatformImage, ManagedImage or "
         "SharedImageVersion [missing]"),
        (with_source(type="platformimage"),
         "1: properties.source.type: 'platformimage' is not a type of source; expected PlatformImage, "
         "ManagedImage or SharedImageVersion; did you mean PlatformImage? [choice]"),
        (template_file(properties={"source": {"type": "ManagedImage"}, "distribute": [VHD]}),
         "1: properties.source.imageId: missing; expected the id of a managed image: "
         "/subscriptions/.../Microsoft.Compute/images/NAME [missing]"),
        (with_source(sku=None),
         "1: properties.source.sku: missing; expected a sku such as 22_04-lts-gen2 [missing]"),
        (with_source(offer="a/../b"),
         "1: properties.source.offer: 'a/../b'; expected an offer such as "
         "0001-com-ubuntu-server-jammy [form]"),
        (with_source(publisher=True),
         "1: properties.source.publisher: true or false; expected a publisher such as Canonical [kind]"),
        (with_source(version="newest"),
         "1: properties.source.version: 'newest' is not a version; expected three numbers such as "
         "22.04.202611010, or latest [version]"),
        (with_source(version="lastest"),
         "1: properties.source.version: 'lastest' is not a version; expected three numbers such as "
         "22.04.202611010, or latest; did you mean latest? [version]"),
    ],
)  # fmt: skip
def test_a_template_file_of_no_use_is_told_by_its_own_name(
    tmp_path: Path, content: object, said: str
) -> None:
    assert told(tmp_path, yaml(), ubuntu=content) == [f"templates/ubuntu.json:{said}"]


def test_a_fault_in_a_template_file_has_the_line_it_is_on(tmp_path: Path) -> None:
    content = json.dumps(with_source(sku=5), indent="\t")
    line = 1 + [each.strip() for each in content.splitlines()].index('"sku": 5,')
    (said,) = told(tmp_path, yaml(), ubuntu=content)
    assert said.startswith(f"templates/ubuntu.json:{line}: properties.source.sku: a number")


def test_a_file_used_by_two_images_is_told_of_once(tmp_path: Path) -> None:
    text = yaml(images="two: {template: templates/ubuntu.json, template_name: two}")
    assert len(told(tmp_path, text, ubuntu="{")) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("templates/ubunto.json", "does not exist; did you mean templates/ubuntu.json?"),
        ("template/ubuntu.json", "does not exist"),
        ("templates", "cannot be read: Is a directory"),
        ("factory.yaml/x", "cannot be read: Not a directory"),
    ],
)
def test_a_template_file_that_is_not_there_is_told_where_it_is_named(
    tmp_path: Path, name: str, said: str
) -> None:
    text = yaml().replace("templates/ubuntu.json", name)
    assert told(tmp_path, text) == [f"factory.yaml:6: images.ubuntu.template: {name} {said}"]
