"""The manifest of an archived VHD: its commit mark and its entry in the catalogue."""

from datetime import datetime

import msgspec

from .errors import Invalid
from .ids import BlobAddress
from .records import OutputRecord


class Manifest(msgspec.Struct, frozen=True):
    """Written only after verification; a VHD without one is not archived."""

    image: str
    template: str
    run: str
    output: str
    source_version: str | None
    source_version_inferred: bool
    vhd: BlobAddress
    vhd_etag: str
    size: int
    """Of the blob in bytes, its footer of 512 included."""
    allocated: int
    """Bytes that hold data."""
    source: BlobAddress
    source_etag: str
    verification: str
    """`footer`, `sample` or `full`."""
    chunks: int
    """How many chunks were compared."""
    sha256: str
    """Over the ordered SHA-256 digests of the allocated chunks of at most 4 MiB; empty unless `full`."""
    found: datetime | None
    copy_started: datetime | None
    copy_ended: datetime | None
    """None for a VHD that was distributed straight into the archive."""
    verified: datetime | None
    factory_version: str
    generalized_by: str = ""
    """The command of its template that generalized it; empty for Image Builder's own."""


def manifest_of(record: OutputRecord, factory_version: str) -> Manifest:
    """Derived from the record, so that writing it twice writes the same. Raises Invalid if it is early."""
    if record.source is None or record.target is None or record.verified is None:
        raise Invalid(f"{record.id} is not verified: no manifest can be written for it")
    return Manifest(
        image=record.image,
        template=record.template,
        run=record.run,
        output=record.name,
        source_version=record.version.text if record.version else None,
        source_version_inferred=record.inferred,
        vhd=record.target,
        vhd_etag=record.target_etag,
        size=record.length,
        allocated=record.allocated,
        source=record.source,
        source_etag=record.etag,
        verification=record.verification,
        chunks=record.checked,
        sha256=record.digest,
        found=record.found,
        copy_started=record.copy_started,
        copy_ended=record.copy_ended,
        verified=record.verified,
        factory_version=factory_version,
        generalized_by=record.generalized_by,
    )
