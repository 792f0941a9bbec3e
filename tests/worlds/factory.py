"""The real app on a running sandbox: new versions go in, and what has to come of each is asserted.

One world serves many tests, one version after the other: each has to leave nothing behind but the archive.
"""

import hashlib
import itertools
import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from .sandbox import ROOT, SandboxProcess

IMAGE = "ubuntu-22"
SOURCE = {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2"}
PERMANENT = {"archive", "factory", "scripts"}
OVERLAY = ROOT / "tests" / "e2e" / "overlay.yaml"
POLLING = "AzureFunctionsJobHost__extensions__queues__maxPollingInterval=00:00:00.400"
OPTIONS = (
    *("--overlay", str(OVERLAY), "--setting", POLLING),
    *("--sources-schedule", "*/2 * * * * *", "--sweep-schedule", "*/5 * * * * *"),
    *("--speed", "600", "--message-lock", "2", "--vhd-payload", "8", "--vhd-fragment", "512"),
)
_PIECE = 4 * 1024 * 1024
_PATIENCE = 75.0
_PAUSE = 0.2


class Traces(msgspec.Struct, frozen=True):
    """What stories leave for ever: the VHDs that were made, and the names in the archive."""

    made: tuple[str, ...]
    archive: frozenset[str]


class FactoryWorld:
    def __init__(self, state: Path) -> None:
        self.sandbox = SandboxProcess(state, OPTIONS)
        self._numbers = itertools.count(202611010, 10)

    @property
    def config(self) -> Path:
        """The `factory.yaml` that the app reads."""
        return self.sandbox.state / "config" / "factory.yaml"

    def start(self) -> None:
        """Return when the factory knows what is not new."""
        self.sandbox.start()
        self.sandbox.until(self.baseline, "the baseline")

    # What people do

    def fault(self, service: str, action: str = "kill_host", **fault: Any) -> str:
        armed = self.sandbox.control("POST", "/faults", {"service": service, "action": action, **fault})
        return str(armed["id"])

    def starts(self) -> int:
        """How often the host was started."""
        return int(self.sandbox.control("GET", "/host")["starts"])

    def fired(self, fault: str) -> int:
        return len(self.sandbox.control("GET", f"/faults/{fault}")["fired"])

    def publish(self) -> str:
        """Let the next version appear."""
        version = f"22.04.{next(self._numbers)}"
        self.sandbox.control("POST", "/marketplace/versions", {**SOURCE, "version": version})
        return version

    def traces(self) -> Traces:
        made = tuple(each["sha256"] for each in self._vhds())
        return Traces(made, frozenset(self.archive()))

    # What can be seen

    def cli(self, *arguments: str) -> str:
        """Ask the app's own command line, in a process of its own."""
        command = [sys.executable, "-m", "shared.cli", *arguments]
        environment = self.sandbox.environment
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.cli("status", "--json"))
        return document

    def baseline(self) -> object:
        return next(i["record"] and i["record"]["baseline"] for i in self.status()["images"])

    def archive(self) -> list[str]:
        listing = self._blob("/archive/images?restype=container&comp=list").decode()
        return [part.partition("</Name>")[0] for part in listing.split("<Name>")[1:]]

    def quiet(self) -> bool:
        """No template, no staging account, and no message left in the queues of runs and of copies."""
        state = self.sandbox.control("GET", "/state")
        if state["templates"] or set(state["storage_accounts"]) != PERMANENT or state["events_pending"]:
            return False
        return not any(self._messages(queue) for queue in ("builds", "archive"))

    def settled(self, before: Traces) -> None:
        """Wait until there is a new manifest in the archive and nothing is under way any more."""
        self.sandbox.until(lambda: self._new_manifest(before), "a new manifest", _PATIENCE, pause=_PAUSE)
        self.sandbox.until(self.quiet, "quiet", _PATIENCE, pause=_PAUSE)

    def assert_fault_free(self, version: str, before: Traces) -> None:
        """One run, its VHD archived once and byte for byte, template and staging gone, nothing failed."""
        made = [each for each in self._vhds() if each["sha256"] not in before.made]
        assert len(made) == 1, f"{len(made)} runs for one version\n{self.cli('journal', IMAGE)}"
        names = sorted(set(self.archive()) - before.archive)
        assert [name.rpartition(".")[2] for name in names] == ["json", "vhd"], names
        told = json.loads(self._blob(f"/archive/images/{names[0]}"))
        assert told["sourceVersion"] == version
        assert told["vhd"]["name"] == names[1]
        assert told["vhd"]["size"] == made[0]["size"]
        assert told["vhd"]["allocatedBytes"] == made[0]["allocated"]
        assert self._digest(names[1], made[0]["size"]) == made[0]["sha256"]
        status = self.status()
        assert status["failed"] == []
        assert status["images"][0]["record"]["built"]["text"] == version

    def _new_manifest(self, before: Traces) -> bool:
        return any(name.endswith(".json") for name in set(self.archive()) - before.archive)

    def _digest(self, name: str, size: int) -> str:
        digest = hashlib.sha256()
        for start in range(0, size, _PIECE):
            end = min(start + _PIECE, size) - 1
            digest.update(self._blob(f"/archive/images/{name}", {"x-ms-range": f"bytes={start}-{end}"}))
        return digest.hexdigest()

    def _vhds(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sandbox.control("GET", "/vhds")
        return found

    def _messages(self, queue: str) -> int:
        answer = self._send("queue", f"/factory/{queue}?comp=metadata", {})
        with answer:
            return int(answer.headers["x-ms-approximate-messages-count"])

    def _blob(self, target: str, headers: Mapping[str, str] | None = None) -> bytes:
        with self._send("blob", target, headers or {}) as answer:
            content: bytes = answer.read()
            return content

    def _send(self, service: str, target: str, headers: Mapping[str, str]) -> Any:
        """Ask storage as the operator."""
        order = {"principal": "operator", "audience": "https://storage.azure.com"}
        token = self.sandbox.control("POST", "/token", order)["token"]
        own = {"Authorization": f"Bearer {token}", "x-ms-version": "2023-11-03", **headers}
        request = urllib.request.Request(self.sandbox.endpoints[service] + target, headers=own)
        tls = ssl.create_default_context(cafile=self.sandbox.endpoints["ca"])
        return urllib.request.urlopen(request, context=tls, timeout=30)
