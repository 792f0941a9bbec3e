"""Brings events to webhooks in the running sandbox: handshake first, then at least once until it succeeds."""

import asyncio
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import aiohttp
import msgspec

from sandbox.clock import Clock
from sandbox.eventgrid.grid import EventGrid
from sandbox.eventgrid.retry import RESPONSE_TIMEOUT, Delivery
from sandbox.eventgrid.subscriptions import EventSubscription

Endpoint = Callable[[EventSubscription], str]

ORIGIN: Final = "eventgrid.azure.net"
_AT_ONCE: Final = 16
_HANDSHAKE_PAUSE: Final = 0.5


class HandshakeRefused(Exception):
    """The endpoint did not prove that it wants the subscription's events; the message says what it did."""


class Courier:
    """Delivers what is in the outbox of `grid` for as long as `run` runs."""

    def __init__(
        self,
        grid: EventGrid,
        endpoint: Endpoint,
        clock: Clock,
        *,
        session: aiohttp.ClientSession,
        timeout: timedelta = RESPONSE_TIMEOUT,
    ) -> None:
        self._grid = grid
        self._endpoint = endpoint
        self._clock = clock
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout.total_seconds())
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self, subscriptions: Iterable[EventSubscription]) -> None:
        """Shake hands for each subscription and take it; raise `HandshakeRefused` at the first that fails."""
        for subscription in subscriptions:
            await self._shake_hands(subscription)
            self._grid.subscribe(subscription)

    async def connect_when_there(self, subscriptions: Iterable[EventSubscription]) -> None:
        """The same, for a host that starts whenever it likes: try each subscription until it works."""
        for subscription in subscriptions:
            while True:
                try:
                    await self.connect([subscription])
                except HandshakeRefused:
                    await asyncio.sleep(_HANDSHAKE_PAUSE)
                else:
                    break

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then is broken off, and would be delivered again."""
        loop = asyncio.get_running_loop()
        outbox = self._grid.outbox
        outbox.on_change = lambda: loop.call_soon_threadsafe(self._changed.set)
        try:
            while True:
                self._changed.clear()
                for delivery in outbox.take_due(self._clock.now()):
                    task = asyncio.create_task(self._deliver(delivery))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                await self._until(outbox.next_due())
        finally:
            outbox.on_change = lambda: None
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _until(self, due: datetime | None) -> None:
        wait = None if due is None else max(0.0, (due - self._clock.now()).total_seconds())
        try:
            await asyncio.wait_for(self._changed.wait(), wait)
        except TimeoutError:
            return

    async def _deliver(self, delivery: Delivery) -> None:
        async with self._slots:
            status = await self._post(delivery)
        self._grid.outbox.settle(delivery, status, self._clock.now())

    async def _post(self, delivery: Delivery) -> int | None:
        event = delivery.event
        cloud = "specversion" in event
        headers = _headers("Notification", delivery.subscription) | {
            "aeg-delivery-count": str(delivery.attempts),
            "aeg-data-version": str(event.get("dataVersion", "")),
            "aeg-metadata-version": str(event.get("specversion" if cloud else "metadataVersion", "")),
        }
        if cloud:
            headers["Content-Type"] = "application/cloudevents+json; charset=utf-8"
        try:
            answer = await self._send("POST", delivery.subscription, headers, event if cloud else [event])
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        return answer.status

    async def _shake_hands(self, subscription: EventSubscription) -> None:
        cloud = self._grid.topic(subscription.topic).schema == "CloudEventSchemaV1_0"
        who = f"subscription {subscription.name!r}"
        code = str(uuid.uuid4())
        headers = _headers("SubscriptionValidation", subscription)
        try:
            if cloud:
                answer = await self._send("OPTIONS", subscription, {"WebHook-Request-Origin": ORIGIN}, None)
            else:
                answer = await self._send(
                    "POST", subscription, headers, [self._validation(subscription, code)]
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise HandshakeRefused(f"{who}: no answer from its endpoint ({error})") from error
        if answer.status != 200:  # 202 is a success for an event, and not for a handshake
            raise HandshakeRefused(f"{who}: the endpoint answered {answer.status}, expected 200")
        if not (answer.allowed_origin in (ORIGIN, "*") if cloud else _echoes(answer.body, code)):
            raise HandshakeRefused(
                f"{who}: the endpoint did not echo what was asked, but {answer.body[:200]!r}"
            )

    def _validation(self, subscription: EventSubscription, code: str) -> dict[str, object]:
        topic = self._grid.topic(subscription.topic)
        return {
            "id": str(uuid.uuid4()),
            "topic": topic.scope,
            "subject": "",
            "data": {"validationCode": code},
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": self._clock.now().isoformat().replace("+00:00", "Z"),
            "metadataVersion": "1",
            "dataVersion": "2",
        }

    async def _send(
        self, method: str, subscription: EventSubscription, headers: dict[str, str], document: object
    ) -> "_Answer":
        async with self._session.request(
            method,
            self._endpoint(subscription),
            data=None if document is None else msgspec.json.encode(document),
            headers=headers,
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            allowed = response.headers.get("WebHook-Allowed-Origin", "")
            return _Answer(response.status, allowed, await response.read())


class _Answer(msgspec.Struct, frozen=True):
    status: int
    allowed_origin: str
    body: bytes


def _headers(event_type: str, subscription: EventSubscription) -> dict[str, str]:
    return {
        "Content-Type": "application/json; charset=utf-8",
        "aeg-event-type": event_type,
        "aeg-subscription-name": subscription.name.upper(),
        "aeg-delivery-count": "0",
        "aeg-data-version": "2",
        "aeg-metadata-version": "1",
    }


def _echoes(body: bytes, code: str) -> bool:
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    if not isinstance(answer, dict):
        return False
    return {str(name).lower(): value for name, value in answer.items()}.get("validationresponse") == code
