import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from sandbox.clock import VirtualClock, WallClock
from sandbox.eventgrid.courier import Courier
from sandbox.host.program import now
from tests.sandbox.eventgrid.parts import World, subscription
from tests.sandbox.eventgrid.parts import event as published
from tests.sandbox.host.conftest import Running

Client = TestClient[Any, Any]
Story = Callable[[Client], Awaitable[None]]


def test_a_function_gets_route_query_and_body_and_answers_by_its_response(running: Running) -> None:
    async def story(client: Client) -> None:
        key = running.host.keys.functions["items"]["default"]
        answer = await client.post("/api/items/Ubuntu/7", data="hello", headers={"x-functions-key": key})
        assert (answer.status, answer.content_type) == (201, "application/json")
        assert await answer.json() == {
            "route": {"name": "Ubuntu", "number": "7"},
            "method": "POST",
            "body": "hello",
        }

    asyncio.run(running.talk(story))


def test_keys_open_what_their_level_says(running: Running) -> None:
    keys = running.host.keys
    host, master, own = keys.function_keys["default"], keys.master_key, keys.functions["items"]["default"]

    async def story(client: Client) -> None:
        for url, expected in {
            "/api/special": 200,
            "/api/items/x": 401,
            "/api/items/x?code=wrong": 401,
            f"/api/items/x?code={own}": 201,
            f"/api/items/x?code={host}": 201,
            f"/api/items/x?code={master}": 201,
            f"/api/secrets/a/b?code={host}": 401,
            f"/api/secrets/a/b?code={master}": 200,
            "/api/nothing": 404,
            "/items/x": 404,
        }.items():
            assert (await client.get(url)).status == expected, url
        assert (await client.delete(f"/api/items/x?code={own}")).status == 404

    asyncio.run(running.talk(story))


def test_text_cookies_and_the_context_come_through(running: Running) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    async def story(client: Client) -> None:
        answer = await client.get("/api/special", headers={"traceparent": parent})
        assert await answer.text() == f"special True {parent}"
        answer = await client.get(f"/api/secrets/a%2Fb/c?code={running.host.keys.master_key}")
        assert await answer.text() == "a%2Fb/c"
        assert "a=1" in answer.headers["Set-Cookie"]

    asyncio.run(running.talk(story))
    (logged,) = [line for line in running.lines() if line["message"] == "special was asked"]
    assert (logged["category"], logged["level"]) == ("Function.special.User", "Warning")
    assert logged["invocationId"]


def test_an_exception_is_an_empty_500_and_a_trace_on_the_console(running: Running) -> None:
    async def story(client: Client) -> None:
        answer = await client.get(f"/api/items/x?fail=1&code={running.host.keys.master_key}")
        assert (answer.status, await answer.read()) == (500, b"")

    asyncio.run(running.talk(story))
    failed = [line for line in running.lines() if "(Failed" in line["message"]]
    assert "RuntimeError: asked to fail" in failed[0]["exception"]


def test_the_status_needs_no_key_and_the_rest_of_admin_the_master_key(running: Running) -> None:
    master = {"x-functions-key": running.host.keys.master_key}

    async def story(client: Client) -> None:
        assert (await (await client.get("/admin/host/status")).json())["state"] == "Running"
        assert (await client.get("/admin/functions")).status == 401
        names = {each["name"] for each in await (await client.get("/admin/functions", headers=master)).json()}
        assert names == {"items", "special", "secrets", "tick", "build", "build_poison", "seen"}
        answer = await client.get("/admin/host/systemkeys/eventgrid_extension", headers=master)
        assert (await answer.json())["value"] == running.host.keys.system_keys["eventgrid_extension"]

    asyncio.run(running.talk(story))


def test_timer_and_queue_functions_can_be_called_by_hand(running: Running) -> None:
    master = {"x-functions-key": running.host.keys.master_key}

    async def story(client: Client) -> None:
        for name, body, status in (
            ("tick", {}, 202),
            ("BUILD", {"input": '{"image": "a"}'}, 202),
            ("items", {}, 400),
            ("nothing", {}, 404),
        ):
            answer = await client.post(f"/admin/functions/{name}", json=body, headers=master)
            assert answer.status == status, name

    asyncio.run(running.talk(story))
    noted = {note["function"]: note for note in running.notes()}
    assert noted["tick"] == {"function": "tick", "past_due": False}
    assert noted["build"]["said"] == {"image": "a"}


def event(subject: str = "fine") -> dict[str, Any]:
    return {
        "id": subject,
        "topic": "/t",
        "subject": subject,
        "eventType": "T",
        "eventTime": "2026-11-21T09:00:00.1234567Z",
        "data": {"a": 1},
        "dataVersion": "1",
        "metadataVersion": "1",
    }


async def send(client: Client, key: str, body: Any, kind: str = "Notification") -> ClientResponse:
    url = f"/runtime/webhooks/EventGrid?functionName=seen&code={key}"
    return await client.post(url, json=body, headers={"aeg-event-type": kind})


def test_event_grid_shakes_hands_and_calls_once_per_event(running: Running) -> None:
    key = running.host.keys.system_keys["eventgrid_extension"]

    async def story(client: Client) -> None:
        greeting = [{"data": {"validationCode": "code-1"}}]
        answer = await send(client, key, greeting, "SubscriptionValidation")
        assert (answer.status, await answer.json()) == (200, {"validationResponse": "code-1"})
        assert (await send(client, key, [event("a"), event("b")])).status == 202
        assert (await send(client, key, [event("c"), event("fail")])).status == 500
        assert (await send(client, key, [], "Unsubscribe")).status == 202
        assert (await send(client, key, [], "Something")).status == 400

    asyncio.run(running.talk(story))
    assert sorted(note["id"] for note in running.notes()) == ["a", "b", "c", "fail"]
    assert running.notes()[0]["data"] == {"a": 1}


@pytest.mark.parametrize("body", ["no event", [{"eventTime": "never"}], [[]]])
def test_what_is_no_event_is_an_error_of_the_host_and_comes_again(running: Running, body: Any) -> None:
    key = running.host.keys.system_keys["eventgrid_extension"]

    async def story(client: Client) -> None:
        assert (await send(client, key, body)).status == 500

    asyncio.run(running.talk(story))
    assert running.notes() == []


def test_the_webhook_refuses_wrong_keys_and_unknown_functions(running: Running) -> None:
    key = running.host.keys.system_keys["eventgrid_extension"]

    async def story(client: Client) -> None:
        assert (await send(client, running.host.keys.function_keys["default"], [event()])).status == 401
        assert (await send(client, "", [event()])).status == 401
        answer = await client.post(f"/runtime/webhooks/eventgrid?functionName=other&code={key}")
        assert (answer.status, await answer.text()) == (404, "cannot find function: 'other'")
        allowed = await client.options(
            f"/runtime/webhooks/EventGrid?functionName=seen&code={key}",
            headers={"WebHook-Request-Origin": "eventgrid.azure.net"},
        )
        assert (allowed.status, allowed.headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")

    asyncio.run(running.talk(story))


def test_event_grid_and_the_host_understand_each_other(running: Running) -> None:
    key = running.host.keys.system_keys["eventgrid_extension"]
    world = World(speed=1000, clock=VirtualClock(now()))

    async def story(client: Client) -> None:
        url = str(client.make_url(f"/runtime/webhooks/EventGrid?functionName=seen&code={key}"))
        async with aiohttp.ClientSession() as session:
            courier = Courier(world.grid, lambda _: url, WallClock(), session=session)
            await courier.connect([subscription(function="seen", max_delivery_attempts=2)])
            delivering = asyncio.create_task(courier.run())
            world.post([published("fine"), published("fail")])
            async with asyncio.timeout(5):
                while world.outbox.pending():
                    await asyncio.sleep(0.01)
            delivering.cancel()

    asyncio.run(running.talk(story))
    assert sorted(note["id"] for note in running.notes()) == ["event-of-fail"] * 2 + ["event-of-fine"]
    assert [letter["subject"] for letter in world.outbox.dead] == ["fail"]
