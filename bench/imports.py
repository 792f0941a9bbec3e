"""What a cold start costs: importing the app, and the first look of a fresh process.

Each time is the median over fresh processes that take turns, so that both sides of a ratio meet the same
machine.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence

from .azure import ROOT, LocalAzure
from .table import Row, Table

ROUNDS = 7
HEAVY = ("azure.mgmt", "azure.identity", "azure.eventgrid", "azure.storage", "azure.data")
IMPORT = """
import json, sys, time
before = time.perf_counter()
import {module}
print(json.dumps({{"seconds": time.perf_counter() - before, "modules": sorted(sys.modules)}}))
"""
SDKS = """
import json, sys, time
before = time.perf_counter()
import azure.functions, azure.identity, azure.mgmt.imagebuilder, azure.data.tables
import azure.mgmt.core.policies, azure.core.pipeline.transport, requests
print(json.dumps({"seconds": time.perf_counter() - before, "modules": sorted(sys.modules)}))
"""
LOOK = """
import json, sys, time
before = time.perf_counter()
import function_app
from functions.boundary import work_off_message
from shared.bootstrap import worker
from shared.domain.looks import Lane, Look, Thing
from shared.usecases.looks import work_off
this = worker()
work_off(this.outside, this.factory(), Look(Lane.BUILDS, Thing.IMAGE, "{image}", "bench"))
print(json.dumps({{"seconds": time.perf_counter() - before, "modules": sorted(sys.modules)}}))
"""
IMAGE = "ubuntu-22"


class Fresh:
    """Python in processes of its own."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = {**os.environ, **(environment or {})}

    def run(self, code: str) -> tuple[float, list[str]]:
        """How many seconds it says that it took, and which modules it had loaded in the end."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
        )
        told = json.loads(done.stdout.splitlines()[-1])
        return told["seconds"], told["modules"]

    def ratio(self, code: str, over: str) -> tuple[float, float, float]:
        """Medians of both in seconds, and the first over the second."""
        self.run(code), self.run(over)
        pairs = [(self.run(code)[0], self.run(over)[0]) for _ in range(ROUNDS)]
        first, second = (statistics.median(side) for side in zip(*pairs, strict=True))
        return first, second, first / second


def imports() -> Table:
    fresh = Fresh()
    app, alone, ratio = fresh.ratio(
        IMPORT.format(module="function_app"), IMPORT.format(module="azure.functions")
    )
    modules = fresh.run(IMPORT.format(module="function_app"))[1]
    heavy = _heavy(modules)
    return Table(
        "Importing function_app",
        (
            Row(
                "over azure.functions alone",
                f"{app * 1000:.0f} ms over {alone * 1000:.0f} ms",
                ratio,
                1.4,
                "×",
            ),
            Row(
                "Azure SDK modules loaded",
                ", ".join(heavy) or f"none of {len(modules)} modules",
                len(heavy),
                0,
            ),
        ),
    )


def first_look(azure: LocalAzure) -> Table:
    fresh = Fresh(azure.environment)
    look = LOOK.format(image=IMAGE)
    for _ in range(2):  # the first one makes the image's record
        fresh.run(look)
    took, sdks, ratio = fresh.ratio(look, SDKS)
    told = f"{took * 1000:.0f} ms over {sdks * 1000:.0f} ms; two tokens, one table read, one GET among it"
    return Table(
        "A fresh process and its first look, which leads to nothing",
        (Row("over the SDK imports that it needs", told, ratio, 1.2, "×"),),
    )


def _heavy(modules: Sequence[str]) -> list[str]:
    return [name for name in modules if name.startswith(HEAVY)]
