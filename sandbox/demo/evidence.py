"""What really happened since the version appeared: taken from the records of the local Azure alone.

The list of calls tells what the factory asked for, Event Grid what was published and delivered, Resource
Manager how a template and its run stand, and storage how much of a copy is there.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from sandbox.arm.storage import BlobAddress
from sandbox.calls import Call
from sandbox.eventgrid.retry import Delivery
from sandbox.identity.tokens import FACTORY
from sandbox.running import RunningSandbox
from sandbox.vhd import Vhd

if TYPE_CHECKING:
    from sandbox.arm.imagebuilder.template import Staging

ARCHIVED: Final = re.compile(r"/(?P<account>archive)/(?P<container>images)/(?P<name>.+\.vhd)")


class Moment(msgspec.Struct, frozen=True):
    """A state that a template or its run took on, and when."""

    state: str
    at: datetime


class Evidence:
    """`look` has to be called again and again: only the present state of a template can be asked for."""

    def __init__(self, sandbox: RunningSandbox, image: str, version: str, template: str = "") -> None:
        self.sandbox = sandbox
        self.image, self.version, self._template = image, version, template or image
        self.began = sandbox.clock.now()
        self.copied = 0
        """Bytes that are in the archive."""
        self.staging: Staging | None = None
        """Where Image Builder worked; remembered here when it is gone."""
        self._first_call = len(sandbox.azure.calls)
        self._moments: list[Moment] = []
        sandbox.azure.schedule.watchers.append(self.look)

    def look(self, at: datetime) -> None:
        """Note the states of the template and its run, if they are new."""
        found = next(
            (t for t in self.sandbox.azure.imagebuilder.templates() if t.name == self._template), None
        )
        if found is None:
            if self._moments:
                self._note("template gone", at)
            return
        self.staging = found.staging or self.staging
        self._note(f"template {found.state}", at)
        if found.last_run is not None:
            run = found.last_run
            self._note(f"run {run.sub_state or run.state}", run.end or at)

    def _note(self, state: str, at: datetime) -> None:
        if all(known.state != state for known in self._moments):
            self._moments.append(Moment(state, at))

    def since(self, state: str) -> datetime | None:
        return next((known.at for known in self._moments if known.state == state), None)

    def calls(
        self, service: str, method: str, target: str, status: int | None = None, principal: str = FACTORY
    ) -> Iterator[Call]:
        """Yield the principal's calls whose path and query match, in the order of their answers."""
        pattern = re.compile(target, re.IGNORECASE)
        for call in self.everything():
            if (call.service, call.method, call.principal) != (service, method, principal):
                continue
            if status in (None, call.status) and pattern.search(f"{call.path}?{call.query}"):
                yield call

    def everything(self) -> list[Call]:
        return list(self.sandbox.azure.calls)[self._first_call :]

    def events(self, kind: str) -> list[Delivery]:
        """Return the deliveries of events of a type, those that were tried first."""
        outbox = self.sandbox.azure.eventgrid.outbox
        known = [*outbox.attempts, *outbox.pending()]
        return [
            each for each in known if each.event.get("eventType") == kind and each.published >= self.began
        ]

    @property
    def made(self) -> list[tuple[BlobAddress, Vhd]]:
        """What Image Builder has written."""
        return list(self.sandbox.made)

    @property
    def target(self) -> BlobAddress | None:
        """Where the factory copies the VHD to, once it has begun."""
        for call in self.calls("blob", "PUT", r"\.vhd\?$", 201):
            if found := ARCHIVED.fullmatch(call.path):
                return BlobAddress(found["account"], found["container"], found["name"])
        return None

    @property
    def allocated(self) -> int:
        """Bytes that hold data in the VHD that Image Builder made; 0 before it has."""
        return self.made[-1][1].allocated if self.made else 0
