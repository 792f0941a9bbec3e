"""What passes the front is Azurite's answer; what must not pass is refused as Azure refuses it."""

import re
from datetime import timedelta
from typing import Any

import pytest
import requests
from azure.core import MatchConditions
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ServiceResponseError,
)
from azure.data.tables import UpdateMode

from sandbox.arm.storage import BlobAddress
from sandbox.faults import Fault
from sandbox.identity.tokens import FACTORY, NOBODY
from tests.worlds.storage import StorageWorld, scope_of

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"


def test_blobs_of_any_size_go_in_and_out_unchanged(storage_world: StorageWorld) -> None:
    container = storage_world.blobs(storage_world.account()).create_container("things")
    for size in (0, 1, 100_000, 9_000_000):
        content = bytes(range(251)) * (size // 251) + b"x" * (size % 251)
        blob = container.upload_blob(f"folder/of {size} bytes ü.bin", content, metadata={"size": str(size)})
        assert blob.download_blob().readall() == content
        assert blob.get_blob_properties().size == size
    assert len(list(container.list_blobs())) == 4


def test_conditions_and_leases_are_azurites(storage_world: StorageWorld) -> None:
    blob = storage_world.blobs(storage_world.account()).create_container("things").get_blob_client("one")
    first = blob.upload_blob(b"1")["etag"]
    with pytest.raises(ResourceExistsError):
        blob.upload_blob(b"2", overwrite=False)
    blob.upload_blob(b"2", overwrite=True)
    with pytest.raises(ResourceModifiedError):
        blob.upload_blob(b"3", overwrite=True, etag=first, match_condition=MatchConditions.IfNotModified)
    lease = blob.acquire_lease(15)
    with pytest.raises(HttpResponseError, match="LeaseIdMissing"):
        blob.upload_blob(b"4", overwrite=True)
    blob.upload_blob(b"4", overwrite=True, lease=lease)


def test_accounts_do_not_see_one_another(storage_world: StorageWorld) -> None:
    one, two = storage_world.account(), storage_world.account()
    storage_world.blobs(one).create_container("mine")
    storage_world.queues(one).create_queue("mine")
    storage_world.tables(one).create_table("mine")
    assert [each.name for each in storage_world.blobs(one).list_containers()] == ["mine"]
    assert list(storage_world.blobs(two).list_containers()) == []
    assert list(storage_world.queues(two).list_queues()) == []
    assert list(storage_world.tables(two).list_tables()) == []


def test_addresses_in_listings_name_the_account_that_was_asked(storage_world: StorageWorld) -> None:
    account = storage_world.account()
    bearer = storage_world.credential().get_token("https://storage.azure.com/.default").token
    answer = requests.get(
        f"{storage_world.endpoints['blob']}/{account}?comp=list",
        headers={"Authorization": f"Bearer {bearer}", "x-ms-version": "2023-11-03"},
        verify=str(storage_world.certificates.ca),
        timeout=10,
    )
    assert f'ServiceEndpoint="{storage_world.endpoints["blob"]}/{account}' in answer.text
    assert not re.search(r"pool\d{4}", answer.text + str(answer.headers))


def test_queues_keep_visibility_and_receipts(storage_world: StorageWorld) -> None:
    queue = storage_world.queues(storage_world.account()).create_queue("work")
    queue.send_message("hello", time_to_live=-1)
    message = queue.receive_message(visibility_timeout=60)
    assert message is not None
    assert (message.content, message.dequeue_count) == ("hello", 1)
    assert queue.receive_message() is None
    renewed = queue.update_message(message, visibility_timeout=0)
    again = queue.receive_message()
    assert again is not None
    assert again.dequeue_count == 2
    assert renewed.pop_receipt != again.pop_receipt
    queue.delete_message(again)
    assert queue.peek_messages() == []


def test_tables_keep_etags_and_batches(storage_world: StorageWorld) -> None:
    table = storage_world.tables(storage_world.account()).create_table("ledger")
    row = {"PartitionKey": "image", "RowKey": "run", "state": "started"}
    etag = table.create_entity(row)["etag"]
    with pytest.raises(ResourceExistsError):
        table.create_entity(row)
    table.update_entity(row | {"state": "ended"}, mode=UpdateMode.REPLACE)
    with pytest.raises(ResourceModifiedError):
        table.update_entity(row, etag=etag, match_condition=MatchConditions.IfNotModified)
    table.submit_transaction(
        [("upsert", row | {"state": "batched"}), ("create", row | {"RowKey": "other"})],
    )
    found = {each["RowKey"]: each.get("state") for each in table.query_entities("PartitionKey eq 'image'")}
    assert found == {"run": "batched", "other": "started"}


def test_every_request_is_recorded_with_audience_principal_and_action(storage_world: StorageWorld) -> None:
    account = storage_world.account()
    container = storage_world.blobs(account).create_container("things")
    container.upload_blob("one", b"1").download_blob().readall()
    calls = storage_world.calls_of(account)
    actions = [
        (call.method, call.path, call.status, (call.action or "").rpartition("/")[2]) for call in calls
    ]
    assert actions == [
        ("PUT", f"/{account}/things", 201, "write"),
        ("PUT", f"/{account}/things/one", 201, "write"),
        ("GET", f"/{account}/things/one", 206, "read"),
    ]
    assert {(call.audience, call.principal) for call in calls} == {("https://storage.azure.com", FACTORY)}
    assert all(call.correlation for call in calls)


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        ({"lifetime": timedelta(seconds=-1)}, 401, "InvalidAuthenticationInfo"),
        ({"audience": "https://management.azure.com"}, 401, "InvalidAuthenticationInfo"),
        ({"principal": NOBODY}, 403, "AuthorizationPermissionMismatch"),
    ],
)
def test_a_token_that_is_expired_elsewhere_or_without_the_role_is_refused(
    storage_world: StorageWorld, spoil: dict[str, Any], status: int, code: str
) -> None:
    account = storage_world.account()
    client = storage_world.blobs(account, storage_world.credential(**spoil))
    with pytest.raises(HttpResponseError) as refused:
        client.get_container_client("things").upload_blob("one", b"1")
    assert refused.value.status_code == status
    assert code in str(refused.value)
    assert storage_world.calls_of(account)[-1].status == status


@pytest.mark.parametrize("service", ["blob", "queue", "table"])
def test_without_a_token_there_is_a_challenge_and_with_a_key_a_refusal(
    storage_world: StorageWorld, service: str
) -> None:
    url = f"{storage_world.endpoints[service]}/{storage_world.account()}/things"
    verify = str(storage_world.certificates.ca)
    missing = requests.get(url, verify=verify, timeout=10)
    signed = requests.get(f"{url}?sv=2023-11-03&sig=abc", verify=verify, timeout=10)
    keyed = requests.get(url, headers={"Authorization": "SharedKey a:b"}, verify=verify, timeout=10)
    assert missing.status_code == 401
    assert "resource_id=https://storage.azure.com" in missing.headers["WWW-Authenticate"]
    assert {(each.status_code, each.headers["x-ms-error-code"]) for each in (signed, keyed)} == {
        (403, "KeyBasedAuthenticationNotPermitted")
    }


def test_a_reader_may_read_and_no_more(storage_world: StorageWorld) -> None:
    account = storage_world.account(role=False)
    storage_world.service.writer.write_text(BlobAddress(account, "logs", "customization.log"), "hello")
    storage_world.roles.assign(FACTORY, "Storage Blob Data Reader", scope_of(account))
    container = storage_world.blobs(account).get_container_client("logs")
    assert container.download_blob("customization.log").readall() == b"hello"
    with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
        container.delete_blob("customization.log")
    assert storage_world.calls_of(account)[-1].action == f"{BLOBS}/delete"


def test_a_table_refuses_in_its_own_language(storage_world: StorageWorld) -> None:
    table = storage_world.tables(storage_world.account(role=False)).get_table_client("ledger")
    with pytest.raises(HttpResponseError) as refused:
        table.get_entity("a", "b")
    assert refused.value.status_code == 403
    assert "AuthorizationPermissionMismatch" in str(refused.value)


def test_a_vanished_account_drops_connections_and_comes_back_empty(storage_world: StorageWorld) -> None:
    account = storage_world.account()
    storage_world.blobs(account).create_container("things").upload_blob("one", b"1")
    storage_world.service.writer.delete_account(account)
    with pytest.raises(ServiceResponseError):
        list(storage_world.blobs(account).list_containers())
    assert storage_world.calls_of(account)[-1].status == 0
    storage_world.service.writer.create_account(account)
    assert list(storage_world.blobs(account).list_containers()) == []


def test_an_account_that_never_was_drops_too(storage_world: StorageWorld) -> None:
    with pytest.raises(ServiceResponseError):
        list(storage_world.blobs("neverheardof").list_containers())


def test_faults_refuse_before_the_effect_or_lose_the_answer_after_it(storage_world: StorageWorld) -> None:
    account = storage_world.account()
    container = storage_world.blobs(account).create_container("things")
    refused = storage_world.faults.add(
        Fault("blob", "status", path=f"/{account}/things/one", status=503, code="ServerBusy", retry_after=7)
    )
    with pytest.raises(HttpResponseError) as busy:
        container.upload_blob("one", b"1")
    assert busy.value.status_code == 503
    assert "ServerBusy" in str(busy.value)
    assert list(container.list_blob_names()) == []
    lost = storage_world.faults.add(Fault("blob", "drop", "after", method="PUT", path="things/two"))
    with pytest.raises(ServiceResponseError):
        container.upload_blob("two", b"2")
    assert list(container.list_blob_names()) == ["two"]
    assert len(storage_world.faults.fired(refused.id)) == len(storage_world.faults.fired(lost.id)) == 1


def test_an_ordinary_copy_is_refused_by_name(storage_world: StorageWorld) -> None:
    container = storage_world.blobs(storage_world.account()).create_container("things")
    source = container.upload_blob("one", b"1")
    with pytest.raises(HttpResponseError, match="Put Page From URL"):
        container.get_blob_client("two").start_copy_from_url(source.url)


def test_challenges_make_sdk_errors_that_say_so(storage_world: StorageWorld) -> None:
    expired = storage_world.credential(lifetime=timedelta(seconds=-1))
    with pytest.raises(ClientAuthenticationError):
        list(storage_world.queues(storage_world.account(), expired).list_queues())
