"""Stories of retention: a gallery with a history, whoever uses it, and what has to be there in the end."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from functions import boundary
from sandbox.arm.compute.seeds import MachineSeed
from sandbox.arm.compute.shelf import MACHINES
from sandbox.arm.galleries.seeds import RegionSeed, VersionSeed, VersionSeeds
from shared.contracts import messages
from shared.domain.errors import Invalid
from shared.domain.looks import Lane, Look
from shared.domain.records import FailedWork, JournalLine
from shared.domain.retention import PIN, Plan, RetentionRecord, Stage
from shared.usecases import rulings
from shared.usecases.retention import look_at_everything, planned

from .gallery import GALLERY, GalleryWorld
from .scenes import GROUP
from .world import HERE, VISIBLE_AGAIN, World, _message

LOOKS_EVERY = timedelta(hours=1)
CONFIG = HERE / "retention" / "factory.yaml"


class Retaining(World):
    """Retention looks every hour."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._retention_due = self.clock.now() + LOOKS_EVERY

    def sweep_retention_in(self, time: timedelta) -> None:
        """The next sweep is so far away."""
        self._retention_due = self.clock.now() + time

    def plan_now(self) -> Plan:
        return planned(self.worker.outside, self.worker.factory())

    def going(self) -> dict[str, Stage]:
        return {record.name: record.stage for record in self.records(RetentionRecord)}

    def events(self, kind: str) -> list[str]:
        """Subjects of the factory's own events of a kind, each once."""
        found = [e["subject"] for e in self.published if e["eventType"] == f"ImageFactory.{kind}"]
        return list(dict.fromkeys(found))

    def journal(self, *words: str) -> list[str]:
        return [f"{r.thing} {r.what}" for r in self.records(JournalLine) if r.what in words]

    def at_work_on(self, lane: Lane) -> Look | None:
        """The look that the worker is at, if it is one of the lane's."""
        message = self._at_work
        if message is None:
            return None
        try:
            return messages.decode(lane, messages.unwrap(_message(message).get_body()))
        except Invalid:
            return None

    def again(self, look: Look) -> None:
        """The message of another worker comes back."""
        self.queues.send(look, VISIBLE_AGAIN)

    def _happen(self) -> bool:
        if super()._happen():
            return True
        if self.clock.now() >= self._retention_due:
            self._retention_due = self.clock.now() + LOOKS_EVERY
            boundary.on_time(self.worker, look_at_everything)
            return True
        return False

    def _pass_time(self) -> None:
        times = [self._watch_due, self._sweep_due, self._retention_due]
        times += [t for t in (self.azure.next_due(), self.queues.next_visible()) if t]
        self.clock.set(min(t for t in times if t > self.clock.now()))


class RetentionWorld(Retaining, GalleryWorld):
    """`history` versions of dev were there before, ten days apart."""

    def __init__(self, *, history: int = 6, config: Path = CONFIG, **options: Any) -> None:
        super().__init__(config=config, **options)
        for number in range(history):
            self.seed(f"1.0.{number}", days=10 * (history - number) + 40)
        self.begin()

    def seed(self, number: str, *, days: float, definition: str = "dev", **more: Any) -> str:
        """A version that is in its place for so many days; its id."""
        id = f"{GALLERY}/images/{definition}/versions/{number}"
        published = self.clock.now() - timedelta(days=days)
        seeds = VersionSeeds(self.azure.fabric, self.azure.inventory, self.azure.galleries)
        seeds.put(id, VersionSeed(published=published, regions=(RegionSeed(name="westeurope"),), **more))
        return id

    def begin(self) -> None:
        """The factory has looked at its definitions, and takes over what it finds in one of them."""
        self.go_on(minutes=1)
        rulings.adopt(self.worker.outside, self.worker.factory(), "dev", "dev", (), "begin")

    def machine(self, name: str, image: str, exact: str = "") -> None:
        reference = {"id": image, **({"exactVersion": exact} if exact else {})}
        id = f"{GROUP}/providers/{MACHINES.name}/{name}"
        self.azure.compute.seeds.machine(id, "westeurope", MachineSeed(image=reference))

    def pin(self, name: str) -> None:
        """Somebody sets the tag, by whatever means."""
        self.version(name).tags = {**self.version(name).tags, PIN: "please"}

    def there(self, definition: str = "dev") -> list[str]:
        return [version.name for version in self.versions(definition)]

    def deletions(self) -> list[str]:
        """Names of versions whose deletion Azure accepted."""
        calls = self.azure.calls.list("arm")
        gone = [
            c for c in calls if c.method == "DELETE" and c.status in (200, 202) and "/versions/" in c.path
        ]
        return [call.path.rsplit("/", 1)[1] for call in gone]


def left(*numbers: str) -> Callable[[Any], bool]:
    """Nothing but these is there, and nothing is going."""

    def reached(world: RetentionWorld) -> bool:
        return world.there() == list(numbers) and not world.going()

    return reached


def assert_sound(world: RetentionWorld, kept: Iterable[str]) -> None:
    """What had to stay is there, and nothing was deleted twice."""
    assert set(kept) <= set(world.there())
    deleted = world.deletions()
    assert len(deleted) == len(set(deleted)), world.told()
    assert not world.records(FailedWork), world.told()
