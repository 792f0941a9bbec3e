"""Reading storage as anybody would who may: through its address, under TLS, with a token."""

import re
import ssl
from datetime import timedelta
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import aiohttp

from sandbox.arm.storage import BlobAddress
from sandbox.identity.tokens import OPERATOR
from sandbox.running import RunningSandbox
from sandbox.storage.gate import AUDIENCE

_NAME: Final = re.compile(rb"<Name>([^<]+)</Name>")


class Unreadable(Exception):
    """Storage did not answer as it should; the message says what was asked and what came."""


class Reader:
    """The operator's view of the blobs; `async with` opens and closes its connections."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        tls = ssl.create_default_context(cafile=self._sandbox.published.ca)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def names(self, account: str, container: str) -> list[str]:
        listing = await self._get(f"/{account}/{container}?restype=container&comp=list")
        return [name.decode() for name in _NAME.findall(listing)]

    async def size(self, blob: BlobAddress) -> int:
        async with self._session.head(self._url(_path(blob)), headers=self._headers()) as answer:
            if answer.status != 200:
                raise Unreadable(f"HEAD {_path(blob)} was answered {answer.status}, expected 200")
            return int(answer.headers["Content-Length"])

    async def read(self, blob: BlobAddress, start: int = 0, length: int | None = None) -> bytes:
        wanted = {} if length is None else {"x-ms-range": f"bytes={start}-{start + length - 1}"}
        return await self._get(_path(blob), wanted)

    async def _get(self, target: str, headers: dict[str, str] | None = None) -> bytes:
        async with self._session.get(self._url(target), headers=self._headers() | (headers or {})) as answer:
            content = await answer.read()
            if answer.status not in (200, 206):
                raise Unreadable(f"GET {target} was answered {answer.status}: {content[:300]!r}")
            return content

    def _url(self, target: str) -> str:
        return self._sandbox.published.blob + target

    def _headers(self) -> dict[str, str]:
        now = self._sandbox.clock.now()
        token = self._sandbox.azure.tokens.issue(OPERATOR, AUDIENCE, now, timedelta(minutes=5))
        return {"Authorization": f"Bearer {token}", "x-ms-version": "2023-11-03"}


def _path(blob: BlobAddress) -> str:
    return f"/{blob.account}/{blob.container}/{quote(blob.name)}"
