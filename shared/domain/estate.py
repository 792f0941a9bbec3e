"""What there is in the subscriptions, as far as retention asks: seen at once, by one query, or one by one.

Ids are in lower case throughout: Azure compares them without regard to it, and spells them as it likes.
"""

from datetime import datetime

import msgspec


class Reference(msgspec.Struct, frozen=True):
    """An image that something was made from, or is about to be."""

    id: str
    """Of a gallery version, a definition (then the newest there is meant), or a managed image."""
    exact: str = ""
    """Which version that was, where only the definition is named."""


class SeenSubscription(msgspec.Struct, frozen=True):
    id: str


class SeenGroup(msgspec.Struct, frozen=True):
    """A resource group."""

    id: str
    name: str
    state: str
    tags: dict[str, str]


class SeenVersion(msgspec.Struct, frozen=True):
    """A gallery version."""

    id: str
    state: str
    tags: dict[str, str]
    published: datetime | None
    end_of_life: datetime | None
    guarded: bool
    """`blockDeletionBeforeEndOfLife`."""
    excluded: bool
    """Excluded from latest everywhere, whatever the regions say."""
    regions: tuple[tuple[str, bool], ...]
    """Target regions, and whether it is excluded from latest there."""

    @property
    def definition(self) -> str:
        return self.id.rsplit("/versions/", 1)[0]

    @property
    def number(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def offered(self) -> tuple[str, ...]:
        return () if self.excluded else tuple(name for name, excluded in self.regions if not excluded)


class SeenImage(msgspec.Struct, frozen=True):
    """A managed image."""

    id: str
    state: str
    tags: dict[str, str]
    location: str


class SeenTemplate(msgspec.Struct, frozen=True):
    """An image template."""

    id: str
    state: str
    tags: dict[str, str]
    location: str
    source: Reference | None
    run_state: str = ""
    run_start: str = ""
    """To the letter: it names the run."""
    run_started: datetime | None = None
    timeout_minutes: int = 240
    """As Azure takes it where nothing is said."""
    staging_group: str = ""


class User(msgspec.Struct, frozen=True):
    """A machine, a scale set, one of its instances, or a lab."""

    id: str
    name: str
    references: tuple[Reference, ...]
    runs: bool
    """It is made already: without the exact version nobody knows which one it came from."""
    instances: int = 0
    """So many rows of their own has a scale set; those of other modes are machines."""


class Content(msgspec.Struct, frozen=True):
    """Something in a staging resource group."""

    id: str
    type: str
    tags: dict[str, str] = {}
    unlisted: str = ""
    """Why what is in the group could not be listed."""


class Unreadable(msgspec.Struct, frozen=True):
    """What is there and is not understood."""

    id: str
    why: str


Seen = SeenSubscription | SeenGroup | SeenVersion | SeenImage | SeenTemplate | User | Content | Unreadable


class SeenBlob(msgspec.Struct, frozen=True):
    """A blob in an archive's container."""

    account: str
    container: str
    name: str
    etag: str
    metadata: dict[str, str]
