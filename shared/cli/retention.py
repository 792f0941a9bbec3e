"""Retention on the command line: the plan and why, and what people say about it."""

import argparse
import uuid
from typing import TYPE_CHECKING

import msgspec

from shared.domain.retention import Kind, KindPlan, Plan, Step, Verdict
from shared.usecases import rulings
from shared.usecases.retention import planned

from .tables import BY, table

if TYPE_CHECKING:
    from shared.bootstrap import Worker

_NEXT = {
    Step.NOTHING: "-",
    Step.WAIT: "waits",
    Step.MARK: "mark",
    Step.UNMARK: "take the mark back",
    Step.EXCLUDE: "exclude from latest",
    Step.DELETE: "delete",
    Step.CANCEL: "cancel its run",
}


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    retention = commands.add_parser("retention", help="what is kept, what goes, and why")
    verbs = retention.add_subparsers(dest="verb", required=True, metavar="VERB")

    plan = verbs.add_parser("plan", help="a verdict about everything, computed now; changes nothing")
    plan.add_argument("--kind", choices=[kind.value for kind in Kind], help="of this kind alone")
    plan.add_argument("--going", action="store_true", help="only what would go, or is going")
    plan.add_argument("--json", action="store_true", help="as JSON")
    plan.set_defaults(command=_plan)

    approve = verbs.add_parser("approve", help="let a plan go on that was stopped as abnormal")
    approve.add_argument("digest", help="as `retention plan` prints it; any change of the plan voids it")
    approve.add_argument("--why", required=True, help="who approves it and why, for the journal")
    approve.set_defaults(command=_approve)

    for name, act, said in (
        ("unmark", _unmark, "take a mark back; unless pinned, a later sweep marks it anew"),
        ("pin", _pin, "keep it, whatever the policy says"),
        ("unpin", _unpin, "leave it to the policy again"),
        ("undelete", _undelete, "bring a soft-deleted gallery version back, and pin it"),
    ):
        verb = verbs.add_parser(name, help=said)
        verb.add_argument("thing", help="its name or id, as `retention plan` lists it")
        verb.set_defaults(command=act)
        if name in ("unmark", "pin"):
            verb.add_argument("--why", default="by hand", help="for the journal, or the tag")

    adopt = verbs.add_parser("adopt", help="take over gallery versions that the factory did not make")
    adopt.add_argument("definition", help="as factory.yaml names it")
    adopt.add_argument("versions", nargs="*", help="these alone; without any, all that have no owner")
    adopt.add_argument("--image", required=True, help="the image as whose versions they count from now on")
    adopt.set_defaults(command=_adopt)


def _plan(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    told = planned(this.outside, this.factory())
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
        return 0
    wanted = [v for v in told.verdicts if options.kind in (None, v.kind.value)]
    wanted = [v for v in wanted if not options.going or not v.keep or v.step is not Step.NOTHING]
    table(("KIND", "THING", "VERDICT", "STAGE", "NEXT", "WHY"), map(_row, wanted))
    print()
    for kind in told.kinds:
        if options.kind in (None, kind.kind.value) and kind.kept + kind.going:
            print(_sum(kind))
    for why in told.blind:
        print(f"Everything stays, since not everything can be seen: {why}")
    print(_end(told))
    return 0


def _row(verdict: Verdict) -> tuple[str, ...]:
    due = f" until {verdict.due:%Y-%m-%d %H:%M} UTC" if verdict.due else ""
    answer = "keep" if verdict.keep else "retire"
    stage = "-" if verdict.stage.value == "none" else verdict.stage.value
    kind = verdict.kind.value.replace("_", " ")
    return kind, verdict.name, answer, stage, _NEXT[verdict.step] + due, verdict.reason


def _sum(kind: KindPlan) -> str:
    head = f"{kind.kind.value.replace('_', ' ')}s: {kind.kept} kept, {kind.going} to go"
    if not kind.tripped:
        return head
    if kind.approved:
        return f"{head}; approved ({kind.digest}) although {kind.tripped}"
    return f"{head}; STOPPED: {kind.tripped}. `retention approve {kind.digest}` lets it go on"


def _end(told: Plan) -> str:
    mode = (
        "" if told.enforce else "; a dry run: nothing of it is carried out before `retention.mode: enforce`"
    )
    return f"Plan {told.digest}{mode}"


def _approve(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    correlation = uuid.uuid4().hex
    freed = rulings.approve(this.outside, this.factory(), options.digest, options.why, correlation, by=BY)
    kinds = ", ".join(kind.value for kind in freed)
    print(f"{options.digest}: approved for {kinds}; the next sweep goes on (correlation {correlation})")
    return 0


def _unmark(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    rulings.unmark(this.outside, this.factory(), options.thing, options.why, uuid.uuid4().hex, by=BY)
    print(f"{options.thing}: the mark is taken back; unless it is pinned, a later sweep marks it anew")
    return 0


def _pin(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    correlation = uuid.uuid4().hex
    rulings.pin(this.outside, this.factory(), options.thing, options.why, correlation=correlation, by=BY)
    print(f"{options.thing}: pinned; it stays until it is unpinned")
    return 0


def _unpin(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    rulings.unpin(this.outside, this.factory(), options.thing, correlation=uuid.uuid4().hex, by=BY)
    print(f"{options.thing}: unpinned; the policy decides again")
    return 0


def _undelete(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    left = rulings.undelete(this.outside, this.factory(), options.thing, uuid.uuid4().hex, by=BY)
    print(f"{options.thing}: is being brought back" + (f"; {left}" if left else ", and pinned"))
    return 0


def _adopt(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    wanted, correlation = tuple(options.versions), uuid.uuid4().hex
    names = rulings.adopt(
        this.outside, this.factory(), options.definition, options.image, wanted, correlation, by=BY
    )
    print(f"{len(names)} version(s) count as {options.image}'s from now on: {', '.join(names) or 'none'}")
    return 0
