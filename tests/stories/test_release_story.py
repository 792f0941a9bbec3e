"""The sample configuration, played: a Windows build crosses three rings, and an image is built from it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.domain.records import FailedWork, JournalLine, OutputRecord, OutputState, RunRecord
from shared.domain.releases import Stage

from .gallery import GalleryWorld, stands
from .world import CONFIG

WINDOWS = ("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-g2")
NEW = "20348.9999.261121"
RINGS = {
    "canary": ("westeurope",),
    "early": ("northeurope", "uksouth"),
    "everywhere": ("eastus2", "southeastasia"),
}
FIVE = [region for ring in RINGS.values() for region in ring]
SOAK = timedelta(minutes=40)


def sample(folder: Path) -> Path:
    """config/factory.yaml, but that it acts, soaks for less long, and has its Windows images alone."""
    document = yaml.safe_load((CONFIG / "factory.yaml").read_text(encoding="utf-8"))
    del document["images"]["ubuntu-22"]
    for image in document["images"].values():
        image["template"] = str(CONFIG / image["template"])
    for ring in document["definitions"]["windows-2022"]["rings"]:
        ring["soak"] = f"{SOAK // timedelta(minutes=1)}m"
    path = folder / "factory.yaml"
    path.write_text(yaml.safe_dump({**document, "mode": "act"}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> "Told":
    """The story is played once and looked at from several sides."""
    return Told(sample(tmp_path_factory.mktemp("sample")))


class Told:
    """The world at the end of it, and when each region's `latest` began to mean the version."""

    def __init__(self, config: Path) -> None:
        names = ("windows-2022", "windows-2022-dev")
        self.world = world = GalleryWorld(config=config, definitions=names, system="Windows")
        world.go_on(minutes=20)
        self.latest: dict[str, datetime] = {}
        self.complete: dict[str, datetime] = {}
        world.azure.schedule.watchers.append(self._note)
        world.azure.catalogue.add_version(*WINDOWS, NEW)
        world.play(self._over)

    @property
    def version(self) -> str:
        (record,) = [r for r in self.world.records(OutputRecord) if r.name == "windows-2022-gallery"]
        return str(record.artifact).rsplit("/", 1)[1]

    def _over(self, world: Any) -> bool:
        made = [r for r in world.records(OutputRecord) if r.name.endswith("-gallery")]
        names = [f"{r.image}/{str(r.artifact).rsplit('/', 1)[1]}" for r in made]
        return len(names) == 2 and all(stands(name, Stage.RELEASED)(world) for name in names)

    def _note(self, at: datetime) -> None:
        for region in FIVE:
            if self.world.latest(region, "windows-2022"):
                self.latest.setdefault(region, at)
        for version in self.world.versions("windows-2022"):
            for placed in version.regions:
                if placed.state == "Completed":
                    self.complete.setdefault(placed.name, at)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [e["data"] for e in self.world.published if e["eventType"] == f"ImageFactory.{kind}"]


def test_the_version_is_latest_everywhere_in_the_order_of_its_rings(told: Told) -> None:
    assert {region: told.world.latest(region, "windows-2022") for region in FIVE} == dict.fromkeys(
        FIVE, told.version
    )
    times = [{told.latest[region] for region in ring} for ring in RINGS.values()]
    assert [len(each) for each in times] == [1, 1, 1], "a ring's regions go together"
    assert times == sorted(times, key=max)


def test_no_ring_goes_on_before_all_of_it_has_soaked(told: Told) -> None:
    for ring in RINGS.values():
        whole = max(told.complete[region] for region in ring)
        assert min(told.latest[region] for region in ring) >= whole + SOAK


def test_regions_are_as_the_rings_say(told: Told) -> None:
    """Replicas and storage; and the end of life counts from the publishing."""
    version = told.world.version(f"windows-2022/{told.version}")
    regions = {r.name: (r.replicas, r.storage) for r in version.regions}
    assert regions == {
        "westeurope": (1, "Standard_LRS"),
        "northeurope": (1, "Standard_LRS"),
        "uksouth": (2, "Standard_LRS"),
        "eastus2": (2, "Standard_ZRS"),
        "southeastasia": (1, "Standard_LRS"),
    }
    assert version.end_of_life is not None
    assert datetime.fromisoformat(version.end_of_life) - version.published == timedelta(days=180)


def test_each_ring_is_told_by_one_event(told: Told) -> None:
    events = [e for e in told.events("VersionReleased") if e["definition"] == "windows-2022"]
    assert [(e["ring"], e["regions"], e["complete"]) for e in events] == [
        ("canary", "westeurope", False),
        ("early", "northeurope,uksouth", False),
        ("everywhere", "eastus2,southeastasia", True),
    ]
    assert {e["version"] for e in events} == {told.version}


def test_the_image_built_from_it_is_built_once_after_it_is_latest_in_its_region(told: Told) -> None:
    """Not before, although the first region had it long since; and from exactly that version."""
    runs = {run.image: run for run in told.world.records(RunRecord)}
    assert sorted(runs) == ["windows-2022", "windows-2022-dev"]
    assert len(told.world.records(RunRecord)) == 2
    assert runs["windows-2022-dev"].started > told.latest["westeurope"]
    assert str(runs["windows-2022-dev"].version) == told.version
    assert str(runs["windows-2022"].version) == NEW


def test_the_vhd_of_the_same_run_is_archived_beside_it(told: Told) -> None:
    states = {o.name: o.state for o in told.world.records(OutputRecord)}
    assert states == {
        "windows-2022-vhd": OutputState.ARCHIVED,
        "windows-2022-gallery": OutputState.RECORDED,
        "windows-2022-dev-gallery": OutputState.RECORDED,
    }
    assert not told.world.records(FailedWork)
    assert told.world.wrong == []


def test_the_release_can_be_read_from_the_journal(told: Told) -> None:
    """Each step once, in order, with where it stood."""
    lines = [line for line in told.world.records(JournalLine) if line.thing == f"windows-2022/{told.version}"]
    lines.sort(key=lambda line: line.at)
    assert [line.why for line in lines if line.what == "version-latest"] == [
        "latest in westeurope",
        "latest in northeurope, uksouth",
        "latest in eastus2, southeastasia",
    ]
    said = [line.why for line in lines]
    for ring in ("ring canary (1 of 3)", "ring early (2 of 3)", "ring everywhere (3 of 3)"):
        assert _first(said, f"{ring} is complete and soaks until") >= 0
    assert _first(said, "made by run") < _first(said, "ring canary") < _first(said, "ring early")
    assert "released in every ring" in said


def _first(said: Iterable[str], words: str) -> int:
    return next(number for number, why in enumerate(said) if words in why)
