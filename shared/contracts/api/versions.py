"""Gallery versions: where they are, where they come from, and what people say about them."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.domain.callers import Role
from shared.domain.releases import ReleaseRecord, Stage

from .names import Because, DefinitionText, ReasonText
from .operations import Operation
from .paging import Paging

VersionText = Annotated[
    str,
    Meta(
        pattern=r"^(0|[1-9][0-9]{0,9})(\.(0|[1-9][0-9]{0,9})){2}$",
        description="A version's number, as its gallery has it: without leading zeros.",
        examples=["1.0.3"],
    ),
]


class VersionFilter(Paging, frozen=True, rename="camel", kw_only=True):
    definition: DefinitionText
    stage: Annotated[Stage, Meta(description="Only versions that stand so.")] | None = None


class OfVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    definition: DefinitionText
    version: VersionText


class Promotion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: ReasonText = ""
    through: bool = False
    """Through all rings, not this one alone."""


class VersionItem(msgspec.Struct, frozen=True, rename="camel"):
    definition: str
    version: str
    stage: Stage
    since: datetime | None
    reason: str
    """Why it is not further."""
    latest_in: tuple[str, ...]
    """The regions where the factory has made it latest."""
    image: str | None
    run: str | None
    """The run that made it, where the factory knows."""
    made: datetime | None


class VersionList(msgspec.Struct, frozen=True, rename="camel"):
    """Newest first."""

    items: tuple[VersionItem, ...]
    next: str | None


class Place(msgspec.Struct, frozen=True, rename="camel"):
    """One region of one ring."""

    ring: str
    region: str
    state: str
    """`latest`, `replicated`, `replicating`, `given up`, `taken back` or `to come`."""
    since: datetime | None
    why: str


class LineageNode(msgspec.Struct, frozen=True, rename="camel"):
    """One thing, what is told of it, and what hangs on it."""

    kind: str
    """`source`, `template`, `run`, `version`, `vhd`, `managed image` or `region`."""
    name: str
    told: str
    children: tuple["LineageNode", ...]


class VersionView(msgspec.Struct, frozen=True, rename="camel"):
    definition: str
    version: str
    id: str
    """In Azure."""
    stage: Stage
    since: datetime | None
    reason: str
    trouble: str
    """Why the last look failed; it is tried again. Empty if it did not."""
    next: str
    """What will happen to it next, and what for."""
    held: str
    withdrawn: str
    descends_from: str
    """The withdrawn version that it was built from, at any depth."""
    image: str | None
    run: str | None
    made: datetime | None
    regions: tuple[Place, ...]
    ancestors: tuple[LineageNode, ...]
    """What it was made from, nearest first."""
    lineage: LineageNode
    """It, and all that was made from it."""


class VersionSaid(msgspec.Struct, frozen=True, rename="camel"):
    """Noted. The next look carries it out, which the version's reason and the journal tell."""

    definition: str
    version: str
    correlation: str
    left: str = ""
    """What is left to do, and why."""


def item(record: ReleaseRecord) -> VersionItem:
    latest = tuple(r.name for r in record.regions if r.latest and not r.taken_back)
    return VersionItem(
        definition=record.definition,
        version=record.version.text,
        stage=record.stage,
        since=record.since,
        reason=record.reason,
        latest_in=latest,
        image=record.image,
        run=record.run,
        made=record.made,
    )


def view(
    record: ReleaseRecord,
    comes_next: str,
    regions: tuple[Place, ...],
    ancestors: tuple[LineageNode, ...],
    lineage: LineageNode,
) -> VersionView:
    return VersionView(
        definition=record.definition,
        version=record.version.text,
        id=str(record.id),
        stage=record.stage,
        since=record.since,
        reason=record.reason,
        trouble=record.trouble.why if record.trouble else "",
        next=comes_next,
        held=record.held,
        withdrawn=record.withdrawn,
        descends_from=record.descends_from,
        image=record.image,
        run=record.run,
        made=record.made,
        regions=regions,
        ancestors=ancestors,
        lineage=lineage,
    )


def _said(
    verb: str,
    role: Role,
    summary: str,
    *,
    body: type[msgspec.Struct] | None = Because,
    at_once: bool = False,
) -> Operation:
    """What people say about a version has the same form, whatever they say."""
    return Operation(
        id=f"{verb}Version",
        method="POST",
        path=f"/versions/{{definition}}/{{version}}/{verb}",
        tag="Versions",
        summary=summary,
        role=role,
        at=OfVersion,
        body=body,
        answer=VersionSaid,
        status=HTTPStatus.OK if at_once else HTTPStatus.ACCEPTED,
        acts_on="" if verb == "undelete" else "showVersion",  # what is deleted is shown no more
    )


OPERATIONS: Final = (
    Operation(
        id="listVersions",
        method="GET",
        path="/versions",
        tag="Versions",
        summary="The versions of a definition that are or were followed, newest first",
        role=Role.READ,
        query=VersionFilter,
        answer=VersionList,
        etag=True,
        refusals=frozenset({HTTPStatus.NOT_FOUND}),
    ),
    Operation(
        id="showVersion",
        method="GET",
        path="/versions/{definition}/{version}",
        tag="Versions",
        summary="A version: its regions, what comes next and why it waits, and its lineage both ways",
        role=Role.READ,
        at=OfVersion,
        answer=VersionView,
        etag=True,
    ),
    _said("hold", Role.OPERATE, "Stop it where it is: it is latest nowhere until it is resumed"),
    _said("resume", Role.OPERATE, "Let it go on from where it was held"),
    _said(
        *("promote", Role.OPERATE, "Let it leave its ring without soaking or waiting any longer"),
        body=Promotion,
    ),
    _said("withdraw", Role.ADMIN, "Take it back from being latest anywhere; nothing is deleted"),
    _said("pin", Role.OPERATE, "Keep it, whatever the policy of retention says", at_once=True),
    _said("unpin", Role.ADMIN, "Leave it to the policy of retention again", body=None, at_once=True),
    _said("undelete", Role.ADMIN, "Bring it back from its gallery's soft delete, and pin it", body=None),
)
