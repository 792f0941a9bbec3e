"""What a cold start costs: importing the app, and the first look of a fresh process.

Medians over fresh processes that take turns, so that both sides of a ratio meet the same machine. They are
of processor time: what else the machine does, and how fast the sandbox answers, is not the app's doing. All
modules have their bytecode, as after a first start, wherever and however this runs.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from .azure import ROOT, LocalAzure
from .table import Row, Table

ROUNDS: Final = 9
IMAGE: Final = "ubuntu-22"
SDKS: Final = ("azure", "requests")
IMPORT: Final = """
import json, sys, time
before = time.process_time()
import {modules}
print(json.dumps({{"cpu": time.process_time() - before, "modules": sorted(sys.modules)}}))
"""
SAMPLE: Final = (
    "azure.functions, azure.identity, azure.mgmt.compute, azure.mgmt.imagebuilder, azure.storage.blob,"
    " azure.data.tables, azure.eventgrid"
)
"""What a sample has at the top of its function_app.py."""
LOOK: Final = f"""
import json, sys, time
before = time.process_time()
import function_app
from shared.bootstrap import worker
from shared.domain.looks import Lane, Look, Thing
from shared.usecases.looks import work_off
this = worker()
work_off(this.outside, this.factory(), Look(Lane.BUILDS, Thing.IMAGE, {IMAGE!r}, "bench"))
print(json.dumps({{"cpu": time.process_time() - before, "modules": sorted(sys.modules)}}))
"""


class Told(msgspec.Struct, frozen=True):
    """What a process says of itself: its processor time in seconds, and every module that it has loaded."""

    cpu: float
    modules: tuple[str, ...]


class Fresh:
    """Python in processes of its own; `bytecode` is the folder where they find what others have compiled."""

    def __init__(self, bytecode: Path, environment: Mapping[str, str] | None = None) -> None:
        self._environment = {**os.environ, **(environment or {}), "PYTHONPYCACHEPREFIX": str(bytecode)}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(self, code: str) -> Told:
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"a process of the benchmark failed:\n{done.stderr[-3000:]}")
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Told)

    def medians(self, *codes: str) -> list[float]:
        """Processor seconds of each, in turn. What it needs is compiled before."""
        for code in codes:
            self.run(code)
        rounds = [[self.run(code).cpu for code in codes] for _ in range(ROUNDS)]
        return [statistics.median(each) for each in zip(*rounds, strict=True)]


def imports() -> Table:
    with tempfile.TemporaryDirectory() as folder:
        return _imports(Fresh(Path(folder)))


def first_look(azure: LocalAzure) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        return _first_look(azure, Fresh(Path(folder), azure.environment))


def _imports(fresh: Fresh) -> Table:
    codes = [IMPORT.format(modules=each) for each in ("function_app", "azure.functions", SAMPLE)]
    modules = fresh.run(codes[0]).modules
    sdks = [each for each in _of_sdks(modules) if not each.startswith("azure.functions")]
    app, alone, sample = fresh.medians(*codes)
    loaded = ", ".join(sdks) or f"none of its {len(modules)} modules"
    return Table(
        "Importing function_app",
        (
            Row("over azure.functions alone", _times(app, alone), app / alone, 1.4, "×"),
            Row("Azure SDK modules loaded", loaded, len(sdks), 0),
            Row("a sample: its SDKs over azure.functions", _times(sample, alone), sample / alone, None, "×"),
        ),
    )


def _first_look(azure: LocalAzure, fresh: Fresh) -> Table:
    for _ in range(2):  # the first look makes the image's record, and is recorded itself
        fresh.run(LOOK)
    azure.forget_calls()
    needed = IMPORT.format(modules=", ".join(_of_sdks(fresh.run(LOOK).modules)))
    asked = ", ".join(f"{call['method']} {call['service']}" for call in azure.calls(principal="factory"))
    look, sdks = fresh.medians(LOOK, needed)
    return Table(
        "A fresh process and its first look, which leads to nothing",
        (Row("over the SDK imports that it needs", f"{_times(look, sdks)}; {asked}", look / sdks, 1.2, "×"),),
    )


def _of_sdks(modules: tuple[str, ...]) -> list[str]:
    """SDK modules that can be imported by name."""
    return [each for each in modules if each.split(".")[0] in SDKS and "." in each]


def _times(one: float, other: float) -> str:
    return f"{one * 1000:.0f} ms over {other * 1000:.0f} ms"
