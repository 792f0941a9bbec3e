"""Retention."""

from functions.answers import Handler, Reply
from shared.contracts.api import retention
from shared.contracts.api.operations import Nothing
from shared.contracts.api.paging import going_on, token
from shared.contracts.api.requests import Given
from shared.usecases import reading, rulings
from shared.usecases.asking import Ask


def plan(ask: Ask, given: Given[Nothing, retention.PlanFilter, Nothing]) -> Reply:
    wanted = given.query
    after = going_on("retention", wanted)
    told = reading.plan(
        ask.out, ask.factory, wanted.kind, wanted.image, after, wanted.limit, going=wanted.going
    )
    more = token("retention", wanted, told.last) if told.last else None
    return Reply(retention.plan(told.plan, told.verdicts, more))


def approve(ask: Ask, given: Given[Nothing, Nothing, retention.Approval]) -> Reply:
    digest, why = given.body.digest, given.body.reason
    kinds = rulings.approve(ask.out, ask.factory, digest, why, ask.correlation, by=ask.by)
    return Reply(retention.Approved(digest, kinds))


def unmark(ask: Ask, given: Given[Nothing, Nothing, retention.Mark]) -> Reply:
    thing, why = given.body.thing, given.body.reason or "by hand"
    rulings.unmark(ask.out, ask.factory, thing, why, ask.correlation, by=ask.by)
    return Reply(retention.Unmarked(thing, ask.correlation), "/retention/plan")


HANDLERS: dict[str, Handler] = {
    "planRetention": plan,
    "approveRetention": approve,
    "unmark": unmark,
}
