"""How a version gets to its regions: each takes its time, may fail, and the version is done after the last.

How long a region takes was never recorded by itself: a new version took 376 to 511 seconds with one region,
an update that adds none 150. So a region takes around 438 seconds, a little more or less by its name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from sandbox.arm import events
from sandbox.arm.inventory import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.arm.context import Origin
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.model import Region, Version
    from sandbox.arm.operations import Operation

REGION_SECONDS = 438.0
UPDATE_SECONDS = 150.0
FAILED = "CrpPirReplicationJobsNotCompleted"
"""The one code of a failed replication that is known [azure-sdk-for-java, a comment of its gallery tests]."""
_PREEMPTED = ("OperationPreempted", "Operation execution has been preempted by a more recent operation.")


@dataclass(slots=True)
class Plan:
    """What happens to replications to come. `version` is a pattern of `definition/version`.

    The first `fails` attempts fail; `hangs` never end; `seconds` is how long one takes, at speed 1.
    """

    version: str = "*"
    region: str = "*"
    fails: int = 0
    hangs: bool = False
    seconds: float | None = None
    details: str = "Failed with internal server error."

    def covers(self, version: Version, region: str) -> bool:
        names = f"{version.definition_id.rsplit('/', 1)[1]}/{version.name}".lower()
        return fnmatch(names, self.version.lower()) and fnmatch(region, self.region.lower())


@dataclass(slots=True)
class Replication:
    """`plans`: what happens to replications to come, the first that covers one counts.

    `listeners` learn that a version has come to a region, or that an update of it is over.
    """

    fabric: Fabric
    plans: list[Plan] = field(default_factory=list)
    listeners: list[Callable[[Version, datetime], None]] = field(default_factory=list)

    def start(self, version: Version, region: Region, now: datetime) -> None:
        """Begin, or begin anew, to bring the version to the region."""
        self.stop(region)
        plan = next((each for each in self.plans if each.covers(version, region.name)), Plan())
        region.state, region.began, region.details = "Replicating", now, ""
        seconds = plan.seconds if plan.seconds is not None else _seconds(version, region.name)
        region.ends = now + timedelta(seconds=seconds / self.fabric.speed)
        if plan.hangs:
            return
        failing = plan.fails > 0
        if failing:
            plan.fails -= 1

        def end(at: datetime) -> None:
            region.state = "Failed" if failing else "Completed"
            region.details = plan.details if failing else ""
            region.timer = None
            self._moved(version, at)
            self.settle(version, at)

        region.timer = self.fabric.schedule.at(region.ends, end)

    def stop(self, region: Region) -> None:
        if region.timer is not None:
            region.timer.cancel()
            region.timer = None

    def wait(
        self, version: Version, operation: Operation, origin: Origin, now: datetime, seconds: float
    ) -> None:
        """The operation ends with the replication, and not before so many seconds are over."""
        version.waiting.append((operation, origin))
        until = now + timedelta(seconds=seconds / self.fabric.speed)
        version.busy_until = max(until, version.busy_until or until)
        self.fabric.schedule.at(until, lambda at: self.settle(version, at))

    def settle(self, version: Version, at: datetime) -> None:
        """Whatever waits for the version ends, if nothing replicates any more."""
        going = any(region.state == "Replicating" for region in version.regions)
        early = version.busy_until is not None and at < version.busy_until
        if going or early or not version.busy or self.fabric.records.get(version.id) is not version:
            return
        failed = any(region.state == "Failed" for region in version.regions)
        home = version.region(version.location)
        version.made = version.made or (home is not None and home.state == "Completed")
        version.state = "Failed" if failed else "Succeeded"
        version.busy_until = None
        waiting, version.waiting = version.waiting, []
        for operation, origin in waiting:
            operation.finish(at, _failure(version) if failed else None)
            outcome: events.Outcome = "Failure" if failed else "Success"
            events.publish(self.fabric, origin, version.id, f"{VERSIONS}/write", outcome, at)
        _tell(version, at)
        self._moved(version, at)

    def _moved(self, version: Version, at: datetime) -> None:
        for listener in self.listeners:
            listener(version, at)

    def refuse(
        self, version: Version, flaw: tuple[str, str], operation: Operation, origin: Origin, at: datetime
    ) -> None:
        """It cannot be made: its operation ends at once, no region gets it, and it stays as a failed one."""
        version.state = "Failed"
        operation.finish(at, flaw)
        events.publish(self.fabric, origin, version.id, f"{VERSIONS}/write", "Failure", at)
        _tell(version, at)

    def abandon(self, version: Version, at: datetime) -> None:
        """It is going to be deleted: nothing replicates any more, and whoever waits for that learns of it."""
        for region in version.regions:
            self.stop(region)
        version.state, version.busy_until = "Failed", None
        waiting, version.waiting = version.waiting, []
        for operation, origin in waiting:
            operation.finish(at, _PREEMPTED, "Canceled")
            events.publish(self.fabric, origin, version.id, f"{VERSIONS}/write", "Cancel", at)
        _tell(version, at)


def _tell(version: Version, at: datetime) -> None:
    told, version.ended = version.ended, []
    for each in told:
        each(version, at)


def _failure(version: Version) -> tuple[str, str]:
    """In the service's words, which are the documented remedy too [Azure/azure-cli 15539]."""
    failed = [each for each in version.regions if each.state == "Failed"]
    listed = ", ".join(f"{{region:{each.name}, detail:{each.details}}}" for each in failed)
    return FAILED, (
        "Gallery replication jobs failed in one or more regions. The failing regions' details are as "
        f"follows: '{listed}'. If retry does not work, then please do an update by removing the failed "
        "regions and update again by adding them back."
    )


def _seconds(version: Version, region: str) -> float:
    """The same for the same version and region, so that a story is the same each time."""
    drawn = hashlib.sha256(f"{version.id}|{region}".lower().encode()).digest()[0] / 255
    return REGION_SECONDS * (0.86 + 0.3 * drawn)
