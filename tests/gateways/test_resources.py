"""What else the factory asks Resource Manager."""

from __future__ import annotations

import pytest

from sandbox.azure import SUBSCRIPTION
from sandbox.faults import Fault
from sandbox.http import Response
from sandbox.identity.tokens import NOBODY
from shared.domain.errors import AccessDenied, Invalid, RetryableError
from shared.domain.ids import ResourceId
from shared.gateways.resources import ArmResources

from .arm import ARM, WEB, ArmWorld, Said, connection_to, error

COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute"
VERSION = ResourceId.parse(f"{COMPUTE}/galleries/gal/images/def/versions/1.0.0")
IMAGE = ResourceId.parse(f"{COMPUTE}/images/img")


def resources(*answers: Response) -> tuple[ArmResources, Said]:
    said = Said(*answers)
    return ArmResources(ARM, connection_to(said)), said


@pytest.mark.parametrize("id", [VERSION, IMAGE])
def test_tags_of_an_artifact_are_read_in_one_request(id: ResourceId) -> None:
    built = {"VMImageBuilderSource": "PlatformImage Canonical::x::y::latest (18.04.202401161)"}
    asked, said = resources(Response.of(200, {"id": str(id), "location": "westeurope", "tags": built}))
    assert asked.tags(id) == built
    assert [each.path.lower() for each in said.asked] == [str(id).lower()]


def test_an_artifact_without_tags_has_none_and_one_that_is_gone_is_none() -> None:
    asked, _ = resources(
        Response.of(200, {"id": str(IMAGE), "location": "westeurope"}),
        error(404, "ResourceNotFound"),
        error(404, "ParentResourceNotFound"),
    )
    assert asked.tags(IMAGE) == {}
    assert asked.tags(IMAGE) is None
    assert asked.tags(VERSION) is None


def test_only_gallery_versions_and_managed_images_have_such_tags() -> None:
    asked, said = resources()
    with pytest.raises(Invalid):
        asked.tags(ResourceId.parse(f"{COMPUTE}/disks/d"))
    assert said.asked == []


def test_a_storage_account_is_known_or_not() -> None:
    world = ArmWorld()
    assert world.resources.account_exists(SUBSCRIPTION, "image-factory", "archive")
    assert not world.resources.account_exists(SUBSCRIPTION, "image-factory", "gone")
    assert not world.resources.account_exists(SUBSCRIPTION, "no-such-group", "archive")


def test_a_staging_account_goes_with_its_template() -> None:
    world = ArmWorld()
    world.provisioned()
    world.templates.run(WEB)
    world.wait(hours=1)
    (output,) = world.templates.outputs(WEB)
    found = world.templates.get(WEB)
    assert found is not None
    assert found.staging_group is not None
    assert output.address is not None
    place = (SUBSCRIPTION, found.staging_group, output.address.account)
    assert world.resources.account_exists(*place)
    world.templates.delete(WEB)
    world.wait(minutes=10)
    assert not world.resources.account_exists(*place)
    assert not world.blobs.account_exists(output.address.account)


def test_no_role_and_no_answer_are_no_sign_that_an_account_is_gone() -> None:
    with pytest.raises(AccessDenied) as caught:
        ArmWorld(principal=NOBODY).resources.account_exists(SUBSCRIPTION, "image-factory", "archive")
    assert caught.value.action == "Microsoft.Storage/storageAccounts/read"
    world = ArmWorld()
    for fault in (Fault("arm", "drop"), Fault("arm", "drop", "after"), Fault("arm", "status", status=503)):
        world.azure.faults.add(fault)
        with pytest.raises(RetryableError):
            world.resources.account_exists(SUBSCRIPTION, "image-factory", "archive")
