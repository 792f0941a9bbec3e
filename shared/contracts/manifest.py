"""The manifest's wire format: JSON that people and their pipelines read, so its keys stay as they are."""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from shared.domain.errors import Invalid
from shared.domain.factory import Verification
from shared.domain.ids import BlobAddress, TemplateId
from shared.domain.manifests import Manifest
from shared.domain.versions import Version

VERSION: Final = 1
LARGEST: Final = 64 * 1024

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    pass


class ManifestVhd(_Part, frozen=True):
    account: str
    container: str
    name: str
    etag: str
    size: _Count
    allocated_bytes: _Count


class ManifestSource(_Part, frozen=True):
    account: str
    container: str
    name: str
    etag: str


class ManifestVerification(_Part, frozen=True):
    kind: Verification
    chunks: _Count
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)] | None


class ManifestTimes(_Part, frozen=True):
    found: _Moment | None
    copy_started: _Moment | None
    copy_ended: _Moment | None
    verified: _Moment


class ManifestDocument(_Part, frozen=True, omit_defaults=True):
    v: Annotated[int, msgspec.Meta(ge=1)]
    image: str
    template: str
    run: str
    output: str
    source_version: str | None
    source_version_inferred: bool
    vhd: ManifestVhd
    source: ManifestSource
    verification: ManifestVerification
    times: ManifestTimes
    factory: str
    generalized_by: str | None = None
    """Only where the template brings a command of its own: manifests of before say nothing of it."""


class _Versioned(msgspec.Struct, frozen=True):
    v: Annotated[int, msgspec.Meta(ge=1)]


def encode(manifest: Manifest) -> bytes:
    """The same manifest is the same bytes. Raises Invalid for what could not be read back."""
    document = {
        "v": VERSION,
        "image": manifest.image,
        "template": manifest.template,
        "run": manifest.run,
        "output": manifest.output,
        "sourceVersion": manifest.source_version,
        "sourceVersionInferred": manifest.source_version_inferred,
        "vhd": {
            **msgspec.structs.asdict(manifest.vhd),
            "etag": manifest.vhd_etag,
            "size": manifest.size,
            "allocatedBytes": manifest.allocated,
        },
        "source": {**msgspec.structs.asdict(manifest.source), "etag": manifest.source_etag},
        "verification": {
            "kind": manifest.verification,
            "chunks": manifest.chunks,
            "sha256": manifest.sha256 or None,
        },
        "times": {
            "found": _utc(manifest.found),
            "copyStarted": _utc(manifest.copy_started),
            "copyEnded": _utc(manifest.copy_ended),
            "verified": _utc(manifest.verified),
        },
        "factory": manifest.factory_version,
    }
    if manifest.generalized_by:
        document["generalizedBy"] = manifest.generalized_by
    content = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
    decode(content)
    return content


def decode(content: bytes) -> Manifest:
    """Raises Invalid for anything that this factory, or an older one, cannot have written."""
    if len(content) > LARGEST:
        raise Invalid(f"a manifest of {len(content)} bytes; expected at most {LARGEST}")
    try:
        version = msgspec.json.decode(content, type=_Versioned).v
        if version > VERSION:
            raise Invalid(f"the manifest has version {version}, this factory knows {VERSION}")
        return _manifest(msgspec.json.decode(content, type=ManifestDocument))
    except (msgspec.DecodeError, RecursionError, OverflowError, UnicodeError) as error:
        raise Invalid(f"this is not a manifest: {str(error)[:200]}") from error


def document(manifest: Manifest) -> ManifestDocument:
    """As it goes over HTTP: the same as beside the VHD."""
    return msgspec.json.decode(encode(manifest), type=ManifestDocument)


def _manifest(document: ManifestDocument) -> Manifest:
    vhd, source, checked, times = document.vhd, document.source, document.verification, document.times
    version = document.source_version
    TemplateId.parse(document.template)
    return Manifest(
        image=document.image,
        template=document.template,
        run=document.run,
        output=document.output,
        source_version=None if version is None else Version.parse(version).text,
        source_version_inferred=document.source_version_inferred,
        vhd=BlobAddress(vhd.account, vhd.container, vhd.name),
        vhd_etag=vhd.etag,
        size=vhd.size,
        allocated=vhd.allocated_bytes,
        source=BlobAddress(source.account, source.container, source.name),
        source_etag=source.etag,
        verification=checked.kind.value,
        chunks=checked.chunks,
        sha256=checked.sha256 or "",
        found=_utc(times.found),
        copy_started=_utc(times.copy_started),
        copy_ended=_utc(times.copy_ended),
        verified=_utc(times.verified),
        factory_version=document.factory,
        generalized_by=document.generalized_by or "",
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
