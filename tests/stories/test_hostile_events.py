"""Events are what anybody may post: they yield the name of a configured thing to look at, or nothing."""

from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest

from functions import boundary
from shared.domain.records import JournalLine

from .scenes import GROUP, IMAGE, TEMPLATES
from .world import World

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
FOREIGN = "99999999-9999-9999-9999-999999999999"
RUN = "Microsoft.VirtualMachineImages/imageTemplates/run/action"
TEMPLATE = f"{TEMPLATES}/{IMAGE}"
ENDED = "Microsoft.Resources.ResourceActionSuccess"
FOUND = "ImageFactory.SourceVersionFound"


def event(
    subject: str = TEMPLATE, kind: str = ENDED, topic: str = SUBSCRIPTION, data: object = None, **more: Any
) -> func.EventGridEvent:
    told = {"operationName": RUN, "resourceUri": subject, "subscriptionId": SUBSCRIPTION[15:], **more}
    return func.EventGridEvent(
        id="0b2c6f3a-0000-4000-8000-000000000000",
        data=told if data is None else data,  # type: ignore[arg-type]  # whatever somebody posts
        topic=topic,
        subject=subject,
        event_type=kind,
        event_time=datetime(2026, 11, 21, tzinfo=UTC),
        data_version="2",
    )


def nested(times: int) -> list[Any]:
    inmost: list[Any] = []
    for _ in range(times):
        inmost = [inmost]
    return inmost


HOSTILE = {
    "unknown type": event(kind="Microsoft.Storage.BlobCreated"),
    "foreign subscription": event(TEMPLATE.replace("0" * 12, "9" * 12), topic=f"/subscriptions/{FOREIGN}"),
    "dots": event(f"{TEMPLATES}/../imageTemplates/{IMAGE}"),
    "dots in a group": event(TEMPLATE.replace("resourceGroups/image-factory", "resourceGroups/..")),
    "encoded slash": event(f"{TEMPLATES}/{IMAGE}%2Frun"),
    "query": event(f"{TEMPLATE}?api-version=1"),
    "fragment": event(f"{TEMPLATE}#x"),
    "host": event(f"https://attacker.example{TEMPLATE}"),
    "double slash": event(f"/{TEMPLATE}"),
    "homoglyph": event(TEMPLATE.replace("ubuntu", "ubuntυ")),
    "newline": event(f"{TEMPLATE}\n"),
    "not a template": event(f"{GROUP}/providers/Microsoft.Compute/images/{IMAGE}"),
    "resourceUri differs": event(resourceUri=f"{TEMPLATES}/other"),
    "subscriptionId differs": event(subscriptionId=FOREIGN),
    "topic of somebody else": event(topic=f"/subscriptions/{FOREIGN}"),
    "another operation": event(operationName="Microsoft.Authorization/roleAssignments/write"),
    "data is a list": event(data=[1, 2, 3]),
    "data is text": event(data="look"),
    "no operation": event(data={}),
    "operation is a number": event(operationName=7),
    "1 MB": event(claims={"x": "y" * 1_000_000}),
    "deep": event(claims=nested(5000)),
    "unknown source": event("0:0:0:0:0", FOUND),
    "source with a path": event("../../etc/passwd", FOUND),
    "empty subject": event(""),
    "long subject": event("x" * 5000),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_not_a_configured_thing_s_leads_to_nothing(case: str) -> None:
    """Accepted, journalled once, no request to anywhere, no message."""
    world = World()
    boundary.accept_event(world.worker, HOSTILE[case])
    assert not world.queues.waiting()
    assert not world.azure.calls.list()
    assert world.gate.names == ["ledger.commit"]
    (line,) = world.records(JournalLine)
    assert line.what == "event-refused"
    assert len(line.why) < 1000


LONE = "\ud800"
"""Half of a surrogate pair: JSON carries it as an escape, UTF-8 has no bytes for it."""
UNWRITABLE = {
    "subject": event(LONE),
    "type": event(kind=LONE),
    "topic": event(topic=LONE),
    "data": event(claims=LONE),
}


@pytest.mark.parametrize("case", UNWRITABLE)
def test_what_cannot_be_written_as_utf_8_is_journalled_all_the_same(case: str) -> None:
    """Or else Event Grid would deliver it again and again, for a day. The id has it too, each time."""
    world, told = World(), UNWRITABLE[case]
    odd = func.EventGridEvent(
        id=f"{LONE}-4711",
        data=told.get_json(),
        topic=told.topic or "",
        subject=told.subject,
        event_type=told.event_type,
        event_time=datetime(2026, 11, 21, tzinfo=UTC),
        data_version="2",
    )
    boundary.accept_event(world.worker, odd)
    (line,) = world.records(JournalLine)
    assert (line.what, line.thing) == ("event-refused", "event ?-4711")
    assert not world.queues.waiting()


@pytest.mark.parametrize("template", [TEMPLATE.replace("image-factory", "elsewhere"), f"{TEMPLATES}/unknown"])
def test_an_event_of_somebody_else_s_template_leaves_no_trace_in_the_ledger(template: str) -> None:
    """The subscription's topic tells of every template in it: other teams must not fill the journal."""
    world = World()
    boundary.accept_event(world.worker, event(template))
    assert not world.gate.names


ODD = {
    "upper case": event(TEMPLATE.upper()),
    "lower case": event(TEMPLATE.lower()),
    "mixed": event(TEMPLATE.replace("resourceGroups", "resourcegroups")),
    "below the template": event(f"{TEMPLATE}/runOutputs/x", resourceUri=TEMPLATE),
    "claims as text": event(claims='{"name":"somebody"}', authorization="{}"),
    "claims as an object": event(claims={"name": "somebody"}, authorization={"scope": "/"}),
    "no resourceUri": event(data={"operationName": RUN}),
    "another end": event(kind="Microsoft.Resources.ResourceActionCancel"),
}


@pytest.mark.parametrize("case", ODD)
def test_ids_in_unusual_casing_and_both_forms_of_claims_are_understood(case: str) -> None:
    """One message into the builds lane; nothing personal leaves the event."""
    world = World()
    boundary.accept_event(world.worker, ODD[case])
    (message,) = world.queues.waiting()
    assert message.lane == "builds"
    assert '"id":"ubuntu-22"' in message.body
    assert "somebody" not in message.body
    assert world.gate.names == ["queues.send"]
