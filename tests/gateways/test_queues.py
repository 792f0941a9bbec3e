"""The queues, in memory and in reality alike; the test plays the Functions host."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.clock import VirtualClock
from shared.contracts import messages
from shared.domain.errors import Invalid, RetryableError
from shared.domain.looks import Lane, Look, Thing
from shared.gateways.queues import StorageQueues
from tests.memory import MemoryQueues

from .conftest import BOTH
from .records import AT

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.gateways.connection import Connection
    from shared.ports import Queues
    from tests.worlds.storage import StorageWorld

LOOK = Look(Lane.BUILDS, Thing.IMAGE, "ubuntu", "c-1", due=AT, attempt=2, first=AT)
DAY = timedelta(days=1)


@dataclass
class Post:
    """The port, and the host's half: `take` receives and hides a message, `back` shows it again."""

    queues: Queues
    take: Callable[[str], tuple[str, int] | None]
    back: Callable[[], None]


@pytest.fixture(params=BOTH)
def post(request: pytest.FixtureRequest) -> Post:
    if request.param == "memory":
        return _in_memory()
    return _in_reality(request.getfixturevalue("real"), request.getfixturevalue("real_connection"))


def _in_memory() -> Post:
    queues = MemoryQueues(VirtualClock())
    held = []

    def take(lane: str) -> tuple[str, int] | None:
        found = queues.receive(lane)
        if found is None:
            return None
        held.append(found)
        return found.body, found.dequeue_count

    return Post(queues, take, lambda: (queues.show(held.pop()), None)[1])


def _in_reality(world: StorageWorld, connection: Connection) -> Post:
    account = world.account()
    for lane in Lane:
        world.service.writer.create_queue(account, lane.value)
    service = world.queues(account)
    held = []

    def take(lane: str) -> tuple[str, int] | None:
        client = service.get_queue_client(lane)
        found = client.receive_message(visibility_timeout=600)
        if found is None:
            return None
        held.append((client, found))
        return base64.b64decode(found.content, validate=True).decode(), int(found.dequeue_count or 0)

    def back() -> None:
        client, message = held.pop()
        client.update_message(message, visibility_timeout=0)

    return Post(StorageQueues(f"{world.endpoints['queue']}/{account}", connection), take, back)


def test_a_look_arrives_in_its_lane_as_it_was_sent(post: Post) -> None:
    post.queues.send(LOOK)
    taken = post.take("builds")
    assert taken is not None
    assert messages.decode(Lane.BUILDS, taken[0]) == LOOK
    assert post.take("sources") is None


def test_a_received_message_is_hidden_and_comes_back_counted(post: Post) -> None:
    post.queues.send(LOOK)
    first = post.take("builds")
    assert post.take("builds") is None
    post.back()
    again = post.take("builds")
    assert first is not None
    assert again == (first[0], 2)


@pytest.mark.parametrize("delay", [timedelta(seconds=90), timedelta(days=400)])
def test_a_delayed_look_is_not_visible_yet(post: Post, delay: timedelta) -> None:
    post.queues.send(LOOK, delay)
    assert post.take("builds") is None


def test_a_delay_in_the_past_is_none(post: Post) -> None:
    post.queues.send(LOOK, timedelta(seconds=-5))
    assert post.take("builds") is not None


def test_a_poison_message_goes_back_into_its_lane_unread(post: Post) -> None:
    post.queues.send_raw("archive", '{"v":99,"what":"✓"}')
    assert post.take("archive") == ('{"v":99,"what":"✓"}', 1)


def test_what_could_not_be_read_back_is_not_sent(post: Post) -> None:
    with pytest.raises(Invalid):
        post.queues.send(Look(Lane.BUILDS, Thing.IMAGE, "../x", "c-1"))
    assert post.take("builds") is None


def test_a_delay_is_shortened_to_a_day() -> None:
    clock = VirtualClock()
    queues = MemoryQueues(clock)
    queues.send(LOOK, 30 * DAY)
    assert queues.next_visible() == clock.now() + DAY


def test_messages_outlive_any_outage(real: StorageWorld, real_connection: Connection) -> None:
    """The service's own default is a week: a look that waits longer would be lost."""
    account = real.account()
    real.service.writer.create_queue(account, "builds")
    StorageQueues(f"{real.endpoints['queue']}/{account}", real_connection).send(LOOK)
    found = real.queues(account).get_queue_client("builds").receive_message()
    assert found is not None
    assert found.expires_on is not None
    assert found.inserted_on is not None
    assert found.expires_on - found.inserted_on > 1000 * DAY


def test_a_missing_queue_is_named_and_comes_to_be(real: StorageWorld, real_connection: Connection) -> None:
    queues = StorageQueues(f"{real.endpoints['queue']}/{real.account()}", real_connection)
    with pytest.raises(RetryableError, match=r"builds.*create it"):
        queues.send(LOOK)
