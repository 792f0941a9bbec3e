"""Azure's own triggers: made, healthy, starting runs that nobody asked for, silenced, removed."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.switches import Switches

from .parts import API, TEMPLATES, World

ALL = f"{TEMPLATES}/web/triggers"
ONE = f"{ALL}/source?{API}"
BODY = {"properties": {"kind": "SourceImage"}}
NAMES = ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2")


def triggered(**options: Any) -> World:
    world = World(**options)
    world.provisioned()
    assert world.send("PUT", ONE, BODY).status == 201
    world.wait(seconds=4)
    return world


def test_trigger_is_made_listed_and_removed() -> None:
    """Creating without a status, then healthy; the deletion is 202 with both headers, 204 afterwards."""
    world = World()
    world.provisioned()
    made = world.send("PUT", ONE, BODY)
    assert made.json()["properties"] == {"kind": "SourceImage", "provisioningState": "Creating"}
    world.wait(seconds=4)
    status = world.get(ONE)["properties"]["status"]
    assert (status["code"], status["message"]) == ("Healthy", "Trigger is active")
    assert [each["name"] for each in world.get(f"{ALL}?{API}")["value"]] == ["source"]
    gone = world.send("DELETE", ONE)
    assert gone.status == 202
    assert {"Azure-AsyncOperation", "Location"} <= set(gone.headers)
    world.wait(seconds=3)
    assert world.get(f"{ALL}?{API}")["value"] == []
    assert (world.send("GET", ONE).status, world.send("DELETE", ONE).status) == (404, 204)


@pytest.mark.parametrize(("switch", "events"), [(False, 0), (True, 1)])
def test_new_version_starts_a_run_that_no_request_asked_for(switch: bool, events: int) -> None:
    """Its end is an event only if the switch says so."""
    world = triggered(switches=Switches(triggered_run_events=switch))
    world.azure.catalogue.add_version(*NAMES, "22.04.202611010")
    world.wait(minutes=6)
    assert world.properties()["lastRunStatus"]["runState"] == "Running"
    world.wait(hours=1)
    runs = [each for each in world.events if each["data"]["operationName"].endswith("/run/action")]
    assert len(runs) == events


def test_trigger_waits_for_a_run_that_goes_on() -> None:
    """One run at a time, also for Azure."""
    world = triggered()
    world.send("POST", f"{TEMPLATES}/web/run?{API}")
    world.azure.catalogue.add_version(*NAMES, "22.04.202611010")
    world.wait(seconds=902)
    first = world.template().last_run
    assert first is not None
    world.wait(minutes=6)
    second = world.template().last_run
    assert second is not None
    assert second.start > first.start


def test_repeated_failures_silence_a_trigger_until_a_success() -> None:
    """Three in a row and no run starts any more; a run by hand that succeeds wakes it."""
    world = triggered()
    world.azure.imagebuilder.plan(world.template().id, *[Outcome(result="failure")] * 3)
    for day in range(1, 5):
        world.azure.catalogue.add_version(*NAMES, f"22.04.20261101{day}")
        world.wait(hours=1)
    run = world.template().last_run
    assert run is not None
    assert run.state == "Failed"
    world.send("POST", f"{TEMPLATES}/web/run?{API}")
    world.wait(hours=1)
    world.azure.catalogue.add_version(*NAMES, "22.04.202611019")
    world.wait(minutes=6)
    assert world.properties()["lastRunStatus"]["runState"] == "Running"


def test_trigger_needs_a_template_that_can_follow_its_source() -> None:
    """Kind SourceImage, one of it, a version `latest`, a template that is provisioned."""
    world = triggered()
    assert world.send("PUT", ONE, {"properties": {"kind": "Moon"}}).status == 400
    assert world.send("PUT", f"{ALL}/other?{API}", BODY).status == 409
    assert world.send("PUT", ONE, BODY).status == 200
    source = dict(zip(("publisher", "offer", "sku"), NAMES, strict=True))
    world.provisioned("pinned", source={"type": "PlatformImage", **source, "version": "22.04.202610070"})
    assert world.send("PUT", f"{TEMPLATES}/pinned/triggers/a?{API}", BODY).status == 400
    world.provisioned("failed", source={"type": "PlatformImage", **source, "sku": "none"})
    assert world.send("PUT", f"{TEMPLATES}/failed/triggers/a?{API}", BODY).status == 409
