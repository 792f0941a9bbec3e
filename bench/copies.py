"""Copies under service limits that nobody tells the copier: how near each way comes to what they allow."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from .azure import ACCOUNT, CLUSTERED, CONTAINER, FRAGMENTED, MIB, ROOT, Disk, LocalAzure, vhd_of
from .table import Row, Table

RATE: Final = 20.0
"""MiB/s of each page blob."""
REQUESTS: Final = 170.0
"""Requests/s of each page blob."""
BUDGET: Final = 1.1
PATIENCE: Final = 15.0
"""Seconds after which a baseline is stopped."""
BASELINES: Final = {
    "copy_sequential": ("a sample, from the URL, in turn", 1),
    "download_upload": ("a sample, down and up, in turn", 2),
}
"""What each does, and how often it moves a byte."""
NOTE: Final = f"""\
measured: seconds ÷ bound, where bound = max(bytes ÷ rate, calls ÷ rate) for the allocated ranges, in calls of
at most 4 MiB. moved: bytes moved ÷ bytes allocated. The app is not told the limits: it starts at 60 MiB/s and
500 requests/s. A sample, which the SDK lets sleep after each refusal, is stopped after {PATIENCE:g} s."""
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d+)")


class Way(msgspec.Struct, frozen=True):
    """One way of copying (or checking) a disk, and what it took."""

    what: str
    seconds: float
    moved: float
    """Bytes moved for each that had to be."""
    refused: int
    arrived: float = 1.0
    """What part of the disk is there in the end."""
    budget: float | None = None


def copies(azure: LocalAzure) -> Table:
    azure.limit(RATE, REQUESTS)
    rows: list[Row] = []
    for disk in (CLUSTERED, FRAGMENTED):
        calls = calls_needed(disk)
        bound = max(size(calls) / (RATE * MIB), len(calls) / REQUESTS)
        rows += [_row(disk, way, bound) for way in _ways(azure, disk, size(calls))]
    azure.limit(None, None)
    limits = f"limits of {RATE:g} MiB/s and {REQUESTS:g} requests/s"
    return Table(f"Copying 1 GiB of which 10 % is allocated, under {limits}", tuple(rows), NOTE)


def calls_needed(disk: Disk) -> list[tuple[int, int]]:
    """The fewest requests that copy the disk: where each begins and ends."""
    extents = [(start, start + len(content)) for start, content in vhd_of(disk).extents]
    return [
        (start, min(start + 4 * MIB, end)) for first, end in extents for start in range(first, end, 4 * MIB)
    ]


def _ways(azure: LocalAzure, disk: Disk, allocated: int) -> Iterator[Way]:
    azure.forget_calls()
    told = archive(azure, "copy", disk, disk.name)
    moved = size(copied_ranges(azure)) / allocated
    yield Way("the app's copy", told["copy"], moved, _refused(azure), budget=BUDGET)
    azure.forget_calls()
    told = archive(azure, "verify", disk, disk.name)
    yield Way("the app's full verification", told["verify"], 2.0, _refused(azure))
    for script, (what, times) in BASELINES.items():
        azure.forget_calls()
        told = _baseline(azure, script, disk)
        arrived = told["copied"] / allocated
        yield Way(what, told["seconds"], times * arrived, _refused(azure), arrived)


def archive(azure: LocalAzure, work: str, disk: Disk, copy: str) -> dict[str, Any]:
    """The app's use cases, in a process of their own."""
    return _told([sys.executable, "-m", "bench.archiving", work, disk.name, copy], azure)


def copied_ranges(azure: LocalAzure) -> list[tuple[int, int]]:
    """Every range that the service has read for a copy, in the order of the calls."""
    read = (call["query"] for call in azure.calls(service="copysource") if call["status"] == 206)
    return [(int(found[1]), int(found[2]) + 1) for query in read if (found := _RANGE.search(query))]


def size(ranges: list[tuple[int, int]]) -> int:
    return sum(end - start for start, end in ranges)


def _baseline(azure: LocalAzure, script: str, disk: Disk) -> dict[str, Any]:
    source = f"{azure.blobs}/{ACCOUNT}/{CONTAINER}/{disk.name}.vhd"
    target = f"{azure.blobs}/archive/images/{script}/{disk.name}.vhd"
    return _told([sys.executable, "-m", "bench.baselines", script, source, target, str(PATIENCE)], azure)


def _told(command: list[str], azure: LocalAzure) -> dict[str, Any]:
    """The last line of what a child says; its log is shown only if it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=azure.environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _refused(azure: LocalAzure) -> int:
    return sum(call["status"] == 503 for call in azure.calls(service="blob"))


def _row(disk: Disk, way: Way, bound: float) -> Row:
    told = f"{way.seconds:.1f} s for a bound of {bound:.1f} s, moved {way.moved:.2f}, refused {way.refused}"
    what, ratio = f"{disk.name}: {way.what}", way.seconds / bound
    if way.arrived < 1:
        return Row(what, f"more than {ratio:.2f}×: stopped with {way.arrived:.0%} copied; {told}")
    return Row(what, told, ratio, way.budget, "×")
