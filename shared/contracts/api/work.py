"""Failed work: what nobody could work off, which can be sent again."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.domain import keys
from shared.domain.callers import Role
from shared.domain.records import FailedWork

from .operations import Operation
from .paging import Paging

WorkText = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9.:|_~-]{1,120}$",
        description="Failed work, by the `key` that its list tells.",
        examples=["builds:image:ubuntu-22"],
    ),
]


class WorkFilter(Paging, frozen=True, rename="camel", kw_only=True):
    pass


class OfWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: WorkText


class WorkView(msgspec.Struct, frozen=True, rename="camel"):
    key: str
    """Its name in addresses."""
    id: str
    lane: str
    """The queue that it belongs to."""
    thing: str | None
    """What was to be looked at; null if the message could not be read."""
    body: str
    """The message as it was, where it could not be read."""
    why: str
    at: datetime
    resent: datetime | None
    """When it was last sent again."""


class WorkList(msgspec.Struct, frozen=True, rename="camel"):
    items: tuple[WorkView, ...]
    next: str | None


def view(record: FailedWork) -> WorkView:
    return WorkView(
        key=keys.fit(record.id),
        id=record.id,
        lane=record.lane,
        thing=f"{record.look.thing.value} {record.look.id}" if record.look else None,
        body=record.body,
        why=record.why,
        at=record.at,
        resent=record.resent,
    )


OPERATIONS: Final = (
    Operation(
        id="listWork",
        method="GET",
        path="/failed-work",
        tag="Work",
        summary="What could not be worked off: poison messages, and looks that were given up",
        role=Role.READ,
        query=WorkFilter,
        answer=WorkList,
        etag=True,
    ),
    Operation(
        id="showWork",
        method="GET",
        path="/failed-work/{key}",
        tag="Work",
        summary="One piece of failed work",
        role=Role.READ,
        at=OfWork,
        answer=WorkView,
        etag=True,
    ),
    Operation(
        id="sendAgain",
        method="POST",
        path="/failed-work/{key}/send-again",
        tag="Work",
        summary="Put it into its queue again",
        role=Role.OPERATE,
        at=OfWork,
        answer=WorkView,
        status=HTTPStatus.ACCEPTED,
        acts_on="showWork",
    ),
)
