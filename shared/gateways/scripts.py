"""Scripts that templates name: whether they have changed, without reading them.

A token goes to storage accounts of the configured cloud alone. Of what lies elsewhere, or is opened by a
signature in its address, nothing is asked.
"""

from shared.domain.errors import Invalid
from shared.ports import Blobs

from .addresses import Addresses


class StorageScripts:
    """`ports.Scripts` over any `ports.Blobs`. `template` says where accounts are."""

    def __init__(self, template: str, blobs: Blobs) -> None:
        self._addresses = Addresses(template)
        self._blobs = blobs

    def etag(self, url: str) -> str | None:
        try:
            at = self._addresses.address_of(url)
        except Invalid:
            return None
        return self._blobs.facts(at).etag
