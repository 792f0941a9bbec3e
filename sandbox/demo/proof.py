"""The proof at the end: the archive is read back and compared with what Image Builder wrote.

What Image Builder wrote was kept when it was written: the staging account that held it is gone by now.
"""

import asyncio
import hashlib
from typing import Any, Final

import msgspec

from sandbox.arm.storage import BlobAddress
from sandbox.demo.alarms import Deviation
from sandbox.demo.evidence import Evidence
from sandbox.demo.reading import Reader
from sandbox.vhd import Vhd

_PIECE: Final = 4 * 1024 * 1024
_AT_ONCE: Final = 4


class Archived(msgspec.Struct, frozen=True):
    """What lies in the archive, proven to be what was made."""

    vhd: BlobAddress
    size: int
    allocated: int
    made_sha256: str
    read_sha256: str
    manifest: dict[str, Any]


async def prove(evidence: Evidence, reader: Reader) -> Archived:
    """Raises `Deviation` for whatever differs."""
    target = evidence.target
    if target is None or len(evidence.made) != 1:
        raise Deviation(f"Image Builder made {len(evidence.made)} VHDs, expected 1")
    _, made = evidence.made[0]
    names = await reader.names(target.account, target.container)
    manifest_name = target.name.removesuffix(".vhd") + ".json"
    if sorted(names) != sorted((target.name, manifest_name)):
        raise Deviation(
            f"the archive holds {', '.join(names) or 'nothing'}, expected one VHD and its manifest"
        )
    read = await _same(reader, target, made)
    manifest = msgspec.json.decode(
        await reader.read(BlobAddress(target.account, target.container, manifest_name))
    )
    _check(manifest, evidence, made)
    return Archived(target, made.size, made.allocated, made.sha256(), read, manifest)


async def _same(reader: Reader, target: BlobAddress, made: Vhd) -> str:
    """Read all of it, holes included, some pieces at once; return its SHA-256."""
    size = await reader.size(target)
    if size != made.size:
        raise Deviation(f"the archived VHD is {size} bytes long, the one that was made {made.size}")
    digest = hashlib.sha256()
    for start in range(0, size, _PIECE * _AT_ONCE):
        starts = range(start, min(start + _PIECE * _AT_ONCE, size), _PIECE)
        pieces = [reader.read(target, each, min(_PIECE, size - each)) for each in starts]
        for at, piece in zip(starts, await asyncio.gather(*pieces), strict=True):
            if piece != made.read(at, _PIECE):
                raise Deviation(
                    f"the archived VHD differs from the one that was made, in the 4 MiB from {at}"
                )
            digest.update(piece)
    return digest.hexdigest()


def _check(manifest: dict[str, Any], evidence: Evidence, made: Vhd) -> None:
    """Compare what the manifest says with what is known without it."""
    expected = {
        "image": evidence.image,
        "sourceVersion": evidence.version,
        "size": made.size,
        "allocatedBytes": made.allocated,
        "sha256": digest_of(made),
    }
    flat = {**manifest, **manifest.get("vhd", {}), **manifest.get("verification", {})}
    for name, value in expected.items():
        if flat.get(name) != value:
            raise Deviation(f"the manifest says {name} is {flat.get(name)!r}, expected {value!r}")


def digest_of(vhd: Vhd) -> str:
    """SHA-256 over the digests of what is allocated, in order, in pieces of 4 MiB: as manifests tell it."""
    digests = (
        hashlib.sha256(content[start : start + _PIECE]).digest()
        for _, content in vhd.extents
        for start in range(0, len(content), _PIECE)
    )
    return hashlib.sha256(b"".join(digests)).hexdigest()
