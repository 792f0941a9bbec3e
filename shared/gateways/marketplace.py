"""The versions of marketplace images, as one region lists them."""

from typing import Any

from shared import telemetry
from shared.domain.errors import Invalid
from shared.domain.sources import ListedVersion, MarketplaceSource
from shared.domain.versions import Version

from .arm import arm_call, text_at
from .compute import ComputeClients
from .connection import Connection
from .errors import Need, translated

_ACTION = "Microsoft.Compute/locations/publishers/artifactTypes/offers/skus/versions/read"


class ArmMarketplace:
    """`ports.Marketplace`."""

    def __init__(self, endpoint: str, connection: Connection) -> None:
        self._clients = ComputeClients(endpoint, connection)

    def versions(self, source: MarketplaceSource) -> tuple[ListedVersion, ...]:
        need = Need(_ACTION, "Reader", f"/subscriptions/{source.subscription}")
        place = (source.location, source.publisher, source.offer, source.sku)
        with translated(arm_call(f"listing the versions of {source}", need)):
            images = self._clients.of(source.subscription).virtual_machine_images
            listed = images.list(*place, expand="properties")
        read = (_listed(each, source) for each in listed)
        return tuple(each for each in read if each is not None)


def _listed(document: Any, source: MarketplaceSource) -> ListedVersion | None:
    name = text_at(document, "name")
    try:
        version = Version.parse(name)
    except Invalid as error:
        telemetry.event("version-skipped", source=source.key, version=name, error=error)
        return None
    state = text_at(document, "properties", "imageDeprecationStatus", "imageState")
    return ListedVersion(version, deprecated=state.lower() == "deprecated")
