"""A sandbox of the benchmarks' own: its services in one process, disks to copy in it, and no Functions host.

Run as a module it is that process; `LocalAzure` starts it and speaks to it.
"""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from sandbox.arm.storage import BlobAddress
from sandbox.health import wait_until_ready
from sandbox.options import Options
from sandbox.running import RunningSandbox
from sandbox.vhd import Vhd, make_vhd

ROOT: Final = Path(__file__).parent.parent
ACCOUNT: Final = "staging"
"""Stands for the storage account in a staging resource group that Image Builder writes its VHDs to."""
CONTAINER: Final = "vhds"
MIB: Final = 1024 * 1024


class Disk(msgspec.Struct, frozen=True):
    """A VHD to be copied: its size, and what of it holds data, in MiB; None for data in one place."""

    name: str
    size: int
    payload: int
    fragment_kib: int | None = None


CLUSTERED: Final = Disk("clustered", 1024, 102)
FRAGMENTED: Final = Disk("fragmented", 1024, 102, 64)
LARGE: Final = Disk("large", 8192, 102, 64)
DISKS: Final = (CLUSTERED, FRAGMENTED, LARGE)


def vhd_of(disk: Disk) -> Vhd:
    """The same bytes each time."""
    return make_vhd(
        {}, size_mib=disk.size, payload_mib=disk.payload, fragment_kib=disk.fragment_kib, seed=disk.name
    )


class LocalAzure:
    """`with` starts it, with every disk in place, and stops it."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._process: subprocess.Popen[str]
        self._control = self.blobs = ""
        self.environment: dict[str, str] = {}
        """What a process needs that shall be the app here."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "bench.azure", str(self._state)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if line == "ready\n":
                break
        else:
            raise RuntimeError(f"the sandbox did not start: {said}")
        settings = json.loads((self._state / "local.settings.json").read_text())["Values"]
        self.environment = {**os.environ, **settings}
        endpoints = json.loads((self._state / "endpoints.json").read_text())
        self._control, self.blobs = endpoints["control"], endpoints["blob"]
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def limit(self, mib_per_second: float | None, requests_per_second: float | None) -> None:
        """Of every page blob, from now on."""
        rate = None if mib_per_second is None else mib_per_second * MIB
        self._order(
            "PATCH", "/limits", {"bytes_per_second": rate, "requests_per_second": requests_per_second}
        )

    def forget_calls(self) -> None:
        self._order("DELETE", "/calls")

    def calls(self, **wanted: str) -> list[dict[str, Any]]:
        """What was asked of the services, refused requests included."""
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        found: list[dict[str, Any]] = self._order("GET", f"/calls?{query}")["calls"]
        return found

    def _order(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._control + path, data, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)


def _plant(sandbox: RunningSandbox) -> None:
    azure, writer = sandbox.azure, sandbox.storage.writer
    writer.create_account(ACCOUNT)
    azure.inventory.add_account(sandbox.setting.group_id, ACCOUNT)
    for disk in DISKS:
        writer.write_vhd(BlobAddress(ACCOUNT, CONTAINER, f"{disk.name}.vhd"), vhd_of(disk), {})


async def _run(state: Path) -> None:
    config, overlay = ROOT / "config" / "factory.yaml", Path(__file__).parent / "overlay.yaml"
    options = Options(state=state, config=config, overlay=overlay, with_functions=False)
    said: list[str] = []  # worth reading only if it does not come up
    async with RunningSandbox(options, tell=said.append) as sandbox:
        await asyncio.to_thread(_plant, sandbox)
        if missing := await wait_until_ready(sandbox, timedelta(seconds=30)):
            raise RuntimeError(f"no answer from {', '.join(missing)}:\n" + "\n".join(said))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1])))
