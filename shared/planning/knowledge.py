"""What retention's things are made of: what was seen, and what the ledger knows of it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from shared.domain.estate import (
    Content,
    Seen,
    SeenBlob,
    SeenGroup,
    SeenImage,
    SeenSubscription,
    SeenTemplate,
    SeenVersion,
    Unreadable,
    User,
)
from shared.domain.factory import Factory, Image, Mode
from shared.domain.ids import ImageName
from shared.domain.records import ImageRecord, OutputRecord, Record, RunRecord
from shared.domain.releases import ReleaseRecord
from shared.domain.retention import MARK, Going, Kind, RetentionRecord, Thing, tag_of

from .references import References, references


class Knowledge:
    """What one plan is made of. So long as Resource Graph may be behind, by `lag`, our own word counts."""

    def __init__(
        self,
        factory: Factory,
        seen: Iterable[Seen],
        blobs: Iterable[SeenBlob],
        records: Iterable[Record],
        now: datetime,
        lag: timedelta,
    ) -> None:
        self.factory, self.now, self.lag = factory, now, lag
        self._seen: dict[type, list[Any]] = defaultdict(list)
        for each in seen:
            self._seen[type(each)].append(each)
        self.blobs = {(b.account, b.container, b.name): b for b in blobs}
        self._records: dict[type, list[Any]] = defaultdict(list)
        for record in records:
            self._records[type(record)].append(record)

    @property
    def versions(self) -> list[SeenVersion]:
        return self._seen[SeenVersion]

    @property
    def images(self) -> list[SeenImage]:
        return self._seen[SeenImage]

    @cached_property
    def templates(self) -> dict[str, SeenTemplate]:
        return {each.id: each for each in self._seen[SeenTemplate]}

    @cached_property
    def templates_in(self) -> dict[str, list[str]]:
        """Ids of templates by the id of their staging group."""
        found: dict[str, list[str]] = defaultdict(list)
        for each in self.templates.values():
            found[each.staging_group].append(each.id)
        return found

    @property
    def groups(self) -> list[SeenGroup]:
        return self._seen[SeenGroup]

    @cached_property
    def contents(self) -> dict[str, list[Content]]:
        """By the id of their group."""
        found: dict[str, list[Content]] = defaultdict(list)
        for each in self._seen[Content]:
            found[each.id.split("/providers/", 1)[0]].append(each)
        return found

    @property
    def unreadable(self) -> list[Unreadable]:
        return self._seen[Unreadable]

    def unseen(self, scope: Iterable[str]) -> list[str]:
        """Subscriptions of which nothing was said: the identity cannot see them."""
        found = {each.id for each in self._seen[SeenSubscription]}
        return [subscription for subscription in scope if subscription not in found]

    @property
    def silent(self) -> list[str]:
        """Scale sets that have instances, none of which is seen."""
        users: list[User] = self._seen[User]
        seen = {each.id.rpartition("/virtualmachines/")[0] for each in users}
        return [each.name for each in users if each.instances and each.id not in seen]

    @cached_property
    def references(self) -> References:
        return references((each for kind in self._seen.values() for each in kind), self.factory)

    @cached_property
    def unclear_parents(self) -> dict[str, str]:
        """Definitions that something was built from of which nobody knows the version, and what that is."""
        there = {*(each.id for each in self.versions), *(each.id for each in self.images)}
        found = {}
        for output in self.outputs:
            run = self.runs.get((output.image, output.run))
            if run is None or run.version or "/galleries/" not in run.source:
                continue
            at = output.target
            blob = at is not None and (at.account, at.container, at.name) in self.blobs
            if blob or str(output.artifact).lower() in there:
                found[run.source.lower()] = output.id
        return found

    @property
    def outputs(self) -> list[OutputRecord]:
        return self._records[OutputRecord]

    @cached_property
    def made_by(self) -> dict[str, OutputRecord]:
        """Outputs by the id of the gallery version or managed image that they are."""
        return {str(each.artifact).lower(): each for each in self.outputs if each.artifact}

    @cached_property
    def runs(self) -> dict[tuple[str, str], RunRecord]:
        return {(each.image, each.start): each for each in self._records[RunRecord]}

    @cached_property
    def runs_in(self) -> dict[str, list[RunRecord]]:
        """Runs by the id of the staging group that they left their outputs in."""
        found: dict[str, list[RunRecord]] = defaultdict(list)
        for each in self.runs.values():
            if each.staging_group:
                subscription = "/".join(each.template.split("/")[:3])
                found[f"{subscription}/resourcegroups/{each.staging_group}".lower()].append(each)
        return found

    @cached_property
    def unsettled(self) -> list[OutputRecord]:
        return [each for each in self.outputs if not each.state.settled]

    @cached_property
    def states(self) -> dict[str, ImageRecord]:
        return {each.name: each for each in self._records[ImageRecord]}

    @cached_property
    def image_of(self) -> dict[str, Image]:
        """The image that is built in a template, or has left it and will see to its deletion."""
        found: dict[str, Image] = {}
        for image in self.factory.images.values():
            state = self.states.get(image.name)
            left = [each.id for each in (state.former if state else ()) if not each.kept]
            found |= {str(id).lower(): image for id in (*left, image.in_use(state))}
        return found

    @cached_property
    def releases(self) -> dict[str, ReleaseRecord]:
        return {str(each.id).lower(): each for each in self._records[ReleaseRecord]}

    @cached_property
    def defined(self) -> dict[str, str]:
        """Names of configured definitions by their ids."""
        return {str(each.id).lower(): each.name for each in self.factory.definitions.values()}

    @cached_property
    def going(self) -> dict[tuple[Kind, str], RetentionRecord]:
        return {(each.kind, each.id): each for each in self._records[RetentionRecord]}

    def stage(self, kind: Kind, id: str, made: datetime | None, tags: dict[str, str]) -> Going:
        """How far its going is, if the ledger and the thing's own mark agree about it."""
        record = self.going.get((kind, id))
        if record is None:
            return Going()
        mark = tag_of(tags, MARK)
        fresh = self.now - record.marked < self.lag and not mark
        agree = record.made == made and (fresh or mark == record.tag)
        return Going(record.stage, record.since, row=True) if agree else Going(row=True)

    def configured(self, image: ImageName) -> bool:
        return image in self.factory.images

    def acts(self, image: ImageName) -> bool:
        known = self.factory.images.get(image)
        return (known.mode if known else self.factory.mode) is Mode.ACT

    def parent(self, image: ImageName, run: str | None) -> str:
        """The gallery version or managed image that a run was built from; empty for the marketplace."""
        found = self.runs.get((image, run or ""))
        if found is None or not found.source.startswith("/subscriptions/"):
            return ""
        if "/galleries/" not in found.source:
            return found.source.lower()
        return f"{found.source}/versions/{found.version}".lower() if found.version else ""

    def thing(self, kind: Kind, id: str, image: str, tags: dict[str, str], **more: Any) -> Thing:
        """A thing with what holds for all kinds."""
        name = ImageName(image)
        return Thing(
            kind=kind,
            id=id,
            image=name,
            configured=self.configured(name),
            act=self.acts(name),
            tags=tags,
            source_of=self.references.source_of.get(id, ()),
            going=self.stage(kind, id, more.get("made"), tags),
            **more,
        )
