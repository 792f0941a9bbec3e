"""Blobs: exactly one request each, never re-sent. A copy goes from service to service, not through us."""

import threading
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.domain.errors import Busy, Changed, Conflict, Exists, Invalid
from shared.domain.ids import BlobAddress
from shared.domain.templates import BlobFacts, PageRange
from shared.ports import BlobPage, ListedBlob, RangePage

from .addresses import Addresses
from .connection import Connection
from .copying import copying
from .credential import STORAGE
from .errors import Call, Meaning, Need, saying, translated

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobServiceClient

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_READ = (f"{_BLOBS}/read", "Storage Blob Data Reader")
_WRITE = (f"{_BLOBS}/write", "Storage Blob Data Contributor")
_WHOLE = 1 << 30
"""Above what anybody reads at once: the SDK splits no read into several requests."""
_MOST_RANGES = 10_000
_CLIENTS = 32
_TYPES = {".json": "application/json", ".log": "text/plain; charset=utf-8"}

_Meanings = dict[int | tuple[int, str], Meaning]
_CHANGED: _Meanings = {412: saying(Changed, "its ETag is no longer the pinned one")}
_RANGE: _Meanings = {416: saying(Invalid, "it has no bytes there")}
_TAKEN = saying(Exists, "the name is taken")
_LEASED = saying(Conflict, "it is leased, and not by us, or no longer")
_LEASE_LOST = saying(Conflict, "the lease is not ours any more")


class StorageBlobs:
    """`ports.Blobs`. `template` says where accounts are, such as `https://{account}.blob.core.windows.net`."""

    def __init__(self, template: str, connection: Connection, *, ranges_per_page: int = _MOST_RANGES) -> None:
        self._addresses = Addresses(template)
        self._connection = connection
        self._ranges_per_page = ranges_per_page
        self._accounts: OrderedDict[str, BlobServiceClient] = OrderedDict()
        self._blobs: OrderedDict[BlobAddress, BlobClient] = OrderedDict()
        self._lock = threading.Lock()

    def facts(self, at: BlobAddress) -> BlobFacts:
        with translated(_call(f"looking at blob {at}", at.account, _READ)):
            found = self._blob(at).get_blob_properties()
        page_blob = str(getattr(found.blob_type, "value", found.blob_type)) == "PageBlob"
        return BlobFacts(found.etag, found.size, found.last_modified, dict(found.metadata or {}), page_blob)

    def ranges(self, at: BlobAddress, *, if_match: str | None = None, after: str | None = None) -> RangePage:
        wrong_kind: _Meanings = {(409, "InvalidBlobType"): saying(Invalid, "it is not a page blob")}
        call = _call(f"listing the ranges of blob {at}", at.account, _READ, {**_CHANGED, **wrong_kind})
        with translated(call):
            listed = self._blob(at).list_page_ranges(
                results_per_page=self._ranges_per_page, **_unless(if_match)
            )
            pages: Any = listed.by_page(continuation_token=after)
            found = tuple(PageRange(each.start, each.end + 1) for each in next(pages, ()) if not each.cleared)
        return RangePage(found, pages.continuation_token or None)

    def read(self, at: BlobAddress, start: int, end: int, *, if_match: str | None = None) -> bytes:
        if not 0 <= start < end:
            raise Invalid(f"reading blob {at}: no bytes from {start} to {end}")
        call = _call(f"reading blob {at} from {start}", at.account, _READ, {**_CHANGED, **_RANGE})
        with translated(call):
            content = _download(self._blob(at), f"bytes={start}-{end - 1}", if_match)
        if not content:
            raise Invalid(f"reading blob {at}: it has no bytes from {start} to {end}")
        return content

    def create_pages(self, at: BlobAddress, length: int, metadata: dict[str, str]) -> str:
        from azure.core import MatchConditions

        taken: _Meanings = {(409, "BlobAlreadyExists"): _TAKEN, 412: _TAKEN}
        with translated(_call(f"creating blob {at}", at.account, _WRITE, taken)):
            answer = self._blob(at).create_page_blob(
                length, metadata=metadata, match_condition=MatchConditions.IfMissing
            )
        return str(answer["etag"])

    def copy_pages(
        self, source: BlobAddress, source_etag: str, target: BlobAddress, lease: str, chunk: PageRange
    ) -> None:
        from azure.core import MatchConditions

        doing = f"copying {chunk.start}-{chunk.end} of blob {source} to {target}"
        read = Need(*_READ, f"storage account {source.account}")
        write = Need(*_WRITE, f"storage account {target.account}")
        with translated(copying(doing, read=read, write=write)):
            self._blob(target).upload_pages_from_url(
                self._addresses.url_of(source),
                offset=chunk.start,
                length=chunk.size,
                source_offset=chunk.start,
                source_authorization=self._connection.identity.bearer(STORAGE),
                source_etag=source_etag,
                source_match_condition=MatchConditions.IfNotModified,
                lease=lease,
            )

    def label(self, at: BlobAddress, metadata: dict[str, str], lease: str) -> str:
        with translated(_call(f"labelling blob {at}", at.account, _WRITE, {412: _LEASED})):
            answer = self._blob(at).set_blob_metadata(metadata, lease=lease)
        return str(answer["etag"])

    def acquire(self, at: BlobAddress, lease: str, duration: timedelta) -> None:
        held: _Meanings = {
            (409, "LeaseAlreadyPresent"): saying(Busy, "somebody else holds the lease"),
            409: _LEASE_LOST,
        }
        with translated(_call(f"leasing blob {at}", at.account, _WRITE, held)):
            self._blob(at).acquire_lease(int(duration.total_seconds()), lease_id=lease)

    def renew(self, at: BlobAddress, lease: str) -> None:
        with translated(_call(f"renewing the lease of blob {at}", at.account, _WRITE, {409: _LEASE_LOST})):
            self._lease(at, lease).renew()

    def release(self, at: BlobAddress, lease: str) -> None:
        with translated(_call(f"giving back the lease of blob {at}", at.account, _WRITE, {409: _LEASE_LOST})):
            self._lease(at, lease).release()

    def write(self, at: BlobAddress, content: bytes, *, if_none_match: bool) -> str:
        from azure.storage.blob import ContentSettings

        kind = next(
            (kind for end, kind in _TYPES.items() if at.name.endswith(end)), "application/octet-stream"
        )
        taken: _Meanings = {
            (409, "BlobAlreadyExists"): _TAKEN,
            (412, "ConditionNotMet"): _TAKEN,
            412: _LEASED,
        }
        with translated(_call(f"writing blob {at}", at.account, _WRITE, taken)):
            answer = self._blob(at).upload_blob(
                content, overwrite=not if_none_match, content_settings=ContentSettings(content_type=kind)
            )
        return str(answer["etag"])

    def list(self, account: str, container: str, prefix: str, after: str | None = None) -> BlobPage:
        with translated(_call(f"listing blobs {account}/{container}/{prefix}*", account, _READ)):
            found = self._account(account).get_container_client(container)
            listed = found.list_blobs(name_starts_with=prefix, include=["metadata"])
            pages: Any = listed.by_page(continuation_token=after)
            blobs = tuple(
                ListedBlob(each.name, each.etag, dict(each.metadata or {})) for each in next(pages, ())
            )
        return BlobPage(blobs, pages.continuation_token or None)

    def mark(self, at: BlobAddress, metadata: dict[str, str], if_match: str) -> None:
        with translated(
            _call(f"marking blob {at}", at.account, _WRITE, {**_CHANGED, (412, "LeaseIdMissing"): _LEASED})
        ):
            self._blob(at).set_blob_metadata(metadata, **_unless(if_match))

    def delete(self, at: BlobAddress, if_match: str) -> None:
        need = (f"{_BLOBS}/delete", "Storage Blob Data Contributor")
        call = _call(f"deleting blob {at}", at.account, need, {**_CHANGED, (412, "LeaseIdMissing"): _LEASED})
        with translated(call):
            self._blob(at).delete_blob(**_unless(if_match))

    def _blob(self, at: BlobAddress) -> "BlobClient":
        """The same client for all requests to a blob: making one costs as much as a request."""
        with self._lock:
            known = self._blobs.get(at)
            if known is not None:
                self._blobs.move_to_end(at)
                return known
        service = self._account(at.account)
        with self._lock:
            self._blobs[at] = made = service.get_blob_client(at.container, at.name)
            _forget_oldest(self._blobs)
            return made

    def _account(self, account: str) -> "BlobServiceClient":
        from azure.storage.blob import BlobServiceClient

        base = self._addresses.base(account)
        with self._lock:
            if account not in self._accounts:
                options = self._connection.options(base)
                self._accounts[account] = BlobServiceClient(base, max_single_put_size=_WHOLE, **options)
                _forget_oldest(self._accounts)
            self._accounts.move_to_end(account)
            return self._accounts[account]

    def _lease(self, at: BlobAddress, lease: str) -> Any:
        from azure.storage.blob import BlobLeaseClient

        return BlobLeaseClient(self._blob(at), lease_id=lease)


def _call(doing: str, account: str, need: tuple[str, str], but: _Meanings | None = None) -> Call:
    return Call(doing, Need(*need, f"storage account {account}"), but or {})


def _unless(etag: str | None) -> dict[str, Any]:
    from azure.core import MatchConditions

    return {} if etag is None else {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _download(blob: "BlobClient", range_: str, etag: str | None) -> bytes:
    """One GET.

    `download_blob` would send a second request, for the ranges of a page blob, and sleep and re-send on its
    own when an answer breaks off: hence the generated client beneath it.
    """
    from azure.storage.blob._generated.models import ModifiedAccessConditions

    generated: Any = blob._client  # noqa: SLF001  see above
    stream = generated.blob.download(
        range=range_, modified_access_conditions=ModifiedAccessConditions(if_match=etag)
    )
    return b"".join(stream)


def _forget_oldest(known: "OrderedDict[Any, Any]") -> None:
    """Staging accounts come and go; a worker that lives for weeks must not remember them all."""
    while len(known) > _CLIENTS:
        known.popitem(last=False)
