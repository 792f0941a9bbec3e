"""The app's part in a process of its own: copies or verifies a disk as a worker would, and tells its time.

`python -m bench.archiving {copy|verify|both} DISK COPY`, with the app's settings in the environment.
"""

import json
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.azure import ACCOUNT, CONTAINER
from shared.bootstrap import Worker, worker
from shared.domain.errors import Busy
from shared.domain.factory import Verification
from shared.domain.ids import BlobAddress, ImageName, RunStart
from shared.domain.records import OutputRecord, OutputState
from shared.domain.templates import OutputKind
from shared.usecases.copying import copy_slice, ranges_of
from shared.usecases.verifying import verify_slice

SLICE: Final = timedelta(minutes=10)
RUN: Final = RunStart("2026-01-01T00:00:00.0000000Z")


def record_of(this: Worker, disk: str, copy: str) -> OutputRecord:
    """The output as the look before has left it: pinned, and a token at hand."""
    source = BlobAddress(ACCOUNT, CONTAINER, f"{disk}.vhd")
    facts = this.outside.blobs.facts(source)
    allocated = sum(r.size for r in ranges_of(this.outside, source, facts.etag))
    return OutputRecord(
        image=ImageName("bench"),
        run=RUN,
        name=copy,
        kind=OutputKind.VHD,
        state=OutputState.COPYING,
        template="",
        source=source,
        target=BlobAddress("archive", "images", f"bench/{copy}.vhd"),
        etag=facts.etag,
        length=facts.length,
        allocated=allocated,
    )


def copy(this: Worker, record: OutputRecord) -> float:
    """Seconds that it took, once nobody else (a worker that was killed) holds the lease."""
    while True:
        began = time.monotonic()
        try:
            copied = copy_slice(this.outside, this.factory(), record, datetime.now(UTC) + SLICE)
        except Busy:
            time.sleep(0.5)
            continue
        assert copied.complete, copied
        return time.monotonic() - began


def verify(this: Worker, record: OutputRecord) -> float:
    began = time.monotonic()
    kind, until = Verification.FULL, datetime.now(UTC) + SLICE
    checked = verify_slice(this.outside, this.factory(), record, kind, until)
    assert checked.complete, checked
    assert not checked.fault, checked.fault
    return time.monotonic() - began


def main(work: str, disk: str, name: str) -> dict[str, Any]:
    this = worker()
    record = record_of(this, disk, name)
    print("ready", flush=True)
    told: dict[str, Any] = {"allocated": record.allocated}
    if work in ("copy", "both"):
        told["copy"] = copy(this, record)
    if work in ("verify", "both"):
        told["verify"] = verify(this, msgspec.structs.replace(record, state=OutputState.COPIED))
    told["peak_mib"] = peak_memory() / 1024
    return told


def peak_memory() -> int:
    """KiB that this process held at most; what `getrusage` tells, a child inherits from its parent."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found, "this needs Linux's /proc"
    return int(found[1])


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
