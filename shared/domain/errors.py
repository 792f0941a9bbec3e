"""Two families of errors: come back later, or do not come back. Everything else is a fault of ours.

Gateways translate what an SDK raises into these, chained from their cause, and nothing else leaves them.
"""

from datetime import timedelta


class FactoryError(Exception):
    """Something that the factory foresaw; its text is fit for the journal."""


class RetryableError(FactoryError):
    """May work later. `delay` is what the service asked for (Retry-After), or None for a back-off."""

    def __init__(self, message: str, delay: timedelta | None = None) -> None:
        super().__init__(message)
        self.delay = delay


class PermanentError(FactoryError):
    """Will not work, however often it is tried, until somebody changes something."""


class Conflict(RetryableError):
    """Somebody else wrote in between (ETag, insert-if-absent): read again and decide again."""


class Busy(RetryableError):
    """Another worker holds the lease."""


class Unreachable(RetryableError):
    """No answer: whether the request was carried out is unknown."""


class AccessDenied(RetryableError):
    """The identity lacks a role. Never a sign that the thing is missing; a person may grant it at any time.

    `action` is the role action that was refused, `scope` where it has to be granted.
    """

    def __init__(self, message: str, *, action: str, scope: str, delay: timedelta | None = None) -> None:
        super().__init__(message, delay)
        self.action = action
        self.scope = scope


class Throttled(RetryableError):
    """Refused for now and certainly not carried out (429, or 503 where the service says that it is busy)."""


class WrongState(RetryableError):
    """The thing is in a state that does not allow the operation now (such as running already)."""


REFUSED = (Throttled, AccessDenied, WrongState, Conflict, PermanentError)
"""After one of these nothing was done for sure."""


class Missing(PermanentError):
    """The service says that the thing does not exist."""


class Changed(PermanentError):
    """A pinned thing is no longer the one that was pinned (its ETag differs)."""


class Exists(PermanentError):
    """The name is taken: what was to be created is there already."""


class Invalid(PermanentError):
    """Input that can never be acted upon: a malformed id, message, event or address."""


class Unknown(Invalid):
    """A person has named something that there is not."""


class NotNow(Invalid):
    """What a person asks for cannot be done in the state that the thing is in."""
