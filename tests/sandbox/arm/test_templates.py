"""A template from PUT to gone: provisioning, immutability, update, deletion."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.imagebuilder.models import ImageTemplateUpdateParameters

from sandbox.azure import SUBSCRIPTION
from sandbox.switches import Switches

from .parts import API, GROUP, TEMPLATES, World, template_body

ONE = f"{TEMPLATES}/web?{API}"
BOTH = {"targetRegions": [{"name": "westeurope"}], "replicationRegions": ["westeurope"]}
VNET = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
)


@pytest.fixture
def world() -> World:
    return World()


def test_new_template_is_creating_then_succeeded(world: World) -> None:
    """The 201 shows what was sent; the resolved version, checksums and staging group come at the end."""
    script = [{"type": "Shell", "scriptUri": "https://example.com/a.sh", "sha256Checksum": ""}]
    put = world.send("PUT", ONE, template_body(world, customize=script))
    first = put.json()["properties"]
    assert put.status == 201
    assert "Azure-AsyncOperation" in put.headers
    assert "Location" not in put.headers
    assert first["provisioningState"] == "Creating"
    assert first["source"]["exactVersion"] == "latest"
    assert first["exactStagingResourceGroup"] == ""
    assert "sha256Checksum" not in first["customize"][0]
    world.wait(seconds=34)
    assert world.properties()["provisioningState"] == "Creating"
    world.wait(seconds=1)
    last = world.properties()
    assert last["provisioningState"] == "Succeeded"
    assert last["source"]["exactVersion"] == "22.04.202610070"
    assert len(last["customize"][0]["sha256Checksum"]) == 64


def test_absent_members_are_written_with_their_defaults(world: World) -> None:
    """Zero values and defaults inside what was sent; no object that was not."""
    sent = {
        "vmProfile": {"vnetConfig": {}},
        "validate": {"inVMValidations": []},
        "errorHandling": {"onCustomizerError": "abort"},
    }
    seen = world.send("PUT", ONE, template_body(world, **sent)).json()
    properties = seen["properties"]
    assert seen["tags"] == {}
    assert properties["buildTimeoutInMinutes"] == 0
    assert properties["vmProfile"] == {"vmSize": "", "osDiskSizeGB": 0, "vnetConfig": {"proxyVmSize": ""}}
    assert properties["validate"]["continueDistributeOnFailure"] is False
    assert properties["errorHandling"] == {"onCustomizerError": "abort", "onValidationError": "cleanup"}
    assert properties["distribute"][0]["artifactTags"] == {}
    assert "optimize" not in properties


def test_operation_of_a_put_is_polled_until_it_succeeds(world: World) -> None:
    """The operation's name is its id in upper case, its times end in Z, and it is 200 in every state."""
    put = world.send("PUT", ONE, template_body(world))
    url = put.headers["Azure-AsyncOperation"].removeprefix("https://arm.sandbox")
    running = world.send("GET", url)
    world.wait(seconds=35)
    done = world.send("GET", url)
    assert (running.status, running.json()["status"], "endTime" in running.json()) == (
        200,
        "InProgress",
        False,
    )
    assert (done.status, done.json()["status"]) == (200, "Succeeded")
    assert done.json()["name"] == url.split("?")[0].rsplit("/", 1)[1].upper()
    assert done.json()["endTime"].endswith("Z")


def test_staging_group_is_named_after_group_and_template(world: World) -> None:
    """IT_, the first 40 characters of group and template, a GUID; with tags and a storage account."""
    template = world.provisioned("a-template-with-a-rather-long-name")
    assert template.staging is not None
    group = template.staging.group_id.rsplit("/", 1)[1]
    stem, guid = group.rsplit("_", 1)
    assert stem == "IT_" + f"{GROUP}_a-template-with-a-rather-long-name"[:40]
    assert len(guid) == 36
    seen = world.get(f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{group}?{API}")
    assert seen["tags"]["createdBy"] == "AzureVMImageBuilder"
    assert seen["tags"]["imageTemplateName"] == template.name
    assert world.storage.account_exists(template.staging.account)


def test_put_over_a_template_is_a_conflict(world: World) -> None:
    """Templates cannot be upgraded, whatever is in the body."""
    world.provisioned()
    again = world.send("PUT", ONE, template_body(world))
    assert (again.status, again.json()["error"]["code"]) == (409, "Conflict")
    assert "not supported" in again.json()["error"]["message"]


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"source": {"type": "PlatformImage", "publisher": "x", "offer": "y", "sku": "z"}}, "BadPIRSource"),
        ({"source": {"type": "ManagedImage", "imageId": "/no"}}, "BadManagedImageSource"),
        ({"source": {"type": "Floppy"}}, "BadSourceType"),
        ({"customize": [{"type": "Shell", "name": "a"}]}, "NoCustomizerScript"),
        ({"customize": [{"name": "a", "inline": ["b"]}]}, "BadCustomizerType"),
        ({"customize": [{"type": "Cobol", "name": "a"}]}, "UnsupportedCustomizerType"),
        ({"validate": {"inVMValidations": [{"type": "Shell"}]}}, "NoValidatorScript"),
        ({"distribute": [{"type": "Tape", "runOutputName": "t"}]}, "BadDistributeType"),
        (
            {"distribute": [{"type": "SharedImage", "runOutputName": "s", "galleryImageId": "/x", **BOTH}]},
            "BadSharedImageDistribute",
        ),
    ],
)
def test_template_that_cannot_be_provisioned_stays_failed(
    world: World, properties: dict[str, object], code: str
) -> None:
    """201, an operation that ends Failed, and a template with provisioningError and its staging group."""
    put = world.send("PUT", ONE, template_body(world, **properties))
    assert put.status == 201, put.body
    world.wait(minutes=1)
    operation = world.get(put.headers["Azure-AsyncOperation"].removeprefix("https://arm.sandbox"))
    seen = world.properties()
    assert operation["status"] == "Failed"
    assert seen["provisioningState"] == "Failed"
    assert seen["provisioningError"]["provisioningErrorCode"] == code
    assert seen["exactStagingResourceGroup"]
    assert world.events[-1]["eventType"] == "Microsoft.Resources.ResourceWriteFailure"


def test_subnet_without_role_or_without_existence_fails_the_template(world: World) -> None:
    """First the role of the template's identity is looked at, then whether the subnet is there."""
    profile = {"vnetConfig": {"subnetId": f"{VNET}/subnets/inner"}}
    world.send("PUT", ONE, template_body(world, vmProfile=profile))
    world.wait(minutes=1)
    unauthorized = world.properties()["provisioningError"]
    assert unauthorized["provisioningErrorCode"] == "Other"
    assert unauthorized["message"].startswith(f"Not authorized to access the resource: {VNET}. Please check")
    world.azure.roles.assign(world.azure.setting.identity_id, "Network Contributor", VNET)
    world.send("PUT", f"{TEMPLATES}/two?{API}", template_body(world, vmProfile=profile))
    world.wait(minutes=1)
    assert "not found" in world.properties("two")["provisioningError"]["message"]
    world.azure.inventory.add_subnet(world.azure.setting.group_id, "vnet", "inner")
    world.send("PUT", f"{TEMPLATES}/three?{API}", template_body(world, vmProfile=profile))
    world.wait(minutes=1)
    assert world.properties("three")["provisioningState"] == "Succeeded"


def test_unknown_identity_is_refused_or_adopted() -> None:
    """An identity that nobody made is refused at once, unless the switch adopts those of known groups."""
    stranger = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
        "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/stranger"
    )
    for adopt, status in ((False, 400), (True, 201)):
        world = World(switches=Switches(adopt_identities=adopt))
        body = template_body(world)
        body["identity"]["userAssignedIdentities"] = {stranger: {}}
        answer = world.send("PUT", ONE, body)
        assert answer.status == status
        if status == 400:
            assert answer.json()["error"]["code"] == "FailedIdentityOperation"


def test_lending_an_identity_needs_a_role_on_it(world: World) -> None:
    """Without assign/action on the identity the caller gets 403 LinkedAuthorizationFailed."""
    world.azure.roles.assign("writer", "Contributor", TEMPLATES.rsplit("/", 1)[0])
    answer = world.send("PUT", ONE, template_body(world), principal="writer")
    assert (answer.status, answer.json()["error"]["code"]) == (403, "LinkedAuthorizationFailed")
    (call,) = world.azure.calls.list(principal="writer")
    assert call.linked == ("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",)


def test_patch_changes_tags_and_targets_but_removes_none(world: World) -> None:
    """202 with both polling headers and no body; a list without an existing target is refused."""
    world.provisioned()
    second = {"type": "VHD", "runOutputName": "second"}
    first = {"type": "VHD", "runOutputName": "web-vhd"}
    refused = world.send("PATCH", ONE, {"properties": {"distribute": [second]}})
    assert (refused.status, refused.json()["error"]["code"]) == (400, "ValidationFailed")
    accepted = world.send("PATCH", ONE, {"tags": {"a": "b"}, "properties": {"distribute": [first, second]}})
    assert (accepted.status, accepted.body) == (202, b"")
    assert {"Azure-AsyncOperation", "Location"} <= set(accepted.headers)
    assert world.properties()["provisioningState"] == "Updating"
    world.wait(seconds=3)
    seen = world.get(ONE)
    assert seen["tags"] == {"a": "b"}
    assert [each["runOutputName"] for each in seen["properties"]["distribute"]] == ["web-vhd", "second"]


def test_patch_of_anything_else_is_refused(world: World) -> None:
    """Source and customizers cannot be changed."""
    world.provisioned()
    answer = world.send("PATCH", ONE, {"properties": {"source": {"type": "PlatformImage"}}})
    assert (answer.status, answer.json()["error"]["code"]) == (400, "ValidationFailed")


def test_identity_can_be_taken_away(world: World) -> None:
    """PATCH with the type None leaves the identity at None."""
    world.provisioned()
    client = world.builder()
    client.virtual_machine_image_templates.begin_update(
        GROUP, "web", ImageTemplateUpdateParameters(identity={"type": "None"}), polling=False
    )
    world.wait(seconds=3)
    assert world.get(ONE)["identity"] == {"type": "None"}


def test_deletion_takes_staging_group_account_and_vhds(world: World) -> None:
    """After the operation nothing is left: not the group, not the account, not a VHD."""
    template = world.provisioned()
    world.send("POST", f"{TEMPLATES}/web/run?{API}")
    world.wait(minutes=20)
    assert template.staging is not None
    assert world.storage.vhds(template.staging.account)
    deleted = world.send("DELETE", ONE)
    assert (deleted.status, deleted.body) == (202, b"")
    assert world.properties()["provisioningState"] == "Deleting"
    location = deleted.headers["Location"].removeprefix("https://arm.sandbox")
    world.wait(minutes=3)
    assert world.send("GET", ONE).status == 404
    assert world.get(location)["status"] == "Succeeded"
    assert not world.storage.account_exists(template.staging.account)
    group = template.staging.group_id.rsplit("/", 1)[1]
    gone = world.send("GET", f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{group}?{API}")
    assert gone.json()["error"]["code"] == "ResourceGroupNotFound"
    assert world.events[-1]["eventType"] == "Microsoft.Resources.ResourceDeleteSuccess"


def test_deletion_waits_for_creation_and_is_done_once(world: World) -> None:
    """While creating or deleting it is OperationNotAllowed; of nothing it is 204."""
    assert world.send("DELETE", ONE).status == 204
    world.send("PUT", ONE, template_body(world))
    early = world.send("DELETE", ONE)
    assert early.json()["error"]["message"] == "'DELETE' is not allowed in provisioningState: 'creating'"
    world.wait(minutes=1)
    assert [world.send("DELETE", ONE).status for _ in range(2)] == [202, 409]


def test_deleting_the_resource_group_takes_the_template_and_its_staging(world: World) -> None:
    """A template goes with its group, in the middle of a run too, and its staging group with it."""
    template = world.provisioned()
    world.send("POST", f"{TEMPLATES}/web/run?{API}")
    assert template.staging is not None
    accepted = world.send("DELETE", f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{GROUP}?{API}")
    assert accepted.status == 202
    world.wait(hours=1)
    assert not world.storage.accounts


def test_clients_see_the_refusal_as_an_error_with_its_code(world: World) -> None:
    """The SDK raises HttpResponseError with the code inside."""
    with pytest.raises(HttpResponseError) as caught:
        world.builder().virtual_machine_image_templates.get(GROUP, "absent")
    assert caught.value.status_code == 404
    assert caught.value.error is not None
    assert caught.value.error.code == "ResourceNotFound"
