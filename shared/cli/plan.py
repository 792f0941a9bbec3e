"""What the next look at images would do, on the command line. It reads Azure and the ledger alone."""

import argparse
from typing import TYPE_CHECKING

import msgspec

from shared.usecases.plans import plans

from .tables import table

if TYPE_CHECKING:
    from shared.bootstrap import Worker


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    plan = commands.add_parser("plan", help="what the next look at each image would do; changes nothing")
    plan.add_argument("image", nargs="?", help="of this image alone")
    plan.add_argument("--json", action="store_true", help="as JSON")
    plan.set_defaults(command=_plan)


def _plan(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    told = plans(this.outside, this.factory(), options.image)
    if options.json:
        print(msgspec.json.encode(told).decode())
        return 0
    table(
        ("IMAGE", "MODE", "TEMPLATE", "WOULD", "WHY"),
        (
            (each.image, "act" if each.acts else "observe", each.template.rsplit("/", 1)[1], s.what, s.why)
            for each in told
            for s in each.steps
        ),
    )
    if any(not each.acts for each in told):
        print(
            "\nOf images whose mode is observe nothing is carried out: it is what they would do in mode act."
        )
    return 0
