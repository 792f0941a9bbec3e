"""Each storage port twice, so that what holds for the memory is known to hold for the real service."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.pipeline.transport import RequestsTransport

from sandbox.clock import VirtualClock
from shared.domain.ids import BlobAddress
from shared.gateways.blobs import StorageBlobs
from shared.gateways.connection import Connection
from shared.gateways.credential import Identity
from shared.gateways.ledger import TableLedger
from tests.memory import MemoryBlobs, MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.ports import Blobs, Ledger
    from tests.worlds.storage import StorageWorld

BOTH = ["memory", "real"]
NUMBERS = itertools.count(1)


def connect(world: StorageWorld, **spoil: Any) -> Connection:
    """A connection as the app has it, with the world's tokens and certificate authority."""
    transport = RequestsTransport(connection_verify=str(world.certificates.ca))
    return Connection(Identity(source=world.credential(**spoil)), transport=transport)


@pytest.fixture
def real(storage_world: StorageWorld) -> Iterator[StorageWorld]:
    yield storage_world
    storage_world.faults.clear()


@pytest.fixture(scope="session")
def real_account(storage_world: StorageWorld) -> str:
    """One account for all tests here: they keep apart by names within it."""
    account = storage_world.account()
    storage_world.service.writer.create_table(account, "ledger")
    storage_world.service.writer.create_container(account, "vhds")
    return account


@pytest.fixture(scope="session")
def real_connection(storage_world: StorageWorld) -> Connection:
    return connect(storage_world)


@pytest.fixture(params=BOTH)
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "memory":
        return MemoryLedger()
    world, account = (request.getfixturevalue(name) for name in ("storage_world", "real_account"))
    uri = f"{world.endpoints['table']}/{account}"
    return TableLedger(uri, request.getfixturevalue("real_connection"))


@dataclass
class BlobPlace:
    """Blobs, and what a test does to them that the port cannot: the same words for memory and reality."""

    blobs: Blobs
    account: str
    plant: Callable[[BlobAddress, tuple[tuple[int, bytes], ...], int], None]
    content: Callable[[BlobAddress], bytes | None]
    new_account: Callable[[], str]
    delete_account: Callable[[str], None]
    revoke: Callable[[str, str], None]
    _names: Iterator[int] = field(default_factory=lambda: NUMBERS)

    def fresh(self, name: str = "disk.vhd") -> BlobAddress:
        return BlobAddress(self.account, "vhds", f"{next(self._names)}/{name}")


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest) -> BlobPlace:
    if request.param == "memory":
        return _in_memory()
    world, account = (request.getfixturevalue(name) for name in ("real", "real_account"))
    return _in_reality(world, account, request.getfixturevalue("real_connection"))


def _in_memory() -> BlobPlace:
    blobs = MemoryBlobs(VirtualClock(), ranges_per_page=2, names_per_page=3)
    blobs.create_account("memory", "vhds")

    def new_account() -> str:
        name = f"memory{next(NUMBERS)}"
        blobs.create_account(name, "vhds")
        return name

    return BlobPlace(
        blobs=blobs,
        account="memory",
        plant=lambda at, pieces, length: (blobs.plant(at, pieces, length=length), None)[1],
        content=blobs.content,
        new_account=new_account,
        delete_account=blobs.delete_account,
        revoke=lambda account, verb: blobs.denied.add((account, verb)),
    )


def _in_reality(world: StorageWorld, account: str, connection: Connection) -> BlobPlace:
    from sandbox.arm.storage import BlobAddress as There
    from sandbox.identity.tokens import FACTORY
    from sandbox.vhd import Vhd
    from tests.worlds.storage import scope_of

    writer = world.service.writer

    def there(at: BlobAddress) -> There:
        return There(at.account, at.container, at.name)

    def new_account() -> str:
        name = world.account()
        writer.create_container(name, "vhds")
        return name

    def revoke(account: str, verb: str) -> None:
        world.roles.revoke(FACTORY, None, scope_of(account))
        if verb == "write":
            world.roles.assign(FACTORY, "Storage Blob Data Reader", scope_of(account))

    return BlobPlace(
        blobs=StorageBlobs(f"{world.endpoints['blob']}/{{account}}", connection, ranges_per_page=2),
        account=account,
        plant=lambda at, pieces, length: writer.write_vhd(there(at), Vhd(length, pieces), {}),
        content=lambda at: writer.read(there(at)),
        new_account=new_account,
        delete_account=writer.delete_account,
        revoke=revoke,
    )
