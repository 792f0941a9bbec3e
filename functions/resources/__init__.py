"""Which use case answers which operation: one call each."""

from functions.answers import Handler

from . import archive, images, journal, retention, runs, versions, work

HANDLERS: dict[str, Handler] = {
    **images.HANDLERS,
    **runs.HANDLERS,
    **archive.HANDLERS,
    **versions.HANDLERS,
    **retention.HANDLERS,
    **work.HANDLERS,
    **journal.HANDLERS,
}
