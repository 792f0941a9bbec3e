"""Gallery versions on the command line: where they are, and what people say about them."""

import argparse
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from shared.domain.releases import ReleaseRecord
from shared.usecases import progress, withdrawals

from .tables import BY, at, stands, table, text

if TYPE_CHECKING:
    from shared.bootstrap import Worker


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    for name, act, said in (
        ("hold", withdrawals.hold, "stop it where it is; it is latest nowhere until it is resumed"),
        ("resume", withdrawals.resume, "let it go on from where it was held"),
        ("promote", withdrawals.promote, "let it leave its ring without soaking or waiting any longer"),
        ("withdraw", withdrawals.withdraw, "take it back from being latest anywhere; nothing is deleted"),
    ):
        verb = verbs.add_parser(name, help=said)
        verb.add_argument("--why", default="by hand", help="for the journal")
        verb.set_defaults(command=_word, act=act)
        if name == "promote":
            verb.add_argument("--through", action="store_true", help="through all rings, not this one alone")
    for verb in verbs.choices.values():
        if verb is not listing:
            verb.add_argument("version", help="definition/version, such as windows-2022/1.0.3")


def _releases(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    records = progress.followed(this.outside, this.factory(), options.definition)
    if options.json:
        print(msgspec.json.encode(records).decode())
        return 0
    table_of(records)
    return 0


def table_of(records: Iterable[ReleaseRecord]) -> None:
    table(
        ("VERSION", "STAGE", "SINCE", "LATEST IN", "STANDS"),
        ((r.name, r.stage.value, at(r.since), _latest_in(r), stands(r)) for r in records),
    )


def _latest_in(record: ReleaseRecord) -> str:
    return text(",".join(r.name for r in record.regions if r.latest and not r.taken_back))


def _release(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    told = progress.progress(this.outside, this.factory(), options.version)
    if options.json:
        print(msgspec.json.encode(told).decode())
        return 0
    print(f"{told.record.name}: {told.record.stage.value} since {at(told.record.since)}")
    print(f"  why   {stands(told.record)}\n  next  {told.next}\n")
    table(
        ("RING", "REGION", "STATE", "SINCE (UTC)", "WHY"),
        ((p.ring, p.region, p.state, at(p.since), p.why) for p in told.places),
    )
    return 0


def _word(options: argparse.Namespace) -> int:
    this: Worker = options.worker()
    word = withdrawals.Word(options.version, options.why, uuid.uuid4().hex, BY)
    more = {"through": True} if getattr(options, "through", False) else {}
    options.act(this.outside, this.factory(), word, **more)
    print(f"{word.version}: {options.verb} noted; a look is queued (correlation {word.correlation})")
    return 0
