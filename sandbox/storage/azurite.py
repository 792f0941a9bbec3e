"""Azurite as a child process: the storage that the sandbox does not have to invent."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

from sandbox.tls import Certificates

_HOME: Final = Path(__file__).parent.parent / "azurite"
_SCRIPT: Final = _HOME / "node_modules/azurite/dist/src/azurite.js"
_LISTENING: Final = re.compile(r"Azurite (\w+) service is successfully listening at (https://\S+)")
_IDLE_SECONDS: Final = 120  # kept-alive connections; the front drops its own earlier


class AzuriteFailed(Exception):
    """Azurite did not come up; the message carries what it said."""


class Endpoints(msgspec.Struct, frozen=True):
    blob: str
    queue: str
    table: str

    def of(self, service: str) -> str:
        return {"blob": self.blob, "queue": self.queue, "table": self.table}[service]


class Azurite:
    """One running Azurite; `start` returns when it answers, `stop` when it is gone."""

    def __init__(self, process: subprocess.Popen[str], endpoints: Endpoints) -> None:
        self._process = process
        self.endpoints = endpoints

    @classmethod
    def start(
        cls, folder: Path, tls: Certificates, accounts: Sequence[str], *, in_memory: bool = False
    ) -> "Azurite":
        """Start on free ports with these accounts; `folder` takes its log, and its data unless in memory."""
        folder.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            _command(folder, tls, in_memory),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"AZURITE_ACCOUNTS": ";".join(f"{name}:{_key(name)}" for name in accounts)},
            text=True,
            start_new_session=True,  # Ctrl-C is for the supervisor, which then stops its children in order
        )
        assert process.stdout is not None
        found: dict[str, str] = {}
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if match := _LISTENING.search(line):
                found[match[1].lower()] = match[2]
            if len(found) == 3:
                drain = threading.Thread(
                    target=_drain, args=(process.stdout, folder / "azurite.log"), daemon=True
                )
                drain.start()
                return cls(process, Endpoints(**found))
        process.wait()
        raise AzuriteFailed(f"Azurite ended with {process.returncode}: {''.join(said).strip()}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """Closing its stdin is the signal that also reaches it when the supervisor is killed."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _command(folder: Path, tls: Certificates, in_memory: bool) -> list[str]:
    node = shutil.which("node")
    if node is None:
        raise AzuriteFailed(
            "node is not on the PATH: install Node.js 18 or newer, the sandbox's storage runs on it."
        )
    if not _SCRIPT.exists():
        raise AzuriteFailed(f"Azurite is not installed: run `npm ci --prefix {_HOME}` (or `make setup`).")
    command = [node, "--require", str(_HOME / "watchdog.cjs"), str(_SCRIPT)]
    command += ["--oauth", "basic", "--cert", str(tls.certificate), "--key", str(tls.key)]
    command += ["--skipApiVersionCheck", "--disableTelemetry", "--disableProductStyleUrl", "--silent"]
    for service in ("blob", "queue", "table"):
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", "0"]
        command += [f"--{service}KeepAliveTimeout", str(_IDLE_SECONDS)]
    return [*command, "--inMemoryPersistence"] if in_memory else [*command, "--location", str(folder)]


def _key(account: str) -> str:
    """Azurite wants a key for each account. The front lets no signed request through."""
    return base64.b64encode(hashlib.sha512(account.encode()).digest()).decode()


def _drain(output: IO[str], log: Path) -> None:
    """Keep reading, since a full pipe would stop Azurite."""
    with log.open("a") as sink:
        try:
            for line in output:
                sink.write(line)
                sink.flush()
        except ValueError:  # closed under us by stop()
            return
