"""What a plan of retention costs, however many versions there are, and what a sweep asks of Azure.

A sweep plays in process: the sandbox behind the real gateways, every request held up as if it had a way to
go. A sample's script goes the same way. What the sandbox computes for an answer is taken off again: the delay
stands for all that a service takes.
"""

import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from shared.domain.ids import ImageName
from shared.domain.retention import PIN, Inventory, Kind, Retention, Thing
from shared.planning.retention import plan

from .table import Row, Table

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
EACH = 20
"""Versions of an image in a definition."""
APART = timedelta(days=9)
GROWTH = 2.0
"""Per version: how much more a plan for the most may cost than one for the fewest."""
LAG = timedelta(minutes=15)
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
_OF = "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/images/providers/microsoft.compute"
MIB = 1024 * 1024


def retention() -> tuple[Table, ...]:
    return (_planning(),)


def _planning() -> Table:
    seconds = {size: _seconds(size) for size in SIZES}
    memory = {size: _memory(size) for size in SIZES}
    rows = []
    for size in SIZES:
        growth = seconds[size] / size / (seconds[SIZES[0]] / SIZES[0])
        told = f"{seconds[size]:.3f} s, {seconds[size] / size * 1e6:.1f} µs a version"
        rows.append(Row(f"{size} versions: time", told, growth, GROWTH, "×"))
    for size in SIZES:
        growth = memory[size] / size / (memory[SIZES[0]] / SIZES[0])
        told = f"{memory[size] / MIB:.1f} MiB, {memory[size] / size / 1024:.2f} KiB a version"
        rows.append(Row(f"{size} versions: peak memory", told, growth, GROWTH, "×"))
    note = "Per version, against the fewest; the memory is what planning takes, its inventory not counted."
    return Table("A plan of retention, as it grows", tuple(rows), note)


def _seconds(size: int) -> float:
    """The best of so many that the smallest is not told by one chance."""
    seen = inventory(size)
    return min(_once(seen) for _ in range(max(2, min(5, 10_000 // size))))


def _once(seen: Inventory) -> float:
    began = time.process_time()
    plan(seen, Retention(), NOW, LAG)
    return time.process_time() - began


def _memory(size: int) -> int:
    seen = inventory(size)
    tracemalloc.start()
    try:
        plan(seen, Retention(), NOW, LAG)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def inventory(size: int) -> Inventory:
    """So many versions, an image for each definition; some are pinned, in use, or built from."""
    return Inventory(tuple(thing for at in range(size // EACH) for thing in _definition(at)))


def _definition(at: int) -> Iterator[Thing]:
    name = f"image-{at:05d}"
    place = f"{_OF}/galleries/images/images/{name}"
    for number in range(EACH):
        tags = {PIN: "please"} if (at + number) % 40 == 0 else {}
        used = (f"machine-{at}",) if (at + number) % 5 == 0 else ()
        parent = f"{_OF}/galleries/images/images/image-{at - 1:05d}/versions/1.0.{number}"
        yield Thing(
            kind=Kind.GALLERY_VERSION,
            id=f"{place}/versions/1.0.{number}",
            name=f"{name}/1.0.{number}",
            image=ImageName(name),
            place=place,
            rank=(1, 0, number),
            made=NOW - APART * (EACH - number) - timedelta(hours=at % 48),
            tags=tags,
            offered=("westeurope", "northeurope"),
            used_by=used,
            parent=parent if at % 10 and number % 3 == 0 else "",
        )
