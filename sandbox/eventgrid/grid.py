"""Event Grid as its clients see it: the publishing endpoint, and what is published where."""

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sandbox.arm.roles import Roles
from sandbox.calls import Call, CallLog
from sandbox.clock import Clock
from sandbox.eventgrid.events import Event, PublishRefused, parse_events
from sandbox.eventgrid.filters import matches
from sandbox.eventgrid.outbox import Outbox
from sandbox.eventgrid.subscriptions import EventSubscription, TopicAlias
from sandbox.eventgrid.topics import AUDIENCE, SEND, Topic
from sandbox.faults import Faults
from sandbox.http import Headers, Request, Response
from sandbox.identity.tokens import TokenRefused, Tokens

if TYPE_CHECKING:
    from datetime import datetime

_PATH: Final = re.compile(r"/topics/(?P<name>[^/]+)/api/events/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Caller:
    principal: str | None
    refusal: PublishRefused | None


class EventGrid:
    """A Face for publishers, a sink for Resource Manager, an outbox for whoever delivers."""

    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        calls: CallLog,
        tokens: Tokens,
        roles: Roles,
        *,
        topics: Iterable[Topic],
        speed: float = 1.0,
        dead_letters: Path | None = None,
    ) -> None:
        self.outbox = Outbox(speed=speed, dead_letters=dead_letters)
        self.watchers: list[Callable[[Event, datetime], None]] = []
        """Called for each event that is published, also where nobody subscribes to it."""
        # Demanded is 403; a test report of an Azure SDK (2021) shows 401 for the same message.
        self.missing_role_status = 403
        self._clock = clock
        self._faults = faults
        self._calls = calls
        self._tokens = tokens
        self._roles = roles
        self._topics = tuple(topics)
        self._subscriptions: dict[str, EventSubscription] = {}
        self._reports = 0

    @property
    def subscriptions(self) -> tuple[EventSubscription, ...]:
        return tuple(self._subscriptions.values())

    def topic(self, alias: TopicAlias) -> Topic:
        return next(each for each in self._topics if each.alias == alias)

    def subscribe(self, subscription: EventSubscription) -> None:
        """Take a subscription as it is; the courier proves its endpoint by handshake before it calls this."""
        self._subscriptions[subscription.name.lower()] = subscription

    def unsubscribe(self, name: str) -> bool:
        return self._subscriptions.pop(name.lower(), None) is not None

    def publish(self, scope: str, event: Event) -> None:
        """Let a system topic publish; where no topic stands on the scope, nobody ever hears of it."""
        for topic in self._topics:
            if topic.scope.lower() == scope.lower().rstrip("/"):
                self._fan_out(topic, {"topic": topic.scope, "metadataVersion": "1", **event})

    def handle(self, request: Request) -> Response:
        caller = self._caller(request)
        response = self._faults.around("eventgrid", request, lambda each: self._answer(each, caller))
        self._calls.append(
            Call(
                service="eventgrid",
                method=request.method,
                path=request.path,
                query=request.target.partition("?")[2],
                status=0 if response.drop else response.status,
                at=self._clock.now(),
                audience=AUDIENCE if caller.principal else None,
                principal=caller.principal,
                action=SEND,
                correlation=request.headers.get("x-ms-client-request-id"),
            )
        )
        return response

    def _answer(self, request: Request, caller: _Caller) -> Response:
        try:
            topic = self._topic(request)
            if caller.refusal is not None:
                raise caller.refusal
            self._authorize(caller.principal, topic)
            kind = request.headers.get("Content-Type", "")
            for event in parse_events(request.body, kind, topic.schema, topic.scope):
                self._fan_out(topic, event)
        except PublishRefused as refusal:
            return self._refuse(refusal)
        return Response(200, Headers({"x-ms-request-id": self._report_id()}))

    def _topic(self, request: Request) -> Topic:
        path = _PATH.fullmatch(request.path)
        named = path["name"].lower() if path else None
        topic = next((each for each in self._topics if each.name and each.name.lower() == named), None)
        if topic is None:
            raise PublishRefused(404, "ResourceNotFound", f"There is no topic at {request.path}.")
        if request.method != "POST":
            raise PublishRefused(
                405, "MethodNotAllowed", f"{request.method} is not allowed; events are POSTed."
            )
        if request.param("api-version") not in ("2018-01-01", None):
            raise PublishRefused(400, "BadRequest", "The api-version must be '2018-01-01'.")
        return topic

    def _caller(self, request: Request) -> _Caller:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            # the words of the real service, which does not mention tokens of the directory
            message = (
                "Request must contain one of the following authorization signature: aeg-sas-token, "
                "aeg-sas-key."
            )
            return _Caller(None, PublishRefused(401, "Unauthorized", message))
        try:
            return _Caller(self._tokens.check(token, AUDIENCE, self._clock.now()).name, None)
        except TokenRefused as refused:
            return _Caller(None, PublishRefused(401, "Unauthorized", refused.reason))

    def _authorize(self, principal: str | None, topic: Topic) -> None:
        if principal is None or not self._roles.allows(principal, SEND, topic.scope, data=True):
            raise PublishRefused(
                self.missing_role_status,
                "Forbidden" if self.missing_role_status == 403 else "Unauthorized",
                "The principal associated with access token presented with the incoming request does not "
                f"have permission to send data to {topic.scope}.",
            )

    def _fan_out(self, topic: Topic, event: Event) -> None:
        now = self._clock.now()
        for watcher in self.watchers:
            watcher(event, now)
        for subscription in self.subscriptions:
            if subscription.topic == topic.alias and matches(subscription, event):
                self.outbox.add(subscription, event, now)

    def _refuse(self, refusal: PublishRefused) -> Response:
        stamp = self._clock.now().strftime("%m/%d/%Y %I:%M:%S %p")
        message = (
            f"{refusal.message} Report '{self._report_id()}:0:{stamp} (UTC)' to our forums for assistance or "
            "raise a support ticket."
        )
        detail = {"code": refusal.detail or refusal.code, "message": message}
        document = {"error": {"code": refusal.code, "message": message, "details": [detail]}}
        return Response.of(refusal.status, document)

    def _report_id(self) -> str:
        self._reports += 1
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"eventgrid/{self._reports}"))
