"""The third story: a definition with a history, what retention says of it, what goes, and what must not."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.arm.galleries.seeds import RegionSeed
from sandbox.control import seeds
from sandbox.control.seeding import Seeding
from sandbox.demo.alarms import Deviation
from sandbox.demo.evidence import Evidence
from sandbox.demo.scene import DEVELOPERS
from sandbox.demo.steps import Proof, Seen, Step
from sandbox.running import RunningSandbox

GROUP: Final = "image-factory"
GALLERY: Final = "images"
HOME: Final = "westeurope"
PIN: Final = "imageFactoryKeep"
MARK: Final = "imageFactoryRetire"
AGES: Final = {
    "0.1.0": 400,
    "0.2.0": 350,
    "0.3.0": 300,
    "0.4.0": 250,
    "0.5.0": 200,
    "0.6.0": 80,
    "0.7.0": 60,
    "0.8.0": 40,
    "0.9.0": 20,
}
"""The history: versions that some script made, and how many days ago."""
USED, PINNED = "0.1.0", "0.2.0"
GOES: Final = ("0.3.0", "0.4.0", "0.5.0")
MACHINE: Final = "build-agent-7"
EAGER: Final = {"newest": 1, "younger": "0s", "superseded": "0s", "floor": 1}
"""A policy that would clear out everything that it may."""
_PATIENCE: Final = timedelta(seconds=30)


def remember(sandbox: RunningSandbox) -> None:
    """Put the history into the world: one of its versions in use, one pinned."""
    now = sandbox.clock.now()
    versions = tuple(
        seeds.SeedGalleryVersion(
            group=GROUP,
            gallery=GALLERY,
            definition=DEVELOPERS,
            version=version,
            published=now - timedelta(days=days),
            regions=(RegionSeed(name=HOME),),
            tags={PIN: "the exam of this term"} if version == PINNED else {},
        )
        for version, days in AGES.items()
    )
    machine = seeds.SeedMachine(
        group=GROUP, name=MACHINE, os_type="Windows", image={"id": _id(sandbox, USED)}, location=HOME
    )
    Seeding(sandbox.azure).carry_out(seeds.Seed(gallery_versions=versions, machines=(machine,)))


def steps(sandbox: RunningSandbox) -> tuple[Step, ...]:
    """What goes is marked, excluded from latest, deleted; each seen in Azure, each told by an event."""
    return (
        Step("Marked", _marked(sandbox), _PATIENCE),
        Step("Event published", _told("ImageFactory.VersionMarked", GOES), _PATIENCE),
        Step("Excluded", _excluded(sandbox), _PATIENCE),
        Step("Deleted", _gone(sandbox), _PATIENCE),
        Step("Event published", _told("ImageFactory.VersionRetired", GOES), _PATIENCE),
    )


def stopped() -> tuple[Step, ...]:
    """An over-eager policy trips, before anything of it is done."""
    blocked = _told("ImageFactory.RetentionBlocked", ())
    return (Step("Plan stopped", blocked, _PATIENCE),)


def become_eager(config: Path) -> None:
    """Somebody changes the policy; the app picks it up by itself."""
    document = yaml.safe_load(config.read_text(encoding="utf-8"))
    document["retention"]["gallery_versions"] = EAGER
    config.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def check_survivors(sandbox: RunningSandbox) -> None:
    """What is in use, what is pinned, and everything else that the first plan keeps is there."""
    there = {version.name for version in _versions(sandbox)}
    missing = set(AGES) - set(GOES) - there
    if missing:
        raise Deviation(f"{', '.join(sorted(missing))} of {DEVELOPERS} went, and must have stayed")
    if left := there & set(GOES):
        raise Deviation(f"{', '.join(sorted(left))} of {DEVELOPERS} should have gone")


def check_plan(plan: dict[str, Any], rules: dict[str, str]) -> None:
    """The command line gives these rules for these versions."""
    told = {verdict["name"]: verdict["rule"] for verdict in plan["verdicts"]}
    for version, rule in rules.items():
        found = told.get(f"{DEVELOPERS}/{version}")
        if found != rule:
            raise Deviation(f"the plan says {found!r} of {DEVELOPERS}/{version}, expected {rule!r}")


def check_stopped(plan: dict[str, Any]) -> None:
    kind = next(each for each in plan["kinds"] if each["kind"] == "gallery_version")
    if not kind["tripped"] or kind["approved"]:
        raise Deviation("the over-eager plan is not stopped")
    for verdict in plan["verdicts"]:
        if verdict["kind"] == "gallery_version" and verdict["step"] not in ("nothing", "wait"):
            raise Deviation(f"{verdict['name']} would go on, though its kind is stopped")


def _versions(sandbox: RunningSandbox) -> Sequence[Any]:
    return sandbox.azure.galleries.versions.of(_id(sandbox, "").removesuffix("/versions/"))


def _id(sandbox: RunningSandbox, version: str) -> str:
    group = sandbox.azure.setting.group_id
    place = f"{group}/providers/Microsoft.Compute/galleries/{GALLERY}/images/{DEVELOPERS}"
    return f"{place}/versions/{version}"


def _marked(sandbox: RunningSandbox) -> Proof:
    def proof(evidence: Evidence) -> Seen | None:
        marks = [v for v in _versions(sandbox) if MARK in v.tags]
        if {v.name for v in marks} - set(GOES):
            raise Deviation(f"{marks[0].name} is marked, and must stay")
        if len(marks) < len(GOES):
            return None
        calls = list(evidence.calls("arm", "PATCH", r"/tags/default", 200))
        return Seen(calls[-1].at, f"{', '.join(GOES)}: the tag {MARK} says since when and why")

    return proof


def _excluded(sandbox: RunningSandbox) -> Proof:
    def proof(evidence: Evidence) -> Seen | None:
        going = [v for v in _versions(sandbox) if v.name in GOES]
        if any(v.latest_in(HOME) for v in going):
            return None
        calls = list(evidence.calls("arm", "PATCH", rf"/images/{DEVELOPERS}/versions/0\.\d", 200))
        return Seen(calls[-1].at, "from latest, after the notice in which owners can pin")

    return proof


def _gone(sandbox: RunningSandbox) -> Proof:
    def proof(evidence: Evidence) -> Seen | None:
        calls = list(evidence.calls("arm", "DELETE", rf"/images/{DEVELOPERS}/versions/", 202))
        if len(calls) > len(GOES):
            raise Deviation(f"{len(calls)} deletions of versions, expected {len(GOES)}")
        if {v.name for v in _versions(sandbox)} & set(GOES):
            return None
        return Seen(calls[-1].at, "looked at once more, and then deleted, one by one")

    return proof


def _told(kind: str, versions: Sequence[str]) -> Proof:
    """Such an event for each of them; without any, one at all."""

    def proof(evidence: Evidence) -> Seen | None:
        found = evidence.published(kind)
        subjects = {each.event["subject"] for each in found}
        if not found or {f"{DEVELOPERS}/{version}" for version in versions} - subjects:
            return None
        data = found[-1].event["data"]
        about = ", ".join(versions) or (str(data.get("why")) if isinstance(data, dict) else "")
        return Seen(found[-1].at, f"{kind}: {about}")

    return proof
