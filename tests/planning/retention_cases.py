"""Versions of one image, ten days apart, and rules that keep nothing of their own."""

from datetime import datetime, timedelta
from typing import Any

from shared.domain.ids import ImageName
from shared.domain.retention import (
    Inventory,
    Kind,
    KindPlan,
    Plan,
    Policy,
    Retention,
    Thing,
    Trip,
    Verdict,
)
from shared.planning.retention import plan

from .cases import NOW

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
LAG = timedelta(minutes=15)
NOTHING_KEPT = Policy(newest=None, younger=None, superseded=None, until_end_of_life=False, floor=0)
LOOSE = Trip(number=1000)


def version(number: int, **facts: Any) -> Thing:
    """`ubuntu/1.0.N`, made so that 1.0.9 is 10 days old and each one before it 10 days older."""
    plain: dict[str, Any] = {
        "kind": Kind.GALLERY_VERSION,
        "id": f"/versions/{number}",
        "name": f"ubuntu/1.0.{number}",
        "image": ImageName("ubuntu"),
        "place": "here",
        "rank": (1, 0, number),
        "made": NOW - 10 * DAY * (10 - number),
    }
    return Thing(**(plain | facts))


NEWEST = version(9)
"""Kept as the newest good one, so that another one may go."""


def rules(policy: Policy = NOTHING_KEPT, **changes: Any) -> Retention:
    plain: dict[str, Any] = {"enforce": True, "policies": dict.fromkeys(Kind, policy), "trip": LOOSE}
    return Retention(**(plain | changes))


def planned(*things: Thing, by: Retention | None = None, now: datetime = NOW, **inventory: Any) -> Plan:
    return plan(Inventory(things, **inventory), by or rules(), now, LAG)


def about(thing: Thing, plan: Plan) -> Verdict:
    return next(verdict for verdict in plan.verdicts if verdict.id == thing.id)


def words(thing: Thing, plan: Plan) -> tuple[str, str]:
    verdict = about(thing, plan)
    return verdict.rule, verdict.reason


def of_kind(plan: Plan, kind: Kind = Kind.GALLERY_VERSION) -> KindPlan:
    return next(each for each in plan.kinds if each.kind is kind)


def kept(plan: Plan) -> set[str]:
    return {verdict.name.removeprefix("ubuntu/1.0.") for verdict in plan.verdicts if verdict.keep}
