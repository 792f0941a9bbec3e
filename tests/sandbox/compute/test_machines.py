"""Machines: stopped, generalized, never started again; and what their instance view says meanwhile."""

from __future__ import annotations

import pytest

from tests.sandbox.arm.parts import World

from .parts import API, PLACE, act, body, disk, machine, poll, refused, running, states

EXPAND = f"$expand=instanceView&{API}"


@pytest.fixture
def world() -> World:
    return World()


def test_running_machine_shows_its_agent_only_in_its_instance_view(world: World) -> None:
    """The view is there when it is asked for, in the machine or by itself."""
    running(world, disk_gb=64, data_disks_gb=(8,))
    plain = world.get(f"{machine('vm')}?{API}")
    assert "instanceView" not in plain["properties"]
    assert plain["etag"] == '"1"'
    view = world.get(f"{machine('vm')}?{EXPAND}")["properties"]["instanceView"]
    assert view == world.get(f"{machine('vm')}/instanceView?{API}")
    assert view["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
    assert (len(view["disks"]), view["hyperVGeneration"]) == (2, "V2")
    assert states(world) == ["ProvisioningState/succeeded", "PowerState/running"]


def test_power_actions_are_202_and_take_their_time(world: World) -> None:
    """Both headers, an empty body; the operation has no output, its Location ends in an empty 200."""
    running(world)
    answer = world.send("POST", f"{machine('vm')}/powerOff?skipShutdown=false&{API}")
    assert (answer.status, answer.body) == (202, b"")
    assert answer.headers["azure-asyncnotification"] == "Enabled"
    assert "/locations/westeurope/operations/" in answer.headers["Azure-AsyncOperation"]
    assert world.get(f"{machine('vm')}?{API}")["properties"]["provisioningState"] == "Updating"
    assert world.send("POST", f"{machine('vm')}/deallocate?{API}").status == 409
    world.wait(seconds=8)
    done = poll(world, answer, "Azure-AsyncOperation").json()
    assert (done["status"], "properties" in done) == ("Succeeded", False)
    monitored = poll(world, answer, "Location")
    assert (monitored.status, monitored.body) == (200, b"")
    assert states(world)[-1] == "PowerState/stopped"
    assert world.events[-1]["data"]["operationName"] == "Microsoft.Compute/virtualMachines/powerOff/action"


def test_deallocated_machine_has_no_agent_and_forgets_its_disks_sizes(world: World) -> None:
    """Kind and size of managed disks come back with the start."""
    running(world)
    act(world, "vm", "deallocate")
    found = world.get(f"{machine('vm')}?{EXPAND}")["properties"]
    assert "vmAgent" not in found["instanceView"]
    system = found["storageProfile"]["osDisk"]
    assert ("diskSizeGB" in system, set(system["managedDisk"])) == (False, {"id"})
    act(world, "vm", "start")
    system = world.get(f"{machine('vm')}?{API}")["properties"]["storageProfile"]["osDisk"]
    assert (system["diskSizeGB"], system["managedDisk"]["storageAccountType"]) == (30, "Premium_LRS")


def test_generalize_is_at_once_final_and_not_for_running_machines(world: World) -> None:
    """200 without polling; afterwards the machine does not start, but may be deallocated and deleted."""
    running(world)
    early = world.send("POST", f"{machine('vm')}/generalize?{API}")
    assert (early.status, early.json()["error"]["code"]) == (409, "OperationNotAllowed")
    assert "since the VM is running" in early.json()["error"]["message"]
    act(world, "vm", "powerOff")
    for _ in range(2):
        answer = world.send("POST", f"{machine('vm')}/generalize?{API}")
        assert (answer.status, answer.body, "Location" in answer.headers) == (200, b"", False)
    assert states(world)[0] == "OSState/generalized"
    for verb in ("start", "restart"):
        late = world.send("POST", f"{machine('vm')}/{verb}?{API}")
        assert (late.status, late.json()["error"]["code"]) == (409, "OperationNotAllowed")
        assert "since the VM is generalized" in late.json()["error"]["message"]
    assert act(world, "vm", "deallocate") == 202
    assert world.send("DELETE", f"{machine('vm')}?{API}").status == 202
    world.wait(minutes=1)
    assert world.send("GET", f"{machine('vm')}?{API}").status == 404


def test_generalized_machine_on_a_vhd_is_captured_as_a_template(world: World) -> None:
    """The output names the copy; machines that are not generalized, or on managed disks, have none."""
    uri = "https://kept.blob.core.windows.net/vhds/system.vhd"
    system = {"osType": "Linux", "vhd": {"uri": uri}, "caching": "ReadWrite", "diskSizeGB": 30}
    properties = {"vmId": "an-id", "storageProfile": {"osDisk": system}, "hardwareProfile": {"vmSize": "S"}}
    seeded = world.azure.compute.seeds.machine_as(
        machine("vm"), {"location": "westeurope", "properties": properties}
    )
    running(world, "managed", generalized=True, power="stopped")
    asked = {"vhdPrefix": "p", "destinationContainerName": "vhds", "overwriteVhds": True}
    for name in ("vm", "managed"):
        early = world.send("POST", f"{machine(name)}/capture?{API}", asked)
        assert (early.status, early.json()["error"]["code"]) == (409, "OperationNotAllowed")
    seeded.power, seeded.generalized = "stopped", True
    answer = world.send("POST", f"{machine('vm')}/capture?{API}", asked)
    assert (answer.status, answer.body) == (202, b"")
    world.wait(seconds=1)
    output = poll(world, answer, "Azure-AsyncOperation").json()["properties"]["output"]
    assert output == poll(world, answer, "Location").json()
    disk_of = output["resources"][0]["properties"]["storageProfile"]["osDisk"]
    folder = "https://kept.blob.core.windows.net/system/Microsoft.Compute/Images/vhds"
    assert disk_of["image"]["uri"] == f"{folder}/p-osDisk.an-id.vhd"


def test_disks_go_with_the_machine_if_it_says_so(world: World) -> None:
    """Detach keeps them; Delete takes them along."""
    machine_id = running(world, data_disks_gb=(8,))
    found = world.azure.compute.machines.get(machine_id)
    assert found is not None
    found.properties["storageProfile"]["dataDisks"][0]["deleteOption"] = "Delete"
    world.send("DELETE", f"{machine_id}?{API}")
    world.wait(minutes=1)
    assert len(world.get(f"{PLACE}/disks?{API}")["value"]) == 1


def test_known_machine_is_updated_with_a_put_and_no_new_one_is_made(world: World) -> None:
    """200 with the async header alone; tags change, disks do not."""
    running(world)
    sent = body(hardwareProfile={"vmSize": "Standard_D4s_v5"}) | {"tags": {"a": "b"}}
    answer = world.send("PUT", f"{machine('vm')}?{API}", sent)
    assert (answer.status, "Location" in answer.headers) == (200, False)
    assert answer.json()["properties"]["provisioningState"] == "Updating"
    world.wait(minutes=1)
    found = world.get(f"{machine('vm')}?{API}")
    assert (found["tags"], found["properties"]["hardwareProfile"]["vmSize"]) == (
        {"a": "b"},
        "Standard_D4s_v5",
    )
    assert (found["etag"], found["properties"]["provisioningState"]) == ('"2"', "Succeeded")
    assert world.send("PATCH", f"{machine('vm')}?{API}", {"tags": {}}).status == 200
    assert "seed 'new' first" in refused(world, machine("new"), body())[2]


def test_machine_is_seeded_as_an_answer_shows_it(world: World) -> None:
    """A deallocated, specialized one on a disk that is made for it."""
    document = {
        "location": "West Europe",
        "tags": {"a": "b"},
        "properties": {
            "storageProfile": {
                "osDisk": {"osType": "Windows", "managedDisk": {"id": disk("own")}, "diskSizeGB": 127}
            },
            "instanceView": {
                "hyperVGeneration": "V2",
                "statuses": [{"code": "OSState/specialized"}, {"code": "PowerState/deallocated"}],
            },
        },
    }
    world.azure.compute.seeds.machine_as(machine("seen"), document)
    assert states(world, "seen") == [
        "OSState/specialized",
        "ProvisioningState/succeeded",
        "PowerState/deallocated",
    ]
    own = world.get(f"{disk('own')}?{API}")["properties"]
    assert (own["diskSizeGB"], own["osType"], own["diskState"]) == (127, "Windows", "Reserved")
