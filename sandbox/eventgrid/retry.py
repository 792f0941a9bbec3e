"""What becomes of a delivery after an attempt: Event Grid's retry schedule and its reasons to give up."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import msgspec

from sandbox.eventgrid.events import Event
from sandbox.eventgrid.subscriptions import EventSubscription

RESPONSE_TIMEOUT: Final = timedelta(seconds=30)
WAITS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
)
_SUCCESS: Final = range(200, 205)
_HOPELESS: Final = frozenset({400, 401, 413})  # 401 counts for webhooks alone, and these are webhooks
_OUTCOMES: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "TimedOut",
    413: "RequestEntityTooLarge",
    503: "Busy",
}


class Delivery(msgspec.Struct, frozen=True):
    """One event on its way to one subscription; a duplicate is a delivery of its own."""

    number: int
    subscription: EventSubscription
    event: Event
    published: datetime
    due: datetime
    attempts: int = 0
    last_attempt: datetime | None = None
    last_status: int | None = None  # None: no answer within 30 s, or no connection


class Delivered(msgspec.Struct, frozen=True):
    delivery: Delivery


class Again(msgspec.Struct, frozen=True):
    delivery: Delivery


class Dead(msgspec.Struct, frozen=True):
    delivery: Delivery
    reason: str


def after_attempt(
    delivery: Delivery, status: int | None, now: datetime, speed: float
) -> Delivered | Again | Dead:
    """Decide from the answer of the endpoint; `speed` divides the waits."""
    attempts = delivery.attempts + 1
    tried = msgspec.structs.replace(delivery, attempts=attempts, last_attempt=now, last_status=status)
    if status in _SUCCESS:
        return Delivered(tried)
    if status in _HOPELESS:
        return Dead(tried, reason=f"UndeliverableDueToHttp{HTTPStatus(status).phrase.replace(' ', '')}")
    subscription = delivery.subscription
    if attempts >= subscription.max_delivery_attempts:
        return Dead(tried, reason="MaxDeliveryAttemptsExceeded")
    due = now + WAITS[min(attempts, len(WAITS)) - 1] / speed
    lifetime = timedelta(minutes=subscription.event_time_to_live_in_minutes) / speed
    if due > delivery.published + lifetime:
        return Dead(tried, reason="TimeToLiveExceeded")
    return Again(msgspec.structs.replace(tried, due=due))


def dead_letter(dead: Dead) -> dict[str, object]:
    """Return the event as Event Grid writes it into the dead-letter container."""
    delivery = dead.delivery
    status = delivery.last_status
    letter: dict[str, object] = {
        "deadLetterReason": dead.reason,
        "deliveryAttempts": delivery.attempts,
        "lastDeliveryOutcome": "TimedOut" if status is None else _OUTCOMES.get(status, "GenericError"),
        "publishTime": delivery.published.isoformat().replace("+00:00", "Z"),
        "lastDeliveryAttemptTime": (delivery.last_attempt or delivery.published)
        .isoformat()
        .replace("+00:00", "Z"),
    }
    if status is not None:
        letter["lastHttpStatusCode"] = status
    if "specversion" in delivery.event:  # CloudEvents allow lower-case names only
        letter = {name.lower(): value for name, value in letter.items()}
    return {**delivery.event, **letter}
