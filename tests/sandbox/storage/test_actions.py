"""Each storage request needs the role action that the REST reference names for it."""

import pytest

from sandbox.storage.actions import Asked, needs

BLOBS = "Microsoft.Storage/storageAccounts/blobServices"
QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"
TABLES = "Microsoft.Storage/storageAccounts/tableServices/tables"

BLOB_PAGE = {"comp": "page"}
CONTAINER = {"restype": "container"}


@pytest.mark.parametrize(
    ("service", "method", "path", "query", "headers", "first", "data"),
    [
        ("blob", "GET", "", {"comp": "list"}, {}, f"{BLOBS}/containers/read", False),
        (
            "blob",
            "POST",
            "",
            {"comp": "userdelegationkey"},
            {},
            f"{BLOBS}/generateUserDelegationKey/action",
            False,
        ),
        ("blob", "GET", "", {"restype": "account"}, {}, f"{BLOBS}/getInfo/action", False),
        ("blob", "PUT", "", {"restype": "service"}, {}, f"{BLOBS}/write", False),
        ("blob", "PUT", "c", CONTAINER, {}, f"{BLOBS}/containers/write", False),
        ("blob", "DELETE", "c", CONTAINER, {}, f"{BLOBS}/containers/delete", False),
        ("blob", "HEAD", "c", CONTAINER, {}, f"{BLOBS}/containers/read", False),
        ("blob", "GET", "c", CONTAINER | {"comp": "list"}, {}, f"{BLOBS}/containers/blobs/read", True),
        ("blob", "PUT", "c", CONTAINER | {"comp": "acl"}, {}, f"{BLOBS}/containers/setAcl/action", False),
        ("blob", "GET", "c/b", {}, {}, f"{BLOBS}/containers/blobs/read", True),
        ("blob", "GET", "c/b", {"comp": "pagelist"}, {}, f"{BLOBS}/containers/blobs/read", True),
        ("blob", "PUT", "c/b", BLOB_PAGE, {}, f"{BLOBS}/containers/blobs/write", True),
        ("blob", "PUT", "c/b", {"comp": "lease"}, {}, f"{BLOBS}/containers/blobs/write", True),
        ("blob", "PUT", "c/b", {}, {"x-ms-blob-type": "PageBlob"}, f"{BLOBS}/containers/blobs/write", True),
        ("blob", "DELETE", "c/b", {}, {}, f"{BLOBS}/containers/blobs/delete", True),
        ("blob", "PUT", "c/b", {"comp": "tags"}, {}, f"{BLOBS}/containers/blobs/tags/write", True),
        ("queue", "GET", "", {"comp": "list"}, {}, f"{QUEUES}/read", False),
        ("queue", "PUT", "q", {}, {}, f"{QUEUES}/write", False),
        ("queue", "POST", "q/messages", {}, {}, f"{QUEUES}/messages/write", True),
        ("queue", "GET", "q/messages", {}, {}, f"{QUEUES}/messages/process/action", True),
        ("queue", "GET", "q/messages", {"peekonly": "true"}, {}, f"{QUEUES}/messages/read", True),
        ("queue", "PUT", "q/messages/1", {}, {}, f"{QUEUES}/messages/write", True),
        ("queue", "DELETE", "q/messages/1", {}, {}, f"{QUEUES}/messages/delete", True),
        ("table", "GET", "Tables", {}, {}, f"{TABLES}/read", False),
        ("table", "POST", "Tables", {}, {}, f"{TABLES}/write", False),
        ("table", "DELETE", "Tables('t')", {}, {}, f"{TABLES}/delete", False),
        ("table", "GET", "t()", {}, {}, f"{TABLES}/entities/read", True),
        ("table", "POST", "t", {}, {}, f"{TABLES}/entities/write", True),
        ("table", "PUT", "t(PartitionKey='a',RowKey='b')", {}, {}, f"{TABLES}/entities/write", True),
        ("table", "DELETE", "t(PartitionKey='a',RowKey='b')", {}, {}, f"{TABLES}/entities/delete", True),
    ],
)
def test_requests_need_their_action(
    service: str,
    method: str,
    path: str,
    query: dict[str, str],
    headers: dict[str, str],
    first: str,
    data: bool,
) -> None:
    segments = tuple(path.split("/")) if path else ()
    (need,) = needs(Asked(service, method, segments, query, headers))
    assert (need.actions[0], need.data) == (first, data)


def test_whoever_may_only_add_may_create_and_send() -> None:
    (put,) = needs(Asked("blob", "PUT", ("c", "b"), {}, {"x-ms-blob-type": "BlockBlob"}))
    (send,) = needs(Asked("queue", "POST", ("q", "messages"), {}, {}))
    (insert,) = needs(Asked("table", "POST", ("t",), {}, {}))
    assert all(need.actions[1].endswith("/add/action") for need in (put, send, insert))


def test_only_a_conditional_write_is_an_update() -> None:
    path = ("t(PartitionKey='a',RowKey='b')",)
    (upsert,) = needs(Asked("table", "MERGE", path, {}, {}))
    (update,) = needs(Asked("table", "MERGE", path, {}, {"if-match": "*"}))
    assert upsert.actions == (f"{TABLES}/entities/write",)
    assert update.actions == (f"{TABLES}/entities/write", f"{TABLES}/entities/update/action")


def test_the_scope_is_the_container_queue_or_table() -> None:
    assert needs(Asked("blob", "GET", ("c", "b"), {}, {}))[0].below == "/blobServices/default/containers/c"
    assert (
        needs(Asked("queue", "GET", ("q", "messages"), {}, {}))[0].below == "/queueServices/default/queues/q"
    )
    assert needs(Asked("table", "GET", ("t()",), {}, {}))[0].below == "/tableServices/default/tables/t"


def test_a_batch_needs_what_its_parts_need() -> None:
    body = (
        b"--b\r\nContent-Type: application/http\r\n\r\n"
        b"POST https://127.0.0.1/a/t HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{}\r\n"
        b"--b\r\nContent-Type: application/http\r\n\r\n"
        b"DELETE https://127.0.0.1/a/t(PartitionKey='a',RowKey='b') HTTP/1.1\r\nIf-Match: *\r\n\r\n\r\n--b--"
    )
    found = [need.actions[0] for need in needs(Asked("table", "POST", ("$batch",), {}, {}), body)]
    assert found == [f"{TABLES}/entities/write", f"{TABLES}/entities/delete"]
