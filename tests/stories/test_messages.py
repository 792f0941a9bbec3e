"""Messages that cannot be worked off: recorded with the reason, published, and sent again by a person."""

import base64
from datetime import timedelta

import azure.functions as func
import pytest
from azure.functions.queue import QueueMessage

from functions import boundary
from shared.contracts import messages
from shared.domain.errors import Invalid, RetryableError
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import FailedWork, JournalLine
from shared.usecases import work

from .endings import NEW, assert_fault_free, released
from .world import World, _message

IMAGE = '{"v":1,"look":"image","id":"ubuntu-22","correlation":"by-a-test","attempt":1}'


def delivered(body: str | bytes, dequeue_count: int = 1) -> func.QueueMessage:
    """As it comes out of the queue: text in base64, or whatever somebody else put there."""
    content = base64.b64encode(body.encode()) if isinstance(body, str) else body
    return QueueMessage(id="4711", body=content, dequeue_count=dequeue_count)


def failed(world: World) -> FailedWork:
    (found,) = world.records(FailedWork)
    assert isinstance(found, FailedWork)
    return found


def told(world: World) -> tuple[int, int]:
    """How many lines of the journal and how many events tell of failed work."""
    world.azure.tick()
    world._deliver_events()
    lines = [line for line in world.records(JournalLine) if line.what == "work-failed"]
    events = [event for event in world.published if event["eventType"] == "ImageFactory.WorkFailed"]
    return len(lines), len(events)


UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "newer": (IMAGE.replace('"v":1', '"v":2'), "has version 2, this factory knows 1"),
    "not base64": (IMAGE.encode(), "is not base64 of UTF-8 text"),
    "bytes": (b"\xff\xfe\x00\x80", "is not base64 of UTF-8 text"),
    "not text": (base64.b64encode(b"\xff\xfe"), "is not base64 of UTF-8 text"),
    "not JSON": ("look", "not one of the factory"),
    "empty": ("", "not one of the factory"),
    "unknown thing": (IMAGE.replace('"image"', '"lab"'), "not one of the factory"),
    "unknown member": (IMAGE.replace('"attempt"', '"do":"delete","attempt"'), "not one of the factory"),
    "bad name": (IMAGE.replace("ubuntu-22", "../ubuntu"), "names the image"),
    "unknown image": (IMAGE.replace("ubuntu-22", "nobody"), "no image 'nobody' is configured"),
    "unknown output": (
        '{"v":1,"look":"output","id":"ubuntu-22/2026-11-21T09:16:00Z/x","correlation":"c","attempt":1}',
        "does not look at a output",
    ),
    "huge": (IMAGE + " " * 9000, "characters long"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_message_that_can_never_be_worked_off_is_recorded_with_the_reason(case: str) -> None:
    """Nothing is raised, nothing is done at Azure, and the same message twice tells once."""
    world = World()
    body, reason = UNREADABLE[case]
    for _ in range(2):
        boundary.work_off_message(world.worker, Lane.BUILDS, delivered(body))
    assert reason in failed(world).why
    assert told(world) == (1, 1)
    assert not world.azure.calls.list("arm")


def test_a_poison_message_is_recorded_published_and_can_be_sent_again() -> None:
    """The host gave it up; once sent again it is worked off as ever."""
    world = World()
    world.play(lambda w: w.image() is not None)
    boundary.record_poison(world.worker, Lane.BUILDS, delivered(IMAGE, 5))
    assert "gave the message up after 5 tries" in failed(world).why
    assert told(world) == (1, 1)
    work.send_again(world.worker.outside, failed(world).id)
    (message,) = world.queues.waiting("builds")
    boundary.work_off_message(world.worker, Lane.BUILDS, _message(message))
    assert failed(world).resent == world.clock.now()


def test_an_unreadable_poison_message_is_sent_again_as_it_was() -> None:
    """By a newer factory perhaps, which can read it."""
    world = World()
    body = IMAGE.replace('"v":1', '"v":2')
    boundary.record_poison(world.worker, Lane.BUILDS, delivered(body))
    work.send_again(world.worker.outside, failed(world).id)
    assert [message.body for message in world.queues.waiting("builds")] == [body]


def test_sending_again_what_is_not_recorded_is_refused() -> None:
    """With words that help."""
    with pytest.raises(Invalid, match="no failed work 'nonsense' is recorded"):
        work.send_again(World().worker.outside, "nonsense")


def test_a_look_is_tried_for_a_day_and_then_is_failed_work() -> None:
    """It keeps its first time however often it comes back."""
    world = World()
    look = Look(Lane.BUILDS, Thing.IMAGE, "ubuntu-22", "by-a-test")
    patience = timedelta(hours=24)
    began, tries = world.clock.now(), 0
    while not world.records(FailedWork):
        work.try_again(world.worker.outside, look, RetryableError("not now"), patience)
        tries += 1
        waiting = world.queues.waiting("builds")
        if waiting:
            world.clock.set(waiting[0].visible_at)
            message = world.queues.receive("builds")
            assert message is not None
            world.queues.delete(message)
            look = messages.decode(Lane.BUILDS, message.body)
    assert timedelta(hours=24) <= world.clock.now() - began < timedelta(hours=25)
    assert f"tried {tries} times" in failed(world).why
    assert tries < 120


def test_messages_are_never_needed() -> None:
    """Every message is lost again and again; the sweep sends what is needed."""
    world = World()
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    for _ in range(12):
        world.go_on(minutes=7)
        world.queues.clear()
    world.play(released(NEW))
    assert_fault_free(world, NEW)
