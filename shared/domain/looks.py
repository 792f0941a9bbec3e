"""A look: the one message of the factory. It names a thing and never says what to do."""

import enum
from datetime import datetime

import msgspec


class Lane(enum.Enum):
    """One queue each."""

    SOURCES = "sources"
    BUILDS = "builds"
    ARCHIVE = "archive"
    RELEASES = "releases"
    RETENTION = "retention"


class Thing(enum.Enum):
    """What can be looked at."""

    SOURCE = "source"
    IMAGE = "image"
    OUTPUT = "output"
    VERSION = "version"
    RETIRING = "retiring"
    """Anything that retention may delete, as `kind:id`."""


class Look(msgspec.Struct, frozen=True):
    """One observe-plan-apply on one thing.

    `due` is None for a look that an event or a person asked for, else the `look_due` that armed it.
    `first` is when the work was first tried: what is retried too long is reported as failed.
    """

    lane: Lane
    thing: Thing
    id: str
    correlation: str
    due: datetime | None = None
    attempt: int = 1
    first: datetime | None = None


class Trouble(msgspec.Struct, frozen=True):
    """A look at the thing failed and is tried again at `due`: what fails meanwhile sends no further one."""

    since: datetime
    due: datetime
    why: str
