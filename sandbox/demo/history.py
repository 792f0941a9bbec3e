"""The history that the third story begins with: versions that a script made before the factory was there.

Some of them are needed by somebody, and two by nobody: the sample policy keeps the newest three and what is
younger than 90 days.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.arm.galleries.model import Version
from sandbox.arm.galleries.seeds import RegionSeed
from sandbox.control import seeds
from sandbox.control.seeding import Seeding
from sandbox.demo.scene import DEVELOPERS
from sandbox.running import RunningSandbox

GALLERY: Final = "images"
HOME: Final = "westeurope"
PIN: Final = "imageFactoryKeep"
AGES: Final = {
    "0.1.0": 400,
    "0.2.0": 350,
    "0.3.0": 300,
    "0.4.0": 250,
    "0.5.0": 80,
    "0.6.0": 60,
    "0.7.0": 40,
    "0.8.0": 20,
}
"""How many days ago each was made."""
USED, PINNED = "0.1.0", "0.2.0"
GOING: Final = ("0.3.0", "0.4.0")
MACHINE: Final = "build-agent-7"
EAGER: Final = {"newest": 1, "younger": "0s", "superseded": "0s", "floor": 1}
"""A policy by which everything goes that may: four at once, which is more than `trip` allows."""
EAGER_WORDS: Final = "To keep the newest one alone"


def remember(sandbox: RunningSandbox) -> None:
    """Put the history into the world: one of its versions in use, one pinned."""
    now, group = sandbox.clock.now(), sandbox.setting.group
    versions = tuple(
        seeds.SeedGalleryVersion(
            group=group,
            gallery=GALLERY,
            definition=DEVELOPERS,
            version=version,
            published=now - timedelta(days=days),
            regions=(RegionSeed(name=HOME),),
            tags={PIN: "the course of this term"} if version == PINNED else {},
        )
        for version, days in AGES.items()
    )
    image = {"id": f"{definition_id(sandbox)}/versions/{USED}"}
    machine = seeds.SeedMachine(group=group, name=MACHINE, os_type="Windows", image=image, location=HOME)
    Seeding(sandbox.azure).carry_out(seeds.Seed(gallery_versions=versions, machines=(machine,)))


def become_eager(config: Path) -> None:
    """Somebody changes the policy in the file that the app reads; it picks that up by itself."""
    document: dict[str, Any] = yaml.safe_load(config.read_text(encoding="utf-8"))
    document["retention"]["gallery_versions"] = EAGER
    config.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def versions_of(sandbox: RunningSandbox) -> dict[str, Version]:
    """Those that are there now, by their numbers."""
    return {each.name: each for each in sandbox.azure.galleries.versions.of(definition_id(sandbox))}


def definition_id(sandbox: RunningSandbox) -> str:
    group = sandbox.setting.group_id
    return f"{group}/providers/Microsoft.Compute/galleries/{GALLERY}/images/{DEVELOPERS}"
