"""Between the host and the use cases: log context, and what an error becomes.

What may work later is sent again, what cannot is recorded with its reason, and only what nobody foresaw is
raised: it counts towards the host's poison queue. An Event Grid function cannot answer 4xx and must answer
within 30 seconds: it accepts what can never work, and raises only when the queue fails, so that Event Grid
delivers again.
"""

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import azure.functions as func

from shared import telemetry
from shared.bootstrap import Worker
from shared.contracts import messages
from shared.contracts.faults import FaultyConfiguration
from shared.domain.errors import FactoryError, Invalid, PermanentError, RetryableError
from shared.domain.looks import Lane, Look, Thing
from shared.usecases.looks import work_off

if TYPE_CHECKING:
    from shared.contracts.events import SourceFound, TemplateTouched, VersionTouched
    from shared.usecases.sweep import Timed


def work_off_message(worker: Worker, lane: Lane, message: func.QueueMessage) -> None:
    """One look out of a lane. Raises only what nobody foresaw, and a failing queue."""
    out, body = worker.outside, message.get_body()
    age = (out.clock.now() - message.insertion_time).total_seconds() if message.insertion_time else 0.0
    try:
        look = messages.decode(lane, messages.unwrap(body))
    except Invalid as error:
        _report(worker, lane, message, str(error))
        return
    with telemetry.bind(correlation=look.correlation, lane=lane.value, thing=look.id, attempt=look.attempt):
        telemetry.metric("queue-age", age, "s")
        _look(worker, look)


def _look(worker: Worker, look: Look) -> None:
    out = worker.outside
    try:
        factory = worker.factory()
    except FaultyConfiguration as error:
        telemetry.event("configuration-faulty", faults=len(error.faults))
        out.queues.send(look, error.delay or timedelta(minutes=2))
        return
    try:
        work_off(out, factory, look)
    except (RetryableError, PermanentError) as error:
        from shared.usecases import work  # here: to import the app must stay cheap

        if isinstance(error, RetryableError):
            work.try_again(out, look, error, factory.timing.give_up)
        else:
            work.give_up(out, look, str(error))


def accept_event(worker: Worker, event: func.EventGridEvent) -> None:
    """An event says `look`: one message into the lane that it concerns."""
    from shared.contracts import events  # here: to import the app must stay cheap

    out = worker.outside
    try:
        factory = worker.factory()
    except FaultyConfiguration as error:
        telemetry.event("event-left-to-the-sweep", id=event.id, faults=len(error.faults))
        return
    try:
        look = _look_of(events.parse(event, factory))
    except events.NotOurs as error:
        telemetry.event("event-not-ours", why=str(error))
        return
    except (Invalid, ValueError) as error:
        from shared.usecases import work

        work.refuse_event(out, _plain(event.id), _plain(event.event_type), _plain(str(error)))
        return
    with telemetry.bind(correlation=look.correlation, thing=look.id):
        telemetry.event("event-accepted", type=event.event_type)
        out.queues.send(look)


def _look_of(told: "SourceFound | TemplateTouched | VersionTouched") -> Look:
    from shared.contracts.events import SourceFound, VersionTouched

    if isinstance(told, SourceFound):
        return Look(Lane.BUILDS, Thing.SOURCE, told.key, told.correlation)
    if isinstance(told, VersionTouched):
        return Look(Lane.RELEASES, Thing.VERSION, f"{told.definition}/{told.version}", told.correlation)
    return Look(Lane.BUILDS, Thing.IMAGE, told.image, told.correlation)


def on_time(worker: Worker, task: "Timed") -> None:
    """A timer's work. What fails is told and left to the next tick."""
    correlation = new_correlation()
    with telemetry.bind(correlation=correlation):
        try:
            task(worker.outside, worker.factory(), correlation)
        except FactoryError as error:
            telemetry.event("timer-failed", why=str(error))


def record_poison(worker: Worker, lane: Lane, message: func.QueueMessage) -> None:
    """A message that the host gave up. No poison queue stands behind this one: it must not fail for ever."""
    body = message.get_body()
    try:
        look: Look | None = messages.decode(lane, messages.unwrap(body))
    except Invalid:
        look = None
    why = f"the host gave the message up after {message.dequeue_count or 'several'} tries"
    _report(worker, lane, message, why, look)


def _report(
    worker: Worker, lane: Lane, message: func.QueueMessage, why: str, look: Look | None = None
) -> None:
    from shared.usecases import work

    correlation, text = look.correlation if look else new_correlation(), _text(message.get_body())
    with telemetry.bind(correlation=correlation, lane=lane.value):
        id_ = f"message {message.id}"
        work.report(worker.outside, lane.value, why, id=id_, correlation=correlation, look=look, body=text)


def _text(body: bytes) -> str:
    """What is recorded of a message: its text, or what there is instead."""
    try:
        return messages.unwrap(body)
    except Invalid:
        return body.decode("utf-8", "replace")


def _plain(text: object) -> str:
    """Without what JSON lets through and UTF-8 does not (lone surrogates)."""
    return str(text).encode("utf-8", "replace").decode()


def new_correlation() -> str:
    return uuid.uuid4().hex
