"""Storage through the real SDKs when it refuses, fails or breaks off: each request is sent exactly once."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import Fault
from sandbox.vhd import Vhd
from shared import telemetry
from shared.domain.errors import AccessDenied, PermanentError, RetryableError, Throttled, Unreachable
from shared.domain.ids import BlobAddress
from shared.domain.keys import Key, image_key, of_image
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import ImageRecord
from shared.domain.templates import PageRange
from shared.gateways.blobs import StorageBlobs
from shared.gateways.ledger import TableLedger
from shared.gateways.queues import StorageQueues
from shared.gateways.rows import Row, row_of
from shared.ports import Insert
from tests.memory import MemoryLedger

from .conftest import connect
from .records import new_image, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.worlds.storage import StorageWorld

MIB = 1024 * 1024
MINUTE = timedelta(minutes=1)
CHUNK = PageRange(0, 4 * MIB)


class Parts:
    """Blobs, queue and ledger of one account, and what each of the app's calls is."""

    def __init__(self, world: StorageWorld, account: str, **spoil: Any) -> None:
        from sandbox.arm.storage import BlobAddress as There

        connection = connect(world, **spoil)
        writer = world.service.writer
        for name in ("vhds", "archive"):
            writer.create_container(account, name)
        writer.create_table(account, "ledger")
        writer.create_queue(account, "builds")
        self.source = BlobAddress(account, "vhds", f"{uuid.uuid4()}.vhd")
        self.target = BlobAddress(account, "archive", self.source.name)
        writer.write_vhd(There(account, "vhds", self.source.name), Vhd(8 * MIB, ((0, b"x" * MIB),)), {})
        writer.write_vhd(There(account, "archive", self.source.name), Vhd(8 * MIB, ()), {})
        self.blobs = StorageBlobs(f"{world.endpoints['blob']}/{{account}}", connection)
        self.ledger = TableLedger(f"{world.endpoints['table']}/{account}", connection)
        self.queues = StorageQueues(f"{world.endpoints['queue']}/{account}", connection)
        self.lease = str(uuid.uuid4())

    def calls(self) -> dict[str, tuple[str, Callable[[], object]]]:
        """Service and call by name. In this order each would work."""
        blobs, source, target, lease = self.blobs, self.source, self.target, self.lease
        name = new_image()
        look = Look(Lane.BUILDS, Thing.IMAGE, "ubuntu", "c-1")
        new = BlobAddress(target.account, "archive", f"{target.name}.new")
        note = BlobAddress(target.account, "archive", f"{target.name}.json")
        return {
            "facts": ("blob", lambda: blobs.facts(source)),
            "ranges": ("blob", lambda: blobs.ranges(source)),
            "read": ("blob", lambda: blobs.read(source, 0, 512)),
            "create_pages": ("blob", lambda: blobs.create_pages(new, 512, {})),
            "acquire": ("blob", lambda: blobs.acquire(target, lease, MINUTE)),
            "renew": ("blob", lambda: blobs.renew(target, lease)),
            "copy_pages": ("blob", lambda: blobs.copy_pages(source, "*", target, lease, CHUNK)),
            "label": ("blob", lambda: blobs.label(target, {"state": "x"}, lease)),
            "release": ("blob", lambda: blobs.release(target, lease)),
            "write": ("blob", lambda: blobs.write(note, b"{}", if_none_match=True)),
            "list": ("blob", lambda: blobs.list(target.account, "archive", "")),
            "read_row": ("table", lambda: self.ledger.read(image_key(name), ImageRecord)),
            "scan": ("table", lambda: self.ledger.scan(of_image(name), "")),
            "insert": ("table", lambda: self.ledger.commit(of_image(name), [Insert(record(name))])),
            "send": ("queue", lambda: self.queues.send(look)),
        }


@pytest.fixture(scope="module")
def parts(storage_world: StorageWorld) -> Parts:
    return Parts(storage_world, storage_world.account())


def requests(world: StorageWorld, account: str) -> int:
    return len([call for call in world.calls_of(account) if call.service != "copysource"])


def test_every_call_is_one_request_and_carries_the_correlation_id(real: StorageWorld) -> None:
    account = real.account()
    parts = Parts(real, account)
    with telemetry.bind(correlation="c-0815"):
        for name, (_, call) in parts.calls().items():
            before = requests(real, account)
            call()
            assert requests(real, account) == before + 1, name
    assert {call.correlation for call in real.calls_of(account)} == {"c-0815"}
    assert {call.audience for call in real.calls_of(account)} == {"https://storage.azure.com"}


@pytest.mark.parametrize("action", ["status", "drop before", "drop after"])
def test_a_failing_service_is_asked_once_and_never_taken_for_a_missing_thing(
    real: StorageWorld, parts: Parts, action: str
) -> None:
    kind, _, when = action.partition(" ")
    for name, (service, call) in parts.calls().items():
        fault = Fault(service, kind, when or "before", count=9, status=500, code="InternalError")  # type: ignore[arg-type]  # literals, above
        real.faults.add(fault)
        with pytest.raises(RetryableError) as caught:
            call()
        assert len(real.faults.fired()) == 1, name
        assert (type(caught.value) is Unreachable) == (kind == "drop"), name
        real.faults.clear()


def test_a_busy_service_says_when_to_come_back(real: StorageWorld, parts: Parts) -> None:
    for name, (service, call) in parts.calls().items():
        real.faults.add(Fault(service, "status", status=503, code="ServerBusy", retry_after=7))
        with pytest.raises(Throttled) as caught:
            call()
        assert caught.value.delay == timedelta(seconds=7), name
        real.faults.clear()


def test_an_identity_without_roles_is_told_what_to_grant_for_every_call(real: StorageWorld) -> None:
    account = real.account(role=False)
    for name, (service, call) in Parts(real, account).calls().items():
        with pytest.raises(AccessDenied) as caught:
            call()
        assert caught.value.action.startswith(f"Microsoft.Storage/storageAccounts/{service}Services/"), name
        assert account in caught.value.scope
        assert "Storage " in str(caught.value)
        assert "Data " in str(caught.value)


def test_a_token_that_is_not_accepted_is_access_denied(real: StorageWorld) -> None:
    stale = Parts(real, real.account(), lifetime=timedelta(seconds=-60))
    with pytest.raises(AccessDenied, match="401"):
        stale.blobs.facts(stale.source)
    elsewhere = Parts(real, real.account(), audience="https://management.azure.com")
    with pytest.raises(AccessDenied, match="401"):
        elsewhere.blobs.facts(elsewhere.source)


def test_a_missing_table_is_named_and_comes_to_be(real: StorageWorld) -> None:
    name = new_image()
    ledger = TableLedger(f"{real.endpoints['table']}/{real.account()}", connect(real))
    for act in (
        lambda: ledger.read(image_key(name), ImageRecord),
        lambda: ledger.commit(of_image(name), [Insert(record(name))]),
    ):
        with pytest.raises(RetryableError, match="create it"):
            act()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"v": 2}, "newer version of the factory.*schema 2"),
        ({"kind": "hologram"}, "newer version of the factory.*'hologram'"),
        ({"data": "{"}, "cannot be read"),
        ({"data": '{"type":"image"}'}, "cannot be read"),
        ({"kind": "journal"}, "holds another kind"),
    ],
)
def test_a_row_that_this_version_cannot_read_whole_is_named_and_not_half_read(
    changed: dict[str, Any], said: str
) -> None:
    name = new_image()
    ledger, row = MemoryLedger(), row_of(record(name))
    ledger.plant(image_key(name), Row(**{"kind": row.kind, "v": row.v, "data": row.data, **changed}))
    with pytest.raises(PermanentError, match=f"{image_key(name).partition} / image.*{said}"):
        ledger.read(image_key(name), ImageRecord)


def test_a_row_that_cannot_be_read_does_not_hide_the_others_from_a_scan() -> None:
    name = new_image()
    ledger, row = MemoryLedger(), row_of(record(name))
    ledger.commit(of_image(name), [Insert(record(name))])
    ledger.plant(Key(of_image(name), "image-from-tomorrow"), Row(row.kind, 2, row.data))
    assert [held.record for held in ledger.scan(of_image(name), "image").rows] == [record(name)]


def test_a_newer_row_in_a_real_table_is_refused_alike(real: StorageWorld, parts: Parts) -> None:
    name, row = new_image(), row_of(record(new_image()))
    key = image_key(name)
    table = real.tables(parts.source.account).get_table_client("ledger")
    table.create_entity(
        {"PartitionKey": key.partition, "RowKey": key.row, "kind": row.kind, "v": 2, "data": row.data}
    )
    with pytest.raises(PermanentError, match="newer version"):
        parts.ledger.read(key, ImageRecord)
