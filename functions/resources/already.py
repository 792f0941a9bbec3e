"""Whether what is asked for has been done already, by the same request.

Its answer got lost, and it is sent again: then the thing has changed by this very request, whose `If-Match`
has been heeded already (RFC 9110, 13.1.1, lets it be answered as done).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.contracts.api.requests import Given
from shared.domain import keys
from shared.domain.orders import Order
from shared.domain.releases import ReleaseRecord
from shared.domain.versions import Version
from shared.usecases.asking import Ask


def _ordered(ask: Ask, given: Given[Any, Any, Any]) -> bool:
    return ask.out.ledger.read(keys.order_key(given.at.image, ask.id), Order) is not None


def _said(ask: Ask, given: Given[Any, Any, Any]) -> bool:
    key = keys.release_key(given.at.definition, Version.parse(given.at.version))
    held = ask.out.ledger.read(key, ReleaseRecord)
    return held is not None and ask.id in held.record.words


_DONE: Final[Mapping[str, Callable[[Ask, Given[Any, Any, Any]], bool]]] = {
    **dict.fromkeys(("startRun", "cancelRun", "deleteTemplate"), _ordered),
    **dict.fromkeys(("holdVersion", "resumeVersion", "promoteVersion", "withdrawVersion"), _said),
}
"""By the ids of operations. What the others do leaves no trace of the request."""


def already_done(operation: str, ask: Ask, given: Given[Any, Any, Any]) -> bool:
    done = _DONE.get(operation)
    return done is not None and done(ask, given)
