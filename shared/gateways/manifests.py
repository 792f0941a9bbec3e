"""Manifests as blobs beside their VHDs: written once, in one request."""

from shared.contracts import manifest as contract
from shared.domain.ids import BlobAddress
from shared.domain.manifests import Manifest
from shared.ports import Blobs


class BlobManifests:
    """`ports.Manifests` over any `ports.Blobs`."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def write(self, at: BlobAddress, manifest: Manifest) -> None:
        self._blobs.write(at, contract.encode(manifest), if_none_match=True)

    def read(self, at: BlobAddress) -> Manifest:
        length = min(self._blobs.facts(at).length, contract.LARGEST + 1)
        return contract.decode(self._blobs.read(at, 0, length))
