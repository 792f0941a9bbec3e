"""What a template's body may hold, by api-version."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.arm.errors import ArmError
from sandbox.arm.imagebuilder import schema
from sandbox.azure import SUBSCRIPTION

from .parts import GROUP, TEMPLATES, World, template_body

GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
STRICT = "2024-02-01"
LENIENT = "2023-07-01"


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ([], "apiVersion"),
        (["properties"], "Source"),
        (["properties"], "additionalDataDisks"),
        (["properties", "source"], "Version"),
        (["properties", "source"], "imageId"),
        (["properties", "customize", 0], "scriptURI"),
        (["properties", "customize", 0], "runElevated"),
        (["properties", "distribute", 0], "imageId"),
        (["properties", "vmProfile"], "vmsize"),
        (["properties", "vmProfile", "vnetConfig"], "proxyVMSize"),
        (["properties", "vmProfile", "vnetConfig"], "subnetName"),
    ],
)
def test_unknown_field_is_refused_since_2024_and_dropped_before(place: list[Any], field: str) -> None:
    """Names are case-sensitive from 2024-02-01 on; a field of another type is unknown as well."""
    for version, status in ((STRICT, 400), (LENIENT, 201)):
        world = World()
        body = template_body(world, vmProfile={"vnetConfig": {}})
        at: Any = body
        for step in place:
            at = at[step]
        at[field] = {"Source": at.get("source"), "Version": "latest"}.get(field, "x")
        answer = world.send("PUT", f"{TEMPLATES}/web?api-version={version}", body)
        assert answer.status == status, answer.body
        if status == 400:
            error = answer.json()["error"]
            assert error["code"] == "ValidationFailed"
            assert f'unknown field "{field}"' in error["message"]


def test_older_versions_do_not_know_newer_fields() -> None:
    """AutoRun came with 2024-02-01: before, it was dropped like anything unknown."""
    body = {"autoRun": {"state": "Enabled"}}
    assert schema.read("properties", body, STRICT) == body
    assert schema.read("properties", body, LENIENT) == {}


def test_members_in_any_case_get_their_spelling_before_2024() -> None:
    """What is stored is what the table says."""
    assert schema.read("properties", {"BUILDTIMEOUTINMINUTES": 22}, LENIENT) == {"buildTimeoutInMinutes": 22}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"buildTimeoutInMinutes": "22"}, "string into field properties.buildTimeoutInMinutes of type int32"),
        ({"buildTimeoutInMinutes": True}, "bool into field"),
        ({"customize": {}}, "object into field properties.customize of type array"),
        ({"customize": ["x"]}, "string into field properties.customize[0] of type object"),
        ({"source": []}, "array into field properties.source of type object"),
        ({"managedResourceTags": {"a": 1}}, "object into field"),
    ],
)
def test_wrong_type_is_named_with_its_place(document: dict[str, Any], expected: str) -> None:
    """The message says what came, where, and what was expected."""
    with pytest.raises(ArmError, match="cannot unmarshal") as caught:
        schema.read("properties", document, STRICT)
    assert expected in caught.value.message


def test_read_only_members_are_accepted_and_ignored() -> None:
    """An exported template can be put again."""
    exported = {"provisioningState": "Failed", "lastRunStatus": {"runState": "Running"}, "customize": []}
    assert schema.read("properties", exported, STRICT) == {"customize": []}


@given(st.sampled_from(sorted(schema.UNIONS["customize"])), st.text(min_size=1, max_size=12))
def test_no_field_outside_the_table_passes_strict_reading(kind: str, field: str) -> None:
    """Whatever the name: in the table for that type, or refused."""
    document = {"type": kind, field: None}
    if field == "type" or field in schema.UNIONS["customize"][kind]:
        schema.read("customize", document, STRICT)
    else:
        with pytest.raises(ArmError, match="unknown field"):
            schema.read("customize", document, STRICT)


def on(builds: str, containers: str) -> dict[str, str]:
    network = f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks"
    return {"subnetId": f"{network}/{builds}", "containerInstanceSubnetId": f"{network}/{containers}"}


def gallery(**more: object) -> dict[str, object]:
    return {"type": "SharedImage", "runOutputName": "x", "galleryImageId": "/x", **more}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"distribute": []}, "at least one entry"),
        ({"distribute": [{"type": "VHD", "runOutputName": "a b"}]}, "runOutput name 'a b' is invalid"),
        (
            {"distribute": [{"type": "VHD", "runOutputName": each} for each in ("a", "A")]},
            "used twice",
        ),
        ({"buildTimeoutInMinutes": 5}, "is 5: expected 0 (for 240) or 6 to 960"),
        ({"buildTimeoutInMinutes": 961}, "is 961"),
        ({"source": None}, "'properties.source' is required"),
        ({"stagingResourceGroup": "mine"}, "not a resource group id"),
        ({"vmProfile": {"vnetConfig": {"subnetId": "/nowhere"}}}, "not the id of a subnet"),
        ({"vmProfile": {"vnetConfig": {"containerInstanceSubnetId": "/x"}}}, "needs subnetId"),
        ({"vmProfile": {"vnetConfig": on("a/subnets/x", "a/subnets/X")}}, "another subnet than subnetId"),
        (
            {"vmProfile": {"vnetConfig": on("a/subnets/x", "b/subnets/x")}},
            "in the virtual network of subnetId",
        ),
        ({"vmProfile": {"osDiskSizeGB": -1}}, "Field 'vmProfile.osDiskSizeGB' has a bad value: '-1'"),
        ({"autoRun": {"state": "enabled"}}, "Field 'autoRun.state' has a bad value: 'enabled'"),
        (
            {"distribute": [gallery(versioning={"major": 1})]},
            "Field 'distribute[0].versioning.scheme' has a bad",
        ),
        ({"distribute": [gallery(storageAccountType="Premium_LRS")]}, "only with replicationRegions"),
        (
            {"validate": {"inVMValidations": [{"type": "PowerShell", "inline": ["x"], "runAsSystem": True}]}},
            "validate.inVMValidations[0]: runAsSystem",
        ),
    ],
)
def test_contradictions_are_refused_at_once(changes: dict[str, Any], words: str) -> None:
    """400 ValidationFailed before a template comes into being."""
    world = World()
    answer = world.send("PUT", f"{TEMPLATES}/web?api-version={STRICT}", template_body(world, **changes))
    assert answer.status == 400
    assert words in answer.json()["error"]["message"]
    assert world.send("GET", f"{TEMPLATES}/web?api-version={STRICT}").status == 404


def test_choices_in_any_case_are_taken_before_2024() -> None:
    """As the names of members are."""
    world = World()
    body = template_body(world, errorHandling={"onCustomizerError": "CLEANUP"})
    assert world.send("PUT", f"{TEMPLATES}/web?api-version={STRICT}", body).status == 400
    assert world.send("PUT", f"{TEMPLATES}/web?api-version={LENIENT}", body).status == 201


def test_template_needs_location_identity_and_a_proper_name() -> None:
    """The three things outside the properties."""
    world = World()
    body = template_body(world)
    for missing in ("location", "identity", "properties"):
        broken = {key: value for key, value in body.items() if key != missing}
        assert world.send("PUT", f"{TEMPLATES}/web?api-version={STRICT}", broken).status == 400
    assert world.send("PUT", f"{TEMPLATES}/a(b)?api-version={STRICT}", body).status == 400
