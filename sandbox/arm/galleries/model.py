"""What is known of a version: where it came from, where it shall be, and how far each region has got."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sandbox.arm import regions
from sandbox.arm.inventory import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.arm.context import Origin
    from sandbox.arm.operations import Operation
    from sandbox.schedule import Timer

RegionState = Literal["Unknown", "Replicating", "Completed", "Failed"]


@dataclass(slots=True)
class Region:
    """One target region. `more` are members that the service only keeps, such as encryption."""

    name: str
    replicas: int
    storage: str
    excluded: bool | None = None
    more: dict[str, Any] = field(default_factory=dict)
    state: RegionState = "Unknown"
    began: datetime | None = None
    ends: datetime | None = None
    details: str = ""
    timer: Timer | None = None

    def document(self) -> dict[str, Any]:
        flag = {} if self.excluded is None else {"excludeFromLatest": self.excluded}
        return {
            "name": regions.display(self.name),
            "regionalReplicaCount": self.replicas,
            "storageAccountType": self.storage,
            **flag,
            **self.more,
        }

    def status(self, now: datetime) -> dict[str, Any]:
        """An entry of `replicationStatus.summary`."""
        return {
            "region": regions.display(self.name),
            "state": self.state,
            "details": self.details,
            "progress": self._progress(now),
        }

    def _progress(self, now: datetime) -> int:
        if self.state == "Completed":
            return 100
        if self.state != "Replicating" or self.began is None or self.ends is None:
            return 0
        whole = (self.ends - self.began).total_seconds()
        return max(0, min(99, int(100 * (now - self.began).total_seconds() / whole))) if whole else 0


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of a version. `at_once`: shown while it is being made; `source` as it was sent."""

    source: dict[str, Any]
    size_gb: int
    caching: str
    lun: int | None = None
    at_once: bool = True

    def document(self, *, done: bool) -> dict[str, Any]:
        lun = {} if self.lun is None else {"lun": self.lun}
        size = {"sizeInGB": self.size_gb} if done else {}
        return {**lun, **size, "hostCaching": self.caching, "source": self.source}


@dataclass(frozen=True, slots=True)
class Content:
    """What a version is made of. `source` is that of a whole image, `system` and `data` its disks.

    `flaw` is the code and message with which making it fails: the source is not the definition's kind.
    """

    source: dict[str, Any] | None
    system: Disk
    data: tuple[Disk, ...] = ()
    flaw: tuple[str, str] | None = None

    def document(self, *, done: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {} if self.source is None else {"source": self.source}
        if self.system.at_once or done:
            shown["osDiskImage"] = self.system.document(done=done)
        data = [each.document(done=done) for each in self.data if each.at_once or done]
        return {**shown, "dataDiskImages": data} if data else shown


@dataclass(slots=True)
class Version:
    """A gallery version: a record of its group."""

    id: str
    location: str
    tags: dict[str, str]
    content: Content
    published: datetime
    regions: list[Region] = field(default_factory=list)
    replica_count: int = 1
    excluded: bool = False
    storage: str = "Standard_LRS"
    mode: str | None = None
    end_of_life: str | None = None
    allow_deletion: bool = False
    block_deletion: bool = False
    state: str = "Creating"
    made: bool = False
    busy_until: datetime | None = None
    waiting: list[tuple[Operation, Origin]] = field(default_factory=list)
    ended: list[Callable[[Version, datetime], None]] = field(default_factory=list)
    """Called once, when it has come to the end of what was asked of it."""

    @property
    def kind(self) -> str:
        return VERSIONS

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def definition_id(self) -> str:
        return self.id.rsplit("/", 2)[0]

    @property
    def rank(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.name.split("."))

    @property
    def busy(self) -> bool:
        return self.state in ("Creating", "Updating")

    def region(self, name: str) -> Region | None:
        return next((each for each in self.regions if each.name == regions.plain(name)), None)

    def latest_in(self, region: str) -> bool:
        """Whether `latest` may mean it there: replicated, and excluded neither there nor everywhere."""
        found = self.region(region)
        there = found is not None and found.state == "Completed" and not found.excluded
        return there and not self.excluded and self.state != "Deleting"

    def document(self, api: str, now: datetime, *, expand: bool = False) -> dict[str, Any]:
        head = {"name": self.name, "id": self.id, "type": VERSIONS, "location": self.location}
        properties: dict[str, Any] = {
            "publishingProfile": self._profile(),
            "storageProfile": self.content.document(done=self.made),
            "safetyProfile": self._safety(api),
            "provisioningState": self.state,
        }
        if api >= "2024-03-03" and self.state != "Updating":
            properties["validationsProfile"] = {"validationOperationStatus": "NotExecuted"}
        if expand:
            properties["replicationStatus"] = self._replication(now)
        return {**head, "tags": self.tags, "properties": properties}

    def _profile(self) -> dict[str, Any]:
        mode = {} if self.mode is None else {"replicationMode": self.mode}
        end = {} if self.end_of_life is None else {"endOfLifeDate": self.end_of_life}
        return {
            "targetRegions": [each.document() for each in self.regions],
            "replicaCount": self.replica_count,
            "excludeFromLatest": self.excluded,
            "publishedDate": f"{self.published:%Y-%m-%dT%H:%M:%S.%f}0+00:00",
            **end,
            "storageAccountType": self.storage,
            **mode,
        }

    def _safety(self, api: str) -> dict[str, Any]:
        block = {"blockDeletionBeforeEndOfLife": self.block_deletion} if api >= "2024-03-03" else {}
        return {
            "reportedForPolicyViolation": False,
            "allowDeletionOfReplicatedLocations": self.allow_deletion,
            **block,
        }

    def _replication(self, now: datetime) -> dict[str, Any]:
        states = {each.state for each in self.regions}
        order = ("Failed", "Replicating", "Unknown", "Completed")
        worst = next((state for state in order if state in states), "Unknown")
        words = {"Replicating": "InProgress"}
        if worst == "Failed" and "Replicating" in states:
            worst = "Replicating"
        return {
            "aggregatedState": words.get(worst, worst),
            "summary": [each.status(now) for each in self.regions],
        }
