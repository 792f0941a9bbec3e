"""`make demo` as people see it: lines where there is no terminal, and an exit status that can be trusted."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.worlds.sandbox import ROOT, alive, children_of

STEPS = (
    "Version seen",
    "Event published",
    "Event delivered",
    "Template created",
    "Template ready",
    "Run started",
    "building",
    "customizing",
    "distributing",
    "Run ended",
    "Event delivered",
    "VHD copied",
    "VHD verified",
    "Manifest written",
    "Template deleted",
    "Staging deleted",
)
RELEASE = (
    "Run started",
    "Version made",
    "Run ended",
    "Event delivered",
    "Ring canary",
    "asked for",
    "replicated",
    "Ring early",
    "asked for",
    "replicated",
    "Ring everywhere",
)
REBUILD = ("Template created", "Rebuild started", "Rebuild made", "Rebuild ended", "Rebuild latest")
RETENTION = (
    "Taken over",
    "Versions marked",
    "Event published",
    "Not latest",
    "Versions deleted",
    "Event published",
    "To keep the newest one alone is the policy now",
    "Plan stopped",
)
WHILE_MARKED = {
    "0.1.0": "keep +- .*in use by build-agent-7",
    "0.2.0": "keep +- .*pinned by a tag",
    "0.3.0": "retire +marked .*superseded .* no part of its policy keeps it",
    "0.4.0": "retire +marked .*superseded .* no part of its policy keeps it",
    "0.5.0": "keep +- .*younger than the policy's age of 90d",
    "0.8.0": "keep +- .*among the last 2 good ones",
    "1.0.0": "keep +- .*the newest released in westeurope",
}
LEFT = {
    *((version, "keep") for version in ("0.1.0", "0.2.0", "1.0.0")),
    *((version, "retire") for version in ("0.5.0", "0.6.0", "0.7.0", "0.8.0")),
}
ANNOUNCED = ("canary", "early", "everywhere")
REGIONS = ("westeurope", "northeurope", "uksouth", "eastus2", "southeastasia")
LINE = re.compile(r"^ *(\d+\.\d) s +(\S.*?)(?:  .*)?$")


class Demo:
    """The demo as a process; `said` is what it printed so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.said.extend(iter(self.process.stdout.readline, ""))

    def saw(self, words: str) -> None:
        """Wait until it prints these words."""
        deadline = time.monotonic() + 40
        while not any(words in line for line in self.said):
            assert time.monotonic() < deadline, "".join(self.said)
            assert self.process.poll() is None, "".join(self.said)
            time.sleep(0.05)

    def end(self, patience: float = 90) -> int:
        status = self.process.wait(patience)
        self._reader.join(5)
        return status


@contextmanager
def demo(state: Path) -> Iterator[Demo]:
    """Started as a script starts what it runs in the background: told to ignore SIGINT."""
    background = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
    command = [*background, sys.executable, "-u", "-m", "sandbox", "demo", "--state", str(state)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Demo(process)
        finally:
            process.kill()


def in_order(expected: Sequence[str], told: Sequence[str]) -> bool:
    """Whether all of these are told, one after the other, whatever comes between."""
    rest = iter(told)
    return all(each in rest for each in expected)


def host_of(process: int) -> int:
    """The Functions host among the children; the other one is the storage emulator."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children_of(process)}
    return next(pid for pid, command in commands.items() if "\0host\0" in command)


@pytest.mark.long
def test_the_demo_shows_every_step_in_order_and_proves_the_end(tmp_path: Path) -> None:
    began = time.monotonic()
    with demo(tmp_path) as shown:
        status = shown.end()
        told = "".join(shown.said)
    assert status == 0, told
    assert time.monotonic() - began < 90
    timeline = [found for line in shown.said if (found := LINE.match(line.rstrip()))]
    elapsed = [float(found[1]) for found in timeline]
    assert elapsed == sorted(elapsed)
    words = [found[2] for found in timeline]
    first, second = words[: len(STEPS) + 1], words[len(STEPS) + 1 :]
    assert tuple(first[1:]) == STEPS
    assert second[0] == "20348.4405.261114 appears in the marketplace"
    assert second[1] == "Version seen"
    # Both go on at once; the events of the rebuild's source come between.
    assert in_order(RELEASE, second)
    assert in_order(REBUILD, second)
    announced = re.findall(r"VersionReleased: windows-2022 ring (\w+)", told)
    assert tuple(announced) == ANNOUNCED
    assert in_order(RETENTION, second)
    before, after = told.split("What is left of windows-2022-dev")
    for version, verdict in WHILE_MARKED.items():
        assert re.search(rf"gallery version +windows-2022-dev/{version} +{verdict}", before), version
    assert set(re.findall(r"windows-2022-dev/(\S+) +(keep|retire) ", after)) == LEFT
    assert re.search(r"4 to go; STOPPED: .* `retention approve [0-9a-f]{16}` lets it go on", after)
    for region in REGIONS:
        assert re.search(rf"windows-2022 +\w+ +{region} +1\.0\.0 +since", told), region
    assert re.search(r"source microsoftwindowsserver:.*:20348\.4405\.261114", told), "the lineage is missing"
    assert "byte for byte the same" in told
    made, archived = re.findall(r"(?:made|archived) +([0-9a-f]{64}) ", told)
    assert made == archived
    for word in ("run-requested", "archived", "template-deleted"):
        assert re.search(rf"\d\d:\d\d:\d\d  {word} ", told), "the journal is missing"


def test_the_plan_of_the_demos_world_can_be_had_alone(tmp_path: Path) -> None:
    """What is piped on is the plan alone; what would go is what the policy does not keep."""
    command = [sys.executable, "-m", "sandbox", "retention-plan", "--state", str(tmp_path), "--json"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    plan = json.loads(asked.stdout)
    going = [each["name"] for each in plan["verdicts"] if not each["keep"]]
    assert going == ["windows-2022-dev/0.3.0", "windows-2022-dev/0.4.0"]
    assert "8 version(s) count as windows-2022-dev's" in asked.stderr


@pytest.mark.long
def test_a_demo_whose_host_dies_says_so_and_fails(tmp_path: Path) -> None:
    with demo(tmp_path) as shown:
        shown.saw("appears in the marketplace")
        os.kill(host_of(shown.process.pid), signal.SIGKILL)
        assert shown.end() == 1
    assert "Not as it should be: the Functions host died (exit status -9)" in "".join(shown.said)


def test_a_demo_that_is_stopped_stops_everything_that_it_started(tmp_path: Path) -> None:
    with demo(tmp_path) as shown:
        shown.saw("appears in the marketplace")
        children = children_of(shown.process.pid)
        assert len(children) == 2
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 130
    assert "nothing is left running" in "".join(shown.said)
    assert not any(alive(child) for child in children)
