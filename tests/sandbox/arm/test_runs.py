"""Runs: through their sub-states to each of their ends, and what the unsettled switches change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.arm.storage import BlobAddress
from sandbox.switches import Switches
from sandbox.vhd import FOOTER

from .parts import API, TEMPLATES, World

if TYPE_CHECKING:
    from collections.abc import Callable

RUN = f"{TEMPLATES}/web/run?{API}"
CANCEL = f"{TEMPLATES}/web/cancel?{API}"
OUTPUTS = f"{TEMPLATES}/web/runOutputs?{API}"


def running(**properties: Any) -> World:
    world = World()
    world.provisioned(**properties)
    assert world.send("POST", RUN).status == 202
    return world


def status(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.properties()["lastRunStatus"]
    return found


def outputs(world: World) -> list[str]:
    return [each["name"] for each in world.get(OUTPUTS)["value"]]


def test_run_goes_through_its_sub_states() -> None:
    """Building, Customizing, Optimizing, Validating, Distributing, then Succeeded without a sub-state."""
    world = running(
        optimize={"vmBoot": {"state": "Enabled"}},
        validate={"inVMValidations": [{"type": "Shell", "inline": ["true"]}]},
    )
    first = status(world)
    assert (first["runState"], first["runSubState"], first["message"]) == ("Running", "Building", "")
    assert first["endTime"] == "0001-01-01T00:00:00Z"
    seen = []
    for _ in range(200):
        world.wait(seconds=10)
        now = status(world)
        if now.get("runSubState") not in seen:
            seen.append(now.get("runSubState"))
    assert seen == ["Building", "Customizing", "Optimizing", "Validating", "Distributing", None]
    last = status(world)
    assert (last["runState"], last["message"]) == ("Succeeded", "")
    assert last["startTime"] == first["startTime"]
    assert world.properties()["provisioningState"] == "Succeeded"


def test_start_time_has_more_digits_than_python_reads() -> None:
    """Go writes nanoseconds."""
    world = running()
    assert len(status(world)["startTime"].split(".")[1].removesuffix("Z")) > 6


def test_operation_lives_as_long_as_the_run() -> None:
    """202 with the same path in both headers; the operation is in progress until the run ends."""
    world = World()
    world.provisioned()
    accepted = world.send("POST", RUN)
    paths = {accepted.headers[name].split("?")[0] for name in ("Azure-AsyncOperation", "Location")}
    assert len(paths) == 1
    poll = accepted.headers["Location"].removeprefix("https://arm.sandbox")
    world.wait(seconds=900)
    assert world.get(poll)["status"] == "InProgress"
    world.wait(seconds=3)
    assert world.get(poll)["status"] == "Succeeded"


def test_clock_that_jumps_gives_the_same_history() -> None:
    """A run is as long as it is, however late somebody looks."""
    world = running()
    world.wait(hours=5)
    run = world.template().last_run
    assert run is not None
    assert run.end is not None
    assert run.end - run.start == timedelta(seconds=903)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"customize": [{"type": "Shell", "name": "stop", "inline": ["exit 3"]}]}, "exit status: 3"),
        ({"customize": [{"type": "Shell", "name": "stop", "inline": ["true; exit 1"]}]}, "exit status: 1"),
        (
            {"customize": [{"type": "Shell", "name": "far", "scriptUri": "https://nowhere.invalid/a.sh"}]},
            "not accessible",
        ),
        (
            {"validate": {"inVMValidations": [{"type": "Shell", "name": "check", "inline": ["exit 9"]}]}},
            "exit status: 9",
        ),
    ],
)
def test_step_that_can_be_seen_to_fail_fails_the_run(properties: dict[str, Any], reason: str) -> None:
    """RunState Failed, no outputs, the log where the message says, and an operation PackerBuildFailed."""
    world = running(**properties)
    world.wait(minutes=30)
    last, template = status(world), world.template()
    assert template.staging is not None
    assert last["runState"] == "Failed"
    assert reason in last["message"]
    place = last["message"].split("log location: ")[1].split(". OperationId")[0]
    assert place.startswith(template.staging.group_id)
    log = world.storage.read(
        BlobAddress(template.staging.account, "packerlogs", place.split("/packerlogs/")[1])
    )
    assert log is not None
    assert reason in log.decode()
    assert outputs(world) == []


@pytest.mark.parametrize(
    "inline",
    [["apt-get update || exit 1"], ["if true; then exit 1; fi"], ["exit 0"], ["echo exit 5"]],
)
def test_conditional_or_successful_exits_do_not_fail_a_run(inline: list[str]) -> None:
    """Nothing is executed, so only an exit that is certain counts."""
    world = running(customize=[{"type": "Shell", "name": "a", "inline": inline}])
    world.wait(minutes=30)
    assert status(world)["runState"] == "Succeeded"


def test_valid_exit_codes_are_valid() -> None:
    """PowerShell steps name the codes that mean success."""
    step = {"type": "PowerShell", "name": "a", "inline": ["exit 3010"], "validExitCodes": [0, 3010]}
    world = running(customize=[step])
    world.wait(minutes=30)
    assert status(world)["runState"] == "Succeeded"


def test_own_scripts_are_read_with_the_identity_and_compared() -> None:
    """A script in storage of this world must be there, readable for the identity, and match its checksum."""
    world = World()
    world.storage.accounts["scripts"][("tools", "a.sh")] = b"echo hello"
    step = {"type": "Shell", "name": "own", "scriptUri": "https://scripts.blob.core.windows.net/tools/a.sh"}
    for change, verdict in (
        ({}, "Succeeded"),
        ({"sha256Checksum": "0" * 64}, "Failed"),
        ({"scriptUri": f"{step['scriptUri']}x"}, "Failed"),
    ):
        name = f"t{len(world.azure.imagebuilder.templates())}"
        world.provisioned(name, customize=[{**step, **change}])
        world.send("POST", f"{TEMPLATES}/{name}/run?{API}")
        world.wait(minutes=30)
        assert world.properties(name)["lastRunStatus"]["runState"] == verdict, change
    world.azure.roles.revoke(world.azure.setting.identity_id)
    world.send("POST", f"{TEMPLATES}/t0/run?{API}")
    world.wait(minutes=30)
    assert world.properties("t0")["lastRunStatus"]["runState"] == "Failed"


def test_failed_validation_may_leave_outputs() -> None:
    """continueDistributeOnFailure: the run fails all the same, and its outputs are there."""
    world = running(
        validate={
            "continueDistributeOnFailure": True,
            "inVMValidations": [{"type": "Shell", "inline": ["exit 1"]}],
        }
    )
    world.wait(minutes=30)
    assert status(world)["runState"] == "Failed"
    assert outputs(world) == ["web-vhd"]


def test_cancel_is_accepted_and_takes_its_time() -> None:
    """204 without headers; Canceling without a sub-state; then Canceled with an end."""
    world = running()
    world.wait(seconds=11)
    canceled = world.send("POST", CANCEL)
    assert (canceled.status, canceled.body) == (204, b"")
    assert "Azure-AsyncOperation" not in canceled.headers
    now = status(world)
    assert (now["runState"], now["message"]) == ("Canceling", "Canceling image build")
    assert "runSubState" not in now
    assert now["endTime"].startswith("0001")
    world.wait(minutes=8)
    last = status(world)
    assert (last["runState"], last["message"]) == ("Canceled", "The build was canceled")
    assert not last["endTime"].startswith("0001")


@pytest.mark.parametrize("http_status", [409, 400])
def test_wrong_states_are_refused_with_the_state_in_the_message(http_status: int) -> None:
    """run, delete and patch while running, everything while canceling, cancel of nothing."""
    world = World(switches=Switches().with_values({"second_run_status": http_status}))
    world.provisioned()
    assert world.send("POST", CANCEL).status == http_status
    world.send("POST", RUN)
    one = f"{TEMPLATES}/web?{API}"
    for state in ("running", "canceling"):
        for method, path in (("POST", RUN), ("DELETE", one), ("PATCH", one)):
            answer = world.send(method, path, {} if method == "PATCH" else None)
            error = answer.json()["error"]
            assert (answer.status, error["code"]) == (http_status, "OperationNotAllowed")
            assert error["message"].endswith(f"or run state: {state}")
        world.send("POST", CANCEL)
    assert world.send("POST", CANCEL).status == http_status


def test_delayed_run_is_invisible_and_still_the_only_one() -> None:
    """Between the 202 and the visible run a second run is refused, a cancel accepted."""
    world = World(switches=Switches(visible_run_delay=60))
    world.provisioned()
    world.send("POST", RUN)
    assert "lastRunStatus" not in world.properties()
    assert world.send("POST", RUN).status == 409
    world.wait(seconds=60)
    assert status(world)["runState"] == "Running"
    world.wait(hours=1)
    world.send("POST", RUN)
    assert world.send("POST", CANCEL).status == 204
    assert status(world)["runState"] == "Canceling"


def test_planned_outcomes_are_used_one_by_one() -> None:
    """failure, failure with outputs, partial, slow, then again as the template says."""
    world = World()
    template = world.provisioned(
        distribute=[{"type": "VHD", "runOutputName": "a"}, {"type": "VHD", "runOutputName": "b"}]
    )
    world.azure.imagebuilder.plan(
        template.id,
        Outcome(result="failure", at="Distributing", message="disk is full"),
        Outcome(result="failure", distribute=True),
        Outcome(result="partial"),
        Outcome(slower=2),
    )
    seen = []
    for _ in range(5):
        world.send("POST", RUN)
        world.wait(hours=1)
        run = template.last_run
        assert run is not None
        assert run.end is not None
        seen.append((run.state, outputs(world), (run.end - run.start).seconds))
    assert seen == [
        ("Failed", [], 903),
        ("Failed", ["a", "b"], 903),
        ("PartiallySucceeded", ["a"], 903),
        ("Succeeded", ["a", "b"], 1806),
        ("Succeeded", ["a", "b"], 903),
    ]


def test_build_timeout_ends_a_run_as_failed() -> None:
    """BuildTimeoutInMinutes includes everything."""
    world = running(buildTimeoutInMinutes=10)
    world.wait(minutes=10)
    last = status(world)
    assert last["runState"] == "Failed"
    assert "timed out after 10 minutes" in last["message"]


def test_old_outputs_survive_a_failed_run_if_switched_so() -> None:
    """Undocumented, hence both."""
    for survive, left in ((False, []), (True, ["web-vhd"])):
        world = World(switches=Switches(old_outputs_survive=survive))
        template = world.provisioned()
        world.azure.imagebuilder.plan(template.id, Outcome(), Outcome(result="failure"))
        for _ in range(2):
            world.send("POST", RUN)
            world.wait(hours=1)
        assert outputs(world) == left


def test_new_run_removes_old_vhds_if_switched_so() -> None:
    """Undocumented, hence both."""
    for removes, count in ((False, 2), (True, 1)):
        world = World(switches=Switches(run_removes_old_vhds=removes))
        template = world.provisioned()
        for _ in range(2):
            world.send("POST", RUN)
            world.wait(hours=1)
        assert template.staging is not None
        assert len(world.storage.vhds(template.staging.account)) == count


def test_run_builds_the_newest_version_and_says_so_if_switched() -> None:
    """The artifact's VMImageBuilderSource always tells the truth; exactVersion only with the switch."""
    for refreshed in (False, True):
        world = World(switches=Switches(exact_version_refreshed=refreshed))
        template = world.provisioned()
        names = ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2")
        world.azure.catalogue.add_version(*names, "22.04.202611010")
        world.send("POST", RUN)
        world.wait(hours=1)
        (metadata,) = world.storage.metadata.values()
        source = "::".join(names)
        assert metadata["VMImageBuilderSource"] == f"PlatformImage {source}::latest (22.04.202611010)"
        assert template.exact_version == ("22.04.202611010" if refreshed else "22.04.202610070")


def test_moving_start_time_moves_once_if_switched() -> None:
    """A run may show two start times."""
    world = World(switches=Switches(start_time_moves=True))
    world.provisioned()
    world.send("POST", RUN)
    first = status(world)["startTime"]
    world.wait(minutes=10)
    assert status(world)["startTime"] != first


@pytest.mark.parametrize("spoil", ["good", "truncated", "broken_footer", "dynamic"])
def test_vhd_is_real_or_spoilt_as_planned(spoil: Any) -> None:
    """A page blob of whole sectors; a good one ends in a footer of its own."""
    world = World()
    template = world.provisioned()
    world.azure.imagebuilder.plan(template.id, Outcome(vhd=spoil))
    world.send("POST", RUN)
    world.wait(hours=1)
    uri = world.get(OUTPUTS)["value"][0]["properties"]["artifactUri"]
    address = world.storage.parse(uri)
    assert address is not None
    assert address.name.startswith("web-vhd_2026")
    vhd = world.storage.accounts[address.account][address.container, address.name]
    assert vhd.size % 512 == 0
    whole = vhd.size == 64 * 1024 * 1024 + FOOTER
    cookie = vhd.read(vhd.size - FOOTER, 8) == b"conectix"
    assert (whole, cookie) == ((False, False) if spoil == "truncated" else (True, True))


def test_auto_run_starts_when_the_template_is_there() -> None:
    """AutoRun Enabled: once, without a request and without an event of its own."""
    world = World()
    world.provisioned(autoRun={"state": "Enabled"})
    assert status(world)["runState"] == "Running"
    world.wait(hours=1)
    assert status(world)["runState"] == "Succeeded"
    assert [each["eventType"] for each in world.events] == ["Microsoft.Resources.ResourceWriteSuccess"]


def test_vanished_staging_storage_fails_the_run_and_nothing_else() -> None:
    """People and policies delete IT_ groups; the template and its last run still tell what happened."""
    world = World()
    template = world.provisioned()
    assert template.staging is not None
    world.send("DELETE", f"{template.staging.group_id}?{API}")
    world.wait(minutes=2)
    world.send("POST", RUN)
    world.wait(hours=1)
    assert "staging storage account" in status(world)["message"]


def test_failed_run_names_its_log_by_address_if_switched() -> None:
    """Older runs gave a blob address, newer ones a resource path."""
    world = World(switches=Switches(log_location="url"))
    template = world.provisioned(customize=[{"type": "Shell", "inline": ["exit 1"]}])
    world.send("POST", RUN)
    world.wait(hours=1)
    assert template.staging is not None
    place = f"https://{template.staging.account}.blob.core.windows.net/packerlogs/"
    assert f"log location: {place}" in status(world)["message"]


class _Clumsy:
    """A background that loses work, as a thread does that raises."""

    def __init__(self) -> None:
        self.lose = False

    def __call__(self, work: Callable[[], None], done: Callable[[], None]) -> None:
        if not self.lose:
            work()
        done()


def test_write_that_breaks_fails_the_run_in_place_of_leaving_it() -> None:
    """A run never claims a VHD that storage did not take."""
    clumsy = _Clumsy()
    world = World(background=clumsy)
    world.provisioned()
    world.send("POST", RUN)
    world.wait(minutes=14)
    clumsy.lose = True
    world.wait(minutes=10)
    assert (status(world)["runState"], outputs(world)) == ("Failed", [])
