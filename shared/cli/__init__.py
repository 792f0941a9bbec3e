"""The command line: check the configuration, see where things stand, read the journal, say what is wanted.

`validate`, `upgrade` and `schema` need no Azure. The others speak to the app's own storage with the identity
of whoever runs them, and take the app's settings from the environment.
"""

import argparse
import sys
import uuid
from collections.abc import Callable, Sequence

import msgspec

from shared.bootstrap import SettingsError, Worker, worker
from shared.contracts.faults import FaultyConfiguration
from shared.domain.errors import FactoryError
from shared.domain.records import JournalLine
from shared.usecases import lineage as ancestry
from shared.usecases import status as stories
from shared.usecases import work

from . import orders, plan, releases, retention, templates, upgrade
from .tables import BY, at, stands, table, text

OK, FAULTS, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None, connected: Callable[[], Worker] = worker) -> int:
    """The exit code: 0 for fine, 1 for faults, 2 for wrong usage."""
    options = _parser().parse_args(arguments, argparse.Namespace(worker=connected))
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except FaultyConfiguration as error:
        print(error, file=sys.stderr)
    except (FactoryError, SettingsError) as error:
        print(f"{options.name}: {error}", file=sys.stderr)
    return FAULTS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shared.cli", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")

    templates.add_to(commands)
    status = commands.add_parser("status", help="where every image stands, and why")
    status.add_argument("--json", action="store_true", help="as JSON")
    status.set_defaults(command=_status)

    journal = commands.add_parser("journal", help="what was decided and done, when and why")
    journal.add_argument("thing", nargs="?", help="of this image, definition or kind of thing alone")
    journal.add_argument("--limit", type=int, default=50, help="the newest so many lines (default 50)")
    journal.add_argument("--json", action="store_true", help="as JSON, one object a line")
    journal.set_defaults(command=_journal)

    for name, act, said in (
        ("look", _look, "look at an image now"),
        ("resume", _resume, "resume automatic runs, and set refused outputs aside"),
    ):
        by_hand = commands.add_parser(name, help=said)
        by_hand.add_argument("image")
        by_hand.set_defaults(command=act)

    dismiss = commands.add_parser("dismiss", help="set an output aside that cannot be archived")
    dismiss.add_argument("output", help="as `status` and the journal name it: image/run/output")
    dismiss.set_defaults(command=_dismiss)

    plan.add_to(commands)
    orders.add_to(commands)
    upgrade.add_to(commands)
    releases.add_to(commands)
    retention.add_to(commands)
    lineage = commands.add_parser("lineage", help="what something was made from, and what was made from it")
    lineage.add_argument(
        "thing", help="definition/version, image/run, or publisher:offer:sku:version of a marketplace"
    )
    lineage.add_argument("--json", action="store_true", help="as JSON")
    lineage.set_defaults(command=_lineage)

    again = commands.add_parser("send-again", help="send failed work into its queue again")
    again.add_argument("id", help="as `status` lists it")
    again.set_defaults(command=_send_again)
    return parser


def _status(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    told = stories.status(this.outside, this.factory())
    if options.json:
        print(msgspec.json.encode(told).decode())
        return OK
    table(
        ("IMAGE", "BUILT FROM", "WANTED", "LAST RUN", "SCHEDULED", "STANDS"),
        (
            (
                i.name,
                text(i.record and i.record.built),
                text(i.record and i.record.wanted),
                text(i.record and i.record.recorded_state and i.record.recorded_state.value),
                at(i.next),
                stands(i.record),
            )
            for i in told.images
        ),
    )
    if told.unsettled:
        print("\nOutputs that are not safe in the archive yet (`dismiss OUTPUT` gives one up):")
        table(("OUTPUT", "STATE", "STANDS"), ((o.id, o.state.value, stands(o)) for o in told.unsettled))
    if told.releases:
        print("\nVersions on their way (`release show VERSION` tells more):")
        releases.table_of(told.releases)
    if told.failed:
        print("\nFailed work, to be sent again with `send-again ID`:")
        table(("ID", "AT", "SENT AGAIN", "WHY"), ((w.id, at(w.at), at(w.resent), w.why) for w in told.failed))
    return OK


def _journal(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    lines = stories.journal(this.outside, this.factory(), options.thing, max(options.limit, 1))
    if options.json:
        for line in lines:
            print(msgspec.json.encode(line).decode())
        return OK
    table(("AT (UTC)", "THING", "WHAT", "WHY"), map(_journal_row, lines))
    return OK


def _journal_row(line: JournalLine) -> tuple[str, ...]:
    return f"{line.at:%Y-%m-%d %H:%M:%S}", line.thing, line.what, line.why


def _look(options: argparse.Namespace) -> int:
    return _by_hand(options, stories.ask_for_look, "a look is queued")


def _resume(options: argparse.Namespace) -> int:
    return _by_hand(options, stories.resume, "resumed; a look is queued")


def _by_hand(options: argparse.Namespace, act: Callable[..., None], told: str) -> int:
    this: Worker = options.worker()
    correlation = uuid.uuid4().hex
    act(this.outside, this.factory(), options.image, correlation, by=BY)
    print(f"{options.image}: {told} (correlation {correlation})")
    return OK


def _dismiss(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    correlation = uuid.uuid4().hex
    stories.dismiss(this.outside, this.factory(), options.output, correlation, by=BY)
    print(f"{options.output}: set aside; a look is queued (correlation {correlation})")
    return OK


def _lineage(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    told = ancestry.lineage(this.outside, this.factory(), options.thing)
    if options.json:
        print(msgspec.json.encode(told).decode())
        return OK
    for depth, node in enumerate(reversed(told.ancestors)):
        print(f"{'  ' * depth}{node.kind} {node.name}  {node.told}".rstrip())
    _tree(told.of, len(told.ancestors))
    return OK


def _tree(node: ancestry.Node, depth: int) -> None:
    print(f"{'  ' * depth}{node.kind} {node.name}  {node.told}".rstrip())
    for child in node.children:
        _tree(child, depth + 1)


def _send_again(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    work.send_again(this.outside, options.id, correlation=uuid.uuid4().hex, by=BY)
    print(f"{options.id}: sent again")
    return OK
