"""The host as a process: found by its line, killed without warning, started again, stopped gently."""

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from sandbox.identity.endpoint import PATH as IDENTITY_PATH
from sandbox.identity.endpoint import IdentityEndpoint
from sandbox.serve import Listener, face_handler
from tests.sandbox.host.conftest import APP, SETTINGS
from tests.worlds.storage import StorageWorld

SECRET: Final = "the-header-of-the-app"


class Process:
    """One life of a host."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    async def start(cls, state: Path, environment: dict[str, str]) -> "Process":
        options = ["--app", str(APP), "--state", str(state), "--port", "0", "--lock-seconds", "2"]
        options += ["--drain-seconds", "0.3"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sandbox", "host", *options),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | environment,
        )
        assert process.stdout is not None
        async with asyncio.timeout(15):
            async for line in process.stdout:
                said = json.loads(line)
                if said["message"].startswith("Host started"):
                    return cls(process, said["port"])
        raise AssertionError("the host ended before it had started")

    async def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        async with asyncio.timeout(15):
            await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode


class Notes:
    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, function: str) -> list[dict[str, Any]]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [note for note in map(json.loads, lines) if note["function"] == function]

    async def until(self, function: str, reached: Callable[[list[dict[str, Any]]], bool]) -> None:
        async with asyncio.timeout(10):
            while not reached(self.read(function)):
                await asyncio.sleep(0.05)


@asynccontextmanager
async def surroundings(world: StorageWorld, account: str, notes: Path) -> AsyncIterator[dict[str, str]]:
    """What a supervisor gives the host: an identity, its storage, whom to trust."""
    identity = IdentityEndpoint(world.clock, world.tokens, world.faults, world.calls, {SECRET: "factory"})
    async with Listener(face_handler(identity)) as listener:
        yield {
            **SETTINGS,
            "TestStorage__queueServiceUri": f"{world.endpoints['queue']}/{account}",
            "TestStorage__credential": "managedidentity",
            "IDENTITY_ENDPOINT": f"{listener.url}{IDENTITY_PATH}",
            "IDENTITY_HEADER": SECRET,
            "SSL_CERT_FILE": str(world.certificates.ca),
            "HOST_TEST_NOTES": str(notes),
        }


def send(world: StorageWorld, account: str, **said: object) -> None:
    queue = world.queues(account).get_queue_client("builds")
    queue.send_message(base64.b64encode(json.dumps(said).encode()).decode(), time_to_live=-1)


@pytest.mark.long
def test_the_host_survives_its_own_death(storage_world: StorageWorld, tmp_path: Path) -> None:
    account = storage_world.account()
    for name in ("builds", "builds-poison"):
        storage_world.queues(account).create_queue(name)
    state, notes = tmp_path / "state", Notes(tmp_path / "notes")
    missed = {"Next": "2026-01-01T00:00:00Z", "LastUpdated": "2025-06-01T00:00:00Z", "Last": None}
    (state / "timers").mkdir(parents=True)
    (state / "timers" / "tick.json").write_text(json.dumps(missed))

    async def story() -> None:
        async with surroundings(storage_world, account, notes.path) as environment:
            first = await Process.start(state, environment)
            await notes.until("tick", lambda ticks: [each["past_due"] for each in ticks] == [True])
            send(storage_world, account, name="fails", fail=9)
            await notes.until("build_poison", lambda poison: len(poison) == 1)
            send(storage_world, account, name="hangs", hang=True)
            await notes.until("build", lambda builds: builds[-1]["said"]["name"] == "hangs")
            keys = (state / "host.keys.json").read_bytes()
            assert await first.end(signal.SIGKILL) == -signal.SIGKILL

            second = await Process.start(state, environment)
            await notes.until("build", lambda builds: builds[-1]["count"] == 2)
            await _answers(second.url)
            assert (state / "host.keys.json").read_bytes() == keys
            send(storage_world, account, name="hangs again", hang=True)
            await notes.until("build", lambda builds: builds[-1]["said"]["name"] == "hangs again")
            assert await second.end(signal.SIGTERM) == 0

    asyncio.run(story())
    assert len(notes.read("tick")) == 1  # what was made up for once is not past due again
    assert [each["count"] for each in notes.read("build")] == [1, 2, 3, 1, 2, 1]
    assert notes.read("build_poison")[0]["said"] == {"name": "fails", "fail": 9}
    own = [call for call in storage_world.calls_of(account) if call.principal == "factory"]
    assert any((call.correlation or "").startswith("host-") for call in own)


async def _answers(url: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/admin/host/status") as answer:
        assert (await answer.json())["state"] == "Running"
