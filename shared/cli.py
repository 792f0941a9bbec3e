"""The command line: check the configuration, see where things stand, read the journal, say what is wanted.

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
from shared.domain.releases import ReleaseRecord
from shared.usecases import lineage as ancestry
from shared.usecases import progress, withdrawals, work
from shared.usecases import status as stories

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
    journal.add_argument("thing", nargs="?", help="of this image or definition alone")
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

    _release_parser(commands)
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


def _release_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    release = commands.add_parser(
        "release", help="gallery versions on their way: see, hold, promote, withdraw"
    )
    verbs = release.add_subparsers(dest="verb", required=True, metavar="VERB")

    listing = verbs.add_parser("list", help="every version that is followed, and where it stands")
    listing.add_argument("definition", nargs="?", help="of this definition alone")
    listing.set_defaults(command=_releases)
    show = verbs.add_parser("show", help="where a version is, since when, what comes next and why it waits")
    show.set_defaults(command=_release)
    for each in (listing, show):
        each.add_argument("--json", action="store_true", help="as JSON")
    for name, act, text in (
        ("hold", withdrawals.hold, "stop it where it is; it is latest nowhere until it is resumed"),
        ("resume", withdrawals.resume, "let it go on from where it was held"),
        ("promote", withdrawals.promote, "let it leave its ring without soaking or waiting any longer"),
        ("withdraw", withdrawals.withdraw, "take it back from being latest anywhere; nothing is deleted"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--why", default="by hand", help="for the journal")
        verb.set_defaults(command=_word, act=act)
        if name == "promote":
            verb.add_argument("--through", action="store_true", help="through all rings, not this one alone")
    for verb in verbs.choices.values():
        if verb is not listing:
            verb.add_argument("version", help="definition/version, such as windows-2022/1.0.3")


def _validate(options: argparse.Namespace) -> int:
    factory = configuration.load(options.file)
    images, sources, definitions = (len(x) for x in (factory.images, factory.sources, factory.definitions))
    counts = f"{images} image(s), {sources} source(s), {definitions} definition(s)"
    print(f"{options.file}: {counts}, no faults")
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
    if told.releases:
        print("\nVersions on their way (`release show VERSION` tells more):")
        _release_table(told.releases)
    if told.failed:
        print("\nFailed work, to be sent again with `send-again ID`:")
        _table(
            ("ID", "AT", "SENT AGAIN", "WHY"), ((w.id, _at(w.at), _at(w.resent), w.why) for w in told.failed)
        )
    return OK


def _journal(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    lines = stories.journal(this.outside, this.factory(), options.thing, max(options.limit, 1))
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


def _releases(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    records = progress.followed(this.outside, this.factory(), options.definition)
    if options.json:
        print(msgspec.json.encode(records).decode())
        return OK
    _release_table(records)
    return OK


def _release_table(records: Iterable[ReleaseRecord]) -> None:
    _table(
        ("VERSION", "STAGE", "SINCE", "LATEST IN", "STANDS"),
        ((r.name, r.stage.value, _at(r.since), _latest_in(r), _stands(r)) for r in records),
    )


def _latest_in(record: ReleaseRecord) -> str:
    return _text(",".join(r.name for r in record.regions if r.latest and not r.taken_back))


def _release(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    told = progress.progress(this.outside, this.factory(), options.version)
    if options.json:
        print(msgspec.json.encode(told).decode())
        return OK
    print(f"{told.record.name}: {told.record.stage.value} since {_at(told.record.since)}")
    print(f"  why   {_stands(told.record)}\n  next  {told.next}\n")
    _table(
        ("RING", "REGION", "STATE", "SINCE (UTC)", "WHY"),
        ((p.ring, p.region, p.state, _at(p.since), p.why) for p in told.places),
    )
    return OK


def _word(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    word = withdrawals.Word(options.version, options.why, uuid.uuid4().hex)
    more = {"through": True} if getattr(options, "through", False) else {}
    options.act(this.outside, this.factory(), word, **more)
    print(f"{word.version}: {options.verb} noted; a look is queued (correlation {word.correlation})")
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
    work.send_again(this.outside, options.id)
    print(f"{options.id}: sent again")
    return OK


def _stands(record: ImageRecord | OutputRecord | ReleaseRecord | None) -> str:
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
