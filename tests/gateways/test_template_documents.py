"""Answers of Resource Manager that the local Azure never gives, and real ones do, sooner or later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.http import Headers, Response
from shared.domain.errors import AccessDenied, Missing, PermanentError, RetryableError, Unreachable
from shared.domain.ids import BlobAddress, TemplateId
from shared.domain.templates import OutputKind, RunState

from .arm import ARM, WEB, error, template_document, templates_of

COMPUTE = f"/subscriptions/{WEB.subscription}/resourcegroups/g/providers/Microsoft.Compute"
VERSION = f"{COMPUTE}/galleries/g/images/i"


def read(**properties: Any) -> Any:
    templates, _ = templates_of(Response.of(200, template_document(**properties)))
    return templates.get(WEB)


def outputs(*properties: dict[str, Any]) -> Any:
    value = [{"name": f"o{number}", "properties": each} for number, each in enumerate(properties)]
    templates, _ = templates_of(Response.of(200, {"value": value}))
    return templates.outputs(WEB)


def run_status(**changes: Any) -> dict[str, Any]:
    status = {
        "startTime": "2026-11-21T01:02:03.123456789Z",
        "endTime": "0001-01-01T00:00:00Z",
        "runState": "Running",
        "runSubState": "Building",
        "message": "",
    }
    return {**status, **changes}


def test_the_start_time_is_kept_to_the_letter_and_the_year_one_is_no_end() -> None:
    run = read(lastRunStatus=run_status()).last_run
    assert run.start == "2026-11-21T01:02:03.123456789Z"
    assert run.started == datetime(2026, 11, 21, 1, 2, 3, 123456, tzinfo=UTC)
    assert run.ended is None
    ended = read(lastRunStatus=run_status(runState="Succeeded", endTime="2026-11-21T01:20:00Z")).last_run
    assert (ended.state, ended.ended) == (RunState.SUCCEEDED, datetime(2026, 11, 21, 1, 20, tzinfo=UTC))


@pytest.mark.parametrize("start", ["", None, "0001-01-01T00:00:00Z"])
def test_a_run_that_has_not_begun_has_no_name_yet(start: str | None) -> None:
    assert read(lastRunStatus=run_status(startTime=start)).last_run is None
    assert read(lastRunStatus=None).last_run is None


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"provisioningState": "Migrating"}, "provisioningState 'Migrating'"),
        ({"provisioningState": None}, "provisioningState ''"),
        ({"lastRunStatus": run_status(runState="Pondering")}, "runState 'Pondering'"),
        ({"lastRunStatus": run_status(startTime="yesterday")}, "'yesterday' is not a time"),
    ],
)
def test_a_state_that_nobody_knows_is_for_later_and_named(properties: dict[str, Any], said: str) -> None:
    with pytest.raises(RetryableError, match=said):
        read(**properties)


def test_the_owner_is_found_whatever_the_case_of_the_tag() -> None:
    for tags, owner in (({"IMAGEFACTORYIMAGE": "ubuntu"}, "ubuntu"), ({"a": "b"}, None), (None, None)):
        templates, _ = templates_of(Response.of(200, {**template_document(), "tags": tags}))
        found = templates.get(WEB)
        assert found is not None
        assert found.owner == owner


def test_the_region_is_told_in_one_form() -> None:
    assert read().location == "westeurope"


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("/subscriptions/s/resourcegroups/IT_rg_web_0", "IT_rg_web_0"),
        ("/subscriptions/s/resourceGroups/own", "own"),
        ("", None),
        (None, None),
        ("IT_rg", None),
    ],
)
def test_the_staging_group_is_told_by_name(id: str | None, name: str | None) -> None:
    assert read(exactStagingResourceGroup=id).staging_group == name


def test_each_kind_of_output_is_told_apart() -> None:
    vhd, version, spelt, image = outputs(
        {"artifactUri": "https://it0815.blob.core.windows.net/vhds/web_20261121.vhd"},
        {"artifactId": f"{VERSION}/versions/1.0.0"},
        {"artifactId": f"{VERSION}/imageversions/1.2.3"},
        {"artifactId": f"{COMPUTE}/images/i"},
    )
    assert vhd.address == BlobAddress("it0815", "vhds", "web_20261121.vhd")
    assert [each.kind for each in (vhd, version, spelt, image)] == [
        OutputKind.VHD,
        OutputKind.GALLERY_VERSION,
        OutputKind.GALLERY_VERSION,
        OutputKind.MANAGED_IMAGE,
    ]
    assert version.artifact.names == ("g", "i", "1.0.0")


@pytest.mark.parametrize(
    "uri",
    [
        "https://it0815.blob.core.windows.net.evil.example/vhds/a.vhd",
        "https://169.254.169.254/vhds/a.vhd",
        "https://it0815.blob.core.windows.net/vhds/a.vhd?sig=x",
    ],
)
def test_an_output_elsewhere_keeps_its_name_and_is_never_an_address(uri: str) -> None:
    (output,) = outputs({"artifactUri": uri})
    assert (output.name, output.kind, output.address) == ("o0", OutputKind.VHD, None)


def test_an_output_that_came_to_nothing_is_none() -> None:
    assert outputs({"provisioningState": "Failed"}, {}) == ()


def test_an_artifact_with_an_odd_id_keeps_its_name_and_kind() -> None:
    gallery, image = outputs({"artifactId": f"{VERSION}/versions/../1"}, {"artifactId": "/odd"})
    assert (gallery.kind, gallery.artifact) == (OutputKind.GALLERY_VERSION, None)
    assert (image.kind, image.artifact) == (OutputKind.MANAGED_IMAGE, None)


def test_one_template_that_cannot_be_read_does_not_hide_the_others() -> None:
    odd = template_document(provisioningState="Migrating")
    fine = {**template_document(), "id": str(TemplateId(WEB.subscription, WEB.group, "other"))}
    templates, _ = templates_of(Response.of(200, {"value": [odd, {"id": "/odd"}, fine]}))
    assert [each.id.name for each in templates.list(WEB.subscription)] == ["other"]


def test_empty_pages_are_gone_through_and_next_links_may_name_the_port() -> None:
    link = f"{ARM}:443/subscriptions/{WEB.subscription}/providers/x?$skipToken=2"
    templates, said = templates_of(
        Response.of(200, {"value": [], "nextLink": link}), Response.of(200, {"value": [template_document()]})
    )
    assert [each.id for each in templates.list(WEB.subscription)] == [WEB]
    assert said.asked[1].target.startswith(f"/subscriptions/{WEB.subscription}/providers/x?%24skipToken=2")


def test_a_next_link_to_another_host_gets_no_token() -> None:
    link = "https://evil.example/subscriptions/x?$skipToken=2"
    templates, said = templates_of(Response.of(200, {"value": [template_document()], "nextLink": link}))
    found = templates.list(WEB.subscription)
    next(found)
    with pytest.raises(PermanentError, match=r"nothing is sent to https://evil\.example"):
        next(found)
    assert len(said.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    templates, said = templates_of(Response(status, Headers({"Location": f"{ARM}/elsewhere"})))
    with pytest.raises(PermanentError):
        templates.get(WEB)
    assert len(said.asked) == 1


@pytest.mark.parametrize("code", ["ResourceNotFound", "ResourceGroupNotFound", "NotFound"])
def test_missing_is_what_resource_manager_says_in_so_many_words(code: str) -> None:
    templates, _ = templates_of(error(404, code), error(404, code))
    assert templates.get(WEB) is None
    with pytest.raises(Missing):
        templates.run(WEB)


def test_any_other_404_is_no_proof() -> None:
    templates, _ = templates_of(
        error(404, "InvalidResourceType"),
        Response(404, Headers({"Content-Type": "text/html"}), b"<html>proxy</html>"),
        error(404, "SubscriptionNotFound"),
    )
    for _ in range(2):
        with pytest.raises(RetryableError):
            templates.get(WEB)
    with pytest.raises(AccessDenied):  # this is how a subscription looks to an identity without any role
        templates.get(WEB)


def test_a_provider_that_is_not_registered_is_said_and_not_registered_behind_ones_back() -> None:
    message = "The subscription is not registered to use namespace 'Microsoft.VirtualMachineImages'"
    templates, said = templates_of(error(409, "MissingSubscriptionRegistration", message))
    with pytest.raises(RetryableError, match="register it"):
        templates.run(WEB)
    assert [each.method for each in said.asked] == ["POST"]


def test_half_an_answer_is_none() -> None:
    for content in (b"{", b"[", b"\xff"):
        templates, _ = templates_of(Response(200, Headers({"Content-Type": "application/json"}), content))
        with pytest.raises(Unreachable):
            templates.get(WEB)
