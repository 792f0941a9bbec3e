"""Orders on the command line: start a run, cancel it, pause automatic ones, delete a template."""

import argparse
import uuid
from typing import TYPE_CHECKING

from shared.domain.orders import OrderKind
from shared.usecases import orders

from .tables import BY

if TYPE_CHECKING:
    from shared.bootstrap import Worker


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    for name, act, said in (
        ("run", _order, "start a run by hand, whatever keeps the factory from starting one by itself"),
        ("cancel", _order, "cancel the run that is under way; it is not tried again for the same version"),
        ("delete-template", _order, "delete the template; refused while one of its outputs is not archived"),
        ("pause", _pause, "no automatic runs until `resume`; runs by hand go on"),
    ):
        verb = commands.add_parser(name, help=said)
        verb.add_argument("image")
        verb.add_argument("--reason", default="", help="for the journal and the run")
        verb.set_defaults(command=act)


def _order(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    kind, told = ORDERS[options.name]
    id, correlation = uuid.uuid4().hex, uuid.uuid4().hex
    placed = orders.order(
        this.outside, this.factory(), options.image, kind, id, BY, options.reason, correlation
    )
    print(f"{placed.image}: {told} is ordered (order {placed.id}, correlation {correlation})")
    return 0


ORDERS = {
    "run": (OrderKind.START, "a run"),
    "cancel": (OrderKind.CANCEL, "the end of its run"),
    "delete-template": (OrderKind.DELETE, "the deletion of its template"),
}


def _pause(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    correlation = uuid.uuid4().hex
    orders.pause(this.outside, this.factory(), options.image, BY, options.reason, correlation)
    print(f"{options.image}: paused; `resume {options.image}` ends it (correlation {correlation})")
    return 0
