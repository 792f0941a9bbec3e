"""Real storage for tests: Azurite behind the sandbox's front, in a thread, for clients that block.

Started once per worker. Tests that share it keep apart by names: `world.account()` opens one of their own.
"""

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from azure.core.credentials import AccessToken
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from sandbox.arm.roles import Roles
from sandbox.calls import Call, CallLog
from sandbox.clock import Clock, WallClock
from sandbox.faults import Faults
from sandbox.identity.tokens import FACTORY, Tokens
from sandbox.storage.limits import Limits
from sandbox.storage.service import StorageService
from sandbox.tls import certificates

TENANT = "11111111-1111-1111-1111-111111111111"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/image-factory"
DATA_ROLES = (
    "Storage Blob Data Contributor",
    "Storage Queue Data Contributor",
    "Storage Table Data Contributor",
)

T = TypeVar("T")


def scope_of(account: str) -> str:
    return f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{account}"


class SandboxCredential:
    """Takes its tokens from the world directly; `lifetime` and `audience` spoil them on purpose."""

    def __init__(
        self,
        tokens: Tokens,
        clock: Clock,
        principal: str,
        lifetime: timedelta = timedelta(hours=1),
        audience: str | None = None,
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._principal = principal
        self._lifetime = lifetime
        self._audience = audience

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        now = self._clock.now()
        audience = self._audience or scopes[0].removesuffix("/.default")
        # The client is told an hour, so that it does not refuse on its own what the service has to refuse.
        expires = int((now + timedelta(hours=1)).timestamp())
        return AccessToken(self._tokens.issue(self._principal, audience, now, self._lifetime), expires)


class StorageWorld:
    def __init__(self, folder: Path) -> None:
        self.clock = WallClock()
        self.tokens = Tokens(TENANT)
        self.roles = Roles()
        self.calls = CallLog()
        self.faults = Faults(self.clock)
        self.certificates = certificates(folder / "tls")
        self.service = StorageService(
            folder=folder / "azurite",
            certificates=self.certificates,
            clock=self.clock,
            tokens=self.tokens,
            accounts=("factory", "archive"),
            in_memory=True,
        )
        self._numbers = itertools.count(1)
        self._loop = asyncio.new_event_loop()

    @property
    def endpoints(self) -> dict[str, str]:
        return self.service.endpoints

    def account(self, *, role: bool = True) -> str:
        """Open a new account; the factory may do everything with its data, unless told otherwise."""
        name = f"test{next(self._numbers)}"
        self.service.writer.create_account(name)
        for each in DATA_ROLES if role else ():
            self.roles.assign(FACTORY, each, scope_of(name))
        return name

    def credential(self, principal: str = FACTORY, **spoil: Any) -> SandboxCredential:
        return SandboxCredential(self.tokens, self.clock, principal, **spoil)

    def options(self, credential: SandboxCredential | None = None) -> dict[str, Any]:
        """Options for any storage client: whose tokens, which authority, and no patience for failures."""
        verify = str(self.certificates.ca)
        return {"credential": credential or self.credential(), "connection_verify": verify, "retry_total": 0}

    def blobs(self, account: str, credential: SandboxCredential | None = None) -> BlobServiceClient:
        return BlobServiceClient(f"{self.endpoints['blob']}/{account}", **self.options(credential))

    def queues(self, account: str, credential: SandboxCredential | None = None) -> QueueServiceClient:
        return QueueServiceClient(f"{self.endpoints['queue']}/{account}", **self.options(credential))

    def tables(self, account: str, credential: SandboxCredential | None = None) -> TableServiceClient:
        return TableServiceClient(f"{self.endpoints['table']}/{account}", **self.options(credential))

    def calls_of(self, account: str) -> tuple[Call, ...]:
        return tuple(call for call in self.calls if call.path.startswith(f"/{account}"))

    def limit(self, **limits: float) -> None:
        self.service.page_blobs.limit(Limits(**limits))

    @contextmanager
    def running(self) -> Iterator["StorageWorld"]:
        thread = threading.Thread(target=self._loop.run_forever, name="storage-world", daemon=True)
        thread.start()
        try:
            self._in_loop(self.service.__aenter__)
            self.service.open(roles=self.roles, calls=self.calls, faults=self.faults, scope_of=scope_of)
            try:
                yield self
            finally:
                self._in_loop(lambda: self.service.__aexit__(None, None, None))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def _in_loop(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(timeout=30)
