"""The demo's judgement of retention: who goes, after how long, and what a plan says of the others."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.galleries.seeds import VersionSeed, VersionSeeds
from sandbox.clock import VirtualClock
from sandbox.demo import history, retention
from sandbox.demo.alarms import Deviation
from sandbox.demo.galleries import VERSION
from sandbox.demo.history import AGES, GOING, PINNED, USED
from sandbox.demo.scene import DEVELOPERS, GRACE, NOTICE, options
from sandbox.demo.steps import Step
from sandbox.overlay import configured
from shared.contracts.factory import load

from .parts import call, evidence_of

MARKED, MARKS_TOLD = retention.MARKING[1:]
EXCLUDED, DELETED, ENDS_TOLD = retention.RETIRING
NOW = 10.0  # when it is, after the story began
TAGS = "/providers/Microsoft.Resources/tags/default"
IN_TIME, TOO_SOON = NOTICE.total_seconds(), NOTICE.total_seconds() - 1.5  # a mark tells whole seconds


class Gallery:
    """The history, with the newest version above it; nobody is at work on it."""

    def __init__(self) -> None:
        self.evidence = evidence_of(VirtualClock(), DEVELOPERS, VERSION)
        self.sandbox = self.evidence.sandbox
        self.azure = self.sandbox.azure
        history.remember(self.sandbox)
        self.root = history.definition_id(self.sandbox)
        seeds = VersionSeeds(self.azure.fabric, self.azure.inventory, self.azure.galleries)
        seeds.put(f"{self.root}/versions/{VERSION}", VersionSeed())

    def mark(self, *versions: str, at: float = 1.0) -> None:
        for version in versions:
            history.versions_of(self.sandbox)[version].tags[retention.MARK] = "today"
            call(
                self.evidence,
                f"{self._id(version)}/providers/Microsoft.Resources/tags/default",
                at,
                200,
                "PATCH",
            )

    def exclude(self, *versions: str, at: float = 1.0 + IN_TIME) -> None:
        for version in versions:
            history.versions_of(self.sandbox)[version].excluded = True
            call(self.evidence, self._id(version), at, 200, "PATCH")

    def delete(self, *versions: str, at: float = 1.0 + IN_TIME + GRACE.total_seconds()) -> None:
        for version in versions:
            self.azure.fabric.records.remove(self._id(version))
            call(self.evidence, self._id(version), at, 202, "DELETE")

    def sees(self, step: Step) -> float | None:
        """How long after the beginning the step was seen to be done."""
        seen = step.proof(self.evidence)
        return (seen.at - self.evidence.began).total_seconds() if seen else None

    def _id(self, version: str) -> str:
        return f"{self.root}/versions/{version}"


def plan(stopped: str = "", **others: str) -> dict[str, Any]:
    """As the command line tells it; `others` are rules that differ, by version."""
    rules = {USED: "in-use", PINNED: "pinned", VERSION: "newest-released"} | others
    verdicts = [
        {
            "kind": "gallery_version",
            "name": f"{DEVELOPERS}/{version}",
            "rule": rules.get(version, "newest"),
            "keep": version not in GOING,
            "stage": "marked" if version in GOING else "none",
            "step": "wait" if version in GOING and not stopped else "nothing",
        }
        for version in (*AGES, VERSION)
    ]
    kind = {"kind": "gallery_version", "digest": stopped, "tripped": stopped, "approved": False}
    return {"kinds": [kind], "verdicts": verdicts}


def test_each_stage_is_seen_when_all_that_go_have_reached_it() -> None:
    gallery = Gallery()
    first, second = GOING
    stages = ((MARKED, gallery.mark), (EXCLUDED, gallery.exclude), (DELETED, gallery.delete))
    for step, reach in stages:
        reach(first)
        assert gallery.sees(step) is None
        reach(second)
        assert gallery.sees(step) is not None
    retention.check_survivors(gallery.sandbox)


def test_the_demo_waits_as_long_as_its_configuration_says(tmp_path: Path) -> None:
    rules = load(configured(options(tmp_path))).retention
    assert (rules.enforce, rules.notice, rules.grace) == (True, NOTICE, GRACE)


def test_an_exclusion_before_the_end_of_the_notice_is_a_deviation() -> None:
    gallery = Gallery()
    gallery.mark(*GOING)
    gallery.exclude(*GOING, at=1.0 + TOO_SOON)
    with pytest.raises(Deviation, match=r"excluded 0\.5 s after their marks"):
        gallery.sees(EXCLUDED)


def test_a_deletion_before_the_end_of_the_grace_time_is_a_deviation() -> None:
    gallery = Gallery()
    gallery.mark(*GOING)
    gallery.exclude(*GOING)
    gallery.delete(*GOING, at=1.2 + IN_TIME)
    with pytest.raises(Deviation, match=r"deleted 0\.2 s after their exclusion, expected 1\.0 s"):
        gallery.sees(DELETED)


@pytest.mark.parametrize("other", [USED, PINNED, "0.5.0", VERSION])
def test_a_mark_or_a_deletion_of_what_is_needed_is_a_deviation(other: str) -> None:
    gallery = Gallery()
    gallery.mark(other)
    with pytest.raises(Deviation, match=rf"{other} of {DEVELOPERS} are marked"):
        gallery.sees(MARKED)
    gallery.delete(other)
    with pytest.raises(Deviation, match=rf"versions/{other} was deleted"):
        gallery.sees(DELETED)
    with pytest.raises(Deviation, match="expected"):
        retention.check_survivors(gallery.sandbox)


def test_an_event_about_what_stays_is_a_deviation() -> None:
    gallery = Gallery()
    event = {"eventType": "ImageFactory.VersionMarked", "subject": f"{DEVELOPERS}/{USED}"}
    for watcher in gallery.azure.eventgrid.watchers:
        watcher(event, gallery.evidence.began + timedelta(seconds=NOW))
    with pytest.raises(Deviation, match=rf"VersionMarked tells of {DEVELOPERS}/{USED}"):
        gallery.sees(MARKS_TOLD)
    assert gallery.sees(ENDS_TOLD) is None


def test_a_plan_has_to_give_the_reasons_of_the_story() -> None:
    retention.check_plan(plan())
    with pytest.raises(Deviation, match=rf"says newest of {DEVELOPERS}/{USED}, expected in-use"):
        retention.check_plan(plan(**{USED: "newest"}))


def test_a_plan_that_is_stopped_is_the_one_that_was_told() -> None:
    gallery = Gallery()
    blocked = {
        "eventType": "ImageFactory.RetentionBlocked",
        "subject": "retention/gallery_version",
        "data": {"digest": "d1", "why": "too many"},
    }
    for watcher in gallery.azure.eventgrid.watchers:
        watcher(blocked, gallery.evidence.began + timedelta(seconds=NOW))
    assert gallery.sees(retention.STOPPED[0]) == NOW
    retention.check_stopped(plan(stopped="d1"), gallery.evidence)
    with pytest.raises(Deviation, match="the plan's digest is d2, the event told d1"):
        retention.check_stopped(plan(stopped="d2"), gallery.evidence)
    with pytest.raises(Deviation, match="does not say that the over-eager plan is stopped"):
        retention.check_stopped(plan(), gallery.evidence)
