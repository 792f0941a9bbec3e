"""A worker that is killed in mid-copy: what the next one sends once more."""

import subprocess
import sys
import time
from typing import Final

from shared.domain.factory import Limits

from .azure import CLUSTERED, FRAGMENTED, ROOT, Disk, LocalAzure
from .copies import RATE, REQUESTS, archive, calls_needed, copied_ranges, size
from .table import Row, Table

INTO: Final = {CLUSTERED: 2.5, FRAGMENTED: 4.0}
"""Seconds after which the copy is killed: about in the middle."""
NOTE: Final = "The budget is one call for each worker: what was under way at the kill."


def kills(azure: LocalAzure) -> Table:
    azure.limit(RATE, REQUESTS)
    rows = tuple(_row(azure, disk) for disk in INTO)
    azure.limit(None, None)
    return Table("Calls sent again when a copy is killed and another worker takes it up", rows, NOTE)


def _row(azure: LocalAzure, disk: Disk) -> Row:
    azure.forget_calls()
    copy = f"killed-{disk.name}"
    _killed(azure, disk, copy)
    before = copied_ranges(azure)
    archive(azure, "copy", disk, copy)
    after = copied_ranges(azure)[len(before) :]
    needed = calls_needed(disk)
    if not 0 < len(before) < len(needed):
        raise RuntimeError(f"the copy of {disk.name} was not killed in its middle: {len(before)} calls")
    again = sum(_overlaps(each, before) for each in after)
    moved = (size(before) + size(after)) / size(needed)
    told = f"{len(before)} calls before the kill, {len(after)} after, {len(needed)} needed; moved {moved:.2f}"
    return Row(disk.name, told, again, Limits().copy_workers)


def _killed(azure: LocalAzure, disk: Disk, copy: str) -> None:
    command = [sys.executable, "-m", "bench.archiving", "copy", disk.name, copy]
    pipe, silent = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, env=azure.environment, stdout=pipe, stderr=silent) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        time.sleep(INTO[disk])
        worker.kill()
    time.sleep(0.5)  # what the service has accepted, it still carries out


def _overlaps(one: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    return any(start < one[1] and one[0] < end for start, end in others)
