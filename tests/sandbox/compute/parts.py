"""Requests of Compute as its clients write them."""

from __future__ import annotations

from typing import Any

from sandbox.arm.compute.seeds import MachineSeed
from sandbox.arm.storage import BlobAddress
from sandbox.azure import SUBSCRIPTION
from sandbox.vhd import FOOTER, Vhd
from tests.sandbox.arm.parts import BASE, GROUP, World

API = "api-version=2024-07-01"
HERE = "westeurope"
PLACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Compute"
GIB = 1024**3


def disk(name: str) -> str:
    return f"{PLACE}/disks/{name}"


def snapshot(name: str) -> str:
    return f"{PLACE}/snapshots/{name}"


def image(name: str) -> str:
    return f"{PLACE}/images/{name}"


def machine(name: str) -> str:
    return f"{PLACE}/virtualMachines/{name}"


def body(location: str = HERE, **properties: Any) -> dict[str, Any]:
    return {"location": location, "properties": properties}


def creation(option: str, size: int | None = None, location: str = HERE, **data: Any) -> dict[str, Any]:
    """The body of a disk or snapshot."""
    sized = {} if size is None else {"diskSizeGB": size}
    return body(location, creationData={"createOption": option, **data}, **sized)


def made(world: World, path: str, sent: dict[str, Any]) -> dict[str, Any]:
    """A resource as it is read when its PUT is over."""
    answer = world.send("PUT", f"{path}?{API}", sent)
    assert answer.status in (200, 201, 202), answer.body
    world.wait(minutes=1)
    found: dict[str, Any] = world.get(f"{path}?{API}")
    return found


def refused(world: World, path: str, sent: dict[str, Any], **options: Any) -> tuple[int, str, str]:
    """Status, code and message of a PUT that does not go."""
    answer = world.send("PUT", f"{path}?{API}", sent, **options)
    error = answer.json()["error"]
    return answer.status, error["code"], error["message"]


def target(world: World, path: str, sent: dict[str, Any]) -> str | None:
    found: str | None = world.send("PUT", f"{path}?{API}", sent).json()["error"].get("target")
    return found


def vhd(world: World, name: str = "os.vhd", size_gb: float = 30, footer: int = FOOTER) -> str:
    """The address of a VHD that is in the account `archive`."""
    address = BlobAddress("archive", "vhds", name)
    world.storage.write_vhd(address, Vhd(int(size_gb * GIB) + footer, ()), {})
    return world.storage.url(address)


def running(world: World, name: str = "vm", **seed: Any) -> str:
    """The id of a seeded machine."""
    return world.azure.compute.seeds.machine(machine(name), HERE, MachineSeed(**seed)).id


def act(world: World, name: str, verb: str) -> int:
    """Ask for an action and let it end; the status of the answer."""
    status = world.send("POST", f"{machine(name)}/{verb}?{API}").status
    world.wait(minutes=1)
    return status


def states(world: World, name: str = "vm") -> list[str]:
    view = world.get(f"{machine(name)}?$expand=instanceView&{API}")["properties"]["instanceView"]
    return [status["code"] for status in view["statuses"]]


def poll(world: World, answer: Any, header: str) -> Any:
    return world.send("GET", answer.headers[header].removeprefix(BASE))
