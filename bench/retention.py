"""What a plan of retention costs, however many versions there are, and what a sweep asks of Azure.

A sweep plays in process: the sandbox behind the real gateways, every request held up as if it had a way to
go. A sample's script goes the same way. What the sandbox computes for an answer is taken off again: the delay
stands for all that a service takes.
"""

import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from sandbox.azure import SUBSCRIPTION
from sandbox.identity.tokens import FACTORY
from shared.domain.factory import Limits
from shared.domain.ids import ImageName
from shared.domain.retention import PIN, Inventory, Kind, Policy, Retention, Thing, Verdict
from shared.gateways.workers import ThreadWorkers
from shared.planning.retention import ALWAYS, plan
from shared.usecases.retention import look_at_everything, planned
from tests.stories.outside import GatedTransport

from .baselines import retention_lists
from .fleet import APART, DEFINITIONS, EACH, LATENCY, MACHINES, Fleet
from .releases import client
from .table import Row, Table

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
GROWTH = 2.0
"""Per version: how much more a plan for the most may cost than one for the fewest."""
LAG = timedelta(minutes=15)
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
_OF = "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/images/providers/microsoft.compute"
MIB = 1024 * 1024
NEWEST = Policy().newest or 1
"""The script keeps as many as the factory's own policy does by number."""

_MS = LATENCY // timedelta(milliseconds=1)
NOTE = (
    f"{_MS} ms really pass for each request, those of the ledger too; what the sandbox computes for\n"
    "an answer of Azure is taken off. Lists of Resource Manager have pages of 1000."
)


class Measured(msgspec.Struct, frozen=True):
    """Names of all requests, and how long they and the work between them took."""

    names: tuple[str, ...]
    seconds: float

    def count(self, of: str) -> int:
        return sum(_service(name) == of for name in self.names)

    @property
    def azure(self) -> int:
        return self.count(GRAPH) + self.count(MANAGER)


GRAPH, MANAGER, LEDGER = "Resource Graph", "Resource Manager", "ledger"


def retention() -> tuple[Table, ...]:
    return (_planning(), *_sweep())


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


def _sweep() -> tuple[Table, Table]:
    """The first table is the factory's own; the second compares it with the script, in the same world."""
    fleet = Fleet()
    outside = replace(fleet.worker.outside, workers=ThreadWorkers(Limits().copy_workers))
    ours = _measured(fleet, lambda: look_at_everything(outside, fleet.factory, "bench"))
    fleet.clock.advance(timedelta(minutes=1))
    verdicts = {verdict.id: verdict for verdict in planned(outside, fleet.factory).verdicts}
    deleted: list[str] = []
    fleet.azure.roles.assign(FACTORY, "Reader", f"/subscriptions/{SUBSCRIPTION}")
    script = client(fleet, GatedTransport(fleet, fleet.gate))
    theirs = _measured(fleet, lambda: deleted.extend(retention_lists.doomed(script, NEWEST)))
    return _alone(ours, list(verdicts.values())), _together(
        ours, theirs, [verdicts[id.lower()] for id in deleted]
    )


def _measured(fleet: Fleet, work: Callable[[], object]) -> Measured:
    names, before = len(fleet.gate.names), fleet.distance.computing
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began - (fleet.distance.computing - before)
    return Measured(tuple(fleet.gate.names[names:]), seconds)


def _service(name: str) -> str:
    if " /" not in name:
        return name.split(".")[0] if not name.startswith("POST ") else "Event Grid"
    return GRAPH if "/Microsoft.ResourceGraph/" in name else MANAGER


def _alone(ours: Measured, verdicts: Sequence[Verdict]) -> Table:
    others = Counter(map(_service, ours.names)) - Counter({GRAPH: 10**9, MANAGER: 10**9, LEDGER: 10**9})
    went = sum(not verdict.keep for verdict in verdicts)
    return Table(
        f"A dry sweep over {len(verdicts)} versions in {DEFINITIONS} definitions and {MACHINES} machines",
        (
            Row("requests of Resource Graph", "pages of 1000 rows", ours.count(GRAPH)),
            Row("requests of Resource Manager", "proofs that lists are not refused", ours.count(MANAGER)),
            Row("requests of the ledger", f"{Limits().copy_workers} at once", ours.count(LEDGER)),
            Row("other requests", ", ".join(f"{n} {name}" for name, n in others.items()), others.total()),
            Row(
                "makespan", f"{went} would go, {len(verdicts) - went} stay", round(ours.seconds, 2), unit=" s"
            ),
        ),
    )


def _together(ours: Measured, theirs: Measured, deleted: Sequence[Verdict]) -> Table:
    always = {word for word, _ in ALWAYS}
    wrong = Counter(verdict.rule for verdict in deleted if verdict.keep and verdict.rule in always)
    why = ", ".join(f"{count} {rule}" for rule, count in wrong.most_common())
    fewer, faster = theirs.azure / ours.azure, theirs.seconds / ours.seconds
    took = f"the factory's {ours.seconds:.2f} s: {faster:.1f} × faster"
    return Table(
        "A sample's script, which lists every definition, beside that sweep",
        (
            Row("requests of Azure", f"the factory's {ours.azure}: {fewer:.1f} × fewer calls", theirs.azure),
            Row("makespan", took, _round(theirs.seconds), unit=" s"),
            Row("would delete", f"of which must stay, by rule: {why or 'none'}", len(deleted)),
        ),
        NOTE,
    )


def _round(seconds: float) -> float:
    return round(seconds, 2)
