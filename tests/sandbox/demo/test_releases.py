"""The demo's judgement of a release: what is latest where, since when, and what is told of it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.galleries.seeds import RegionSeed, VersionSeed, VersionSeeds
from sandbox.clock import VirtualClock
from sandbox.demo.alarms import Deviation, check
from sandbox.demo.galleries import VERSION, Galleries
from sandbox.demo.releases import RELEASED, latest_everywhere, missing_links, tracks
from sandbox.demo.scene import ALL, DEVELOPERS, RINGS, WINDOWS, Ring, options
from sandbox.demo.steps import Proof
from sandbox.overlay import configured
from shared.contracts.factory import load
from shared.domain.releases import DefinitionName

from .parts import call, evidence_of

REGIONS = tuple(region for ring in RINGS for region in ring.regions)
LINEAGE = (
    f"source marketplace:{WINDOWS.version}",
    f"  template x/imageTemplates/{WINDOWS.template}",
    f"    version {WINDOWS.image}/{VERSION}  released",
    *(f"      region {region}  latest since today" for region in REGIONS),
    f"      run 1  Succeeded in x/imageTemplates/{DEVELOPERS}",
    f"        version {DEVELOPERS}/{VERSION}  released",
)


class Release:
    """A world in which a version was made by hand, and may be latest nowhere."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.evidence = evidence_of(self.clock, WINDOWS.image, WINDOWS.version, WINDOWS.template)
        self.galleries = Galleries(self.evidence.sandbox)
        self.azure = self.evidence.sandbox.azure
        self.way, self.announced, self.rebuild = tracks(self.galleries)

    def make(self, *regions: str, definition: str = WINDOWS.image, excluded: bool = True) -> None:
        """It has replicated to these regions."""
        where = f"{self.azure.setting.group_id}/providers/Microsoft.Compute/galleries/images"
        seed = VersionSeed(
            regions=tuple(RegionSeed(name=each, exclude_from_latest=excluded) for each in regions)
        )
        seeds = VersionSeeds(self.azure.fabric, self.azure.inventory, self.azure.galleries)
        seeds.put(f"{where}/images/{definition}/versions/{VERSION}", seed)
        self.galleries.look_now()

    def flip(self, *regions: str, after: float = 0.0) -> None:
        """It becomes latest there."""
        self.clock.advance(timedelta(seconds=after))
        version = self.galleries.version(WINDOWS.image)
        assert version is not None
        for region in version.regions:
            region.excluded = region.excluded and region.name not in regions

    def announce(self, ring: Ring, /, *, complete: bool = False, **changes: Any) -> None:
        data = {
            "definition": WINDOWS.image,
            "version": VERSION,
            "ring": ring.name,
            "regions": ",".join(ring.regions),
            "complete": complete,
            **changes,
        }
        event = {"id": str(data), "subject": f"{WINDOWS.image}/{VERSION}", "eventType": RELEASED}
        topic = self.azure.eventgrid.topic("factory")
        self.azure.eventgrid.publish(topic.scope, {**event, "data": data})

    def ring(self, name: str) -> Proof:
        return next(step.proof for step in self.way if step.words == f"Ring {name}")

    def told(self, proof: Proof) -> str:
        seen = proof(self.evidence)
        return seen.told if seen else ""


def test_the_rings_of_the_demo_are_those_of_the_sample(tmp_path: Path) -> None:
    """With the soaks that the sandbox gives them."""
    definitions = load(configured(options(tmp_path))).definitions
    found = {
        name: tuple(
            Ring(ring.name, tuple(region.name for region in ring.regions), ring.soak)
            for ring in definitions[DefinitionName(name)].rings
        )
        for name in (WINDOWS.image, DEVELOPERS)
    }
    assert found == {WINDOWS.image: RINGS, DEVELOPERS: (ALL,)}
    assert (len(RINGS), len(set(REGIONS))) == (3, 5)


def test_a_ring_is_done_when_the_version_is_latest_in_all_of_its_regions() -> None:
    release = Release()
    release.make("westeurope", "northeurope", "uksouth")
    release.flip("uksouth", after=3)
    assert release.told(release.ring("early")) == ""
    release.flip("northeurope")
    told = release.told(release.ring("early"))
    assert told == "windows-2022/1.0.0 is latest in northeurope, uksouth, soaked 3.0 s"


def test_a_ring_that_did_not_soak_is_a_deviation() -> None:
    release = Release()
    release.make("westeurope")
    release.flip("westeurope", after=1)
    with pytest.raises(Deviation, match=r"latest in westeurope 1\.0 s after it came, expected a soak of 2 s"):
        release.told(release.ring("canary"))


def test_the_regions_of_a_ring_come_by_updates_of_the_factory() -> None:
    release = Release()
    proof = next(step.proof for step in release.way if step.words == "  asked for")
    release.make("westeurope")
    assert release.told(proof) == ""
    version = release.galleries.version(WINDOWS.image)
    assert version is not None
    more = [type(version.regions[0])(name, 1, "Standard_LRS") for name in ("northeurope", "uksouth")]
    version.regions.extend(more)
    with pytest.raises(Deviation, match="uksouth is wanted after 0 updates, expected 1"):
        release.told(proof)
    call(release.evidence, f"{version.id}", 1, 202, "PATCH")
    assert release.told(proof) == "windows-2022/1.0.0 in northeurope, uksouth"


def test_announcements_are_told_ring_by_ring_and_repeated_ones_once() -> None:
    release = Release()
    release.make(*REGIONS)
    release.flip(*REGIONS, after=2)
    for number, ring in enumerate(RINGS):
        assert release.told(release.announced[number].proof) == ""
        for _ in range(2):
            release.announce(ring, complete=ring is RINGS[-1])
    told = [release.told(step.proof) for step in release.announced]
    assert told == [f"{RELEASED}: windows-2022 ring {ring.name}" for ring in RINGS]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"regions": "westeurope,uksouth"},
            r"regions uksouth\+westeurope, .* expected .*regions westeurope,",
        ),
        ({"ring": "early"}, "ring early, .* expected .* ring canary"),
        ({"complete": True}, "tells complete True, .* expected complete False"),
    ],
)
def test_an_announcement_of_anything_else_is_a_deviation(changes: dict[str, Any], words: str) -> None:
    release = Release()
    release.make("westeurope")
    release.flip("westeurope", after=2)
    release.announce(RINGS[0], **changes)
    with pytest.raises(Deviation, match=words):
        release.told(release.announced[0].proof)


def test_what_is_announced_before_it_is_so_is_a_deviation() -> None:
    release = Release()
    release.make("westeurope")
    release.announce(RINGS[0])
    with pytest.raises(Deviation, match=r"came before windows-2022/1\.0\.0 was latest in westeurope"):
        release.told(release.announced[0].proof)


def test_latest_is_asked_of_azure_for_every_region_of_every_ring() -> None:
    release = Release()
    release.make(*REGIONS, excluded=False)
    release.make("westeurope", definition=DEVELOPERS, excluded=False)
    told = [(each.definition, each.region, each.version) for each in latest_everywhere(release.galleries)]
    expected = [(WINDOWS.image, region, VERSION) for region in REGIONS]
    assert told == [*expected, (DEVELOPERS, "westeurope", VERSION)]


def test_a_region_in_which_nothing_is_latest_is_a_deviation() -> None:
    release = Release()
    release.make(*REGIONS[:-1], excluded=False)
    with pytest.raises(Deviation, match=r"nothing is latest in southeastasia, expected 1\.0\.0"):
        list(latest_everywhere(release.galleries))


def test_a_replication_that_fails_ends_the_demo_at_once() -> None:
    release = Release()
    release.azure.eventgrid.publish(
        release.azure.eventgrid.topic("subscription").scope,
        {"eventType": "Microsoft.Resources.ResourceWriteFailure", "subject": "/x/versions/1.0.0"},
    )
    with pytest.raises(Deviation, match=r"/x/versions/1\.0\.0 could not be replicated"):
        check(release.evidence)


def test_a_lineage_leads_from_the_marketplace_to_what_was_rebuilt() -> None:
    assert not missing_links(LINEAGE)


@pytest.mark.parametrize("gone", range(len(LINEAGE)))
def test_a_link_that_the_lineage_does_not_tell_of_is_missed(gone: int) -> None:
    (missing,) = missing_links([*LINEAGE[:gone], *LINEAGE[gone + 1 :]])
    assert missing in LINEAGE[gone] + " "
