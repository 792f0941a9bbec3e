"""The archive: VHDs that are safe, and the manifests that say so."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.contracts.manifest import ManifestDocument
from shared.domain.callers import Role
from shared.domain.listings import VhdLine
from shared.domain.records import OutputRecord

from .names import ImageText, Moment, RunText
from .operations import Operation
from .paging import Paging

OutputText = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="An output, by its `runOutputName`.",
        examples=["ubuntu-22-vhd"],
    ),
]


class ArchiveFilter(Paging, frozen=True, rename="camel", kw_only=True):
    image: ImageText | None = None
    since: Annotated[Moment, Meta(description="Of runs that began from then on.")] | None = None
    until: Annotated[Moment, Meta(description="Of runs that began before then.")] | None = None


class OfVhd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    image: ImageText
    run: RunText
    output: OutputText


class VhdItem(msgspec.Struct, frozen=True, rename="camel"):
    image: str
    run: str
    output: str
    blob: str
    """Where it is, as `account/container/name`."""
    bytes: int
    version: str | None
    """The source version that it was built from."""
    archived: datetime


class VhdList(msgspec.Struct, frozen=True, rename="camel"):
    """Those of the newest runs first. What retention has deleted is not in it any more."""

    items: tuple[VhdItem, ...]
    next: str | None


class VhdView(msgspec.Struct, frozen=True, rename="camel"):
    image: str
    run: str
    output: str
    state: str
    """`archived`, or `retired` once retention has deleted it."""
    template: str
    blob: str
    etag: str
    bytes: int
    """Of the blob, its footer included."""
    allocated: int
    """Bytes that hold data."""
    version: str | None
    inferred: bool
    source: str | None
    """Where it was copied from."""
    verification: str
    """`footer`, `sample` or `full`: how its content was compared."""
    chunks: int
    """How many chunks were compared."""
    sha256: str | None
    """Over the digests of its allocated chunks; null unless all were compared."""
    found: datetime | None
    copy_started: datetime | None
    copy_ended: datetime | None
    verified: datetime | None


def item(line: VhdLine) -> VhdItem:
    version = str(line.version) if line.version else None
    return VhdItem(line.image, line.run, line.output, line.blob, line.length, version, line.archived)


def view(record: OutputRecord) -> VhdView:
    return VhdView(
        image=record.image,
        run=record.run,
        output=record.name,
        state=record.state.value,
        template=record.template,
        blob=str(record.target),
        etag=record.target_etag,
        bytes=record.length,
        allocated=record.allocated,
        version=str(record.version) if record.version else None,
        inferred=record.inferred,
        source=str(record.source) if record.source else None,
        verification=record.verification,
        chunks=record.checked,
        sha256=record.digest or None,
        found=record.found,
        copy_started=record.copy_started,
        copy_ended=record.copy_ended,
        verified=record.verified,
    )


OPERATIONS: Final = (
    Operation(
        id="listArchive",
        method="GET",
        path="/archive",
        tag="Archive",
        summary="Archived VHDs, those of the newest runs first",
        role=Role.READ,
        query=ArchiveFilter,
        answer=VhdList,
        etag=True,
        refusals=frozenset({HTTPStatus.NOT_FOUND}),
    ),
    Operation(
        id="showVhd",
        method="GET",
        path="/archive/{image}/{run}/{output}",
        tag="Archive",
        summary="An archived VHD: where it is, how it was verified, what it was built from",
        role=Role.READ,
        at=OfVhd,
        answer=VhdView,
        etag=True,
    ),
    Operation(
        id="showManifest",
        method="GET",
        path="/archive/{image}/{run}/{output}/manifest",
        tag="Archive",
        summary="Its manifest, as it stands beside the VHD",
        role=Role.READ,
        at=OfVhd,
        answer=ManifestDocument,
        etag=True,
    ),
)
