"""The factory's own events, through the real SDK, to the local Azure's custom topic."""

from __future__ import annotations

import json

import pytest

from sandbox.clock import VirtualClock
from sandbox.faults import Fault
from sandbox.http import Headers, Response
from sandbox.identity.tokens import NOBODY
from shared.domain.errors import AccessDenied, PermanentError, RetryableError
from shared.domain.events import EventType, FactoryEvent
from shared.gateways.credential import EVENT_GRID
from shared.gateways.events import TopicEvents

from .arm import ArmWorld, Said, WorldsToken, connection_to

GRID = "https://eventgrid.sandbox"
TOPIC = f"{GRID}/topics/image-factory/api/events"
EVENT = FactoryEvent(
    type=EventType.BUILD_ENDED,
    subject="ubuntu",
    at=VirtualClock().now(),
    data={"version": "22.04.202611010", "inferred": False},
    correlation="c-0815-4711",
)


def topic(world: ArmWorld, token: WorldsToken) -> TopicEvents:
    return TopicEvents(TOPIC, connection_to(world.azure.eventgrid, token, base=GRID))


def test_an_event_is_published_with_a_token_for_event_grid() -> None:
    world = ArmWorld()
    token = WorldsToken(world.azure, "factory")
    events = topic(world, token)
    events.publish(EVENT)
    assert token.asked == [EVENT_GRID]
    (call,) = world.azure.calls.list("eventgrid")
    assert (call.method, call.status, call.action) == ("POST", 200, "Microsoft.EventGrid/events/send/action")


def test_what_is_sent_is_the_event_grid_schema() -> None:
    said = Said(Response.of(200))
    TopicEvents(TOPIC, connection_to(said, base=GRID)).publish(EVENT)
    (event,) = json.loads(said.asked[0].body)
    assert event["id"] == EVENT.id
    assert event["eventType"] == "ImageFactory.BuildEnded"
    assert event["subject"] == "ubuntu"
    assert event["data"]["version"] == "22.04.202611010"
    assert event["dataVersion"] == "1"


def test_without_the_role_publishing_is_denied_and_says_which() -> None:
    world = ArmWorld()
    events = topic(world, WorldsToken(world.azure, NOBODY))
    with pytest.raises(AccessDenied, match="EventGrid Data Sender") as caught:
        events.publish(EVENT)
    assert caught.value.action == "Microsoft.EventGrid/events/send/action"


def test_a_topic_that_fails_is_asked_once_and_later_again() -> None:
    world = ArmWorld()
    events = topic(world, WorldsToken(world.azure, "factory"))
    for fault in (Fault("eventgrid", "status", status=503), Fault("eventgrid", "drop", "after")):
        world.azure.faults.add(fault)
        with pytest.raises(RetryableError):
            events.publish(EVENT)
    assert len(world.azure.faults.fired()) == 2
    events.publish(EVENT)


def test_a_redirect_of_the_topic_gets_neither_event_nor_token() -> None:
    said = Said(Response(307, Headers({"Location": "https://evil.example/api/events"})))
    with pytest.raises(PermanentError, match="307"):
        TopicEvents(TOPIC, connection_to(said, base=GRID)).publish(EVENT)
    assert len(said.asked) == 1
