"""Which use case answers which operation: one call each."""

from functions.answers import Handler

from . import images, journal, runs, work

HANDLERS: dict[str, Handler] = {
    **images.HANDLERS,
    **runs.HANDLERS,
    **work.HANDLERS,
    **journal.HANDLERS,
}
