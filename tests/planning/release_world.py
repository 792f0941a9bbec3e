"""Workers that look at the versions of a definition, in plain data and in steps that may interleave.

A look reads the rows, then the version, plans, claims, and writes: as the use case does, with the planner's
decisions and the words of `withdrawals`. Whatever is written is judged before Azure sees it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from dataclasses import replace as changed
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from shared.domain.errors import (
    Busy,
    Conflict,
    Invalid,
    PermanentError,
    RetryableError,
    Throttled,
    Unreachable,
    WrongState,
)
from shared.domain.factory import Timing
from shared.domain.galleries import GalleryVersion, Update
from shared.domain.releases import Definition, ReleaseRecord, Stage, WriteClaim
from shared.domain.versions import Version
from shared.planning import actions
from shared.planning.releases import plan
from shared.planning.rings import Situation
from shared.ports import REQUEST_TIMEOUT

from .azure_gallery import ID, AzureGallery

Fault = Literal["", "throttled", "lost", "unanswered"]
"""What becomes of the next update: told to come back, never there, or carried out without an answer."""
Worker = Iterator[str]


@dataclass(frozen=True, slots=True)
class Row:
    record: ReleaseRecord
    etag: int


@dataclass(frozen=True, slots=True)
class Sent:
    """An update on its way, with what it was decided upon. `had`: the regions that had a replica then."""

    text: str
    update: Update
    read: GalleryVersion
    had: frozenset[str]
    record: ReleaseRecord
    writes: int
    """How many updates of the factory Azure had accepted when the version was read."""


@dataclass(slots=True)
class World:
    definition: Definition
    azure: AzureGallery
    judge: Callable[["World", Sent], None] = lambda world, sent: None
    timing: Timing = field(default_factory=Timing)
    rows: dict[str, Row] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)
    """When a version asked to be looked at again."""
    writes: dict[str, int] = field(default_factory=dict)
    heeded: set[str] = field(default_factory=set)
    """Versions that an update has excluded by a person's word, and that nobody has touched since."""
    given_up: set[tuple[str, str]] = field(default_factory=set)
    offered: set[tuple[str, str]] = field(default_factory=set)
    """Where a look has found `latest` to mean a version."""
    fault: Fault = ""
    accepted: int = 0

    def record(self, text: str) -> ReleaseRecord:
        return self.rows[text].record

    def stage(self, text: str) -> Stage:
        return self.record(text).stage

    def look(self, text: str) -> None:
        """One look from beginning to end, with nothing in between."""
        self.due.pop(text, None)
        try:
            for _ in self.worker(text):
                pass
        except RetryableError:
            self.due[text] = self.azure.now + self.timing.look_again  # the queue brings it again

    def run_due(self, until: datetime) -> None:
        """Let time pass, with a look whenever a version asked for one. Nothing else happens."""
        while self.due:
            text = min(self.due, key=lambda each: (self.due[each], each))
            if self.due[text] > until:
                break
            self.azure.advance(self.due[text])
            self.look(text)
        self.azure.advance(until)

    def worker(self, text: str) -> Worker:
        """A look, step by step: what it yields is what comes next."""
        now, row, version = self.azure.now, self.rows.get(text), Version.parse(text)
        newer = tuple(r.record for r in self.rows.values() if r.record.version.rank > version.rank)
        others = sum(r.record.busy for key, r in self.rows.items() if key != text)
        yield "read"
        seen, had, writes = self.azure.get(text), self._had(text), self.writes.get(text, 0)
        if seen is None and row is None:
            return
        known = row.record if row else ReleaseRecord(self.definition.name, version, ID.version(text), now)
        self.offered |= (
            {(text, r.name) for r in seen.regions if not seen.excluded_in(r.name)} if seen else set()
        )
        yield "plan"
        decided = plan(Situation(self.definition, self.timing, known, seen, newer, others, now))
        record, etag = decided.record, row.etag if row else 0
        for action in decided.actions:
            match action:
                case actions.MarkDescendants():
                    record = replace(record, descendants_told=True)
                case actions.UpdateVersion(update, after, why) if update and seen:
                    sent = Sent(text, update, seen, had, after, writes)
                    yield from self._send(sent, replace(after, reason=why), etag, record)
                case actions.UpdateVersion(_, after, why):
                    self._save(text, replace(after, reason=why), etag)
                    self.due[text] = now
                case actions.Wait(until, why):
                    self._save(text, replace(record, reason=why), etag)
                    self.due[text] = until
                case actions.Nothing(why):
                    self._save(text, replace(record, reason=why), etag)
        if known.stage.good and not decided.record.stage.good:
            self._wake_older(version)

    def say(self, text: str, word: Callable[[ReleaseRecord], ReleaseRecord]) -> bool:
        """Note a person's word; False if it makes no sense now."""
        row = self.rows.get(text)
        if row is None:
            return False
        try:
            record = word(row.record)
        except Invalid:
            return False
        if record != row.record:
            self.heeded.discard(text)
            self._save(text, record, row.etag)
        self.due[text] = self.azure.now
        return True

    def _send(self, sent: Sent, record: ReleaseRecord, etag: int, before: ReleaseRecord) -> Worker:
        text, until = sent.text, self.azure.now + self.timing.update_claim
        record = replace(record, claim=WriteClaim("worker", until))
        etag = self._save(text, record, etag)
        yield "check"
        given_back = replace(record, claim=None, regions=before.regions)
        if until - self.azure.now < 2 * REQUEST_TIMEOUT:
            self._save(text, given_back, etag)
            raise Busy("too little time is left")
        yield "sending"
        fault, self.fault = self.fault, ""
        if fault == "lost":
            raise Unreachable("no answer")
        if fault == "throttled":
            self._save(text, given_back, etag)
            raise Throttled("too many requests")
        self.judge(self, sent)
        try:
            self.azure.update(text, sent.update)
        except (Conflict, WrongState, PermanentError) as error:
            refused = self._refused(given_back, error)
            self._save(text, refused, etag)
            self.due[text] = refused.retry_at or self.azure.now
            return
        self._note(sent)
        if fault == "unanswered":
            raise Unreachable("no answer")
        yield "record"
        accepted = replace(record, claim=None, busy=True, refusals=0, denials=0, retry_at=None)
        self._save(text, accepted, etag)
        self.due[text] = self.azure.now + self.timing.look_again

    def _wake_older(self, version: Version) -> None:
        stopped = [r.record for r in self.rows.values() if r.record.stage is Stage.OVERTAKEN]
        older = [r.version for r in stopped if version.newer_than(r.version)]
        if older:
            self.due[max(older, key=lambda v: v.rank).text] = self.azure.now

    def _refused(self, record: ReleaseRecord, error: Exception) -> ReleaseRecord:
        refusals, for_good = record.refusals + 1, isinstance(error, PermanentError)
        longest = self.timing.retry_after[0] if for_good else self.timing.follow
        retry_at = self.azure.now + min(self.timing.look_again * 2 ** min(refusals - 1, 10), longest)
        return replace(record, refusals=refusals, denials=record.denials + for_good, retry_at=retry_at)

    def _note(self, sent: Sent) -> None:
        self.accepted += 1
        self.writes[sent.text] = self.writes.get(sent.text, 0) + 1
        if sent.record.held or sent.record.withdrawn:
            self.heeded.add(sent.text)

    def _save(self, text: str, record: ReleaseRecord, etag: int) -> int:
        row = self.rows.get(text)
        if etag != (row.etag if row else 0):
            raise Conflict(f"{text} was written meanwhile")
        self.rows[text] = changed(row, record=record, etag=etag + 1) if row else Row(record, 1)
        self.given_up |= {(text, r.name) for r in record.regions if r.given_up}
        return self.rows[text].etag

    def _had(self, text: str) -> frozenset[str]:
        stored = self.azure.stored.get(text)
        return frozenset(r.name for r in stored.regions.values() if r.there) if stored else frozenset()


def step(worker: Worker) -> str:
    """What the worker would do next; empty once it is through. An error ends it, as it ends a look."""
    try:
        return next(worker, "")
    except RetryableError:
        return ""


def finish(worker: Worker) -> None:
    while step(worker):
        pass
