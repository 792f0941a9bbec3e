"""The factory's own events, for whoever subscribes to them."""

import enum
import hashlib
from datetime import datetime

import msgspec


class EventType(enum.Enum):
    SOURCE_VERSION_FOUND = "ImageFactory.SourceVersionFound"
    BUILD_STARTED = "ImageFactory.BuildStarted"
    BUILD_ENDED = "ImageFactory.BuildEnded"
    VHD_ARCHIVED = "ImageFactory.VhdArchived"
    VERSION_RELEASED = "ImageFactory.VersionReleased"
    VERSION_WITHDRAWN = "ImageFactory.VersionWithdrawn"
    VERSION_MARKED = "ImageFactory.VersionMarked"
    VERSION_RETIRED = "ImageFactory.VersionRetired"
    RETENTION_BLOCKED = "ImageFactory.RetentionBlocked"
    WORK_FAILED = "ImageFactory.WorkFailed"


class FactoryEvent(msgspec.Struct, frozen=True):
    """One event. Its id derives from what it tells, so that a repeated one can be known as such."""

    type: EventType
    subject: str
    """The thing's id."""
    at: datetime
    data: dict[str, str | int | bool | None]
    correlation: str

    @property
    def id(self) -> str:
        told = msgspec.json.encode((self.type.value, self.subject, self.data), order="deterministic")
        return hashlib.sha256(told).hexdigest()[:32]
