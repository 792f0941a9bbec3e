import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.clock import VirtualClock, WallClock
from sandbox.eventgrid.courier import Courier, HandshakeRefused
from sandbox.eventgrid.events import InputSchema
from sandbox.eventgrid.outbox import Disturbance
from tests.sandbox.eventgrid.parts import World, event, subscription

Answer = Callable[["Webhook", web.Request, Any], Awaitable[web.Response]]


class Webhook:
    """An endpoint that shakes hands and answers events with the statuses it was told, then with 200."""

    def __init__(self, *statuses: int, greeting: int = 200, echo: bool = True) -> None:
        self.statuses = list(statuses)
        self.greeting = greeting
        self.echo = echo
        self.events: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.bell = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            origin = request.headers["WebHook-Request-Origin"] if self.echo else "elsewhere.example"
            return web.Response(headers={"WebHook-Allowed-Origin": origin})
        document = json.loads(await request.read())
        (sent,) = document if isinstance(document, list) else (document,)
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            code = sent["data"]["validationCode"] if self.echo else "something else"
            return web.json_response({"validationResponse": code}, status=self.greeting)
        self.events.append(sent)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.bell.set()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def heard(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.events) < count:
                self.bell.clear()
                await self.bell.wait()


async def story(world: World, webhook: Webhook, then: Callable[[Courier], Awaitable[None]]) -> None:
    app = web.Application()
    app.router.add_route("*", "/", webhook.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        courier = Courier(world.grid, lambda _: str(server.make_url("/")), WallClock(), session=session)
        await courier.connect([subscription()])
        running = asyncio.create_task(courier.run())
        try:
            await then(courier)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def live(speed: float = 1000.0, schema: InputSchema = "EventGridSchema") -> World:
    return World(speed=speed, clock=VirtualClock(WallClock().now()), schema=schema)


def test_after_the_handshake_events_are_delivered_one_by_one_with_azures_headers() -> None:
    async def run() -> None:
        world, webhook = live(), Webhook()

        async def then(_: Courier) -> None:
            world.post([event("a"), event("b")])
            await webhook.heard(2)
            assert sorted(each["subject"] for each in webhook.events) == ["a", "b"]
            headers = webhook.headers[0]
            assert headers["aeg-event-type"] == "Notification"
            assert headers["aeg-subscription-name"] == "SOURCE-VERSIONS"
            assert headers["aeg-delivery-count"] == "0"
            assert (headers["aeg-data-version"], headers["aeg-metadata-version"]) == ("1.0", "1")

        await story(world, webhook, then)

    asyncio.run(run())


def test_a_refused_event_comes_again_until_it_is_taken() -> None:
    async def run() -> None:
        world, webhook = live(), Webhook(500, 404)

        async def then(_: Courier) -> None:
            world.post([event("a")])
            await webhook.heard(3)
            assert [each["aeg-delivery-count"] for each in webhook.headers] == ["0", "1", "2"]

        await story(world, webhook, then)

    asyncio.run(run())


def test_copies_and_shuffling_reach_the_endpoint() -> None:
    async def run() -> None:
        world, webhook = live(speed=100), Webhook()
        world.outbox.disturbance = Disturbance(copies=2, shuffle_seed=1)

        async def then(_: Courier) -> None:
            world.post([event(str(number)) for number in range(6)])
            await webhook.heard(12)
            came = [each["subject"] for each in webhook.events]
            assert sorted(came) == sorted([str(number) for number in range(6)] * 2)
            assert came != sorted(came)

        await story(world, webhook, then)

    asyncio.run(run())


def test_cloud_events_are_greeted_by_origin_and_come_one_per_request() -> None:
    cloud = {"id": "1", "source": "s", "type": "t", "specversion": "1.0", "data": {"a": 1}}

    async def run() -> None:
        world, webhook = live(schema="CloudEventSchemaV1_0"), Webhook()

        async def then(_: Courier) -> None:
            world.post([cloud])
            await webhook.heard(1)
            assert webhook.events == [cloud]
            assert webhook.headers[0]["content-type"].startswith("application/cloudevents+json")

        await story(world, webhook, then)
        with pytest.raises(HandshakeRefused, match="did not echo"):
            await story(world, Webhook(echo=False), then)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("webhook", "said"),
    [({"greeting": 202}, "answered 202, expected 200"), ({"echo": False}, "did not echo")],
)
def test_an_endpoint_that_does_not_shake_hands_gets_no_subscription(
    webhook: dict[str, Any], said: str
) -> None:
    async def run() -> None:
        world = live()
        with pytest.raises(HandshakeRefused, match=said):
            await story(world, Webhook(**webhook), lambda _: asyncio.sleep(0))
        assert world.grid.subscriptions == ()

    asyncio.run(run())


def test_nobody_there_is_told_as_no_answer_and_waited_for_on_demand() -> None:
    async def run() -> None:
        world = live()
        app = web.Application()
        app.router.add_post("/", Webhook().handle)
        server = TestServer(app)
        async with aiohttp.ClientSession() as session:
            url = "http://127.0.0.1:1/"
            courier = Courier(world.grid, lambda _: url, WallClock(), session=session)
            with pytest.raises(HandshakeRefused, match="no answer"):
                await courier.connect([subscription()])
            waiting = asyncio.create_task(courier.connect_when_there([subscription()]))
            async with server:
                url = str(server.make_url("/"))
                await asyncio.wait_for(waiting, 5)
        assert [each.name for each in world.grid.subscriptions] == ["source-versions"]

    asyncio.run(run())
