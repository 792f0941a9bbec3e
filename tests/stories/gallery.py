"""Stories of gallery versions: the world they play in, who makes versions, and how they have to end."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.arm.context import Origin
from sandbox.arm.galleries import profiles
from sandbox.arm.galleries.model import Content, Disk, Version
from sandbox.azure import Setting
from shared.domain.records import FailedWork, RunRecord
from shared.domain.releases import ReleaseRecord, Stage
from shared.usecases import withdrawals

from .cuts import Gate
from .judge import Judge
from .scenes import GROUP
from .world import HERE, World

GALLERY = f"{GROUP}/providers/Microsoft.Compute/galleries/images"
BASE, DEV = ("westeurope", "northeurope", "uksouth"), ("westeurope",)


class GalleryWorld(World):
    """Galleries are judged after everything that happens."""

    def __init__(
        self,
        *,
        gate: Gate | None = None,
        config: Path = HERE / "releases" / "factory.yaml",
        definitions: Sequence[str] = ("base", "dev"),
        system: str = "Linux",
        **options: Any,
    ) -> None:
        setting = Setting(definitions=tuple(("images", name) for name in definitions))
        super().__init__(gate=gate, config=config, setting=setting, **options)
        for name in definitions:
            found = self.azure.galleries.definition(f"{GALLERY}/images/{name}")
            assert found is not None, "the world was founded with it"
            found.properties["osType"] = system
        self.judge = Judge(self)
        self.azure.schedule.watchers.append(self._watch)

    def make(self, definition: str = "base", name: str = "1.0.0", **profile: Any) -> Version:
        """Somebody makes a version, in its home and excluded from latest unless told otherwise."""
        galleries, now = self.azure.galleries, self.clock.now()
        found = galleries.definition(f"{GALLERY}/images/{definition}")
        assert found is not None, "the world was founded with it"
        asked = {"publishingProfile": {"excludeFromLatest": True, **profile}}
        content = Content(None, Disk({}, 30, "ReadWrite"))
        read = profiles.read(asked, found.location)
        made = galleries.versions.build(f"{found.id}/versions/{name}", found, content, read, {}, now)
        self.azure.fabric.records.put(made)
        galleries.make(made, Origin(None, "somebody", None, "PUT", made.id), now)
        return made

    def latest(self, region: str, definition: str = "base") -> str:
        """What Azure says that `latest` means there; empty for nothing."""
        found = self.azure.galleries.latest(f"{GALLERY}/images/{definition}", region)
        return found.name if found else ""

    def release(self, name: str = "base/1.0.0") -> ReleaseRecord:
        found: ReleaseRecord = next(r for r in self.records(ReleaseRecord) if r.name == name)
        return found

    def version(self, name: str = "base/1.0.0") -> Version:
        definition, _, number = name.partition("/")
        found = self.azure.galleries.version(f"{GALLERY}/images/{definition}/versions/{number}")
        assert found is not None, f"{name} is not there"
        return found

    def versions(self, definition: str = "base") -> list[Version]:
        """All there are, oldest first."""
        found = self.azure.galleries.versions.of(f"{GALLERY}/images/{definition}")
        return sorted(found, key=lambda version: version.rank)

    @property
    def wrong(self) -> list[str]:
        """What the judge has found."""
        return self.judge.wrong

    def _happen(self) -> bool:
        self._watch(self.clock.now())  # what people have said since counts
        happened = super()._happen()
        self._watch(self.clock.now())
        return happened

    def _watch(self, at: datetime) -> None:
        self.judge.look(at)


def begun(**options: Any) -> GalleryWorld:
    """The factory has looked at its definitions, so that what is made now is news."""
    world = GalleryWorld(**options)
    world.go_on(minutes=1)
    return world


def changed(folder: Path, was: str, becomes: str) -> Path:
    """The stories' configuration with something else in it."""
    for file in (HERE / "releases").iterdir():
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    path = folder / "factory.yaml"
    text = path.read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, becomes), encoding="utf-8")
    return path


def say(world: World, verb: Callable[..., None], version: str = "base/1.0.0", **more: bool) -> None:
    """As the command line does."""
    word = withdrawals.Word(version, "because we say so", "said-by-hand")
    verb(world.worker.outside, world.worker.factory(), word, **more)


def stands(name: str, stage: Stage) -> Callable[[World], bool]:
    def reached(world: World) -> bool:
        return any(r.name == name and r.stage is stage for r in world.records(ReleaseRecord))

    return reached


def rebuilt(world: World) -> bool:
    """The version is everywhere, what is built from it is too, and nobody is about to write anything."""
    image = world.image("dev")
    if any(record.claim for record in world.records(ReleaseRecord)) or image is None or not image.recorded:
        return False
    return stands("base/1.0.0", Stage.RELEASED)(world) and stands("dev/1.0.0", Stage.RELEASED)(world)


def assert_released(world: GalleryWorld, *, unanswered: bool = False) -> None:
    """Latest everywhere, in nobody's hands, built from once, and nothing that had replicated ever lost.

    `unanswered`: the request for the run may have been answered with something else than its acceptance.
    """
    assert {region: world.latest(region) for region in BASE} == dict.fromkeys(BASE, "1.0.0"), world.told()
    assert {region: world.latest(region, "dev") for region in DEV} == dict.fromkeys(DEV, "1.0.0")
    assert [str(run.version) for run in world.records(RunRecord)] == ["1.0.0"], world.told()
    assert 1 - unanswered <= world.requested_runs() <= 1
    assert {r.replicas for r in world.version().regions if r.name == "uksouth"} == {2}
    assert world.version().end_of_life
    assert not world.records(FailedWork)
    assert not world.wrong
