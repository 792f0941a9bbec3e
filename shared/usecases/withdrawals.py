"""What people say about versions: hold, let go on, promote, withdraw. The next look carries it out.

What is said under an id is noted in the very write that it makes, so that the same word said again, after an
answer that got lost, is no second word: a version must not leave two rings because somebody asked twice.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from shared.domain import keys
from shared.domain.errors import Invalid, Unknown
from shared.domain.factory import Factory
from shared.domain.looks import Lane, Look, Thing
from shared.domain.releases import Definition, ReleaseRecord
from shared.domain.versions import Version
from shared.planning import withdrawals
from shared.ports import Held, Insert, Outside, Replace, Write

from .releases import first_look
from .visit import version_line

REMEMBERED: Final = 8
"""How many words a version remembers. They are said by hand, and repeated within two days or not at all."""


class Word(msgspec.Struct, frozen=True):
    """What a person says of a version. `why` is journalled."""

    version: str
    """As `definition/version`."""
    why: str
    correlation: str
    by: str = ""
    """Who says it."""
    id: str = ""
    """The same for the same word said again; empty if nobody can tell."""


def hold(out: Outside, factory: Factory, word: Word) -> None:
    """It stops where it is. Raises Unknown, or NotNow for a withdrawn one."""
    _say(out, factory, word, "version-held-by-hand", lambda record: withdrawals.held(record, word.why))


def resume(out: Outside, factory: Factory, word: Word) -> None:
    """It goes on from where it was held. Raises Unknown, or NotNow for one that is not held."""
    _say(out, factory, word, "version-resumed", withdrawals.resumed)


def promote(out: Outside, factory: Factory, word: Word, *, through: bool = False) -> None:
    """It leaves its ring as soon as that is complete, or with `through` every ring.

    Raises Unknown, or NotNow for one that is withdrawn or overtaken.
    """
    definition, now = parse(factory, word.version)[0], out.clock.now()

    def onward(record: ReleaseRecord) -> ReleaseRecord:
        return withdrawals.promoted(record, definition, now, through=through)

    _say(out, factory, word, "version-promoted", onward)


def withdraw(out: Outside, factory: Factory, word: Word) -> None:
    """It is latest nowhere any more, and what was built from it learns of that. Nothing is deleted."""
    now = out.clock.now()
    what = "version-withdrawn-by-hand"
    _say(out, factory, word, what, lambda record: withdrawals.withdrawn(record, word.why, now))


def parse(factory: Factory, version: str) -> tuple[Definition, Version]:
    """`definition/version` as people write it. Raises Invalid with what was expected."""
    name, slash, text = version.partition("/")
    if not slash:
        raise Invalid(f"{version[:200]!r} is not a version; expected definition/version such as ubuntu/1.0.3")
    return factory.definition(name), Version.parse(text)


def _say(
    out: Outside, factory: Factory, word: Word, what: str, change: Callable[[ReleaseRecord], ReleaseRecord]
) -> None:
    known = _known(out, factory, word)
    before = known.record
    after = before if word.id in before.words else change(before)
    if after != before:
        record = replace(after, words=(*before.words, word.id)[-REMEMBERED:]) if word.id else after
        row: Write = Replace(record, known.etag) if known.etag else Insert(record)
        line = version_line(record, what, word.why, word.correlation, out.clock.now(), by=word.by)
        out.ledger.commit(keys.of_definition(record.definition), (row, line))
    out.queues.send(Look(Lane.RELEASES, Thing.VERSION, before.name, word.correlation))


def _known(out: Outside, factory: Factory, word: Word) -> Held[ReleaseRecord]:
    """A version that was there before the factory has no row: a person's word makes it one that is followed.

    Then the ETag is empty.
    """
    definition, number = parse(factory, word.version)
    held = out.ledger.read(keys.release_key(definition.name, number), ReleaseRecord)
    if held:
        return held
    seen, now = out.galleries.get(definition.id.version(number.text)), out.clock.now()
    if seen is None:
        raise Unknown(f"{word.version} does not exist in {definition.id}")
    before = seen.published is None or seen.published <= first_look(out, definition, now)
    record = ReleaseRecord(definition.name, number, seen.id, now)
    return Held(replace(record, history=before, made=seen.published), "")
