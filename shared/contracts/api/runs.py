"""Runs and orders: started by hand or by the factory, with their outputs and every step's state."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.domain.callers import Role
from shared.domain.listings import RunLine
from shared.domain.orders import Order
from shared.domain.records import CurrentRun, OutputRecord, RunRecord

from .names import Because, ImageText, Moment, OfImage, OrderText, RunText
from .operations import Operation
from .paging import Paging


class RunFilter(Paging, frozen=True, rename="camel", kw_only=True):
    image: ImageText | None = None
    since: Annotated[Moment, Meta(description="Runs that began from then on.")] | None = None
    until: Annotated[Moment, Meta(description="Runs that began before then.")] | None = None


class OfRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    image: ImageText
    run: RunText


class OfOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    image: ImageText
    order: OrderText


class RunItem(msgspec.Struct, frozen=True, rename="camel"):
    image: str
    run: str
    started: datetime
    ended: datetime | None
    state: str
    version: str | None
    """What it was built from; null until its end is recorded, or where nobody knows."""
    why: str


class RunList(msgspec.Struct, frozen=True, rename="camel"):
    """Newest first."""

    items: tuple[RunItem, ...]
    next: str | None


class OutputView(msgspec.Struct, frozen=True, rename="camel"):
    """One output, and how far it has come."""

    name: str
    kind: str
    state: str
    """Of a VHD: found, copying, copied, verified, archived; or lost, refused, dismissed, retired."""
    reason: str
    artifact: str | None
    """The gallery version or managed image."""
    archived: str | None
    """Where it is archived, as `account/container/name`."""
    bytes: int
    """That it holds in all."""
    allocated: int
    """Of these, those that are not empty."""
    copied: int
    found: datetime | None
    copy_started: datetime | None
    copy_ended: datetime | None
    verified: datetime | None
    verification: str
    trouble: str
    """Why the last look at it failed; it is tried again. Empty if it did not."""


class RunView(msgspec.Struct, frozen=True, rename="camel"):
    image: str
    run: str
    template: str
    started: datetime
    ended: datetime | None
    state: str
    message: str
    version: str | None
    inferred: bool
    why: str
    ours: bool
    """Whether the factory asked for it."""
    log: str
    """The end of customization.log, for a run that failed."""
    outputs: tuple[OutputView, ...]
    """Known when its end is recorded."""


class OrderView(msgspec.Struct, frozen=True, rename="camel"):
    """What somebody asked for and looks carry out."""

    id: str
    image: str
    kind: str
    state: str
    """`open`, `done` or `refused`."""
    why: str
    """What it waits for, what became of it, or why it cannot be."""
    by: str
    reason: str
    at: datetime
    ended: datetime | None
    run: str | None
    """The run that it is about, once it is visible."""
    correlation: str


def item(line: RunLine) -> RunItem:
    version = str(line.version) if line.version else None
    return RunItem(line.image, line.start, line.started, line.ended, line.state, version, line.why)


def over(run: RunRecord, outputs: tuple[OutputRecord, ...]) -> RunView:
    return RunView(
        image=run.image,
        run=run.start,
        template=run.template,
        started=run.started,
        ended=run.ended,
        state=run.state.value,
        message=run.message,
        version=str(run.version) if run.version else None,
        inferred=run.inferred,
        why=run.why,
        ours=run.ours,
        log=run.log_end,
        outputs=tuple(map(_output, outputs)),
    )


def under_way(image: str, template: str, run: CurrentRun) -> RunView:
    return RunView(
        image=image,
        run=run.start,
        template=template,
        started=run.started or run.seen,
        ended=None,
        state="Running",
        message="",
        version=None,
        inferred=False,
        why=run.claim.why if run.claim else "started by somebody else",
        ours=run.claim is not None,
        log="",
        outputs=(),
    )


def _output(output: OutputRecord) -> OutputView:
    return OutputView(
        name=output.name,
        kind=output.kind.value,
        state=output.state.value,
        reason=output.reason,
        artifact=str(output.artifact) if output.artifact else None,
        archived=str(output.target) if output.target else None,
        bytes=output.length,
        allocated=output.allocated,
        copied=output.copied,
        found=output.found,
        copy_started=output.copy_started,
        copy_ended=output.copy_ended,
        verified=output.verified,
        verification=output.verification,
        trouble=output.trouble.why if output.trouble else "",
    )


def order(of: Order) -> OrderView:
    return OrderView(
        id=of.id,
        image=of.image,
        kind=of.kind.value,
        state=of.state.value,
        why=of.why,
        by=of.by,
        reason=of.reason,
        at=of.at,
        ended=of.ended,
        run=of.run,
        correlation=of.correlation,
    )


OPERATIONS: Final = (
    Operation(
        id="listRuns",
        method="GET",
        path="/runs",
        tag="Runs",
        summary="Runs, newest first",
        role=Role.READ,
        query=RunFilter,
        answer=RunList,
        etag=True,
        refusals=frozenset({HTTPStatus.NOT_FOUND}),
    ),
    Operation(
        id="startRun",
        method="POST",
        path="/images/{image}/runs",
        tag="Runs",
        summary="Start a run, whatever keeps the factory from starting one by itself",
        role=Role.OPERATE,
        at=OfImage,
        body=Because,
        answer=OrderView,
        status=HTTPStatus.ACCEPTED,
        acts_on="showImage",
    ),
    Operation(
        id="showRun",
        method="GET",
        path="/images/{image}/runs/{run}",
        tag="Runs",
        summary="A run with its outputs and every step's state",
        role=Role.READ,
        at=OfRun,
        answer=RunView,
        etag=True,
    ),
    Operation(
        id="cancelRun",
        method="POST",
        path="/images/{image}/runs/{run}/cancel",
        tag="Runs",
        summary="Cancel a run that is under way; it is not tried again for the same version",
        role=Role.OPERATE,
        at=OfRun,
        body=Because,
        answer=OrderView,
        status=HTTPStatus.ACCEPTED,
        acts_on="showRun",
    ),
    Operation(
        id="deleteTemplate",
        method="DELETE",
        path="/images/{image}/template",
        tag="Images",
        summary="Delete its template; refused while one of its outputs is not archived",
        role=Role.ADMIN,
        at=OfImage,
        answer=OrderView,
        status=HTTPStatus.ACCEPTED,
        acts_on="showImage",
    ),
    Operation(
        id="showOrder",
        method="GET",
        path="/images/{image}/orders/{order}",
        tag="Runs",
        summary="What became of an order: to start a run, to cancel one, to delete a template",
        role=Role.READ,
        at=OfOrder,
        answer=OrderView,
        etag=True,
    ),
)
