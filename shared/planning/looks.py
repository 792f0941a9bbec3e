"""When a thing is looked at again: at most one look is pending, and none is retried for ever."""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from shared.domain.errors import RetryableError
from shared.domain.looks import Look, Trouble

FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=15)


def arm(pending: datetime | None, answered: datetime | None, wanted: datetime, lost: datetime) -> bool:
    """Whether a look at `wanted` has to be sent, given the one that is `pending` (the row's `look_due`).

    `answered` is the `due` of the message being worked off: None for one that an event or a person sent.
    One that was due before `lost` has got lost: it is long overdue. An earlier look is worth more than a
    later one.
    """
    if pending is None or pending == answered or pending < lost:
        return True
    return wanted < pending


class Again(msgspec.Struct, frozen=True):
    """Send this look after a delay."""

    look: Look
    delay: timedelta


class GiveUp(msgspec.Struct, frozen=True):
    """The look has been tried for too long."""

    why: str


def comes_back(known: Trouble | None, now: datetime) -> bool:
    """Whether a look that failed is on its way: at the time that the service asked for, say."""
    return known is not None and now < known.due


def after_error(
    look: Look, error: RetryableError, patience: timedelta, now: datetime, known: Trouble | None = None
) -> Again | GiveUp | None:
    """What becomes of a look that met a retryable error: later, when the service says or by back-off.

    `known` is the trouble that its thing is in already. None: a look that failed before is on its way, and
    the sweep must not add one to it each time that it comes round.
    """
    if comes_back(known, now):
        return None
    first = look.first or (known.since if known else now)
    if now - first >= patience:
        return GiveUp(f"tried {look.attempt} times since {first:%Y-%m-%d %H:%M} UTC; the last error: {error}")
    back_off = min(FIRST_DELAY * 2 ** min(look.attempt - 1, 16), LONGEST_DELAY)
    delay = back_off if error.delay is None else max(error.delay, FIRST_DELAY)
    return Again(replace(look, attempt=look.attempt + 1, first=first), delay)
