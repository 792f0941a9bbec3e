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
from sandbox.eventgrid.events import Event
from sandbox.eventgrid.retry import Delivery
from sandbox.identity.tokens import FACTORY
from sandbox.running import RunningSandbox
from sandbox.vhd import Vhd

if TYPE_CHECKING:
    from sandbox.arm.imagebuilder.template import Staging

ARCHIVED: Final = re.compile(r"/(?P<account>archive)/(?P<container>images)/(?P<name>.+\.vhd)")


class Moment(msgspec.Struct, frozen=True):
    """A state that a template or its run took on, and when."""

    template: str
    state: str
    at: datetime


class Published(msgspec.Struct, frozen=True):
    """An event, whether anybody subscribes to it or not."""

    event: Event
    at: datetime


class Evidence:
    """`look` has to be called again and again: only the present state of a template can be asked for."""

    def __init__(self, sandbox: RunningSandbox, image: str, version: str, template: str = "") -> None:
        self.sandbox = sandbox
        self.image, self.version, self.template = image, version, template or image
        self.began = sandbox.clock.now()
        self.copied = 0
        """Bytes that are in the archive."""
        self.staging: Staging | None = None
        """Where Image Builder worked for the template; remembered here when it is gone."""
        self._first_call = len(sandbox.azure.calls)
        self._first_vhd = len(sandbox.made)
        self._moments: list[Moment] = []
        self._published: list[Published] = []
        sandbox.azure.schedule.watchers.append(self.look)
        sandbox.azure.eventgrid.watchers.append(
            lambda event, at: self._published.append(Published(event, at))
        )

    def look(self, at: datetime) -> None:
        """Note the states of all templates and of their runs, if they are new."""
        there = self.sandbox.azure.imagebuilder.templates()
        for template in there:
            if template.name == self.template:
                self.staging = template.staging or self.staging
            self.note(template.name, f"template {template.state}", at)
            # An older run is no part of this story.
            if (run := template.last_run) is not None and (run.end or at) >= self.began:
                self.note(template.name, f"run {run.sub_state or run.state}", run.end or at)
        names = {template.name for template in there}
        for known in {moment.template for moment in self._moments} - names:
            self.note(known, "template gone", at)

    def note(self, template: str, state: str, at: datetime) -> None:
        if all((known.template, known.state) != (template, state) for known in self._moments):
            self._moments.append(Moment(template, state, at))

    def since(self, state: str, template: str = "") -> datetime | None:
        """When a template, by default that of the story, came to be so."""
        wanted = (template or self.template, state)
        return next((m.at for m in self._moments if (m.template, m.state) == wanted), None)

    def ever(self, state: str) -> str | None:
        """The first template that came to be so."""
        return next((m.template for m in self._moments if m.state == state), None)

    def published(self, kind: str, subject: str = "") -> list[Published]:
        """Return the events of a type, in their order; `subject` is a part of theirs, in lower case."""
        return [
            each
            for each in self._published
            if each.event.get("eventType") == kind and subject in str(each.event.get("subject")).lower()
        ]

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

    def deliveries(self, kind: str, subject: str = "") -> list[Delivery]:
        """Return the deliveries of such events, those that were tried first."""
        outbox = self.sandbox.azure.eventgrid.outbox
        known = [*outbox.attempts, *outbox.pending()]
        return [
            each
            for each in known
            if each.event.get("eventType") == kind
            and subject in str(each.event.get("subject")).lower()
            and each.published >= self.began
        ]

    @property
    def made(self) -> list[tuple[BlobAddress, Vhd]]:
        """What Image Builder has written since the version appeared."""
        return list(self.sandbox.made)[self._first_vhd :]

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
