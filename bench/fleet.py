"""A subscription with galleries full of versions and machines made from them, each request a way off.

The ages are those of a house that builds every nine days. Machines run whatever was the newest when they were
made; three of four name that version, the others its definition, and Azure tells which version that meant.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sandbox.arm.compute.seeds import MachineSeed
from sandbox.arm.compute.shelf import MACHINES as MACHINE
from sandbox.arm.galleries.seeds import RegionSeed, VersionSeed, VersionSeeds
from sandbox.arm.inventory import INSTANCES, SCALE_SETS
from sandbox.azure import Setting
from shared.domain import keys
from shared.domain.galleries import VersionId
from shared.domain.ids import ImageName
from shared.domain.releases import DefinitionName, ReleaseRecord
from shared.domain.retention import OWNER, PIN
from shared.domain.versions import Version
from shared.ports import Insert
from tests.stories.cuts import Gate
from tests.stories.scenes import GROUP, factory_file
from tests.stories.world import StoryClock, World

DEFINITIONS: Final = 500
GALLERIES: Final = 10
EACH: Final = 20
"""Versions of an image in a definition."""
APART: Final = timedelta(days=9)
MACHINES: Final = 2_000
SETS: Final = 20
INSTANCES_EACH: Final = 10
"""They are among the machines, and their scale sets are not."""
LATENCY: Final = timedelta(milliseconds=40)
_PAGE: Final = 1_000
"""Of every list of Resource Manager: as kind to a script that lists as can be."""
_HOME: Final = "westeurope"


class Distance(Gate):
    """Holds every request up, of the ledger as well; `computing` is what the sandbox took for its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.clock: StoryClock | None = None
        self.computing = 0.0

    def through(self, name: str, send: Callable[[], Any], *, sockets: bool = False) -> Any:
        time.sleep(LATENCY.total_seconds())
        self.names.append(name)
        if not sockets:
            return send()
        if self.clock:
            self.clock.advance(LATENCY)  # Azure counts requests by the second
        began = time.perf_counter()
        try:
            return send()  # one at a time: none of what is measured here asks Resource Manager in parallel
        finally:
            self.computing += time.perf_counter() - began


class Fleet(World):
    def __init__(self) -> None:
        self.distance = Distance()
        names = [f"image-{number:03d}" for number in range(DEFINITIONS)]
        with tempfile.TemporaryDirectory() as folder:
            definitions = {name: _definition(at) for at, name in enumerate(names)}
            config = factory_file(Path(folder), *names, definitions=definitions)
            super().__init__(gate=self.distance, config=config, setting=Setting(page_size=_PAGE))
            self.factory = self.worker.factory()
        self.distance.clock = self.clock
        self._seeds = VersionSeeds(self.azure.fabric, self.azure.inventory, self.azure.galleries)
        for at, name in enumerate(names):
            self._fill(at, name)
        for number in range(SETS):
            self._scale_set(number)
        for number in range(MACHINES - SETS * INSTANCES_EACH):
            self._machine(number)

    def _fill(self, at: int, name: str) -> None:
        """A definition, and its versions as the factory has made or taken over nearly all of them."""
        self.azure.galleries.seed_definition(GROUP, _gallery(at), name, os_type="Linux")
        rows = []
        for number in range(EACH):
            id, made = _version(at, number), self.clock.now() - APART * (EACH - number)
            own = at % 25 or number != 1
            tags = ({OWNER: name} if own else {}) | ({PIN: "please"} if (at + number) % 40 == 0 else {})
            self._seeds.put(id, VersionSeed(published=made, regions=(RegionSeed(name=_HOME),), tags=tags))
            if own:
                rows.append(_taken_over(name, id, made))
        self.ledger.commit(keys.of_definition(name), [Insert(row) for row in rows])

    def _machine(self, number: int) -> None:
        at, version = number % DEFINITIONS, _run_by(number)
        id = f"{GROUP}/providers/{MACHINE.name}/machine-{number:04d}"
        self.azure.compute.seeds.machine(
            id, _HOME, MachineSeed(image=_reference(at, version, number % 4 > 0))
        )

    def _scale_set(self, number: int) -> None:
        """Its model names a definition: only its instances tell what each was made from."""
        at, name, add = number * 7, f"set-{number:02d}", self.azure.inventory.add
        model = {"storageProfile": {"imageReference": {"id": _definition_id(at)}}}
        add(GROUP, SCALE_SETS, name, {"virtualMachineProfile": model})
        for each in range(INSTANCES_EACH):
            profile = {"imageReference": _reference(at, _run_by(each), named=False)}
            add(GROUP, INSTANCES, f"{name}/{each}", {"storageProfile": profile})


def _taken_over(name: str, id: str, made: datetime) -> ReleaseRecord:
    parsed = VersionId.parse(id)
    version, definition, image = Version.parse(parsed.version), DefinitionName(name), ImageName(name)
    return ReleaseRecord(definition, version, parsed, made, history=True, made=made, image=image)


def _gallery(at: int) -> str:
    return f"images{at % GALLERIES}"


def _definition(at: int) -> dict[str, Any]:
    rings = [{"name": "only", "regions": {_HOME: {}}}]
    return {"gallery": _gallery(at), "location": _HOME, "rings": rings}


def _definition_id(at: int) -> str:
    return f"{GROUP}/providers/Microsoft.Compute/galleries/{_gallery(at)}/images/image-{at:03d}"


def _version(at: int, number: int) -> str:
    return f"{_definition_id(at)}/versions/1.0.{number}"


def _run_by(number: int) -> int:
    """Most machines are young, some are old."""
    return EACH - 1 - number * number % EACH


def _reference(at: int, version: int, named: bool) -> dict[str, str]:
    exact = f"1.0.{version}"
    return {"id": _version(at, version) if named else _definition_id(at), "exactVersion": exact}
