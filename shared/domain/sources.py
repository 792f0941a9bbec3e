"""Where images come from, and what is seen there."""

import msgspec

from .galleries import DefinitionId
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

    @property
    def root(self) -> str:
        """Names what images descend from, whichever region lists it."""
        return ":".join((self.publisher, self.offer, self.sku)).lower()

    def __str__(self) -> str:
        return f"{self.publisher}:{self.offer}:{self.sku} in {self.location}"


class GallerySource(msgspec.Struct, frozen=True):
    """A gallery definition as seen from one region: what is `latest` there is what an image is built from."""

    definition: DefinitionId
    location: str

    @property
    def key(self) -> str:
        of = self.definition
        return ":".join(("gallery", of.subscription, self.location, of.group, of.gallery, of.name))

    @property
    def subscription(self) -> str:
        return self.definition.subscription

    @property
    def root(self) -> str:
        return str(self.definition)

    def __str__(self) -> str:
        return f"{self.definition.gallery}/{self.definition.name} in {self.location}"


Source = MarketplaceSource | GallerySource
"""What can be watched for a newer version."""


class ListedVersion(msgspec.Struct, frozen=True):
    """One version that the source offers where it is watched."""

    version: Version
    deprecated: bool = False
