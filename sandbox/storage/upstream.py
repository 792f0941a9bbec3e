"""The way to Azurite: kept-alive TLS connections, and a token of the front's own on each request."""

import io
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from sandbox.clock import Clock
from sandbox.identity.tokens import Tokens
from sandbox.storage.azurite import Endpoints
from sandbox.storage.gate import AUDIENCE

_LIFETIME: Final = timedelta(hours=1)
_IDLE: Final = 60  # below Azurite's, so that a connection is never reused while it is being closed
_LARGE: Final = 1024 * 1024
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=120)


class OwnToken:
    """A token for Azurite, which reads its dates but not its signature; renewed at half its life."""

    def __init__(self, tokens: Tokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._token = ""
        self._until: datetime | None = None

    def header(self) -> str:
        now = self._clock.now()
        if self._until is None or now >= self._until:
            self._token = self._tokens.issue("storage", AUDIENCE, now, _LIFETIME)
            self._until = now + _LIFETIME / 2
        return f"Bearer {self._token}"


class Upstream:
    """Sends requests to Azurite as they are; `async with` holds the connections."""

    def __init__(self, endpoints: Endpoints, tls: ssl.SSLContext, token: OwnToken) -> None:
        self._endpoints = endpoints
        self._tls = tls
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=64, keepalive_timeout=_IDLE),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            timeout=_TIMEOUT,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def send(
        self,
        service: str,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | aiohttp.StreamReader | None = None,
    ) -> aiohttp.ClientResponse:
        """`target` is the raw path and query, the physical account first."""
        assert self._session is not None
        own = CIMultiDict(headers)
        own["Authorization"] = self._token.header()
        url = URL(self._endpoints.of(service) + target, encoded=True)
        # aiohttp sends a large body piece by piece if it comes as a file; as bytes it holds up the loop
        data = io.BytesIO(body) if isinstance(body, bytes) and len(body) > _LARGE else body
        return await self._session.request(method, url, headers=own, data=data, allow_redirects=False)
