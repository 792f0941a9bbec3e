"""What lists show: a line per image and per run, in partitions of their own.

Azure Tables finds nothing by anything but its keys, and an image's record, runs and journal share the
partition of the image. So what a page of a list shows is written once more, side by side and in its order.
Nothing is decided by it.
"""

from datetime import datetime

import msgspec

from .ids import ImageName, RunStart, TemplateId
from .templates import RunState
from .versions import Version

VANISHED = "Vanished"
"""The state of a run that went away together with its template, before its end was seen."""


class ImageLine(msgspec.Struct, frozen=True, tag="image-line"):
    """An image in short."""

    name: ImageName
    built: Version | None = None
    running: RunStart | None = None
    last: RunStart | None = None
    last_state: RunState | None = None
    paused: str = ""
    failures: int = 0
    template: TemplateId | None = None
    """As in the image's record."""
    v: int = 1


class VhdLine(msgspec.Struct, frozen=True, tag="vhd-line"):
    """An archived VHD in short: in the partition of all, and in that of its image, until it is deleted."""

    partition: str
    image: ImageName
    run: RunStart
    output: str
    began: datetime
    """When its run did."""
    blob: str
    length: int
    archived: datetime
    version: Version | None = None
    v: int = 1


class RunLine(msgspec.Struct, frozen=True, tag="run-line"):
    """A run in short: in the partition of all runs, and in that of its image."""

    partition: str
    image: ImageName
    start: RunStart
    started: datetime
    state: str
    """A `RunState`, or `Vanished`."""
    why: str
    ended: datetime | None = None
    version: Version | None = None
    v: int = 1
