"""A template as it is now: what was asked for, how it was provisioned, its last run and its outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.arm.imagebuilder.schema import TYPE
from sandbox.arm.operations import zulu

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.arm.imagebuilder.outcomes import Outcome
    from sandbox.arm.imagebuilder.run import Run
    from sandbox.arm.storage import BlobAddress

NEVER = "0001-01-01T00:00:00Z"


@dataclass(slots=True)
class LastRun:
    """`digits` are the nanoseconds below the microsecond: Image Builder writes up to nine."""

    start: datetime
    digits: int
    state: str = "Running"
    sub_state: str | None = "Building"
    end: datetime | None = None
    message: str = ""

    def document(self) -> dict[str, Any]:
        sub_state = {"runSubState": self.sub_state} if self.sub_state else {}
        return {
            "startTime": nanoseconds(self.start, self.digits),
            "endTime": nanoseconds(self.end, self.digits) if self.end else NEVER,
            "runState": self.state,
            **sub_state,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Output:
    """One artifact of a run: an id for images, an address for VHDs."""

    name: str
    artifact_id: str | None = None
    artifact_uri: str | None = None


@dataclass(frozen=True, slots=True)
class Staging:
    """`supplied`: the group was there before the template, and stays when the template goes."""

    group_id: str
    account: str
    supplied: bool


@dataclass(slots=True)
class Trigger:
    name: str
    kind: str
    state: str = "Creating"
    healthy_since: datetime | None = None
    failures: int = 0
    seen: tuple[int, ...] = ()
    """The highest version of a gallery source that was latest, so far."""


@dataclass(slots=True)
class Template:
    subscription: str
    group: str
    name: str
    location: str
    tags: dict[str, str]
    identity: dict[str, Any]
    properties: dict[str, Any]
    state: str = "Creating"
    error: tuple[str, str] | None = None
    exact_version: str | None = None
    staging: Staging | None = None
    computed_checksums: dict[int, str] = field(default_factory=dict)
    last_run: LastRun | None = None
    outputs: dict[str, Output] = field(default_factory=dict)
    trigger: Trigger | None = None
    run: Run | None = None
    planned: list[Outcome] = field(default_factory=list)
    stored: list[BlobAddress] = field(default_factory=list)

    @property
    def id(self) -> str:
        """In the provider's spelling: resourcegroups in lower case."""
        return f"/subscriptions/{self.subscription}/resourcegroups/{self.group}/providers/{TYPE}/{self.name}"

    @property
    def kind(self) -> str:
        return TYPE

    @property
    def source(self) -> dict[str, Any]:
        found: dict[str, Any] = self.properties["source"]
        return found

    @property
    def customizers(self) -> list[dict[str, Any]]:
        return list(self.properties.get("customize") or ())

    @property
    def distributors(self) -> list[dict[str, Any]]:
        return list(self.properties["distribute"])

    @property
    def identity_ids(self) -> tuple[str, ...]:
        return tuple(self.identity.get("userAssignedIdentities") or ())


def nanoseconds(at: datetime, digits: int) -> str:
    """As Go writes a time: trailing zeroes left out."""
    return zulu(at) if not digits else f"{at:%Y-%m-%dT%H:%M:%S.%f}{digits:03d}".rstrip("0") + "Z"
