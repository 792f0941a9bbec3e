"""Blob storage in memory: accounts that come and go, page blobs with holes, ETags, leases by the clock."""

import itertools
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sandbox.clock import Clock
from shared.domain.errors import AccessDenied, Changed, Exists, Invalid, Missing, Unreachable
from shared.domain.ids import BlobAddress
from shared.domain.templates import BlobFacts, PageRange
from shared.ports import BlobPage, ListedBlob, RangePage

from .extents import Extents
from .leases import Lease, acquired, allow_write, own

SECTOR = 512
LARGEST_PUT = 4 * 1024 * 1024
DATA_ACTION = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/"


class Blob:
    """One blob. Everything about it that changes."""

    def __init__(self, length: int, page_blob: bool, metadata: dict[str, str]) -> None:
        self.length = length
        self.page_blob = page_blob
        self.metadata = metadata
        self.content = Extents()
        self.lease: Lease | None = None
        self.etag = ""
        self.modified = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryBlobs:
    """`ranges_per_page` forces paging; `denied` holds (account, "read" or "write") without a role."""

    def __init__(self, clock: Clock, *, ranges_per_page: int = 10_000, names_per_page: int = 5000) -> None:
        self._clock = clock
        self._accounts: dict[str, dict[str, dict[str, Blob]]] = {}
        self._etags = itertools.count(1)
        self._lock = threading.RLock()
        self._ranges_per_page = ranges_per_page
        self._names_per_page = names_per_page
        self.denied: set[tuple[str, str]] = set()

    # What a test, or Image Builder, does to the world.

    def create_account(self, account: str, *containers: str) -> None:
        with self._lock:
            found = self._accounts.setdefault(account, {})
            for container in containers:
                found.setdefault(container, {})

    def delete_account(self, account: str) -> None:
        with self._lock:
            self._accounts.pop(account, None)

    def accounts(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._accounts)

    def account_exists(self, account: str) -> bool:
        with self._lock:
            return account in self._accounts

    def plant(
        self,
        at: BlobAddress,
        pieces: Iterable[tuple[int, bytes]],
        *,
        length: int,
        page_blob: bool = True,
        metadata: dict[str, str] | None = None,
    ) -> str:
        """A blob as somebody else wrote it, whatever was there; its container is made where it is missing."""
        with self._lock:
            container = self._accounts[at.account].setdefault(at.container, {})
            blob = container[at.name] = Blob(length, page_blob, metadata or {})
            for start, content in pieces:
                blob.content.write(start, content)
            return self._touch(blob)

    def delete_blob(self, at: BlobAddress) -> None:
        with self._lock:
            self._accounts.get(at.account, {}).get(at.container, {}).pop(at.name, None)

    def blobs(self, account: str) -> dict[BlobAddress, Blob]:
        """Everything in an account: for assertions."""
        with self._lock:
            containers = self._accounts.get(account, {}).items()
            return {BlobAddress(account, c, n): blob for c, blobs in containers for n, blob in blobs.items()}

    def content(self, at: BlobAddress) -> bytes | None:
        """The whole of it, holes as zeroes; None if it is not there."""
        with self._lock:
            blob = self._accounts.get(at.account, {}).get(at.container, {}).get(at.name)
            return None if blob is None else blob.content.read(0, blob.length)

    # The port.

    def facts(self, at: BlobAddress) -> BlobFacts:
        with self._lock:
            blob = self._blob(at, "read")
            return BlobFacts(blob.etag, blob.length, blob.modified, dict(blob.metadata), blob.page_blob)

    def ranges(self, at: BlobAddress, *, if_match: str | None = None, after: str | None = None) -> RangePage:
        with self._lock:
            blob = self._pinned(at, if_match)
            if not blob.page_blob:
                raise Invalid(f"{at} is not a page blob")
            start = int(after or 0)
            every = [PageRange(*each) for each in blob.content.ranges()]
            rest = [each for each in every if each.start >= start]
            page, more = rest[: self._ranges_per_page], rest[self._ranges_per_page :]
            return RangePage(tuple(page), str(more[0].start) if more else None)

    def read(self, at: BlobAddress, start: int, end: int, *, if_match: str | None = None) -> bytes:
        with self._lock:
            blob = self._pinned(at, if_match)
            if not 0 <= start < min(end, blob.length):
                raise Invalid(f"{at} has {blob.length} bytes: none from {start} to {end}")
            return blob.content.read(start, min(end, blob.length))

    def create_pages(self, at: BlobAddress, length: int, metadata: dict[str, str]) -> str:
        if length % SECTOR:
            raise Invalid(f"{at}: a page blob has a multiple of {SECTOR} bytes, not {length}")
        with self._lock:
            return self._create(at, Blob(length, page_blob=True, metadata=dict(metadata)), overwrite=False)

    def copy_pages(
        self, source: BlobAddress, source_etag: str, target: BlobAddress, lease: str, chunk: PageRange
    ) -> None:
        if chunk.start % SECTOR or chunk.end % SECTOR or not 0 < chunk.size <= LARGEST_PUT:
            raise Invalid(
                f"{target}: {chunk} cannot be put; pages are multiples of {SECTOR} bytes, up to 4 MiB"
            )
        with self._lock:
            into = self._blob(target, "write")
            allow_write(into.lease, lease, self._clock.now(), str(target))
            content = self.read(source, chunk.start, chunk.end, if_match=source_etag)
            if len(content) != chunk.size or chunk.end > into.length:
                raise Invalid(f"{source} to {target}: {chunk} is not within both")
            into.content.write(chunk.start, content)
            self._touch(into)

    def label(self, at: BlobAddress, metadata: dict[str, str], lease: str) -> str:
        with self._lock:
            blob = self._blob(at, "write")
            allow_write(blob.lease, lease, self._clock.now(), str(at))
            blob.metadata = dict(metadata)
            return self._touch(blob)

    def acquire(self, at: BlobAddress, lease: str, duration: timedelta) -> None:
        with self._lock:
            blob, now = self._blob(at, "write"), self._clock.now()
            blob.lease = acquired(blob.lease, lease, duration, now, str(at))

    def renew(self, at: BlobAddress, lease: str) -> None:
        with self._lock:
            blob, now = self._blob(at, "write"), self._clock.now()
            blob.lease = own(blob.lease, lease, str(at)).from_now(now)

    def release(self, at: BlobAddress, lease: str) -> None:
        with self._lock:
            blob = self._blob(at, "write")
            own(blob.lease, lease, str(at))
            blob.lease = None

    def write(self, at: BlobAddress, content: bytes, *, if_none_match: bool) -> str:
        with self._lock:
            blob = Blob(len(content), page_blob=False, metadata={})
            blob.content.write(0, content)
            return self._create(at, blob, overwrite=not if_none_match)

    def list(self, account: str, container: str, prefix: str, after: str | None = None) -> BlobPage:
        with self._lock:
            found = self._container(BlobAddress(account, container, ""), "read")
            names = sorted(name for name in found if name.startswith(prefix) and name > (after or ""))
            here = names[: self._names_per_page]
            rows = tuple(ListedBlob(name, found[name].etag, dict(found[name].metadata)) for name in here)
            return BlobPage(rows, here[-1] if len(names) > len(here) else None)

    def mark(self, at: BlobAddress, metadata: dict[str, str], if_match: str) -> None:
        with self._lock:
            blob = self._pinned(at, if_match, "write")
            allow_write(blob.lease, None, self._clock.now(), str(at))
            blob.metadata = dict(metadata)
            self._touch(blob)

    def delete(self, at: BlobAddress, if_match: str) -> None:
        with self._lock:
            blob = self._pinned(at, if_match, "delete")
            allow_write(blob.lease, None, self._clock.now(), str(at))
            del self._container(at, "delete")[at.name]

    def _container(self, at: BlobAddress, verb: str) -> dict[str, Blob]:
        containers = self._accounts.get(at.account)
        if containers is None:
            raise Unreachable(f"storage account {at.account} does not answer")
        if (at.account, verb) in self.denied:
            scope = f"storage account {at.account}"
            raise AccessDenied(f"no role to {verb} {at}", action=DATA_ACTION + verb, scope=scope)
        if at.container not in containers:
            raise Missing(f"there is no container {at.account}/{at.container}")
        return containers[at.container]

    def _blob(self, at: BlobAddress, verb: str) -> Blob:
        blob = self._container(at, verb).get(at.name)
        if blob is None:
            raise Missing(f"there is no blob {at}")
        return blob

    def _pinned(self, at: BlobAddress, etag: str | None, verb: str = "read") -> Blob:
        blob = self._blob(at, verb)
        if etag is not None and blob.etag != etag:
            raise Changed(f"{at} has changed: its ETag is {blob.etag}, expected {etag}")
        return blob

    def _create(self, at: BlobAddress, blob: Blob, *, overwrite: bool) -> str:
        blobs = self._container(at, "write")
        before = blobs.get(at.name)
        if before is not None:
            if not overwrite:
                raise Exists(f"{at} is there already")
            allow_write(before.lease, None, self._clock.now(), str(at))
        blobs[at.name] = blob
        return self._touch(blob)

    def _touch(self, blob: Blob) -> str:
        now = self._clock.now()
        if blob.lease is not None and not blob.lease.holds(now):
            blob.lease = None  # an expired lease cannot be renewed once somebody has written
        blob.etag, blob.modified = f'"0x8DE{next(self._etags):012X}"', now
        return blob.etag
