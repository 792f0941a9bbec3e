"""What makes a template another one, and what it is called."""

import json
from typing import Any

import pytest

from shared.domain.deployment import Form, form_of, is_of, named
from shared.domain.ids import TEMPLATE_NAME, TemplateId

BASE = TemplateId("00000000-0000-0000-0000-000000000000", "images", "ubuntu")
TARGET = {"type": "VHD", "runOutputName": "disk"}
FILE: dict[str, Any] = {
    "location": "westeurope",
    "identity": {"type": "UserAssigned"},
    "tags": {"team": "a"},
    "properties": {"source": {"type": "PlatformImage"}, "distribute": [TARGET], "vmProfile": {"vmSize": "a"}},
}


def form(**properties: Any) -> Form:
    return form_of(json.dumps({**FILE, "properties": {**FILE["properties"], **properties}}).encode())


def test_the_order_of_members_and_the_spelling_of_a_region_say_nothing() -> None:
    turned = {
        "location": "West Europe",
        **{name: FILE[name] for name in reversed(FILE) if name != "location"},
    }
    assert form_of(json.dumps(turned, indent=2).encode()) == form()


@pytest.mark.parametrize(
    "properties",
    [
        {"vmProfile": {"vmSize": "b"}},
        {"vmProfile": {"vmSize": "a", "osDiskSizeGB": 60}},
        {"distribute": [{**TARGET, "artifactTags": {"a": "b"}}]},
    ],
)
def test_what_azure_can_patch_is_no_other_template(properties: dict[str, Any]) -> None:
    changed = form(**properties)
    assert changed.fixed == form().fixed
    assert changed.loose != form().loose


@pytest.mark.parametrize(
    "properties",
    [
        {"source": {"type": "ManagedImage"}},
        {"customize": []},
        {"distribute": [TARGET, {**TARGET, "runOutputName": "other"}]},
        {"distribute": [{**TARGET, "uri": "https://a.blob.core.windows.net/vhds"}]},
        {"buildTimeoutInMinutes": 60},
    ],
)
def test_everything_else_is(properties: dict[str, Any]) -> None:
    assert form(**properties).fixed != form().fixed


def test_what_an_export_adds_is_no_part_of_it() -> None:
    assert form(provisioningState="Succeeded", lastRunStatus={"runState": "Failed"}) == form()


@pytest.mark.parametrize("name", ["ubuntu", "u" * 53, "u" * 54, "u" * 64])
def test_a_name_with_a_digest_is_one_that_azure_takes_and_belongs_to_its_base(name: str) -> None:
    base = TemplateId(BASE.subscription, BASE.group, name)
    made = named(base, form())
    assert TEMPLATE_NAME.fullmatch(made.name)
    assert is_of(base, made)
    assert is_of(base, base)
    other = TemplateId(BASE.subscription, BASE.group, f"{name[:-1]}x")
    assert not is_of(other, made)
    assert named(other, form()) != made


@pytest.mark.parametrize(
    "name", ["ubuntu-", "ubuntu-0123456789a", "ubuntu-012345678g", "ubuntu-2-0123456789"]
)
def test_a_name_that_only_begins_alike_is_another_image_s(name: str) -> None:
    assert not is_of(BASE, TemplateId(BASE.subscription, BASE.group, name))


def test_a_form_is_read_from_its_tag_alone() -> None:
    assert Form.parse(str(form())) == form()
    assert Form.parse("by hand") is None
