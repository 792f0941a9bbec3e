"""Orders: what a person asked of an image, kept until it is done or cannot be.

An order does nothing by itself: looks at the image find it in the image's record and plan with it.
"""

import enum
import re
from datetime import datetime
from typing import Final

import msgspec

from .ids import ImageName, RunStart

ORDER_ID: Final = re.compile(r"[a-z0-9][a-z0-9\-]{0,63}")
"""Whoever orders chooses the id, so that the same order given twice is one. It is part of a key."""


class OrderKind(enum.Enum):
    START = "start"
    """A run, whatever keeps the factory from starting one by itself."""
    CANCEL = "cancel"
    """No more of the run that is under way, or about to be."""
    DELETE = "delete-template"
    """The template goes, once; the next run that is wanted has it made again."""


class OrderState(enum.Enum):
    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


class Order(msgspec.Struct, frozen=True, tag="order"):
    """One order, under an id that its giver chose."""

    id: str
    image: ImageName
    kind: OrderKind
    by: str
    reason: str
    at: datetime
    correlation: str
    state: OrderState = OrderState.OPEN
    why: str = ""
    """What it waits for, what became of it, or why it cannot be."""
    run: RunStart | None = None
    """The run that it is about, once it is visible."""
    sent: datetime | None = None
    """When the factory last set out to do at Azure what it asks for."""
    ended: datetime | None = None
    """When it was done or refused."""
    v: int = 1

    @property
    def open(self) -> bool:
        return self.state is OrderState.OPEN

    @property
    def said(self) -> str:
        """As the journal and the run tell it."""
        return f"{_SAID[self.kind]} by {self.by}{f': {self.reason}' if self.reason else ''}"


_SAID: Final = {
    OrderKind.START: "started by hand",
    OrderKind.CANCEL: "cancelled by hand",
    OrderKind.DELETE: "template deleted by hand",
}
