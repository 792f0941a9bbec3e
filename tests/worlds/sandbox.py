"""The whole sandbox as a process of its own, as a person would start it: for tests that kill and restart.

`SandboxProcess` starts `python -m sandbox up`, waits for its `ready`, and speaks to its control endpoint.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

ROOT = Path(__file__).parent.parent.parent

T = TypeVar("T")


class SandboxProcess:
    def __init__(self, state: Path, arguments: Sequence[str] = (), *, app: Path = ROOT) -> None:
        self.state = state
        self._command = [
            sys.executable,
            "-m",
            "sandbox",
            "up",
            "--state",
            str(state),
            "--app",
            str(app),
            *(() if app == ROOT else ("--first-look", "0")),  # another app does not look at sources
            *arguments,
        ]
        self._process: subprocess.Popen[str]
        self._ready = threading.Event()
        self.said: list[str] = []
        self.endpoints: dict[str, Any] = {}

    def start(self, patience: float = 40) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        if not self._ready.wait(patience) or self._process.poll() is not None:
            self.kill()
            raise AssertionError(f"the sandbox did not get ready:\n{self.output()}")
        self.endpoints = json.loads((self.state / "endpoints.json").read_text())
        return self

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            if line == "ready\n":
                self._ready.set()
        self._ready.set()  # it ended: nothing is left to wait for

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self, sign: signal.Signals = signal.SIGTERM, patience: float = 20) -> int:
        """Ask it to stop; return its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(sign)
        return self._ended(patience)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._ended(10)

    def _ended(self, patience: float) -> int:
        try:
            status = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"the sandbox did not stop within {patience} s:\n{self.output()}") from None
        self._listener.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status

    def output(self) -> str:
        """Return what it and its app said, for messages of failed tests."""
        log = self.state / "functions.log"
        tail = log.read_text()[-4000:] if log.exists() else ""
        return f"{''.join(self.said)}\n--- functions.log\n{tail}"

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Send an order to the control endpoint; an error answer raises `urllib.error.HTTPError`."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.endpoints["control"] + path, data, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)

    def until(self, probe: Callable[[], T], what: str, patience: float = 30, *, pause: float = 0.05) -> T:
        """Ask again and again until the answer is true, and return it."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if found := probe():
                return found
            time.sleep(pause)
        raise AssertionError(f"waited {patience} s in vain for {what}\n{self.output()}")

    @property
    def environment(self) -> dict[str, str]:
        """What the app gets, for a process of the test's own that shall see the same Azure."""
        settings = json.loads((self.state / "local.settings.json").read_text())["Values"]
        return {**os.environ, **settings}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m sandbox …` against this sandbox, as a person would."""
        command = [sys.executable, "-m", "sandbox", *arguments, "--state", str(self.state)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def sandbox_process(state: Path, *arguments: str, app: Path = ROOT) -> Iterator[SandboxProcess]:
    """A sandbox for a while; it must stop as it should."""
    process = SandboxProcess(state, arguments, app=app).start()
    try:
        yield process
    finally:
        status = process.stop()
    assert status == 0, process.output()


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie, whose parent has not looked yet, does not."""
    state = _state(pid)
    return bool(state) and state[0] != "Z"


def children_of(pid: int) -> list[int]:
    every = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal())
    return [each for each in every if (state := _state(each)) and state[1] == str(pid)]


def _state(pid: int) -> list[str]:
    """State, parent and so on of a process; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
