"""Retention: the plan as it is now, and what people say about it."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.domain.callers import Role
from shared.domain.retention import Kind, KindPlan, Plan, Step, Verdict

from .names import ImageText, ReasonText
from .operations import Operation
from .paging import Paging


class PlanFilter(Paging, frozen=True, rename="camel", kw_only=True):
    kind: Annotated[Kind, Meta(description="Only verdicts about things of this kind.")] | None = None
    image: ImageText | None = None
    going: Annotated[bool, Meta(description="Only what would go, or is going.")] = False


class VerdictView(msgspec.Struct, frozen=True, rename="camel"):
    """Retention's answer about one thing."""

    kind: Kind
    name: str
    id: str
    image: str
    place: str
    keep: bool
    rule: str
    """The rule that decided, as a stable word."""
    reason: str
    made: datetime | None
    stage: str
    """How far its going is: `none`, `marked`, `excluded` or `deleting`."""
    step: Step
    """What comes next."""
    due: datetime | None
    """Until when it waits."""


class KindView(msgspec.Struct, frozen=True, rename="camel"):
    """All things of one kind."""

    kind: Kind
    kept: int
    going: int
    digest: str
    tripped: str
    """Why nothing of the kind goes, unless it is approved; empty when it may."""
    approved: bool


class PlanView(msgspec.Struct, frozen=True, rename="camel"):
    """Computed for this very request, never stored: a later page may be of another plan, by its digest."""

    digest: str
    enforce: bool
    """Whether plans are carried out; else they are only told."""
    blind: tuple[str, ...]
    """What could not be seen: while there is anything, everything stays."""
    kinds: tuple[KindView, ...]
    items: tuple[VerdictView, ...]
    next: str | None


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    digest: Annotated[str, Meta(min_length=1, max_length=80, description="As the plan tells it.")]
    reason: Annotated[
        str, Meta(min_length=1, max_length=500, description="Why, in one line, for the journal.")
    ]


class Approved(msgspec.Struct, frozen=True, rename="camel"):
    """The next sweep goes on with these, as long as their plan stays the same."""

    digest: str
    kinds: tuple[Kind, ...]


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    thing: Annotated[
        str, Meta(min_length=1, max_length=500, description="Its name or id, as the plan tells it.")
    ]
    reason: ReasonText = ""


class Unmarked(msgspec.Struct, frozen=True, rename="camel"):
    """It is not going any more. Unless it is pinned, a later sweep marks it anew, with its full notice."""

    thing: str
    correlation: str


def verdict(of: Verdict) -> VerdictView:
    told = {name: getattr(of, name) for name in VerdictView.__struct_fields__}
    return VerdictView(**{**told, "stage": of.stage.value})


def kind(of: KindPlan) -> KindView:
    return KindView(**msgspec.structs.asdict(of))


def plan(of: Plan, items: tuple[Verdict, ...], more: str | None) -> PlanView:
    kinds = tuple(map(kind, of.kinds))
    return PlanView(of.digest, of.enforce, of.blind, kinds, tuple(map(verdict, items)), more)


OPERATIONS: Final = (
    Operation(
        id="planRetention",
        method="GET",
        path="/retention/plan",
        tag="Retention",
        summary="A verdict about everything, computed now; changes nothing",
        role=Role.READ,
        query=PlanFilter,
        answer=PlanView,
        etag=True,
    ),
    Operation(
        id="approveRetention",
        method="POST",
        path="/retention/approvals",
        tag="Retention",
        summary="Let a plan go on that was stopped as abnormal; any change of the plan voids it",
        role=Role.ADMIN,
        body=Approval,
        answer=Approved,
    ),
    Operation(
        id="unmark",
        method="POST",
        path="/retention/unmark",
        tag="Retention",
        summary="Take a mark back; unless pinned, a later sweep marks it anew",
        role=Role.OPERATE,
        body=Mark,
        answer=Unmarked,
        status=HTTPStatus.ACCEPTED,
        refusals=frozenset({HTTPStatus.NOT_FOUND}),
    ),
)
