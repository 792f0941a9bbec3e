"""The storage services put together: Azurite, the front on its three sockets, and the writer behind it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sandbox.arm.roles import Roles
from sandbox.calls import CallLog
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.identity.tokens import Tokens
from sandbox.serve import Listener
from sandbox.storage.accounts import Accounts
from sandbox.storage.azurite import Azurite
from sandbox.storage.front import SERVICES, StorageFront
from sandbox.storage.gate import Gate
from sandbox.storage.held import HeldVhds
from sandbox.storage.limits import PageBlobs
from sandbox.storage.upstream import OwnToken, Upstream
from sandbox.storage.writer import Writer
from sandbox.tls import Certificates

_NO_PORTS: Final[Mapping[str, int]] = {}


class StorageService:
    """`async with` runs it; afterwards `endpoints` says where, and `writer` writes past the front."""

    def __init__(
        self,
        *,
        folder: Path,
        certificates: Certificates,
        clock: Clock,
        tokens: Tokens,
        roles: Roles,
        calls: CallLog,
        faults: Faults,
        scope_of: Callable[[str], str | None],
        accounts: Sequence[str] = (),
        ports: Mapping[str, int] = _NO_PORTS,
        in_memory: bool = False,
    ) -> None:
        self._folder = folder
        self._certificates = certificates
        self._ports = ports
        self._in_memory = in_memory
        self._clock = clock
        self._tokens = tokens
        self._calls = calls
        self._faults = faults
        self._gate = Gate(clock, tokens, roles, scope_of)
        self._stack = AsyncExitStack()
        self.accounts = Accounts(accounts)
        self.page_blobs = PageBlobs(clock)
        self._held = HeldVhds()
        self.endpoints: dict[str, str] = {}
        self.azurite: Azurite
        self.writer: Writer

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.azurite = await asyncio.to_thread(self._start_azurite)
            stack.callback(self.azurite.stop)
            token = OwnToken(self._tokens, self._clock)
            client_tls = self._certificates.client_context()
            upstream = await stack.enter_async_context(Upstream(self.azurite.endpoints, client_tls, token))
            front = StorageFront(
                clock=self._clock,
                gate=self._gate,
                calls=self._calls,
                faults=self._faults,
                accounts=self.accounts,
                page_blobs=self.page_blobs,
                held=self._held,
                upstream=upstream,
            )
            server_tls = self._certificates.server_context()
            for service in SERVICES:
                wanted = Listener(front.handler(service), port=self._ports.get(service, 0), tls=server_tls)
                listener = await stack.enter_async_context(wanted)
                self.endpoints[service] = listener.url
                if service == "blob":
                    front.blob_netloc = listener.netloc
            self.writer = Writer(
                endpoints=self.azurite.endpoints,
                tls=client_tls,
                token=token,
                accounts=self.accounts,
                page_blobs=self.page_blobs,
                held=self._held,
                public=self.endpoints["blob"],
            )
            stack.callback(self.writer.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _start_azurite(self) -> Azurite:
        accounts = self.accounts.every_physical
        return Azurite.start(self._folder, self._certificates, accounts, in_memory=self._in_memory)
