"""The journal: what was decided and done, when, why, and who asked."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.domain.callers import Role
from shared.domain.records import JournalLine
from shared.domain.retention import Kind

from .names import DefinitionText, ImageText, Moment
from .operations import Operation
from .paging import Paging


class JournalFilter(Paging, frozen=True, rename="camel", kw_only=True):
    """Of one thing at most; without any, what belongs to none: failed work and refused events."""

    image: ImageText | None = None
    definition: DefinitionText | None = None
    kind: Annotated[Kind, Meta(description="What retention says of all things of a kind.")] | None = None
    source: (
        Annotated[
            str, Meta(max_length=400, description="A watched source, by the key that the journal tells.")
        ]
        | None
    ) = None
    since: Annotated[Moment, Meta(description="Lines from then on.")] | None = None
    until: Annotated[Moment, Meta(description="Lines before then.")] | None = None


class Line(msgspec.Struct, frozen=True, rename="camel"):
    at: datetime
    thing: str
    what: str
    """A stable word, such as `run-requested`."""
    why: str
    by: str
    """Who asked; empty for the factory itself."""
    correlation: str


class Journal(msgspec.Struct, frozen=True, rename="camel"):
    """Newest first."""

    items: tuple[Line, ...]
    next: str | None


def line(record: JournalLine) -> Line:
    return Line(record.at, record.thing, record.what, record.why, record.by, record.correlation)


OPERATIONS: Final = (
    Operation(
        id="readJournal",
        method="GET",
        path="/journal",
        tag="Work",
        summary="What was decided and done, newest first",
        role=Role.READ,
        query=JournalFilter,
        answer=Journal,
        refusals=frozenset({HTTPStatus.NOT_FOUND}),
    ),
)
