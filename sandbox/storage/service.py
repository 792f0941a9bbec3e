"""The storage services put together: Azurite, the front on its three sockets, and the writer behind it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from aiohttp import web

from sandbox.arm.roles import Roles
from sandbox.calls import CallLog
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.identity.tokens import Tokens
from sandbox.serve import Handler, Listener, dropped
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
    """`async with` starts Azurite and binds the sockets; `open` lets clients in.

    Two steps: the world's roles and records stand on storage (`writer`), and the front stands on them.
    """

    def __init__(
        self,
        *,
        folder: Path,
        certificates: Certificates,
        clock: Clock,
        tokens: Tokens,
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
        self._held = HeldVhds()
        self._stack = AsyncExitStack()
        self._upstream: Upstream
        self._handlers: dict[str, Handler] = {}
        self.accounts = Accounts(accounts)
        self.page_blobs = PageBlobs(clock)
        self.endpoints: dict[str, str] = {}
        self.azurite: Azurite
        self.writer: Writer

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.azurite = await asyncio.to_thread(self._start_azurite)
            stack.callback(self.azurite.stop)
            token = OwnToken(self._tokens, self._clock)
            client_tls = self._certificates.client_context()
            upstream = Upstream(self.azurite.endpoints, client_tls, token)
            self._upstream = await stack.enter_async_context(upstream)
            server_tls = self._certificates.server_context()
            for service in SERVICES:
                port = self._ports.get(service, 0)
                listener = Listener(self._handler(service), port=port, tls=server_tls)
                self.endpoints[service] = (await stack.enter_async_context(listener)).url
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

    def open(
        self, *, roles: Roles, calls: CallLog, faults: Faults, scope_of: Callable[[str], str | None]
    ) -> None:
        front = StorageFront(
            clock=self._clock,
            gate=Gate(self._clock, self._tokens, roles, scope_of),
            calls=calls,
            faults=faults,
            accounts=self.accounts,
            page_blobs=self.page_blobs,
            held=self._held,
            upstream=self._upstream,
            blob_netloc=urlsplit(self.endpoints["blob"]).netloc,
        )
        self._handlers = {service: front.handler(service) for service in SERVICES}

    def _handler(self, service: str) -> Handler:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            handler = self._handlers.get(service)
            return dropped(request) if handler is None else await handler(request)

        return handle

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _start_azurite(self) -> Azurite:
        accounts = self.accounts.every_physical
        return Azurite.start(self._folder, self._certificates, accounts, in_memory=self._in_memory)
