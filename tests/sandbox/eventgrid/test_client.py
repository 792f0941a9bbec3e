"""Microsoft's publishing client against the topic: in process, and over TLS."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient

# the public class drops its keyword arguments, `transport` among them, before it makes this one
from azure.eventgrid._legacy import EventGridPublisherClient as InnerClient

from sandbox.eventgrid.topics import SEND
from sandbox.serve import Listener, face_handler
from sandbox.tls import certificates
from sandbox.transport import SandboxTransport
from tests.sandbox.eventgrid.parts import World, subscription

BASE = "https://eventgrid.test"
PATH = "/topics/image-factory/api/events"


class Identity:
    def __init__(self, world: World, principal: str = "factory", audience: str | None = None) -> None:
        self._world = world
        self._principal = principal
        self._audience = audience
        self.asked: list[str] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked += scopes
        audience = self._audience or scopes[0].removesuffix("/.default")
        now = self._world.clock.now()
        token = self._world.tokens.issue(self._principal, audience, now, timedelta(hours=1))
        return AccessToken(token, 4102444800)


def found(subject: str = "sources/ubuntu") -> EventGridEvent:
    return EventGridEvent(
        subject=subject,
        event_type="ImageFactory.SourceVersionFound",
        data={"version": "1.2.3"},
        data_version="1",
    )


@pytest.fixture
def world() -> World:
    world = World()
    world.grid.subscribe(subscription())
    return world


def client(world: World, identity: Identity) -> InnerClient:
    transport = SandboxTransport({BASE: world.grid})
    return InnerClient(BASE + PATH, identity, transport=transport, retry_total=0)


def test_events_of_the_client_are_taken_as_they_are(world: World) -> None:
    identity = Identity(world)
    client(world, identity).send([found("a"), found("b")])
    assert world.subjects() == ["a", "b"]
    assert identity.asked[0] == "https://eventgrid.azure.net/.default"
    (call,) = world.calls
    assert (call.status, call.action, call.principal) == (200, SEND, "factory")
    assert call.correlation


def test_refusals_arrive_as_the_clients_own_errors(world: World) -> None:
    with pytest.raises(ClientAuthenticationError) as refused:
        client(world, Identity(world, audience="https://management.azure.com")).send(found())
    assert refused.value.status_code == 401
    with pytest.raises(HttpResponseError, match="does not have permission to send data") as forbidden:
        client(world, Identity(world, "nobody")).send(found())
    assert forbidden.value.status_code == 403
    with pytest.raises(HttpResponseError, match="unexpected property 'source'") as wrong:
        client(world, Identity(world)).send(CloudEvent(source="s", type="t", data=1))
    assert wrong.value.status_code == 400
    assert world.outbox.pending() == ()


def test_a_topic_for_cloud_events_takes_them_alone() -> None:
    world = World(schema="CloudEventSchemaV1_0")
    world.grid.subscribe(subscription(included_event_types=("t",)))
    client(world, Identity(world)).send(CloudEvent(source="s", type="t", subject="x", data={"a": 1}))
    (delivery,) = world.outbox.pending()
    assert (delivery.event["source"], delivery.event["specversion"]) == ("s", "1.0")
    with pytest.raises(HttpResponseError, match="CloudEventV10"):
        client(world, Identity(world)).send(found())


def test_the_same_client_publishes_over_tls(world: World, tmp_path: Path) -> None:
    made = certificates(tmp_path)

    async def story() -> None:
        async with Listener(face_handler(world.grid), tls=made.server_context()) as listener:
            with EventGridPublisherClient(listener.url + PATH, Identity(world)) as publisher:
                options: dict[str, Any] = {"connection_verify": str(made.ca), "retry_total": 0}
                await asyncio.to_thread(publisher.send, found("over TLS"), **options)

    asyncio.run(story())
    assert world.subjects() == ["over TLS"]
