"""The second story as a table: a gallery version crosses its rings, and what is built from it is rebuilt.

The two tracks run beside one another: the rebuild begins when the version is latest in its template's region,
while the version still goes on to other rings.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from sandbox.arm.galleries.model import Version
from sandbox.demo.alarms import Deviation
from sandbox.demo.evidence import Evidence
from sandbox.demo.scene import DEVELOPERS, RINGS, WINDOWS
from sandbox.demo.steps import Proof, Seen, Step, called
from sandbox.running import RunningSandbox

VERSION: Final = "1.0.0"
_PATIENCE: Final = timedelta(seconds=40)
_LONG: Final = 2 * _PATIENCE
_TOLD: Final = {"asked": "to {}", "has": "in {}", "latest": "latest in {}"}


class Galleries:
    """When each region of a version was seen to be asked for, to have it, and to call it latest."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox
        self._since: dict[str, datetime] = {}
        sandbox.azure.schedule.watchers.append(self.look)

    def look(self, at: datetime) -> None:
        for definition in (WINDOWS.image, DEVELOPERS):
            version = self.version(definition)
            for region in version.regions if version else ():
                self._note(f"{definition} asked {region.name}", at)
                if region.state == "Completed":
                    self._note(f"{definition} has {region.name}", at)
                if self.latest(definition, region.name) == VERSION:
                    self._note(f"{definition} latest {region.name}", at)

    def version(self, definition: str) -> Version | None:
        return self._sandbox.azure.galleries.version(f"{self._id(definition)}/versions/{VERSION}")

    def latest(self, definition: str, region: str) -> str:
        """By Azure's own rule; empty for none."""
        found = self._sandbox.azure.galleries.latest(self._id(definition), region)
        return found.name if found else ""

    def since(self, definition: str, state: str, regions: Sequence[str]) -> datetime | None:
        """When the last of the regions came to be so; None while one is not."""
        times = [self._since.get(f"{definition} {state} {region}") for region in regions]
        known = [at for at in times if at]
        return max(known) if len(known) == len(times) else None

    def _note(self, what: str, at: datetime) -> None:
        self._since.setdefault(what, at)

    def _id(self, definition: str) -> str:
        group = self._sandbox.setting.group_id
        return f"{group}/providers/Microsoft.Compute/galleries/images/images/{definition}"


def tracks(galleries: Galleries) -> tuple[tuple[Step, ...], ...]:
    """The way of the version, and what follows from it."""
    home = RINGS[0][1]
    seen = called(
        "arm", "GET", rf"/skus/{WINDOWS.sku}/versions\?", 200, f"the marketplace lists {WINDOWS.version}"
    )
    wanted = f"{WINDOWS.image}/{VERSION} is latest where {DEVELOPERS} is built"
    return (
        (
            Step("Version seen", seen),
            Step("Run started", _run(WINDOWS.template, WINDOWS.image), _PATIENCE),
            Step("Version made", _stands(galleries, WINDOWS.image, "has", home), _PATIENCE),
            *(step for ring, regions in RINGS for step in _ring(galleries, ring, regions)),
        ),
        (
            Step("Rebuild wanted", called("arm", "PUT", rf"/{DEVELOPERS}\?", 201, wanted), _LONG),
            Step("Rebuild started", _run(DEVELOPERS, DEVELOPERS), _PATIENCE),
            Step("Rebuild made", _stands(galleries, DEVELOPERS, "has", home), _PATIENCE),
            Step("Rebuild latest", _stands(galleries, DEVELOPERS, "latest", home), _PATIENCE),
        ),
    )


def latest_everywhere(galleries: Galleries) -> Iterator[tuple[str, str, str, datetime]]:
    """Definition, region, what is latest there, since when. Raises `Deviation` for anything else."""
    for definition, rings in ((WINDOWS.image, RINGS), (DEVELOPERS, RINGS[:1])):
        for region in (region for _, regions in rings for region in regions):
            found = galleries.latest(definition, region)
            since = galleries.since(definition, "latest", (region,))
            if found != VERSION or since is None:
                said = f"{definition} {found or 'nothing'} is latest in {region}"
                raise Deviation(f"{said}, expected {VERSION}")
            yield definition, region, found, since


def _ring(galleries: Galleries, ring: str, regions: Sequence[str]) -> tuple[Step, ...]:
    """A ring: its regions get the version, then it is latest there. The first has it from the beginning."""
    latest = Step(f"Ring {ring}", _stands(galleries, WINDOWS.image, "latest", regions), _PATIENCE)
    if ring == RINGS[0][0]:
        return (latest,)
    return (
        Step("  asked for", _stands(galleries, WINDOWS.image, "asked", regions), _PATIENCE),
        Step("  replicated", _stands(galleries, WINDOWS.image, "has", regions), _PATIENCE),
        latest,
    )


def _stands(galleries: Galleries, definition: str, state: str, regions: Sequence[str]) -> Proof:
    told = f"{definition}/{VERSION} {_TOLD[state].format(', '.join(regions))}"

    def proof(evidence: Evidence) -> Seen | None:
        galleries.look(evidence.sandbox.clock.now())
        at = galleries.since(definition, state, regions)
        return Seen(at, told) if at else None

    return proof


def _run(template: str, image: str) -> Proof:
    told = f"{image}, accepted by Image Builder"
    return called("arm", "POST", rf"/imageTemplates/{template}/run\?", 202, told)
