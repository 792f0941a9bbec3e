"""Puts faces on sockets: aiohttp under TLS, one event loop, and with that one lock around the whole world."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from aiohttp import web

from sandbox.http import Face, Headers, Request

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Listener:
    """One listening socket on loopback; `async with` binds and frees it."""

    def __init__(self, handler: Handler, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._wanted = port
        self._tls = tls
        self._runner: web.ServerRunner | None = None
        self._server: web.Server | None = None
        self.port = 0

    @property
    def netloc(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.netloc}"

    async def __aenter__(self) -> Self:
        self._server = web.Server(self._handler, access_log=None, keepalive_timeout=75)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._wanted, ssl_context=self._tls, backlog=512)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        assert self._server is not None
        transports = [each.transport for each in self._server.connections]
        await self._runner.cleanup()
        for transport in transports:  # a client that only idles would not answer TLS's goodbye for 30 seconds
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)


def face_handler(face: Face) -> Handler:
    """Serve a face that knows no sockets. It runs in the loop's thread, so nothing else happens meanwhile."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = face.handle(await _request(request))
        if response.delay:
            await asyncio.sleep(response.delay)
        if response.drop:
            return dropped(request)
        headers = {
            name: value for name, value in response.headers.items() if name.lower() != "content-length"
        }
        return web.Response(status=response.status, headers=headers, body=response.body)

    return handle


def dropped(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection without a word. The answer that aiohttp insists on goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _request(request: web.BaseRequest) -> Request:
    parts = urlsplit(request.raw_path)
    return Request(
        method=request.method,
        path=unquote(parts.path) or "/",
        query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
        headers=Headers(request.headers.items()),
        body=await request.content.read(),  # not request.read(): that one stops at 1 MiB
        base=f"{request.scheme}://{request.host}",
    )
