"""The journal."""

from functions.answers import Handler, Reply
from shared.contracts.api import journal
from shared.contracts.api.operations import Nothing
from shared.contracts.api.paging import going_on, token
from shared.contracts.api.problems import RequestFault, faulty
from shared.contracts.api.requests import Given
from shared.usecases import reading
from shared.usecases.asking import Ask
from shared.usecases.pages import Span

_OF = ("image", "definition", "kind", "source")


def read_journal(ask: Ask, given: Given[Nothing, journal.JournalFilter, Nothing]) -> Reply:
    wanted = given.query
    named = [name for name in _OF if getattr(wanted, name) is not None]
    if len(named) > 1:
        told = f"only one of {', '.join(_OF)} can be asked for at a time"
        raise faulty(tuple(RequestFault("query", name, told) for name in named[1:]))
    of = reading.Of(wanted.image, wanted.definition, wanted.kind, wanted.source)
    after = going_on("journal", wanted)
    span = Span(wanted.since, wanted.until, after, wanted.limit)
    page = reading.journal(ask.out, ask.factory, of, span)
    more = token("journal", wanted, page.last) if page.last else None
    return Reply(journal.Journal(tuple(map(journal.line, page.records)), more))


HANDLERS: dict[str, Handler] = {"readJournal": read_journal}
