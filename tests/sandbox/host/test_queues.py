"""The queue trigger against real queues, over TLS and with tokens."""

import asyncio
import base64
import io
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import aiohttp
import azure.functions as func
import msgspec
import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from sandbox.host.config import QueueOptions
from sandbox.host.console import Console
from sandbox.host.functions import Function
from sandbox.host.invocation import Worker
from sandbox.host.program import now
from sandbox.host.queues import QueueListener
from sandbox.host.settings import AppSettings
from tests.worlds.storage import StorageWorld

QUICK: Final = QueueOptions(
    batch_size=2, new_batch_threshold=0, max_dequeue_count=3, max_polling_interval=timedelta(seconds=0.1)
)


class Identity(AsyncTokenCredential):
    """The factory's identity, for clients that do not block."""

    def __init__(self, world: StorageWorld) -> None:
        self._credential = world.credential()

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return self._credential.get_token(*scopes)

    async def close(self) -> None:
        return

    async def __aexit__(self, *_: object) -> None:
        return


class Storage:
    """One account of the world."""

    def __init__(self, world: StorageWorld) -> None:
        self.world = world
        self.account = world.account()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[QueueServiceClient]:
        connector = aiohttp.TCPConnector(ssl=self.world.certificates.client_context())
        async with aiohttp.ClientSession(connector=connector) as session:
            yield QueueServiceClient(
                f"{self.world.endpoints['queue']}/{self.account}",
                credential=Identity(self.world),
                transport=AioHttpTransport(session=session, session_owner=False),
                retry_total=0,
            )


@pytest.fixture(scope="module")
def storage(storage_world: StorageWorld) -> Storage:
    return Storage(storage_world)


class Trigger:
    """A queue, and a function on it that does as it is told."""

    stop: asyncio.Event
    listener: QueueListener

    def __init__(self, queue: QueueClient, account: QueueServiceClient, name: str) -> None:
        self.queue = queue
        self.account = account
        self.name = name
        self.seen: list[func.QueueMessage] = []
        self.out = io.StringIO()
        self.release = threading.Event()
        self.act: Callable[[func.QueueMessage], object] = lambda message: None

    def call(self, message: func.QueueMessage) -> None:
        self.seen.append(message)
        self.act(message)

    async def send(self, text: str) -> None:
        await self.queue.send_message(base64.b64encode(text.encode()).decode(), time_to_live=-1)

    async def waiting(self, queue: str) -> int:
        properties = await self.account.get_queue_client(queue).get_queue_properties()
        return int(properties.approximate_message_count or 0)

    async def until(self, reached: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
        async with asyncio.timeout(8):
            while True:
                answer = reached()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(0.02)


async def listening(
    storage: Storage,
    name: str,
    story: Callable[[Trigger], Awaitable[None]],
    *,
    options: QueueOptions = QUICK,
    lock: timedelta = timedelta(minutes=10),
) -> None:
    async with storage.client() as account:
        queue = account.get_queue_client(name)
        await queue.create_queue()
        trigger = Trigger(queue, account, name)
        console = Console(now, trigger.out)
        worker = Worker(".", AppSettings({}), console, None, abort=lambda _: None)
        function = Function(
            "f", "queueTrigger", {"queueName": name}, "message", func.QueueMessage, trigger.call, False, False
        )
        listener = QueueListener(
            function, account, worker, console, options, lock=lock, chance=random.Random(1)
        )
        trigger.stop, trigger.listener = asyncio.Event(), listener
        running = asyncio.create_task(listener.run(trigger.stop))
        try:
            await story(trigger)
        finally:
            trigger.release.set()
            trigger.stop.set()
            await running
            await listener.settle(timedelta(seconds=5))
            worker.close()


def test_a_message_that_succeeds_is_gone_and_came_with_its_metadata(storage: Storage) -> None:
    async def story(trigger: Trigger) -> None:
        await trigger.send('{"image": "grün"}')
        await trigger.until(lambda: len(trigger.seen) == 1)
        (message,) = trigger.seen
        assert message.get_json() == {"image": "grün"}
        assert (message.dequeue_count, bool(message.id), bool(message.pop_receipt)) == (1, True, True)
        assert message.insertion_time is not None
        await trigger.until(lambda: gone(trigger))

    async def gone(trigger: Trigger) -> bool:
        return await trigger.waiting(trigger.name) == 0

    asyncio.run(listening(storage, "succeeds", story))


def test_a_failing_message_comes_again_and_ends_in_the_poison_queue_as_it_was_sent(storage: Storage) -> None:
    async def story(trigger: Trigger) -> None:
        def fail(message: func.QueueMessage) -> None:
            raise RuntimeError("no")

        trigger.act = fail
        await trigger.send("{}")
        await trigger.until(lambda: "Moving message to queue 'fails-poison'" in trigger.out.getvalue())
        poison = trigger.account.get_queue_client("fails-poison")
        await trigger.until(lambda: there(poison))
        assert [each.dequeue_count for each in trigger.seen] == [1, 2, 3]
        (kept,) = [message async for message in poison.receive_messages()]
        assert kept.content == base64.b64encode(b"{}").decode()

    async def there(poison: QueueClient) -> bool:
        try:
            return len(await poison.peek_messages()) == 1
        except ResourceNotFoundError:  # the host makes the queue with its first message
            return False

    asyncio.run(listening(storage, "fails", story))


def test_what_is_not_base64_goes_to_poison_without_a_call(storage: Storage) -> None:
    async def story(trigger: Trigger) -> None:
        await trigger.queue.send_message('{"plain": true}')
        await trigger.until(lambda: "Moving message" in trigger.out.getvalue())
        await trigger.send("after")
        await trigger.until(lambda: len(trigger.seen) == 1)
        assert trigger.seen[0].get_body() == b"after"

    asyncio.run(listening(storage, "plain", story))


def test_a_failure_in_a_poison_queue_comes_again_when_its_lock_lapses_and_never_moves_on(
    storage: Storage,
) -> None:
    async def story(trigger: Trigger) -> None:
        def fail(message: func.QueueMessage) -> None:
            raise RuntimeError("no")

        trigger.act = fail
        await trigger.send("{}")
        await trigger.until(lambda: len(trigger.seen) == 2)
        assert [each.dequeue_count for each in trigger.seen] == [1, 2]

    options = msgspec.structs.replace(QUICK, max_dequeue_count=1)
    asyncio.run(listening(storage, "dead-poison", story, options=options, lock=timedelta(seconds=1)))


def test_a_long_function_keeps_its_message_by_renewing_the_lock(storage: Storage) -> None:
    def renewals() -> int:
        calls = storage.world.calls_of(storage.account)
        return sum(call.method == "PUT" and "/long/messages/" in call.path for call in calls)

    async def story(trigger: Trigger) -> None:
        trigger.act = lambda _: trigger.release.wait(8)
        await trigger.send("{}")
        await trigger.until(lambda: renewals() >= 4)  # each is half a lock
        trigger.release.set()
        await trigger.until(lambda: "(Succeeded" in trigger.out.getvalue())
        assert len(trigger.seen) == 1

    asyncio.run(listening(storage, "long", story, lock=timedelta(seconds=1)))


def test_no_more_runs_at_once_than_a_batch_and_its_threshold(storage: Storage) -> None:
    running, peaks, lock = [0], [0], threading.Lock()

    def act(message: func.QueueMessage) -> None:
        with lock:
            running[0] += 1
            peaks.append(running[0])
        threading.Event().wait(0.05)
        with lock:
            running[0] -= 1

    async def story(trigger: Trigger) -> None:
        trigger.act = act
        for number in range(8):
            await trigger.send(str(number))
        await trigger.until(lambda: len(trigger.seen) == 8)
        assert 2 <= max(peaks) <= 3

    options = msgspec.structs.replace(QUICK, batch_size=2, new_batch_threshold=1)
    asyncio.run(listening(storage, "many", story, options=options))


def test_stopping_waits_for_nobody_but_leaves_the_lock_of_what_runs(storage: Storage) -> None:
    async def story(trigger: Trigger) -> None:
        trigger.act = lambda _: trigger.release.wait(8)
        await trigger.send("{}")
        await trigger.until(lambda: len(trigger.seen) == 1)
        trigger.stop.set()
        await asyncio.wait_for(trigger.listener.settle(timedelta(0)), 2)
        assert [each async for each in trigger.queue.receive_messages()] == []

    asyncio.run(listening(storage, "stops", story))


def test_a_queue_that_is_not_there_yet_is_polled_until_it_is(storage: Storage) -> None:
    async def story(trigger: Trigger) -> None:
        await trigger.queue.delete_queue()
        await trigger.until(lambda: "cannot be polled" in trigger.out.getvalue())
        await trigger.queue.create_queue()
        await trigger.send("{}")
        await trigger.until(lambda: len(trigger.seen) == 1)

    asyncio.run(listening(storage, "later", story))
