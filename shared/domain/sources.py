"""Where images come from, and what is seen there."""

import msgspec

from .versions import Version


class MarketplaceSource(msgspec.Struct, frozen=True):
    """A marketplace image as one region lists it: versions reach regions at different times."""

    subscription: str
    location: str
    publisher: str
    offer: str
    sku: str

    @property
    def key(self) -> str:
        """Names the source in the ledger and in messages, whatever the spelling in templates."""
        return ":".join((self.subscription, self.location, self.publisher, self.offer, self.sku)).lower()

    def __str__(self) -> str:
        return f"{self.publisher}:{self.offer}:{self.sku} in {self.location}"


class ListedVersion(msgspec.Struct, frozen=True):
    """One entry of the marketplace's list."""

    version: Version
    deprecated: bool = False
