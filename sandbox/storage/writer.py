"""What Image Builder does to storage, on real accounts: straight to Azurite, so that no call of the app is
counted.

Synchronous: small effects run under the world's lock and take milliseconds, a VHD is written by a thread
of its own.
"""

import http.client
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from sandbox.arm.storage import BlobAddress
from sandbox.storage.accounts import Accounts
from sandbox.storage.azurite import Endpoints
from sandbox.storage.errors import Answer
from sandbox.storage.held import HeldVhds
from sandbox.storage.limits import PageBlobs
from sandbox.storage.upstream import OwnToken
from sandbox.vhd import Vhd

_VERSION: Final = "2023-11-03"
_CHUNK: Final = 4 * 1024 * 1024
_PAGE_RANGE: Final = re.compile(rb"<PageRange><Start>(\d+)</Start><End>(\d+)</End></PageRange>")
_SUFFIX: Final = ".blob.core.windows.net"


class StorageFailed(Exception):
    """Azurite refused what the sandbox itself wanted to store."""


class Writer:
    """Storage over Azurite. `public` is the address of the blob front."""

    def __init__(
        self,
        *,
        endpoints: Endpoints,
        tls: ssl.SSLContext,
        token: OwnToken,
        accounts: Accounts,
        page_blobs: PageBlobs,
        held: HeldVhds,
        public: str,
    ) -> None:
        self._hosts = {name: urlsplit(endpoints.of(name)).netloc for name in ("blob", "queue", "table")}
        self._tls = tls
        self._token = token
        self._accounts = accounts
        self._page_blobs = page_blobs
        self._held = held
        self._public = public
        self._connections = threading.local()
        self._opened: list[http.client.HTTPSConnection] = []
        self.on_vhd: Callable[[BlobAddress, Vhd], None] = lambda *_: None
        """Told of each VHD once it is written, by the thread that wrote it."""

    def close(self) -> None:
        for connection in self._opened:
            connection.close()

    def create_account(self, account: str) -> None:
        self._accounts.open(account)

    def delete_account(self, account: str) -> None:
        physical = self._accounts.close(account)
        if physical is None:
            return
        self._page_blobs.forget(account)
        self._held.drop(account)
        listing = self._send("GET", f"/{physical}?comp=list").body
        names = [name.decode() for name in re.findall(rb"<Name>([^<]+)</Name>", listing)]
        gone = [
            self._send("DELETE", f"/{physical}/{name}?restype=container", expected=None) for name in names
        ]
        if all(
            answer.status == 202 for answer in gone
        ):  # a leased container stays, and so nobody gets its place
            self._accounts.release(physical)

    def account_exists(self, account: str) -> bool:
        return self._accounts.physical(account) is not None

    def create_container(self, account: str, container: str) -> None:
        self._send("PUT", f"/{self._physical(account)}/{container}?restype=container", expected=(201, 409))

    def create_queue(self, account: str, queue: str) -> None:
        self._send("PUT", f"/{self._physical(account)}/{queue}", service="queue", expected=(201, 204))

    def create_table(self, account: str, table: str) -> None:
        body = b'{"TableName":"%s"}' % table.encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json;odata=nometadata"}
        target = f"/{self._physical(account)}/Tables"
        self._send("POST", target, headers, body, service="table", expected=(201, 204, 409))

    def write_vhd(self, address: BlobAddress, vhd: Vhd, metadata: Mapping[str, str]) -> None:
        self.create_container(address.account, address.container)
        target = self._target(address)
        headers = {"x-ms-blob-type": "PageBlob", "x-ms-blob-content-length": str(vhd.size)}
        headers |= {f"x-ms-meta-{name}": value for name, value in metadata.items()}
        self._page_blobs.note(_blob(address))
        self._held.drop(_blob(address))
        self._send("PUT", target, headers)
        for offset, content in vhd.extents:
            for start in range(0, len(content), _CHUNK):
                part = content[start : start + _CHUNK]
                first = offset + start
                pages = {"x-ms-page-write": "update", "x-ms-range": f"bytes={first}-{first + len(part) - 1}"}
                self._send("PUT", f"{target}?comp=page", pages, part)
        written = self._send("HEAD", target)
        self._held.hold(_blob(address), written.headers["etag"], vhd)
        self.on_vhd(address, vhd)

    def write_text(self, address: BlobAddress, text: str) -> None:
        self.create_container(address.account, address.container)
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "text/plain; charset=utf-8"}
        self._send("PUT", self._target(address), headers, text.encode())

    def write_bytes(self, address: BlobAddress, content: bytes) -> None:
        self.create_container(address.account, address.container)
        self._send("PUT", self._target(address), {"x-ms-blob-type": "BlockBlob"}, content)

    def delete_blob(self, address: BlobAddress) -> None:
        if self.account_exists(address.account):
            headers = {"x-ms-delete-snapshots": "include"}
            self._held.drop(_blob(address))
            self._send("DELETE", self._target(address), headers, expected=(202, 404))

    def read(self, address: BlobAddress) -> bytes | None:
        if not address.name or not self.account_exists(address.account):
            return None
        found = self._send("GET", self._target(address), expected=(200, 404))
        return found.body if found.status == 200 else None

    def size(self, address: BlobAddress) -> int | None:
        if not address.name or not self.account_exists(address.account):
            return None
        found = self._send("HEAD", self._target(address), expected=(200, 404))
        return int(found.headers["content-length"]) if found.status == 200 else None

    def allocated(self, address: BlobAddress) -> int:
        """Return how many bytes of a page blob hold data: past the front, so not delayed by its limits."""
        listing = self._send("GET", f"{self._target(address)}?comp=pagelist").body
        return sum(int(end) + 1 - int(start) for start, end in _PAGE_RANGE.findall(listing))

    def url(self, address: BlobAddress) -> str:
        return f"{self._public}/{address.account}/{address.container}/{quote(address.name)}"

    def parse(self, url: str) -> BlobAddress | None:
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.query or parts.fragment or "@" in parts.netloc:
            return None
        path = unquote(parts.path).lstrip("/")
        if f"https://{parts.netloc}" == self._public:
            account, _, path = path.partition("/")
        elif parts.netloc.lower().endswith(_SUFFIX):
            account = parts.netloc.lower().removesuffix(_SUFFIX)
        else:
            return None
        container, _, name = path.partition("/")
        if not re.fullmatch(r"[a-z0-9]{3,24}", account) or not container or ".." in name.split("/"):
            return None
        return BlobAddress(account, container, name)

    def _physical(self, account: str) -> str:
        physical = self._accounts.physical(account)
        if physical is None:
            raise StorageFailed(f"There is no storage account {account}.")
        return physical

    def _target(self, address: BlobAddress) -> str:
        return f"/{self._physical(address.account)}/{address.container}/{quote(address.name)}"

    def _send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        service: str = "blob",
        expected: tuple[int, ...] | None = (200, 201, 202, 206),
    ) -> Answer:
        sent = {"Authorization": self._token.header(), "x-ms-version": _VERSION, **(headers or {})}
        sent["Content-Length"] = str(len(body))
        for again in (True, False):
            connection = self._connection(service)
            try:
                connection.request(method, target, body=body, headers=sent)
                answer = connection.getresponse()
                content = answer.read()
                break
            except (http.client.HTTPException, OSError):
                connection.close()  # Azurite closes idle connections; a second try opens a fresh one
                if not again:
                    raise
        if expected is not None and answer.status not in expected:
            raise StorageFailed(f"{method} {target} was answered {answer.status}: {content[:500]!r}")
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, content)

    def _connection(self, service: str) -> http.client.HTTPSConnection:
        """One per thread and service: they are kept alive, and none is shared."""
        held: dict[str, http.client.HTTPSConnection] = self._connections.__dict__
        if service not in held:
            held[service] = http.client.HTTPSConnection(self._hosts[service], context=self._tls, timeout=30)
            self._opened.append(held[service])
        return held[service]


def _blob(address: BlobAddress) -> str:
    return f"{address.account}/{address.container}/{address.name}"
