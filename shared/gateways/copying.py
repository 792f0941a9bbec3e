"""What a refusal of Put Page From URL means: the service talks of two blobs, and only one of them is ours.

CannotVerifyCopySource is the code for whatever the source answered, with the source's status.
"""

from shared.domain.errors import (
    Changed,
    Conflict,
    FactoryError,
    Invalid,
    Missing,
    RetryableError,
    Unreachable,
)

from .errors import Call, Meaning, Need, Refusal, denied, saying

_SOURCE = "CannotVerifyCopySource"


def copying(doing: str, *, read: Need, write: Need) -> Call:
    """A call whose `need` is the target's; what the source refuses names the source's."""

    def source_denied(call: Call, refusal: Refusal) -> FactoryError:
        return denied(Call(f"{call.doing}: the source", read), refusal)

    unreachable = saying(Unreachable, "the service cannot reach the source")
    but: dict[int | tuple[int, str], Meaning] = {
        (401, _SOURCE): source_denied,
        (403, _SOURCE): source_denied,
        (404, _SOURCE): saying(Missing, "the source does not exist"),
        404: saying(Missing, "the target does not exist"),
        (409, _SOURCE): saying(RetryableError, "the source cannot be read now"),
        (412, _SOURCE): _CHANGED,
        (416, _SOURCE): saying(Invalid, "the source has no bytes there"),
        416: saying(Invalid, "the range does not fit the target"),
        412: _precondition,
        **{(status, _SOURCE): unreachable for status in (400, 500, 502, 503, 504)},
    }
    return Call(doing, write, but)


_CHANGED = saying(Changed, "the source's ETag is no longer the pinned one")
_LEASE = saying(Conflict, "the target's lease is not ours, or no longer")


def _precondition(call: Call, refusal: Refusal) -> FactoryError:
    """Only two conditions are sent: the source's ETag, and the target's lease."""
    return (_LEASE if refusal.code.startswith("Lease") else _CHANGED)(call, refusal)
