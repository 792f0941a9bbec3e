"""The command line: check the configuration, see where things stand, read the journal, ask for a look.

`python -m shared.cli validate` needs no Azure. The others speak to the app's own storage with the identity of
whoever runs them, and take the app's settings from the environment.
"""

import argparse
import sys
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from shared.bootstrap import SettingsError, Worker, worker
from shared.contracts import factory as configuration
from shared.contracts.faults import FaultyConfiguration
from shared.domain.errors import FactoryError
from shared.domain.records import ImageRecord, JournalLine, OutputRecord
from shared.usecases import status as stories
from shared.usecases import work

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

    validate = commands.add_parser("validate", help="check factory.yaml and its templates; needs no Azure")
    validate.add_argument("file", type=Path, nargs="?", default=Path("config/factory.yaml"))
    validate.set_defaults(command=_validate)

    status = commands.add_parser("status", help="where every image stands, and why")
    status.add_argument("--json", action="store_true", help="as JSON")
    status.set_defaults(command=_status)

    journal = commands.add_parser("journal", help="what was decided and done, when and why")
    journal.add_argument("image", nargs="?", help="of this image alone")
    journal.add_argument("--limit", type=int, default=50, help="the newest so many lines (default 50)")
    journal.add_argument("--json", action="store_true", help="as JSON, one object a line")
    journal.set_defaults(command=_journal)

    for name, act, text in (
        ("look", _look, "look at an image now"),
        ("resume", _resume, "resume automatic runs, and set refused outputs aside"),
    ):
        by_hand = commands.add_parser(name, help=text)
        by_hand.add_argument("image")
        by_hand.set_defaults(command=act)

    dismiss = commands.add_parser("dismiss", help="set an output aside that cannot be archived")
    dismiss.add_argument("output", help="as `status` and the journal name it: image/run/output")
    dismiss.set_defaults(command=_dismiss)

    again = commands.add_parser("send-again", help="send failed work into its queue again")
    again.add_argument("id", help="as `status` lists it")
    again.set_defaults(command=_send_again)
    return parser


def _validate(options: argparse.Namespace) -> int:
    factory = configuration.load(options.file)
    print(f"{options.file}: {len(factory.images)} image(s), {len(factory.sources)} source(s), no faults")
    return OK


def _status(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    told = stories.status(this.outside, this.factory())
    if options.json:
        print(msgspec.json.encode(told).decode())
        return OK
    _table(
        ("IMAGE", "BUILT FROM", "WANTED", "LAST RUN", "STANDS"),
        (
            (
                i.name,
                _text(i.record and i.record.built),
                _text(i.record and i.record.wanted),
                _text(i.record and i.record.recorded_state and i.record.recorded_state.value),
                _stands(i.record),
            )
            for i in told.images
        ),
    )
    if told.unsettled:
        print("\nOutputs that are not safe in the archive yet (`dismiss OUTPUT` gives one up):")
        _table(("OUTPUT", "STATE", "STANDS"), ((o.id, o.state.value, _stands(o)) for o in told.unsettled))
    if told.failed:
        print("\nFailed work, to be sent again with `send-again ID`:")
        _table(
            ("ID", "AT", "SENT AGAIN", "WHY"), ((w.id, _at(w.at), _at(w.resent), w.why) for w in told.failed)
        )
    return OK


def _journal(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    lines = stories.journal(this.outside, this.factory(), options.image, max(options.limit, 1))
    if options.json:
        for line in lines:
            print(msgspec.json.encode(line).decode())
        return OK
    _table(("AT (UTC)", "THING", "WHAT", "WHY"), map(_journal_row, lines))
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
    act(this.outside, this.factory(), options.image, correlation)
    print(f"{options.image}: {told} (correlation {correlation})")
    return OK


def _dismiss(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    correlation = uuid.uuid4().hex
    stories.dismiss(this.outside, this.factory(), options.output, correlation)
    print(f"{options.output}: set aside; a look is queued (correlation {correlation})")
    return OK


def _send_again(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    work.send_again(this.outside, options.id)
    print(f"{options.id}: sent again")
    return OK


def _stands(record: ImageRecord | OutputRecord | None) -> str:
    if record is None:
        return "not looked at yet"
    return f"{record.trouble.why} (tried again)" if record.trouble else record.reason


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "-"


def _text(value: object) -> str:
    return str(value) if value else "-"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Columns as wide as they need to be; the last one takes what is left."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head) - 1)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        print("  ".join((*cells, line[-1])).rstrip())


if __name__ == "__main__":
    sys.exit(main())
