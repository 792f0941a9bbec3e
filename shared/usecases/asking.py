"""Somebody asks over HTTP: who it is, under which id, and what there is to answer with."""

import msgspec

from shared.domain.factory import Factory
from shared.ports import Outside


class Ask(msgspec.Struct, frozen=True):
    """One request, let in and understood."""

    out: Outside
    factory: Factory
    by: str
    """Who asks, for the journal."""
    id: str
    """The same for the same request sent again: whatever is made for it bears this name."""
    correlation: str
