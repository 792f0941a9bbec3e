"""The demo's own judgement, in worlds in which nothing goes on by itself."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from sandbox.azure import LocalAzure
from sandbox.calls import Call
from sandbox.clock import VirtualClock, WallClock
from sandbox.demo.evidence import Evidence
from tests.memory.blobs import MemoryBlobs
from tests.memory.storage import MemoryStorage


def evidence_of(clock: VirtualClock | WallClock, image: str, version: str, template: str = "") -> Evidence:
    """Of a story that began a while ago."""
    azure = LocalAzure(clock, MemoryStorage(MemoryBlobs(clock)))
    sandbox = SimpleNamespace(
        azure=azure,
        clock=clock,
        setting=azure.setting,
        storage=SimpleNamespace(azurite=SimpleNamespace(alive=lambda: True)),
        host=SimpleNamespace(pid=1, starts=1, last_exit=None),
        options=SimpleNamespace(speed=120.0),
        made=[],
    )
    found = Evidence(cast("Any", sandbox), image, version, template)
    found.began -= timedelta(seconds=10)
    return found


def call(evidence: Evidence, path: str, after: float, status: int = 200, method: str = "GET") -> None:
    at = evidence.began + timedelta(seconds=after)
    evidence.sandbox.azure.calls.append(Call("arm", method, path, "", status, at, principal="factory"))
