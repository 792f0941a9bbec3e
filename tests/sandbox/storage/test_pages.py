"""Put Page From URL: the service copies, under the conditions and with the tokens of both sides."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient

from sandbox.arm.storage import BlobAddress
from sandbox.identity.tokens import FACTORY, NOBODY
from sandbox.vhd import Vhd, make_vhd
from tests.worlds.storage import StorageWorld, scope_of

MIB = 1024 * 1024
READER = "Storage Blob Data Reader"


@dataclasses.dataclass
class Copying:
    """A VHD in a staging account that the factory may read, and an empty page blob in its archive."""

    world: StorageWorld
    vhd: Vhd
    account: str
    source: BlobClient
    target: BlobClient

    def put(self, offset: int, length: int, **more: Any) -> dict[str, Any]:
        more.setdefault("source_authorization", self.bearer())
        return self.target.upload_pages_from_url(self.source.url, offset, length, offset, **more)

    def bearer(self, principal: str = FACTORY, **spoil: Any) -> str:
        credential = self.world.credential(principal, **spoil)
        return "Bearer " + credential.get_token("https://storage.azure.com/.default").token

    def refused(self, offset: int, length: int, **more: Any) -> tuple[int | None, str, str | None]:
        with pytest.raises(HttpResponseError) as refused:
            self.put(offset, length, **more)
        response = refused.value.response
        assert response is not None
        headers = response.headers  # type: ignore[attr-defined]  # the common protocol leaves them out
        return (
            refused.value.status_code,
            headers["x-ms-error-code"],
            headers.get("x-ms-copy-source-status-code"),
        )


def ranges(blob: BlobClient) -> list[tuple[int, int]]:
    """Return where the allocated ranges begin and end, the end exclusive."""
    return [(page.start or 0, (page.end or 0) + 1) for page in blob.list_page_ranges()]


@pytest.fixture(scope="module")
def vhd() -> Vhd:
    return make_vhd({"release.txt": b"22.04.202611010"}, size_mib=64, payload_mib=5, seed="copy")


@pytest.fixture
def copying(storage_world: StorageWorld, vhd: Vhd) -> Copying:
    staging = storage_world.account(role=False)
    address = BlobAddress(staging, "vhds", "image_20261101.vhd")
    small = Vhd(size=vhd.size, extents=tuple(each for each in vhd.extents if len(each[1]) < MIB))
    storage_world.service.writer.write_vhd(address, small, {"VMImageBuilderSource": "x"})
    storage_world.roles.assign(FACTORY, READER, scope_of(staging))
    archive = storage_world.blobs(storage_world.account()).create_container("images")
    target = archive.get_blob_client("image.vhd")
    target.create_page_blob(vhd.size)
    source = storage_world.blobs(staging).get_blob_client("vhds", address.name)
    return Copying(storage_world, small, staging, source, target)


def test_copying_every_range_makes_the_same_vhd(
    storage_world: StorageWorld, copying: Copying, vhd: Vhd
) -> None:
    address = BlobAddress(copying.account, "vhds", "whole.vhd")
    storage_world.service.writer.write_vhd(address, vhd, {})
    copying.source = storage_world.blobs(copying.account).get_blob_client("vhds", "whole.vhd")
    for start, end in ranges(copying.source):
        for offset in range(start, end, 4 * MIB):
            copying.put(offset, min(4 * MIB, end - offset))
    assert copying.target.download_blob().readall() == vhd.read(0, vhd.size)
    assert ranges(copying.target) == [(start, start + len(content)) for start, content in vhd.extents]


def test_the_answer_is_that_of_a_page_write(copying: Copying) -> None:
    before = copying.target.get_blob_properties().etag
    answer = copying.put(0, 512)
    assert answer["etag"] == copying.target.get_blob_properties().etag != before
    assert answer["blob_sequence_number"] == 0
    assert copying.target.download_blob(0, 512).readall() == copying.vhd.read(0, 512)


def test_one_request_and_one_source_read_are_recorded(copying: Copying) -> None:
    copying.world.calls.clear()
    copying.put(0, 512)
    request, read = sorted(copying.world.calls, key=lambda call: call.service)
    assert (request.service, request.method, request.query, request.status) == (
        "blob",
        "PUT",
        "comp=page",
        201,
    )
    assert (read.service, read.status, read.principal) == ("copysource", 206, FACTORY)
    assert read.path.startswith(f"/{copying.account}/vhds/")
    assert (read.action or "").endswith("blobs/read")
    assert read.correlation == request.correlation


def test_a_pinned_source_etag_holds_or_nothing_is_written(copying: Copying) -> None:
    etag = copying.source.get_blob_properties().etag
    pin: dict[str, Any] = {"source_etag": etag, "source_match_condition": MatchConditions.IfNotModified}
    copying.put(0, 512, **pin)
    copying.world.service.writer.write_vhd(
        BlobAddress(copying.account, "vhds", "image_20261101.vhd"), copying.vhd, {}
    )
    assert copying.refused(MIB, 512, **pin) == (412, "CannotVerifyCopySource", "412")
    assert copying.target.download_blob(MIB, 512).readall() == bytes(512)


def test_a_source_that_somebody_changed_is_copied_as_it_is_now(copying: Copying) -> None:
    copying.world.roles.assign(FACTORY, "Storage Blob Data Contributor", scope_of(copying.account))
    copying.put(0, 512)
    copying.source.upload_page(b"x" * 512, 0, 512)
    copying.put(0, 512)
    assert copying.target.download_blob(0, 512).readall() == b"x" * 512


def test_the_conditions_of_the_destination_are_its_own(copying: Copying) -> None:
    stale = copying.target.get_blob_properties().etag
    copying.put(0, 512, etag=stale, match_condition=MatchConditions.IfNotModified)
    assert copying.refused(0, 512, etag=stale, match_condition=MatchConditions.IfNotModified) == (
        412,
        "ConditionNotMet",
        None,
    )
    lease = copying.target.acquire_lease(15)
    assert copying.refused(0, 512) == (412, "LeaseIdMissing", None)
    copying.put(0, 512, lease=lease)


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        ({"lifetime": timedelta(seconds=-1)}, 401),
        ({"audience": "https://management.azure.com/"}, 401),
        ({"principal": NOBODY}, 403),
    ],
)
def test_a_source_token_that_would_not_read_does_not_copy(
    copying: Copying, spoil: dict[str, Any], status: int
) -> None:
    got = copying.refused(0, 512, source_authorization=copying.bearer(**spoil))
    assert got == (status, "CannotVerifyCopySource", str(status))


def test_a_source_without_any_token_is_not_public(copying: Copying) -> None:
    got = copying.refused(0, 512, source_authorization=None)
    assert got == (401, "CannotVerifyCopySource", "401")


def test_a_source_with_a_sas_is_refused(copying: Copying) -> None:
    copying.source = BlobClient.from_blob_url(copying.source.url + "?sv=2023-11-03&sig=abc")
    assert copying.refused(0, 512) == (403, "CannotVerifyCopySource", "403")


def test_the_destination_needs_its_own_role(copying: Copying) -> None:
    copying.target = copying.world.blobs(
        copying.world.account(role=False), copying.world.credential()
    ).get_blob_client("images", "image.vhd")
    assert copying.refused(0, 512)[:2] == (403, "AuthorizationPermissionMismatch")


def test_a_missing_source_is_told_from_a_vanished_account(copying: Copying) -> None:
    copying.world.service.writer.delete_blob(BlobAddress(copying.account, "vhds", "image_20261101.vhd"))
    assert copying.refused(0, 512) == (404, "CannotVerifyCopySource", "404")
    copying.world.service.writer.delete_account(copying.account)
    assert copying.refused(0, 512) == (500, "CannotVerifyCopySource", None)


def test_a_foreign_source_is_never_fetched(copying: Copying) -> None:
    copying.source = BlobClient.from_blob_url("https://elsewhere.blob.core.windows.net/vhds/image.vhd")
    assert copying.refused(0, 512)[:2] == (400, "CannotVerifyCopySource")


@pytest.mark.parametrize(
    ("offset", "length", "status", "code"),
    [
        (0, 4 * MIB + 512, 413, "RequestBodyTooLarge"),
        (64 * MIB, 1024, 416, "CannotVerifyCopySource"),
        (512 * 1024 * MIB, 512, 416, "CannotVerifyCopySource"),
    ],
)
def test_ranges_are_capped_and_inside_the_source(
    copying: Copying, offset: int, length: int, status: int, code: str
) -> None:
    assert copying.refused(offset, length)[:2] == (status, code)


def test_ranges_are_whole_pages(copying: Copying) -> None:
    """The client library checks this as well, so the header is changed behind its back."""
    headers = {"x-ms-source-range": "bytes=1-512", "x-ms-range": "bytes=1-512"}
    got = copying.refused(
        0, 512, raw_request_hook=lambda request: request.http_request.headers.update(headers)
    )
    assert got[:2] == (416, "InvalidPageRange")


def test_the_content_that_was_asked_for_can_be_pinned(copying: Copying) -> None:
    assert copying.refused(0, 512, source_content_md5=bytes(16))[:2] == (400, "Md5Mismatch")


def test_beyond_the_request_limit_of_a_blob_the_server_is_busy(copying: Copying) -> None:
    copying.put(0, 512)
    copying.world.limit(requests_per_second=0.5)
    copying.put(0, 512)
    assert copying.refused(0, 512)[:2] == (503, "ServerBusy")
    with pytest.raises(HttpResponseError, match="ServerBusy"):
        copying.source.download_blob(0, 512)
    copying.world.limit()
    copying.put(0, 512)


def test_beyond_the_byte_limit_of_a_blob_the_server_is_busy(copying: Copying) -> None:
    copying.world.limit(bytes_per_second=1024)
    copying.put(0, 4096)
    assert copying.refused(0, 512)[:2] == (503, "ServerBusy")
    with pytest.raises(HttpResponseError, match="ServerBusy"):
        copying.target.upload_page(bytes(512), 0, 512)
