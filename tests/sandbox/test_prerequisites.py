"""What a recording of Compute uses and does not make is there when it is played; nothing else is."""

from __future__ import annotations

from typing import Any

from sandbox.prerequisites import prepare

from .arm.parts import World

GROUP = "/subscriptions/11112222-0000-0000-0000-000000000000/resourceGroups/recorded"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
API = "api-version=2024-07-01"
PLAYED = tuple(f"Microsoft.Compute/{kind}" for kind in ("disks", "snapshots", "images", "galleries"))
MACHINE = f"{COMPUTE}/virtualMachines/source"
VHD = "https://kept.blob.core.windows.net/vhds/system.vhd"


def exchange(method: str, path: str, status: int, sent: Any = None, answer: Any = None) -> dict[str, Any]:
    return {
        "request": {"method": method, "path": f"{path}?{API}", "body": sent},
        "response": {"status": status, "headers": {}, "body": answer},
    }


def put(kind: str, status: int, answer: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    sent = {"location": "West US", "properties": properties}
    return exchange("PUT", f"{COMPUTE}/{kind}", status, sent, answer or {})


def read_machine(power: str) -> dict[str, Any]:
    system = {"osType": "Windows", "managedDisk": {"id": f"{COMPUTE}/disks/system"}, "diskSizeGB": 127}
    view = {"hyperVGeneration": "V2", "statuses": [{"code": f"PowerState/{power}"}]}
    properties = {"storageProfile": {"osDisk": system, "dataDisks": []}, "instanceView": view}
    body = {"id": MACHINE, "location": "westus", "tags": {}, "properties": properties}
    return exchange("GET", MACHINE, 200, answer=body)


def replayed(world: World, interactions: list[dict[str, Any]], played: tuple[str, ...] = PLAYED) -> list[int]:
    """The statuses that the PUTs of the recording now get."""
    prepare(world.azure, interactions, played)
    found = []
    for each in interactions:
        request = each["request"]
        if request["method"] == "PUT":
            world.send("PUT", f"{GROUP}?{API}", {"location": "westus"})
            found.append(world.send("PUT", request["path"], request["body"]).status)
            world.wait(minutes=1)
    return found


def test_machine_is_as_its_image_needs_it() -> None:
    """Its own requests are not played, so that they have been done: it is stopped and generalized."""
    world = World()
    interactions = [
        read_machine("running"),
        exchange("POST", f"{MACHINE}/powerOff", 202),
        exchange("POST", f"{MACHINE}/generalize", 200),
        put("images/made", 201, sourceVirtualMachine={"id": MACHINE}, hyperVGeneration="V2"),
    ]
    assert replayed(world, interactions) == [201]
    machine = world.azure.compute.machines.get(MACHINE)
    assert machine is not None
    assert (machine.power, machine.generalized) == ("stopped", True)
    made = world.get(f"{COMPUTE}/images/made?{API}")["properties"]["storageProfile"]["osDisk"]
    assert (made["osType"], made["diskSizeGB"]) == ("Windows", 127)


def test_machine_whose_requests_are_played_is_as_it_was_first_read() -> None:
    """A PUT of it says that the player will play them."""
    world = World()
    update = exchange("PUT", MACHINE, 200, {"location": "westus", "tags": {}}, {"location": "westus"})
    interactions = [read_machine("running"), update, exchange("POST", f"{MACHINE}/generalize", 200)]
    said = prepare(world.azure, interactions, (*PLAYED, "Microsoft.Compute/virtualMachines"))
    assert said == ["Microsoft.Compute/virtualMachines source, running"]


def test_vhd_and_its_account_are_there_with_the_size_that_an_answer_tells() -> None:
    world = World()
    answer = {"properties": {"creationData": {"sourceUri": VHD}, "diskSizeGB": 64}}
    interactions = [
        put("snapshots/kept", 202, answer, creationData={"createOption": "Import", "sourceUri": VHD})
    ]
    assert replayed(world, interactions) == [202]
    assert world.get(f"{COMPUTE}/snapshots/kept?{API}")["properties"]["diskSizeGB"] == 64
    assert world.azure.storage.account_exists("kept")


def test_what_the_recording_makes_is_not_made_beforehand() -> None:
    """A copy of a disk that it makes needs nothing; of one that it does not, or does not play, it does."""
    copy = {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/first"}
    interactions = [
        put("disks/first", 202, creationData={"createOption": "Empty"}, diskSizeGB=8),
        put("snapshots/second", 202, creationData=copy),
    ]
    assert prepare(World().azure, interactions, PLAYED) == []
    assert prepare(World().azure, interactions[1:], PLAYED) == ["Microsoft.Compute/disks first"]
    said = prepare(World().azure, interactions, ("Microsoft.Compute/snapshots",))
    assert said == ["Microsoft.Compute/disks first"]
    assert replayed(World(), interactions[1:]) == [202]


def test_what_failed_is_given_nothing() -> None:
    """Whatever was refused, or read as failed, may have been missing its source."""
    copy = {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/none"}
    refused = put("snapshots/a", 404, creationData=copy)
    failed = put("snapshots/b", 202, creationData=copy)
    state = {"properties": {"provisioningState": "Failed"}}
    later = exchange("GET", f"{COMPUTE}/snapshots/b", 200, answer=state)
    assert prepare(World().azure, [refused, failed, later], PLAYED) == []


def test_resource_that_is_only_updated_was_there() -> None:
    """As it was read before, or as the update answered."""
    world = World()
    system = {"osType": "Linux", "osState": "Generalized", "diskSizeGB": 30}
    answer = {
        "location": "westus",
        "properties": {"storageProfile": {"osDisk": system}, "hyperVGeneration": "V2"},
    }
    assert replayed(world, [put("images/old", 200, answer)]) == [200]
    assert world.get(f"{COMPUTE}/images/old?{API}")["properties"]["hyperVGeneration"] == "V2"
