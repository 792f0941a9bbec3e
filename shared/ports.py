"""What the use cases need from outside, shaped by their needs.

Every method of the storage ports (Ledger, Queues, Blobs) is exactly one service request: loops live in use
cases, so that a cut at a port is a cut at a request. All raise the errors of `domain.errors` and no others.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

import msgspec

from .domain.estate import Content, Seen
from .domain.events import FactoryEvent
from .domain.galleries import DefinitionId, GalleryVersion, Update, VersionId
from .domain.ids import BlobAddress, ResourceId, TemplateId
from .domain.keys import Key
from .domain.looks import Look
from .domain.manifests import Manifest
from .domain.records import Record
from .domain.sources import ListedVersion, MarketplaceSource
from .domain.templates import BlobFacts, PageRange, RunOutput, Template

REQUEST_TIMEOUT = timedelta(seconds=75)
"""After so long no request of a gateway is under way any more: it was answered, or is given up."""

MOST_WRITES = 100
"""In one transaction, as the table service allows."""

T = TypeVar("T")
R = TypeVar("R")
Rec = TypeVar("Rec", bound=Record)


class Held(msgspec.Struct, Generic[Rec], frozen=True):
    """A record as read, with the ETag that a write which depends on it must carry."""

    record: Rec
    etag: str


class Insert(msgspec.Struct, frozen=True):
    """Write if absent."""

    record: Record


class Replace(msgspec.Struct, frozen=True):
    """Write if still as read."""

    record: Record
    etag: str


class Put(msgspec.Struct, frozen=True):
    """Write whatever is there: for lines that are the same when written twice."""

    record: Record


class Remove(msgspec.Struct, frozen=True):
    """Delete if still as read."""

    key: Key
    etag: str


Write = Insert | Replace | Put | Remove


class Page(msgspec.Struct, frozen=True):
    """Some rows in key order; `after` is where to go on, None at the end."""

    rows: tuple[Held[Record], ...]
    after: str | None


class Ledger(Protocol):
    def read(self, key: Key, kind: type[Rec]) -> Held[Rec] | None:
        """None if absent."""

    def scan(
        self,
        partition: str,
        prefix: str,
        *,
        start: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Page:
        """One page of the rows of a partition whose row key begins with `prefix`, from the key `start` on.

        `after` is what the page before gave. Rows that cannot be read are told in the logs and left out.
        """

    def scan_across(self, row: str, *, after: str | None = None, limit: int = 1000) -> Page:
        """One page of the rows with exactly this row key in all partitions. Pages may be empty."""

    def commit(self, partition: str, writes: Sequence[Write]) -> tuple[str, ...]:
        """All or nothing, at most MOST_WRITES in one partition; the new ETags in order (`""` for Remove).

        Raises Conflict if any condition does not hold.
        """


class Queues(Protocol):
    def send(self, look: Look, delay: timedelta = timedelta(0)) -> None:
        """Into the look's lane. Longer delays than a day are shortened to a day: a look decides again."""

    def send_raw(self, lane: str, body: str) -> None:
        """A poison message as it was, into its lane again."""


class RangePage(msgspec.Struct, frozen=True):
    ranges: tuple[PageRange, ...]
    after: str | None


class ListedBlob(msgspec.Struct, frozen=True):
    name: str
    etag: str
    metadata: dict[str, str]


class BlobPage(msgspec.Struct, frozen=True):
    blobs: tuple[ListedBlob, ...]
    after: str | None


class Blobs(Protocol):
    """Blobs by address. `Missing` means that the service says so; no answer is `Unreachable`.

    `if_match` pins an ETag: `Changed` if the blob has another one.
    """

    def facts(self, at: BlobAddress) -> BlobFacts: ...

    def ranges(self, at: BlobAddress, *, if_match: str | None = None, after: str | None = None) -> RangePage:
        """One page of allocated ranges, in order."""

    def read(self, at: BlobAddress, start: int, end: int, *, if_match: str | None = None) -> bytes:
        """Bytes [start, end)."""

    def create_pages(self, at: BlobAddress, length: int, metadata: dict[str, str]) -> str:
        """An empty page blob with If-None-Match: *; its ETag. Raises Exists."""

    def copy_pages(
        self, source: BlobAddress, source_etag: str, target: BlobAddress, lease: str, chunk: PageRange
    ) -> None:
        """Service to service: the same range of the source, at most 4 MiB. Changed if the source is."""

    def label(self, at: BlobAddress, metadata: dict[str, str], lease: str) -> str:
        """Replace the metadata; the new ETag."""

    def acquire(self, at: BlobAddress, lease: str, duration: timedelta) -> None:
        """Raises Busy while somebody else holds it. Acquiring one's own lease again renews it."""

    def renew(self, at: BlobAddress, lease: str) -> None:
        """Raises Conflict if the lease is no longer ours."""

    def release(self, at: BlobAddress, lease: str) -> None: ...

    def write(self, at: BlobAddress, content: bytes, *, if_none_match: bool) -> str:
        """A small block blob; its ETag. Raises Exists if `if_none_match` and it is there."""

    def list(self, account: str, container: str, prefix: str, after: str | None = None) -> BlobPage:
        """One page of blobs with their metadata, in the order of names. Missing if there is no container."""

    def mark(self, at: BlobAddress, metadata: dict[str, str], if_match: str) -> None:
        """Replace the metadata of a blob that nobody has leased. Changed if it is another."""

    def delete(self, at: BlobAddress, if_match: str) -> None:
        """Changed if it is another one, or gone (then perhaps Missing); Conflict while somebody leases it."""


class Templates(Protocol):
    """Image Builder. Each call is one Resource Manager request, never re-sent by an SDK."""

    def get(self, id: TemplateId) -> Template | None: ...

    def list(self, subscription: str) -> Iterator[Template]:
        """All templates of a subscription, one request per page."""

    def create(self, id: TemplateId, body: bytes, owner: str, made: datetime) -> None:
        """PUT the template file, it and its artifacts tagged as `owner`'s. Started and left.

        Raises WrongState if there is one.
        """

    def patch(self, id: TemplateId, body: bytes, owner: str, tags: Mapping[str, str]) -> None:
        """PATCH what Azure can change to what the template file says, and the `tags` there are with it.

        Started and left. Raises WrongState while it runs or is changed.
        """

    def delete(self, id: TemplateId) -> None:
        """Started and left. Raises WrongState while it runs."""

    def cancel(self, id: TemplateId) -> None:
        """The run under way. Started and left. Raises WrongState if none is, or it is being cancelled."""

    def run(self, id: TemplateId) -> None:
        """Started and left. Raises WrongState if it runs already, Unreachable if nobody knows."""

    def outputs(self, id: TemplateId) -> tuple[RunOutput, ...]: ...


class Marketplace(Protocol):
    def versions(self, source: MarketplaceSource) -> tuple[ListedVersion, ...]:
        """Every listed version, in no order. Raises Missing for an unknown image."""


class Galleries(Protocol):
    """Compute galleries. Each call is one Resource Manager request, never re-sent by an SDK."""

    def get(self, id: VersionId) -> GalleryVersion | None:
        """With the state of every region (`$expand=ReplicationStatus`)."""

    def list(self, id: DefinitionId) -> Iterator[GalleryVersion]:
        """Every version, one request per page, in no order. Regions have no state; Missing if none such."""

    def update(self, version: GalleryVersion, change: Update) -> None:
        """Replace the target regions, as read in `version` and changed. Started and left.

        Its tags are left alone, and no region may be dropped that has replicated. WrongState while it takes
        no such update: it is still updating, or the list has got stale. Whether it can be sent is the claim's
        say.
        """


class Resources(Protocol):
    def tags(self, id: ResourceId) -> dict[str, str] | None:
        """Tags of a gallery version or managed image; None if it does not exist."""

    def account_exists(self, subscription: str, group: str, account: str) -> bool:
        """Whether Resource Manager knows the storage account. AccessDenied is no answer."""


class Estate(Protocol):
    """Everything in the subscriptions at once, and single things by their id, in lower case.

    What is asked for by id may be a gallery version, a managed image, a template or a resource group.
    """

    def resources(self, scope: tuple[str, ...], near: tuple[str, ...] = ()) -> Iterator[Seen]:
        """From Resource Graph, one request a page; without a word about what the identity may not read.

        `near` narrows it to what is below one of these ids, or speaks of one.
        """

    def instances(self, scope: tuple[str, ...], near: tuple[str, ...] = ()) -> Iterator[Seen]:
        """Likewise, the instances of scale sets."""

    def readable(self, subscription: str) -> None:
        """AccessDenied unless machines, scale sets and templates of the whole subscription may be read."""

    def read(self, id: str) -> Seen | None:
        """As it is now; None if it does not exist."""

    def contents(self, group: str) -> tuple[Content, ...]:
        """All that is in a resource group, whether or not its own type may be read."""

    def delete(self, id: str) -> None:
        """Started and left, never past a soft delete. WrongState if it cannot go now."""

    def cancel(self, id: str) -> None:
        """The run of a template. Started and left. WrongState if there is none."""

    def restore(self, id: str, location: str) -> None:
        """A gallery version that is soft-deleted. Started and left."""

    def merge_tags(self, id: str, tags: Mapping[str, str]) -> None:
        """Set these and leave the others: a pin that is set at the same moment survives."""

    def remove_tags(self, id: str, tags: Mapping[str, str]) -> None:
        """Remove these, where they still have these values."""


class Events(Protocol):
    def publish(self, event: FactoryEvent) -> None:
        """To the factory's own topic."""

    def reach(self) -> None:
        """Unreachable if the topic's address does not answer. Says nothing of the right to publish there."""


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC."""

    def pause(self, seconds: float) -> None:
        """For pacing within a time slice alone: no function waits for anything else."""


class Workers(Protocol):
    def run(self, tasks: Iterable[T], work: Callable[[T], R]) -> Iterator[R]:
        """Work off tasks some at a time, results as they come; tasks are taken lazily.

        The first error ends it: no further task is taken, those under way end, then it is raised.
        """


class Manifests(Protocol):
    def write(self, at: BlobAddress, manifest: Manifest) -> None:
        """If-None-Match: *. Raises Exists: the same run's manifest is there already."""

    def read(self, at: BlobAddress) -> Manifest:
        """Raises Missing, or Invalid for what no factory has written."""


class Scripts(Protocol):
    """Scripts and files that templates name, by the address as it is written there."""

    def etag(self, url: str) -> str | None:
        """Differs once it has changed. None for an address that is not one of a blob in the configured cloud.

        One request; Missing, AccessDenied or Unreachable if it cannot be read.
        """


class Outside(msgspec.Struct, frozen=True):
    """Everything outside, as one argument."""

    ledger: Ledger
    queues: Queues
    blobs: Blobs
    manifests: Manifests
    scripts: Scripts
    templates: Templates
    marketplace: Marketplace
    galleries: Galleries
    resources: Resources
    estate: Estate
    events: Events
    clock: Clock
    workers: Workers
    new_id: Callable[[], str]
    version: str
    """Of the factory, for manifests and health."""
    graph_lag: timedelta = timedelta(minutes=15)
    """How far Resource Graph may be behind."""
