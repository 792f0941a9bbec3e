"""What is changed in templates of each generation, what is left alone, and what is refused."""

import copy
from typing import Any

import pytest

from shared.contracts.upgrading import Context, upgrade

from .parts import HERE, OFF, TYPE, VHD, changed, refusals, template

OLD, NEW = "2020-02-14", "2024-02-01"
SUBNET = "/providers/Microsoft.Network/virtualNetworks/net/subnets/build"
BY_NAME = {"name": "net", "subnetName": "build", "resourceGroupName": "networks"}
GALLERY = "/subscriptions/S-1/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/b"


def aged(version: str, **properties: Any) -> dict[str, Any]:
    return {**template(**properties), "apiVersion": version}


def told_of(content: dict[str, Any]) -> dict[str, str]:
    """Without what is told of the api-version."""
    _, told = changed(content)
    return {path: said for path, said in told.items() if path != "apiVersion"}


def shared_image(**members: Any) -> dict[str, Any]:
    return {"type": "SharedImage", "galleryImageId": GALLERY, "runOutputName": "r", **members}


@pytest.mark.parametrize(
    "content",
    [
        template(),
        {},
        {"location": 5, "properties": []},
        {"properties": {"source": "x", "customize": {"a": 1}, "distribute": [None, 5], "vmProfile": 3}},
        template(customize=[{"type": "Shell", "inline": ["[ -f /x ]", "[[ -f /x ]]"]}]),
        template(distribute=[shared_image(targetRegions=[{"name": "westeurope"}])]),
        template(distribute=[shared_image(replicationRegions="westeurope")]),
        template(vmProfile={"vnetConfig": {"subnetId": SUBNET}}),
        {**template(), "tags": {"Type": "shell", "SCRIPT": "x", "location": "y"}},
        template(Source={}, Customize=[], source={**template()["properties"]["source"], "Version": "1"}),
        template(source={"type": "platformimage"}),
    ],
)
def test_what_is_in_the_current_form_or_in_none_is_left_alone(content: dict[str, Any]) -> None:
    """In a file of no age upper and lower case are for the checker to judge."""
    before = copy.deepcopy(content)
    upgraded = upgrade(content)
    assert (upgraded.content, upgraded.changes, upgraded.refused) == (before, (), ())
    assert content == before


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("type", TYPE, "every template file is of this type"),
        ("type", TYPE.upper(), "every template file is of this type"),
        ("type", "Microsoft.VirtualMachineImages", "every template file is of this type"),
        ("apiVersion", OLD, "a request names the api-version, its body does not"),
        ("name", "web", "factory.yaml names the template (template_name)"),
        ("dependsOn", [], "a member of deployments"),
        ("condition", True, "a member of deployments"),
        ("comments", "x", "a member of deployments"),
        ("id", "/subscriptions/x", "read-only, as Azure exports it"),
        ("systemData", {"createdBy": "x"}, "read-only, as Azure exports it"),
        ("resourceGroup", "images", "read-only, as Azure exports it"),
        ("kind", None, "read-only, as Azure exports it"),
    ],
)
def test_what_stands_around_a_template_is_taken_off(name: str, value: object, said: str) -> None:
    content, told = changed({name: value, **template()})
    assert content == template()
    assert told == {name: f"{OFF}{said}"}


@pytest.mark.parametrize("name", ["Tags", "tag", "copy", "resourcesx"])
def test_what_nobody_knows_is_left_for_the_checker(name: str) -> None:
    content = {name: {}, **template()}
    assert changed(content) == (content, {})


def test_another_type_of_resource_is_refused() -> None:
    said = "another type of resource; expected Microsoft.VirtualMachineImages/imageTemplates"
    assert refusals({"type": "Microsoft.Compute/images", **template()}) == {"type": said}


def test_what_azure_exports_is_taken_off() -> None:
    exported = template(
        provisioningState="Succeeded",
        lastRunStatus={"runState": "Running"},
        exactStagingResourceGroup="/subscriptions/x",
        source={"type": "SharedImageVersion", "imageVersionId": "x", "exactVersion": "y"},
    )
    exported["identity"] = {
        "type": "UserAssigned",
        "tenantId": "t",
        "userAssignedIdentities": {"/a": {"principalId": "p", "clientId": "c"}, "/b": {}},
    }
    content, told = changed(exported)
    paths = [
        "properties.source.exactVersion",
        "properties.provisioningState",
        "properties.lastRunStatus",
        "properties.exactStagingResourceGroup",
        "identity.tenantId",
        "identity.userAssignedIdentities./a",
    ]
    assert sorted(told) == sorted(paths)
    assert set(told.values()) == {f"{OFF}read-only, as Azure exports it"}
    assert content["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {"/a": {}, "/b": {}}}
    assert list(content["properties"]) == ["source", "distribute"]


@pytest.mark.parametrize(
    ("properties", "path", "said"),
    [
        ({"source": {"type": "platformImage"}}, "source.type", "type platformImage is now PlatformImage"),
        ({"source": {"type": "managedImage"}}, "source.type", "type managedImage is now ManagedImage"),
        ({"source": {"imageVersionID": "x"}}, "source.imageVersionID",
         "imageVersionID is now imageVersionId"),
        ({"customize": [{"type": "shell"}]}, "customize[0].type", "type shell is now Shell"),
        ({"customize": [{"type": "powerShell"}]}, "customize[0].type", "type powerShell is now PowerShell"),
        ({"customize": [{"type": "file"}]}, "customize[0].type", "type file is now File"),
        ({"customize": [{"type": "windowsRestart"}]}, "customize[0].type",
         "type windowsRestart is now WindowsRestart"),
        ({"customize": [{"script": "x"}]}, "customize[0].script", "script is now scriptUri"),
        ({"distribute": [{"type": "sharedImage"}]}, "distribute[0].type",
         "type sharedImage is now SharedImage"),
        ({"distribute": [{"type": "vhd"}]}, "distribute[0].type", "type vhd is now VHD"),
        ({"distribute": [{"tags": {"a": "b"}}]}, "distribute[0].tags", "tags is now artifactTags"),
        ({"validate": {"inVMValidations": [{"type": "shell"}]}}, "validate.inVMValidations[0].type",
         "type shell is now Shell"),
    ],
)  # fmt: skip
def test_what_only_older_versions_wrote_is_known_by_itself(
    properties: dict[str, Any], path: str, said: str
) -> None:
    """In a file that does not tell its age too; where it is of today Azure would refuse it."""
    for content in (template(**properties), aged(OLD, **properties)):
        assert told_of(content) == {f"properties.{path}": said}
    assert told_of(aged(NEW, **properties)) == {}


@pytest.mark.parametrize(
    ("properties", "path", "said"),
    [
        ({"BuildTimeoutInMinutes": 80}, "BuildTimeoutInMinutes",
         "BuildTimeoutInMinutes is now buildTimeoutInMinutes"),
        ({"source": {"type": "PLATFORMIMAGE"}}, "source.type", "type PLATFORMIMAGE is now PlatformImage"),
        ({"customize": [{"ScriptURI": "x"}]}, "customize[0].ScriptURI", "ScriptURI is now scriptUri"),
        ({"vmProfile": {"vnetConfig": {"subnetID": "x"}}}, "vmProfile.vnetConfig.subnetID",
         "subnetID is now subnetId"),
        ({"distribute": [{"targetRegions": [{"Name": "x"}]}]}, "distribute[0].targetRegions[0].Name",
         "Name is now name"),
    ],
)  # fmt: skip
def test_case_did_not_count_before_2024(properties: dict[str, Any], path: str, said: str) -> None:
    """So it is mended in files of that time, and in no others."""
    assert told_of(aged(OLD, **properties)) == {f"properties.{path}": said}
    assert told_of(aged(NEW, **properties)) == {}
    assert told_of(template(**properties)) == {}


def test_a_member_that_is_there_in_both_spellings_is_left_for_the_checker() -> None:
    assert told_of(aged(OLD, customize=[{"scriptUri": "x", "ScriptUri": "y", "script": "z"}])) == {}


def test_members_keep_their_places() -> None:
    content, _ = changed(aged(OLD, customize=[{"Name": "a", "script": "x", "type": "shell"}]))
    assert list(content["properties"]["customize"][0].items()) == [
        ("name", "a"),
        ("scriptUri", "x"),
        ("type", "Shell"),
    ]


@pytest.mark.parametrize(
    ("more", "context", "subscription"),
    [
        ({}, HERE, HERE.subscription),
        ({"distribute": [shared_image()]}, HERE, HERE.subscription),
        ({"distribute": [shared_image()]}, Context(), "S-1"),
    ],
)
def test_a_subnet_by_name_is_named_by_its_id(
    more: dict[str, Any], context: Context, subscription: str
) -> None:
    """In the subscription of the image; only where that is not known in the one that all ids have."""
    content, told = changed(template(vmProfile={"vnetConfig": BY_NAME}, **more), context)
    id = f"/subscriptions/{subscription}/resourceGroups/networks{SUBNET}"
    assert content["properties"]["vmProfile"]["vnetConfig"] == {"subnetId": id}
    assert told == {"properties.vmProfile.vnetConfig": f'the subnet is named by its id: subnetId is "{id}"'}


def test_names_beside_the_id_of_a_subnet_say_nothing_more() -> None:
    content, told = changed(template(vmProfile={"vnetConfig": {**BY_NAME, "subnetId": SUBNET}}))
    assert content["properties"]["vmProfile"]["vnetConfig"] == {"subnetId": SUBNET}
    assert list(told.values()) == ["name, subnetName, resourceGroupName taken off: subnetId names the subnet"]


EXPECTED = "expected subnetId: /subscriptions/.../virtualNetworks/NAME/subnets/NAME"
UNKNOWN = f"in a subscription that is not known; {EXPECTED} (`upgrade` takes --subscription)"


@pytest.mark.parametrize(
    ("network", "distribute", "said"),
    [
        (BY_NAME, [], UNKNOWN),
        (BY_NAME, [shared_image(), {"imageId": "/subscriptions/other/x"}], UNKNOWN),
        ({"name": "net"}, [shared_image()], f"without subnetName and resourceGroupName; {EXPECTED}"),
        ({**BY_NAME, "name": 5}, [shared_image()], f"without name; {EXPECTED}"),
    ],
)  # fmt: skip
def test_a_subnet_that_cannot_be_found_by_its_name_is_refused(
    network: object, distribute: object, said: str
) -> None:
    content = template(vmProfile={"vnetConfig": network}, distribute=distribute)
    assert refusals(content) == {"properties.vmProfile.vnetConfig": f"a subnet by name {said}"}


@pytest.mark.parametrize(
    ("members", "targets", "said"),
    [
        ({}, [{"name": "a"}, {"name": "b"}], ""),
        ({"targetRegions": []}, [{"name": "a"}, {"name": "b"}], ""),
        ({"storageAccountType": "Z"},
         [{"name": "a", "storageAccountType": "Z"}, {"name": "b", "storageAccountType": "Z"}],
         ', each with storageAccountType "Z"'),
    ],
)  # fmt: skip
def test_regions_to_replicate_to_become_targets(members: dict[str, Any], targets: object, said: str) -> None:
    content, told = changed(
        template(distribute=[VHD, shared_image(replicationRegions=["a", "b"], **members)])
    )
    assert content["properties"]["distribute"][1] == shared_image(targetRegions=targets)
    assert told == {
        "properties.distribute[1].replicationRegions": f"replicationRegions is now targetRegions{said}"
    }


def test_regions_in_both_forms_are_refused() -> None:
    both = shared_image(replicationRegions=["a"], targetRegions=[{"name": "b"}])
    assert refusals(template(distribute=[both])) == {
        "properties.distribute[0].replicationRegions": "both replicationRegions and targetRegions; "
        "expected targetRegions alone"
    }


@pytest.mark.parametrize("kind", ["ISO", "iso"])
def test_an_iso_source_is_refused_with_the_reason(kind: str) -> None:
    source = {"type": kind, "sourceURI": "https://x/rhel.iso", "sha256Checksum": "0"}
    assert refusals(template(source=source)) == {
        "properties.source": "Image Builder takes no ISO sources since 31 March 2020; expected a source of "
        "type PlatformImage (RHEL with your own subscription is in the marketplace as BYOS), ManagedImage or "
        "SharedImageVersion"
    }


@pytest.mark.parametrize("mark", ["type", "apiVersion", "dependsOn"])
def test_an_expression_of_a_resource_that_was_cut_out_of_a_deployment_is_refused(mark: str) -> None:
    content = {mark: {"type": TYPE, "dependsOn": []}.get(mark, OLD), **template()}
    content["location"] = "[resourceGroup().location]"
    content["tags"] = {"a": "[parameters('x')]", "b": "[ -f /x ]", "c": "[[concat('x')]"}
    without = "is an expression without its deployment template; expected the value, or the whole template"
    assert refusals(content, HERE) == {
        "location": f'"[resourceGroup().location]" {without}',
        "tags.a": f"\"[parameters('x')]\" {without}",
    }


def test_what_nests_too_deep_is_refused() -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    assert refusals(template(customize=deep)) == {"": "nested more than 60 deep; expected an image template"}
