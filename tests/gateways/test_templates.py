"""Image Builder through the real SDK, over the local Azure without sockets."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.azure import Setting
from sandbox.faults import Fault
from sandbox.identity.tokens import FACTORY, NOBODY
from sandbox.switches import Switches
from shared import telemetry
from shared.domain.deployment import form_of
from shared.domain.errors import (
    AccessDenied,
    Invalid,
    Missing,
    PermanentError,
    RetryableError,
    Unreachable,
    WrongState,
)
from shared.domain.ids import TemplateId
from shared.domain.templates import OutputKind, Provisioning, RunState

from .arm import MADE, WEB, ArmWorld

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def world() -> ArmWorld:
    return ArmWorld()


def test_a_template_is_made_from_its_file_and_marked_as_ours(world: ArmWorld) -> None:
    world.templates.create(WEB, world.body(tags={"team": "web"}), "ubuntu", MADE)
    found = world.templates.get(WEB)
    assert found is not None
    assert (found.id, found.location, found.owner) == (WEB, "westeurope", "ubuntu")
    assert found.provisioning is Provisioning.CREATING
    world.wait(minutes=2)
    found = world.templates.get(WEB)
    assert found is not None
    assert found.provisioning is Provisioning.SUCCEEDED
    assert found.exact_version == "22.04.202610070"
    assert (found.staging_group or "").startswith("IT_image-factory_web_")
    assert found.last_run is None
    record = world.azure.imagebuilder.template(str(WEB))
    assert record is not None
    assert record.tags == {
        "team": "web",
        "imageFactoryImage": "ubuntu",
        "imageFactoryMade": "2026-11-21T09:00:00Z",
        "imageFactoryForm": str(found.form),
    }


def test_a_template_is_patched_to_what_its_file_says_and_keeps_the_tags_it_has(world: ArmWorld) -> None:
    """Targets are signed as when it was made; its time of making stays. Names of tags know no case."""
    world.provisioned()
    body = world.body(tags={"team": "web"}, vmProfile={"vmSize": "Standard_D4s_v5"})
    world.templates.patch(
        WEB, body, "ubuntu", {"cost-center": "42", "Team": "two", "imageFactoryMade": "then"}
    )
    updating = world.templates.get(WEB)
    assert updating is not None
    assert updating.provisioning is Provisioning.UPDATING
    world.wait(minutes=2)
    found = world.templates.get(WEB)
    assert found is not None
    assert (found.provisioning, found.form) == (Provisioning.SUCCEEDED, form_of(body))
    assert found.tags == {
        "team": "web",
        "cost-center": "42",
        "imageFactoryImage": "ubuntu",
        "imageFactoryMade": "then",
        "imageFactoryForm": str(form_of(body)),
    }


def test_a_patch_that_leaves_a_target_out_can_never_work(world: ArmWorld) -> None:
    world.provisioned()
    body = world.body(distribute=[{"type": "VHD", "runOutputName": "another"}])
    with pytest.raises(PermanentError, match="web-vhd"):
        world.templates.patch(WEB, body, "ubuntu", {})


def test_a_run_is_cancelled_once_and_the_template_not_patched_meanwhile(world: ArmWorld) -> None:
    world.provisioned()
    with pytest.raises(WrongState):
        world.templates.cancel(WEB)
    world.templates.run(WEB)
    with pytest.raises(WrongState):
        world.templates.patch(WEB, world.body(), "ubuntu", {})
    world.templates.cancel(WEB)
    with pytest.raises(WrongState):
        world.templates.cancel(WEB)
    world.wait(hours=1)
    found = world.templates.get(WEB)
    assert found is not None
    assert found.last_run is not None
    assert found.last_run.state is RunState.CANCELED


def test_a_template_that_is_not_there_is_none(world: ArmWorld) -> None:
    assert world.templates.get(WEB) is None
    assert world.templates.get(TemplateId(WEB.subscription, "no-such-group", "web")) is None


def test_a_template_that_failed_to_provision_says_why(world: ArmWorld) -> None:
    subnet = f"{world.azure.setting.group_id}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    world.provisioned(vmProfile={"vnetConfig": {"subnetId": subnet}})
    found = world.templates.get(WEB)
    assert found is not None
    assert found.provisioning is Provisioning.FAILED
    assert found.trouble


def test_a_run_goes_from_running_to_its_end_and_keeps_its_name(world: ArmWorld) -> None:
    world.provisioned()
    world.templates.run(WEB)
    running = world.templates.get(WEB)
    assert running is not None
    assert running.last_run is not None
    assert (running.last_run.state, running.last_run.ended) == (RunState.RUNNING, None)
    start = running.last_run.start
    assert len(start.partition(".")[2]) >= 8  # nine decimals: microseconds would name another run
    world.wait(hours=1)
    over = world.templates.get(WEB)
    assert over is not None
    assert over.last_run is not None
    assert (over.last_run.state, over.last_run.start) == (RunState.SUCCEEDED, start)
    assert over.last_run.ended is not None
    assert timedelta(minutes=10) < over.last_run.ended - over.last_run.started < timedelta(minutes=30)


def test_outputs_have_an_address_in_the_staging_account(world: ArmWorld) -> None:
    world.provisioned()
    assert world.templates.outputs(WEB) == ()
    world.templates.run(WEB)
    world.wait(hours=1)
    (output,) = world.templates.outputs(WEB)
    assert (output.name, output.kind, output.artifact) == ("web-vhd", OutputKind.VHD, None)
    assert output.address is not None
    assert output.address.container == "vhds"
    assert world.blobs.facts(output.address).length == 64 * 1024 * 1024 + 512


@pytest.mark.parametrize("status", [409, 400])
def test_a_second_run_is_refused_by_state_whatever_the_status(status: Literal[409, 400]) -> None:
    world = ArmWorld(switches=Switches(second_run_status=status))
    world.provisioned()
    world.templates.run(WEB)
    for act in (world.templates.run, world.templates.delete):
        with pytest.raises(WrongState, match="image-factory/web"):
            act(WEB)


def test_creating_what_is_there_is_refused_by_state(world: ArmWorld) -> None:
    world.provisioned()
    with pytest.raises(WrongState):
        world.templates.create(WEB, world.body(customize=None), "ubuntu", MADE)


def test_a_run_and_a_deletion_are_one_request_each_and_nothing_is_awaited(world: ArmWorld) -> None:
    world.provisioned()
    world.azure.calls.clear()
    world.templates.run(WEB)
    assert world.methods() == ["POST"]
    world.wait(hours=1)
    world.templates.delete(WEB)
    assert world.methods() == ["POST", "DELETE"]
    world.wait(minutes=10)
    assert world.templates.get(WEB) is None
    assert world.transport.slept == []


def test_running_or_deleting_nothing_is_missing(world: ArmWorld) -> None:
    with pytest.raises(Missing):
        world.templates.run(WEB)
    with pytest.raises(Missing):
        world.templates.outputs(WEB)


@pytest.mark.parametrize(("when", "runs"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("action", ["drop", "status"])
def test_a_run_without_an_answer_is_sent_once_and_nobody_knows(
    world: ArmWorld, when: str, runs: int, action: str
) -> None:
    world.provisioned()
    fault = Fault("arm", action, when, "POST", "/run", status=503)  # type: ignore[arg-type]  # parametrised literals
    world.azure.faults.add(fault)
    world.azure.calls.clear()
    with pytest.raises(Unreachable):
        world.templates.run(WEB)
    assert world.methods() == ["POST"]
    found = world.templates.get(WEB)
    assert found is not None
    assert (found.last_run is not None) == bool(runs)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
def test_throttling_comes_back_with_the_delay_that_was_asked_for_and_no_sleep(
    world: ArmWorld, method: str
) -> None:
    if method != "PUT":
        world.provisioned()
    fault = Fault("arm", "status", method=method, status=429, code="TooManyRequests", retry_after=1200)
    world.azure.faults.add(fault)
    acts: dict[str, Callable[[], object]] = {
        "GET": lambda: world.templates.get(WEB),
        "POST": lambda: world.templates.run(WEB),
        "DELETE": lambda: world.templates.delete(WEB),
        "PUT": lambda: world.templates.create(WEB, world.body(), "ubuntu", MADE),
    }
    with pytest.raises(RetryableError) as caught:
        acts[method]()
    assert caught.value.delay == timedelta(minutes=20)
    assert not isinstance(caught.value, Unreachable)
    assert len(world.azure.faults.fired()) == 1
    assert world.transport.slept == []


def test_a_transient_failure_in_mid_build_is_for_later(world: ArmWorld) -> None:
    world.provisioned()
    world.azure.faults.add(Fault("arm", "status", method="GET", status=500, code="InternalOperationError"))
    with pytest.raises(RetryableError, match="InternalOperationError"):
        world.templates.get(WEB)
    assert world.templates.get(WEB) is not None


def test_a_missing_role_is_never_a_missing_thing() -> None:
    world = ArmWorld(principal=NOBODY)
    acts: dict[str, Callable[[], object]] = {
        "read": lambda: world.templates.get(WEB),
        "write": lambda: world.templates.create(WEB, world.body(), "ubuntu", MADE),
        "delete": lambda: world.templates.delete(WEB),
        "run/action": lambda: world.templates.run(WEB),
        "runOutputs/read": lambda: world.templates.outputs(WEB),
    }
    for verb, act in acts.items():
        with pytest.raises(AccessDenied) as caught:
            act()
        assert caught.value.action == f"Microsoft.VirtualMachineImages/imageTemplates/{verb}"
        assert caught.value.scope == f"/subscriptions/{WEB.subscription}/resourceGroups/image-factory"
        assert caught.value.action in str(caught.value)
        assert caught.value.scope in str(caught.value)
    with pytest.raises(AccessDenied):
        next(world.templates.list(WEB.subscription))


def test_all_templates_are_listed_one_request_per_page() -> None:
    world = ArmWorld(setting=Setting(page_size=2))
    names = [TemplateId(WEB.subscription, WEB.group, f"web-{number}") for number in range(5)]
    for id in names:
        world.provisioned(id)
    world.azure.calls.clear()
    found = world.templates.list(WEB.subscription)
    assert world.methods() == []
    next(found)
    assert world.methods() == ["GET"]
    assert {WEB.name.replace("web", "web-0")} | {each.id.name for each in found} == {id.name for id in names}
    assert world.methods() == ["GET"] * 3


def test_a_failed_run_says_why(world: ArmWorld) -> None:
    world.provisioned()
    world.azure.imagebuilder.plan(str(WEB), Outcome(result="failure", message="exit 1"))
    world.templates.run(WEB)
    world.wait(hours=1)
    found = world.templates.get(WEB)
    assert found is not None
    assert found.last_run is not None
    assert found.last_run.state is RunState.FAILED
    assert found.last_run.message


def test_requests_carry_the_correlation_id_of_the_work(world: ArmWorld) -> None:
    with telemetry.bind(correlation="event-0815"):
        world.templates.get(WEB)
    (call,) = world.azure.calls.list("arm", FACTORY)
    assert call.correlation == "event-0815"


def test_a_template_file_that_is_no_object_is_refused_before_anything_is_sent(world: ArmWorld) -> None:
    for body in (b"[]", b"{", b""):
        with pytest.raises(Invalid, match="ubuntu"):
            world.templates.create(WEB, body, "ubuntu", MADE)
    assert world.methods() == []


def test_what_image_builder_refuses_for_good_is_permanent(world: ArmWorld) -> None:
    with pytest.raises(PermanentError):
        world.templates.create(WEB, world.body(customise=[]), "ubuntu", MADE)
