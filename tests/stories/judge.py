"""What must hold of galleries at every moment, told from Azure's own state and the configuration alone."""

from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.arm.galleries.model import Version
from shared.domain import keys
from shared.domain.errors import FactoryError
from shared.domain.releases import Definition, ReleaseRecord
from shared.domain.versions import Version as Number

if TYPE_CHECKING:
    from .world import World

Opened = dict[str, bool]
"""Of each region: whether `latest` may mean the version there, as far as flags tell."""


class Judge:
    """Looks at every version whenever something has happened; `wrong` is what it found."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.wrong: list[str] = []
        self._since: dict[tuple[str, str], datetime] = {}
        """When a region was seen to have replicated."""
        self._before: dict[str, tuple[Opened, ReleaseRecord | None]] = {}
        self._given_up: set[tuple[str, str]] = set()

    def look(self, at: datetime) -> None:
        try:
            definitions = self._world.worker.factory().definitions.values()
        except FactoryError:
            return  # a story of faulty configurations: nothing can be done then, and nothing judged
        for definition in definitions:
            for version in self._world.azure.galleries.versions.of(str(definition.id)):
                self._judge(definition, version, at)

    def forget(self, id: str) -> None:
        """A person has deleted the version."""
        self._before.pop(id, None)
        self._since = {key: at for key, at in self._since.items() if key[0] != id}

    def _judge(self, definition: Definition, version: Version, at: datetime) -> None:
        self._replicated(version, at)
        before, stopped_by = self._before.get(version.id, ({}, None))
        held = self._world.ledger.read(
            keys.release_key(definition.name, Number.parse(version.name)), ReleaseRecord
        )
        record = held.record if held else None
        if record:
            self._given_up |= {(version.id, r.name) for r in record.regions if r.given_up}
        opened = {r.name: not (version.excluded or r.excluded) for r in version.regions}
        for region in (r for r, is_open in opened.items() if is_open and before.get(r) is False):
            told = f"{at}: {definition.name}/{version.name} became latest in {region}"
            if stopped_by and (stopped_by.held or stopped_by.withdrawn):
                self.wrong.append(f"{told} although it is {stopped_by.held or stopped_by.withdrawn}")
            elif why := self._too_early(definition, version, region, record.promoted if record else 0, at):
                self.wrong.append(f"{told} although {why}")
        self._before[version.id] = opened, record

    def _replicated(self, version: Version, at: datetime) -> None:
        """What has replicated is never lost; a replica that is made anew counts from then."""
        there = {region.name: region.state for region in version.regions}
        for id, region in list(self._since):
            if id == version.id and there.get(region) != "Completed":
                del self._since[id, region]
                self.wrong.append(f"{at}: {id} lost {region}, where it had replicated")
        for region, state in there.items():
            if state == "Completed":
                self._since.setdefault((version.id, region), at)

    def _too_early(
        self, definition: Definition, version: Version, region: str, promoted: int, at: datetime
    ) -> str:
        """Its ring and those before it have to be whole and to have soaked, unless a person promoted it."""
        ring = definition.ring_of(region)
        if ring is None:
            return ""  # somebody else's affair
        if (version.id, region) not in self._since:
            return "it has not replicated there"
        for number, each in enumerate(definition.rings[: ring + 1]):
            waited = [r.name for r in each.regions if (version.id, r.name) not in self._given_up]
            ended = {name: self._since.get((version.id, name)) for name in waited}
            missing = [name for name, end in ended.items() if end is None]
            if missing:
                return f"ring {each.name} is not complete: {', '.join(missing)}"
            soaked = max((end for end in ended.values() if end), default=at) + each.soak
            if at < soaked and promoted <= number:
                return f"ring {each.name} soaks until {soaked}"
        return ""
