"""A world with nothing in it but Event Grid, and events to publish."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from sandbox.arm.roles import Roles
from sandbox.calls import CallLog
from sandbox.clock import VirtualClock
from sandbox.eventgrid.events import InputSchema
from sandbox.eventgrid.grid import EventGrid
from sandbox.eventgrid.subscriptions import EventSubscription
from sandbox.eventgrid.topics import AUDIENCE, default_topics
from sandbox.faults import Faults
from sandbox.http import Request, Response
from sandbox.identity.tokens import Tokens

SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000000"
SCOPE: Final = f"/subscriptions/{SUBSCRIPTION}"
TOPIC: Final = f"{SCOPE}/resourceGroups/image-factory/providers/Microsoft.EventGrid/topics/image-factory"
URL: Final = "https://127.0.0.1:1/topics/image-factory/api/events?api-version=2018-01-01"


class World:
    def __init__(
        self,
        dead_letters: Path | None = None,
        speed: float = 1.0,
        clock: VirtualClock | None = None,
        schema: InputSchema = "EventGridSchema",
    ) -> None:
        self.clock = clock or VirtualClock()
        self.faults = Faults(self.clock)
        self.calls = CallLog()
        self.tokens = Tokens("11111111-1111-1111-1111-111111111111")
        self.roles = Roles()
        self.roles.assign("factory", "EventGrid Data Sender", TOPIC)
        custom, system = default_topics(SUBSCRIPTION)
        self.grid = EventGrid(
            self.clock,
            self.faults,
            self.calls,
            self.tokens,
            self.roles,
            topics=(msgspec.structs.replace(custom, schema=schema), system),
            speed=speed,
            dead_letters=dead_letters,
        )
        self.outbox = self.grid.outbox

    def token(self, principal: str = "factory", audience: str = AUDIENCE) -> str:
        return self.tokens.issue(principal, audience, self.clock.now(), timedelta(hours=1))

    def post(self, body: object, *, token: str | None = None, url: str = URL) -> Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token or self.token()}",
            "x-ms-client-request-id": "correlation-1",
        }
        return self.grid.handle(Request.to("POST", url, headers, raw))

    def subjects(self) -> list[str]:
        return [str(delivery.event["subject"]) for delivery in self.outbox.pending()]


def event(subject: str = "sources/ubuntu", **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "id": f"event-of-{subject}",
        "subject": subject,
        "eventType": "ImageFactory.SourceVersionFound",
        "eventTime": "2026-11-21T09:00:00.1234567Z",
        "data": {"version": "22.04.202611010"},
        "dataVersion": "1.0",
    }
    return given | changes


def arm_event(operation: str, **changes: Any) -> dict[str, Any]:
    return event(
        "/subscriptions/x/resourcegroups/y",
        eventType="Microsoft.Resources.ResourceActionSuccess",
        data={"operationName": operation, "status": "Succeeded"},
        **changes,
    )


def subscription(**changes: Any) -> EventSubscription:
    given: dict[str, Any] = {
        "name": "source-versions",
        "topic": "factory",
        "function": "source_version_found",
    }
    return EventSubscription(**(given | changes))
