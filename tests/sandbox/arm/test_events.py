"""The events of Resource Manager: their shape, and the switches on what is not settled about them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.azure import SUBSCRIPTION
from sandbox.eventgrid.subscriptions import EventSubscription
from sandbox.switches import Switches

from .parts import API, TEMPLATES, World

RUN = "Microsoft.VirtualMachineImages/imageTemplates/run/action"


def run_events(world: World, *outcomes: Outcome, cancel: bool = False) -> list[dict[str, Any]]:
    template = world.provisioned()
    world.azure.imagebuilder.plan(template.id, *outcomes)
    world.send("POST", f"{TEMPLATES}/web/run?{API}", x_ms_client_request_id="mine")
    if cancel:
        world.send("POST", f"{TEMPLATES}/web/cancel?{API}")
    world.wait(hours=1)
    return [each for each in world.events if each["data"]["operationName"] == RUN]


def test_end_of_a_run_is_an_action_event_of_the_subscription() -> None:
    """Event Grid schema, data version 2; subject and resourceUri are the template's id."""
    (event,) = run_events(World())
    assert event["topic"] == f"/subscriptions/{SUBSCRIPTION}"
    assert event["eventType"] == "Microsoft.Resources.ResourceActionSuccess"
    assert (event["dataVersion"], event["metadataVersion"]) == ("2", "1")
    data = event["data"]
    assert event["subject"] == data["resourceUri"]
    assert data["resourceUri"].lower() == f"{TEMPLATES}/web".lower()
    assert (data["status"], data["resourceProvider"]) == ("Succeeded", "Microsoft.VirtualMachineImages")
    assert data["httpRequest"]["clientRequestId"] == "mine"
    assert data["authorization"]["action"] == RUN
    assert data["claims"]["name"] == "operator"


def test_claims_come_as_text_if_switched() -> None:
    """The specification types them as strings; they hold the same."""
    (event,) = run_events(World(switches=Switches(claims_form="string")))
    assert json.loads(event["data"]["claims"])["name"] == "operator"
    assert json.loads(event["data"]["authorization"])["action"] == RUN


@pytest.mark.parametrize(
    ("switches", "options", "expected"),
    [
        ({}, {"outcomes": [Outcome(result="failure")]}, ["ResourceActionFailure"]),
        ({}, {"outcomes": [Outcome(result="partial")]}, ["ResourceActionFailure"]),
        ({"partial_event": "Success"}, {"outcomes": [Outcome(result="partial")]}, ["ResourceActionSuccess"]),
        ({}, {"cancel": True}, ["ResourceActionCancel"]),
        ({"canceled_event": "none"}, {"cancel": True}, []),
        ({"completion_events": False}, {}, []),
    ],
)
def test_each_end_has_the_event_that_the_switches_say(
    switches: dict[str, Any], options: dict[str, Any], expected: list[str]
) -> None:
    """Failure, partial success, cancellation, or nothing at all."""
    world = World(switches=Switches().with_values(switches))
    found = run_events(world, *options.get("outcomes", ()), cancel=options.get("cancel", False))
    assert [each["eventType"].rsplit(".", 1)[1] for each in found] == expected


def test_cancel_makes_an_event_of_its_own() -> None:
    """cancel/action succeeds at once."""
    world = World()
    run_events(world, cancel=True)
    names = [each["data"]["operationName"].rsplit("/", 2)[1] for each in world.events]
    assert "cancel" in names


def test_events_reach_the_subscribers_of_the_system_topic() -> None:
    """Resource Manager publishes to the subscription's topic, and the subscription's filters apply."""
    world = World()
    wanted = ("Microsoft.Resources.ResourceActionSuccess",)
    world.azure.eventgrid.subscribe(
        EventSubscription("runs", "subscription", "build_ended", included_event_types=wanted)
    )
    (event,) = run_events(world)
    (delivery,) = world.azure.eventgrid.outbox.pending()
    assert delivery.event["id"] == event["id"]
    assert delivery.event["subject"] == event["subject"]
