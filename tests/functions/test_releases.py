"""Events and messages of gallery versions, from the host's side."""

import base64
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest
from azure.functions.queue import QueueMessage

from functions import boundary
from shared.contracts import messages
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import FailedWork, JournalLine
from tests.stories.gallery import GALLERY, GalleryWorld

VERSION = f"{GALLERY}/images/base/versions/1.0.0"
SUBSCRIPTION = VERSION.split("/")[2]
LOOK = Look(Lane.RELEASES, Thing.VERSION, "base/1.0.0", "5c0ffee5-0000-4000-8000-000000000000")


def written(subject: str = VERSION, **more: Any) -> func.EventGridEvent:
    operation = "Microsoft.Compute/galleries/images/versions/write"
    return func.EventGridEvent(
        id="0b2c6f3a-0000-4000-8000-000000000000",
        data={"operationName": operation, "correlationId": LOOK.correlation, **more},
        topic=f"/subscriptions/{SUBSCRIPTION}",
        subject=subject,
        event_type="Microsoft.Resources.ResourceWriteSuccess",
        event_time=datetime(2026, 11, 21, tzinfo=UTC),
        data_version="2",
    )


def delivered(look: Look, dequeue_count: int = 1) -> func.QueueMessage:
    body = base64.b64encode(messages.encode(look).encode())
    return QueueMessage(id="4711", body=body, dequeue_count=dequeue_count)


@pytest.fixture
def world() -> GalleryWorld:
    return GalleryWorld()


def test_an_event_of_a_version_is_one_look_in_the_lane_of_releases(world: GalleryWorld) -> None:
    """Nothing is read for it, of Azure or of the ledger."""
    boundary.accept_event(world.worker, written())
    (message,) = world.queues.waiting()
    assert messages.decode(Lane(message.lane), message.body) == LOOK
    assert world.gate.names == ["queues.send"]


def test_versions_of_other_teams_leave_no_trace_in_the_ledger(world: GalleryWorld) -> None:
    for subject in (
        VERSION.replace("/base/", "/other/"),
        VERSION.replace("/galleries/images", "/galleries/g"),
    ):
        boundary.accept_event(world.worker, written(subject))
    assert world.gate.names == []


@pytest.mark.parametrize(
    "event",
    [
        written(VERSION.replace("1.0.0", "1.0.99999999999")),
        written(VERSION.replace("1.0.0", "01.0.0")),
        written(VERSION.replace("1.0.0", "latest")),
        written(VERSION.rpartition("/versions/")[0]),
        written(operationName="Microsoft.VirtualMachineImages/imageTemplates/run/action"),
        written(resourceUri=VERSION.replace("1.0.0", "1.0.1")),
    ],
    ids=["too large", "a second name", "latest", "a definition", "another operation", "another uri"],
)
def test_what_names_no_version_is_journalled_and_accepted(
    world: GalleryWorld, event: func.EventGridEvent
) -> None:
    """A function that fails would get it again and again, for a day."""
    boundary.accept_event(world.worker, event)
    (line,) = world.records(JournalLine)
    assert line.what == "event-refused"
    assert not world.queues.waiting()


def test_a_look_at_a_definition_that_is_no_longer_configured_is_failed_work(world: GalleryWorld) -> None:
    """Recorded with those that there are, and nothing is asked of Azure."""
    look = Look(Lane.RELEASES, Thing.VERSION, "gone/1.0.0", "c-1")
    boundary.work_off_message(world.worker, Lane.RELEASES, delivered(look))
    (failed,) = world.records(FailedWork)
    assert "no definition 'gone' is configured; configured are: base, dev" in failed.why
    assert not world.azure.calls.list("arm", "factory")


def test_a_look_that_the_host_gave_up_can_be_sent_again(world: GalleryWorld) -> None:
    boundary.record_poison(world.worker, Lane.RELEASES, delivered(LOOK, 5))
    (failed,) = world.records(FailedWork)
    assert (failed.lane, failed.look) == (Lane.RELEASES.value, LOOK)
