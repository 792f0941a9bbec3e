"""An image definition of a gallery in plain data: what Azure does with the versions that a planner updates.

An update replaces the list of regions; the home must be in it; a guard refuses to drop what has replicated.
Replication takes its time and may fail. `latest` in a region is the newest version that has a replica there
and is not excluded, told by going through all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.errors import Conflict, PermanentError, WrongState
from shared.domain.galleries import (
    DefinitionId,
    GalleryVersion,
    Placed,
    Provisioning,
    Replication,
    Target,
    Update,
)
from shared.domain.versions import Version

ID = DefinitionId("00000000-0000-0000-0000-000000000000", "images", "factory", "ubuntu")
TAKES = timedelta(minutes=20)
"""How long a region takes."""
FAILED = Replication.FAILED


@dataclass(slots=True)
class Region:
    """`there` is since when it has a replica, whatever is done to it now; `fails` how often it still will."""

    name: str
    replicas: int
    storage: str
    excluded: bool
    state: Replication = Replication.REPLICATING
    ends: datetime | None = None
    there: datetime | None = None


@dataclass(slots=True)
class Stored:
    """One version. `made`: it has been ready once."""

    version: Version
    published: datetime
    regions: dict[str, Region]
    excluded: bool
    end_of_life: datetime | None = None
    busy_until: datetime | None = None
    made: bool = False
    deleting: bool = False


@dataclass(slots=True)
class AzureGallery:
    """`fails`: how many attempts at a region, by version and name, are yet to fail; -1 for a hanging one."""

    home: str
    now: datetime
    refuses_while_busy: bool = False
    refuses_removal: bool = False
    """The guard stands before regions that failed too: whether it does is not settled."""
    lasts: timedelta = timedelta(seconds=0)
    """How long an update goes on that replicates nothing."""
    fails: dict[tuple[str, str], int] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    """Regions that the subscription cannot use."""
    stored: dict[str, Stored] = field(default_factory=dict)

    def create(self, text: str, regions: Iterable[Target] = (), *, excluded: bool = True) -> None:
        """As a template's distributor makes it: its home first, excluded from latest."""
        targets = {t.name: t for t in regions} or {self.home: Target(self.home, 1, "Standard_LRS", excluded)}
        made = {t.name: self._started(text, t) for t in targets.values()}
        self.stored[text] = Stored(Version.parse(text), self.now, made, excluded)

    def advance(self, until: datetime) -> None:
        self.now = max(self.now, until)
        for text, stored in self.stored.items():
            for region in stored.regions.values():
                if region.ends is not None and region.ends <= self.now:
                    self._end(text, region, region.ends)
            home = stored.regions[self.home]
            stored.made = stored.made or home.state is Replication.COMPLETED

    def get(self, text: str) -> GalleryVersion | None:
        """With the state of every region."""
        stored = self.stored.get(text)
        if stored is None:
            return None
        regions = tuple(
            Placed(r.name, r.replicas, r.storage, r.excluded, r.state) for r in stored.regions.values()
        )
        return GalleryVersion(
            id=ID.version(text),
            version=stored.version,
            location=self.home,
            provisioning=self.provisioning(stored),
            excluded=stored.excluded,
            regions=regions,
            tags={},
            published=stored.published,
            end_of_life=stored.end_of_life,
        )

    def provisioning(self, stored: Stored) -> Provisioning:
        if stored.deleting:
            return Provisioning.DELETING
        states = {r.state for r in stored.regions.values()}
        if Replication.REPLICATING in states or (stored.busy_until and self.now < stored.busy_until):
            return Provisioning.UPDATING if stored.made else Provisioning.CREATING
        return Provisioning.FAILED if FAILED in states else Provisioning.SUCCEEDED

    def update(self, text: str, change: Update) -> None:
        """Replace the list. Raises Conflict if it has got stale, WrongState while none is taken."""
        stored, targets = self.stored[text], {t.name: t for t in change.regions}
        if self.refuses_while_busy and self.provisioning(stored).busy:
            raise WrongState("another operation is in progress")
        if self.home not in targets:
            raise PermanentError(f"the home region {self.home} is missing")
        unusable = sorted(targets.keys() & self.denied)
        if unusable:
            raise PermanentError("a region is not available to the subscription")
        left_out = [r for r in stored.regions.values() if r.name not in targets]
        dropped = [r.name for r in left_out if r.there or (r.state is FAILED and self.refuses_removal)]
        if dropped:
            raise Conflict(f"{', '.join(dropped)} may not be deleted: it has replicated")
        before, stored.excluded = stored.regions, change.excluded
        stored.regions = {t.name: self._changed(text, before.get(t.name), t) for t in targets.values()}
        stored.end_of_life = change.end_of_life or stored.end_of_life
        stored.busy_until = self.now + self.lasts

    def latest(self, region: str) -> str | None:
        """What `latest` means there."""
        there = [s for s in self.stored.values() if self.offered(s, region)]
        return max(there, key=lambda s: s.version.rank).version.text if there else None

    def offered(self, stored: Stored, name: str) -> bool:
        """Whether `latest` may mean the version in the region."""
        region = stored.regions.get(name)
        return bool(region and region.there and not region.excluded and not stored.excluded)

    def _changed(self, text: str, before: Region | None, target: Target) -> Region:
        if before is None:
            return self._started(text, target)
        before.excluded = target.excluded
        if target.replicas > before.replicas or before.state is FAILED:
            before.state, before.ends = Replication.REPLICATING, self._ends(text, target.name)
        before.replicas = target.replicas
        return before

    def _started(self, text: str, target: Target) -> Region:
        ends = self._ends(text, target.name)
        return Region(target.name, target.replicas, target.storage, target.excluded, ends=ends)

    def _ends(self, text: str, region: str) -> datetime | None:
        return None if self.fails.get((text, region), 0) < 0 else self.now + TAKES

    def _end(self, text: str, region: Region, at: datetime) -> None:
        region.ends, left = None, self.fails.get((text, region.name), 0)
        region.state = FAILED if left else Replication.COMPLETED
        if left:
            self.fails[text, region.name] = left - 1
        elif region.there is None:
            region.there = at
