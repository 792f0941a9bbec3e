from datetime import timedelta
from typing import Any

import pytest

from sandbox.eventgrid.topics import AUDIENCE, SEND
from sandbox.faults import Fault
from sandbox.http import Request
from tests.sandbox.eventgrid.parts import SCOPE, TOPIC, URL, World, arm_event, event, subscription


@pytest.fixture
def world() -> World:
    world = World()
    world.grid.subscribe(subscription())
    return world


def told(response: Any) -> tuple[int, str, str]:
    error = response.json()["error"]
    return response.status, error["code"], error["message"]


def test_published_events_reach_the_subscription_with_the_topic_filled_in(world: World) -> None:
    assert world.post([event("a"), event("b")]).status == 200
    first, second = world.outbox.pending()
    assert (first.event["topic"], first.event["metadataVersion"]) == (TOPIC, "1")
    assert (first.subscription.function, second.event["subject"]) == ("source_version_found", "b")


def test_every_call_is_recorded_with_who_called_and_what_it_needs(world: World) -> None:
    world.post([event()])
    world.grid.handle(Request.to("POST", URL))
    kept, refused = world.calls
    assert (kept.status, kept.principal, kept.audience, kept.action) == (200, "factory", AUDIENCE, SEND)
    assert kept.correlation == "correlation-1"
    assert (refused.status, refused.principal, refused.audience) == (401, None, None)


def test_without_a_good_token_the_answer_is_401_and_without_the_role_403(world: World) -> None:
    wrong = world.token(audience="https://management.azure.com")
    late = world.token()
    assert told(world.post([event()], token=wrong))[:2] == (401, "Unauthorized")
    assert told(world.grid.handle(Request.to("POST", URL)))[:2] == (401, "Unauthorized")
    status, code, message = told(world.post([event()], token=world.token("nobody")))
    assert (status, code) == (403, "Forbidden")
    assert f"does not have permission to send data to {TOPIC}" in message
    world.clock.advance(timedelta(hours=1))
    assert told(world.post([event()], token=late))[:2] == (401, "Unauthorized")
    assert world.outbox.pending() == ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not valid JSON"),
        (b'"text"', "Expected: StartArray"),
        (event(), "Expected: StartArray, actual: StartObject"),
        ([1], "StartObject"),
        ([event(source="x")], "unexpected property 'source'"),
        ([event(id="")], "'id'"),
        ([event() | {"subject": None}], "'subject'"),
        ([event(eventTime="yesterday")], "'eventTime'"),
        ([event(topic="/subscriptions/other")], "'topic'"),
        ([event(metadataVersion="2")], "'metadataVersion'"),
        ([event(dataVersion=1)], "'dataVersion'"),
        ([{name: value for name, value in event().items() if name != "data"}], "'data'"),
    ],
)
def test_a_faulty_batch_is_refused_whole_and_told_why(world: World, body: Any, said: str) -> None:
    faulty = [event("fine"), *body] if isinstance(body, list) else body
    status, code, message = told(world.post(faulty))
    assert (status, code) == (400, "BadRequest")
    assert said in message
    assert world.outbox.pending() == ()


def test_more_than_a_megabyte_is_refused_with_413(world: World) -> None:
    assert told(world.post([event(data="x" * 1024 * 1024)]))[0] == 413


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("POST", "https://127.0.0.1:1/topics/other/api/events", 404),
        ("POST", "https://127.0.0.1:1/api/events", 404),
        ("GET", URL, 405),
        ("POST", URL.replace("2018-01-01", "2030-01-01"), 400),
    ],
)
def test_what_is_no_topic_is_said_to_be_none(world: World, method: str, url: str, status: int) -> None:
    assert told(world.grid.handle(Request.to(method, url)))[0] == status


def test_resource_manager_events_go_to_subscriptions_of_the_system_topic_alone() -> None:
    world = World()
    world.grid.subscribe(subscription())
    world.grid.subscribe(subscription(name="run-ends", topic="subscription", function="template_changed"))
    world.grid.publish(SCOPE.upper(), arm_event("run/action"))
    world.grid.publish("/subscriptions/elsewhere", arm_event("run/action"))
    (only,) = world.outbox.pending()
    assert (only.subscription.name, only.event["topic"]) == ("run-ends", SCOPE)
    assert world.grid.unsubscribe("RUN-ENDS")
    world.grid.publish(SCOPE, arm_event("run/action"))
    assert len(world.outbox.pending()) == 1


def test_a_fault_before_loses_the_event_and_a_fault_after_only_the_answer(world: World) -> None:
    world.faults.add(Fault("eventgrid", "status", when="before", status=503))
    world.faults.add(Fault("eventgrid", "drop", when="after", nth=2))
    assert world.post([event("a")]).status == 503
    assert world.post([event("b")]).drop == "after"
    assert world.subjects() == ["b"]
    assert [call.status for call in world.calls] == [503, 0]
