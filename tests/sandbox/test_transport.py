"""Azure clients without sockets: lost connections look like lost connections."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.rest import HttpRequest

from sandbox.faults import Fault
from sandbox.transport import SandboxTransport

from .arm.parts import BASE, GROUP, World

NO_RETRY = {"retry_total": 0}


@pytest.mark.parametrize(
    ("when", "error", "done"),
    [("before", ServiceRequestError, False), ("after", ServiceResponseError, True)],
)
def test_dropped_connection_is_the_error_that_a_socket_gives(when: Any, error: Any, done: bool) -> None:
    """Not sent, or sent with the answer lost: the difference is in the world."""
    world = World()
    world.provisioned()
    world.azure.faults.add(Fault("arm", "drop", when=when, method="POST"))
    client = world.builder(**NO_RETRY)
    with pytest.raises(error):
        client.virtual_machine_image_templates.begin_run(GROUP, "web", polling=False)
    assert (world.template().run is not None) is done


def test_retries_of_the_client_do_not_wait_here() -> None:
    """The pause that a client would make is noted, not made."""
    world = World()
    world.provisioned()
    world.azure.faults.add(Fault("arm", "status", status=503, retry_after=7))
    client = world.builder()
    assert client.virtual_machine_image_templates.get(GROUP, "web").name == "web"
    assert world.transport.slept == [7]


def test_poller_of_the_client_ends_when_time_moves_with_its_pauses() -> None:
    """A long operation is followed to its end by the SDK's own poller."""
    world = World()
    world.provisioned()
    transport = SandboxTransport({BASE: world.azure.arm}, lambda seconds: world.wait(seconds=seconds))
    operations = world.builder(transport=transport).virtual_machine_image_templates
    operations.begin_run(GROUP, "web").result()
    assert operations.get(GROUP, "web").properties.last_run_status.run_state == "Succeeded"
    operations.begin_delete(GROUP, "web").result()
    assert list(operations.list()) == []


def test_address_that_is_no_service_is_named() -> None:
    """Whoever mistypes an endpoint learns which there are."""
    transport = SandboxTransport({"https://elsewhere.sandbox": World().azure.arm})
    with pytest.raises(ServiceRequestError, match=r"known are https://elsewhere\.sandbox"):
        transport.send(HttpRequest("GET", f"{BASE}/subscriptions"))
