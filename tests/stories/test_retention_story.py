"""Retention from end to end: what goes goes in stages, and whatever keeps it in between keeps it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.roles import IMAGE_FACTORY
from sandbox.azure import SUBSCRIPTION
from sandbox.faults import Fault
from sandbox.identity.tokens import FACTORY
from sandbox.switches import Switches
from shared.domain.errors import Invalid
from shared.domain.records import JournalLine
from shared.domain.retention import MARK, PIN, Kind, Stage
from shared.usecases import rulings

from .gallery import GALLERY
from .retaining import CONFIG, RetentionWorld, assert_sound, left
from .scenes import GROUP

OLD = ("dev/1.0.0", "dev/1.0.1", "dev/1.0.2", "dev/1.0.3")
NOTICE = timedelta(hours=3)


def configured(folder: Path, *changes: tuple[str, str]) -> Path:
    """The stories' configuration, changed."""
    text = CONFIG.read_text(encoding="utf-8")
    for was, becomes in changes:
        assert was in text
        text = text.replace(was, becomes)
    for file in CONFIG.parent.glob("*.json"):
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    path = folder / "factory.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def staged(stage: Stage, *names: str) -> Callable[[Any], bool]:
    return lambda world: {n for n, s in world.going().items() if s is stage} >= set(names)


def moment(world: RetentionWorld, what: str, name: str) -> JournalLine:
    found: JournalLine = next(r for r in world.records(JournalLine) if (r.thing, r.what) == (name, what))
    return found


def test_old_versions_go_in_stages_and_the_others_stay() -> None:
    """Marked, and after the notice excluded, and after the grace deleted; two at a time, the oldest first."""
    world = RetentionWorld()
    world.play(left("1.0.4", "1.0.5"))
    assert world.events("VersionMarked") == list(OLD) == world.events("VersionRetired")
    assert world.deletions() == ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]
    for name in OLD:
        marked, excluded, gone = (
            moment(world, what, name).at for what in ("thing-marked", "thing-excluded", "thing-deleting")
        )
        assert excluded - marked >= NOTICE
        assert gone - excluded >= timedelta(hours=1)
    first, third = (moment(world, "thing-excluded", name).at for name in (OLD[0], OLD[2]))
    assert third - first >= timedelta(minutes=50), "per_sweep: the next two an hour later"
    assert_sound(world, ["1.0.4", "1.0.5"])
    world.go_on(hours=6)
    assert world.there() == ["1.0.4", "1.0.5"], "the newest stay"


def test_each_stage_can_be_seen_on_the_thing_and_in_the_plan() -> None:
    world = RetentionWorld()
    world.play(staged(Stage.MARKED, *OLD))
    marked = world.version("dev/1.0.0").tags[MARK]
    assert marked.startswith("2026-11-21T")
    assert (
        "made 2026-08-13 09:00 UTC, superseded 2026-08-23 09:00 UTC: no part of its policy keeps it" in marked
    )
    verdict = next(v for v in world.plan_now().verdicts if v.name == "dev/1.0.0")
    assert (verdict.keep, verdict.stage, verdict.step.value) == (False, Stage.MARKED, "wait")
    world.play(staged(Stage.EXCLUDED, "dev/1.0.0"))
    assert world.version("dev/1.0.0").excluded


def test_what_a_machine_came_from_and_what_is_pinned_stay() -> None:
    world = RetentionWorld()
    world.machine("web", f"{GALLERY}/images/dev/versions/1.0.0")
    world.machine("db", f"{GALLERY}/images/dev", exact="1.0.1")
    world.pin("dev/1.0.2")
    world.play(left("1.0.0", "1.0.1", "1.0.2", "1.0.4", "1.0.5"))
    reasons = {v.name: v.reason for v in world.plan_now().verdicts}
    assert reasons["dev/1.0.0"] == "in use by web"
    assert reasons["dev/1.0.1"] == "in use by db"
    assert reasons["dev/1.0.2"] == "pinned by a tag"


def test_scale_sets_their_instances_and_labs_are_users_too() -> None:
    """An instance keeps the version that it was made from, whatever its set's model is now."""
    world, versions = RetentionWorld(), f"{GALLERY}/images/dev/versions"
    add = world.azure.inventory.add
    profile = {"storageProfile": {"imageReference": {"id": f"{versions}/1.0.5"}}}
    add(GROUP, "Microsoft.Compute/virtualMachineScaleSets", "set", {"virtualMachineProfile": profile})
    instance = {"storageProfile": {"imageReference": {"id": f"{versions}/1.0.0".upper()}}}
    add(GROUP, "Microsoft.Compute/virtualMachineScaleSets/virtualMachines", "set/0", instance)
    lab = {"virtualMachineProfile": {"imageReference": {"id": f"{versions}/1.0.1"}}}
    add(GROUP, "Microsoft.LabServices/labs", "class", lab)
    shared = f"/SharedGalleries/{SUBSCRIPTION}-IMAGES/Images/dev/Versions/1.0.2"
    add(
        GROUP,
        "Microsoft.DevTestLab/labs/virtualMachines",
        "lab/vm",
        {"galleryImageReference": {"sharedGalleryImageId": shared}},
    )
    world.play(left("1.0.0", "1.0.1", "1.0.2", "1.0.4", "1.0.5"))


def test_a_machine_that_does_not_say_its_version_keeps_them_all() -> None:
    world = RetentionWorld()
    world.machine("odd", f"{GALLERY}/images/dev")
    world.go_on(hours=6)
    assert not world.going()


@pytest.mark.parametrize("stage", [Stage.MARKED, Stage.EXCLUDED])
def test_a_pin_at_any_stage_takes_the_mark_back(stage: Stage) -> None:
    """And what was excluded is offered again where it was."""
    world = RetentionWorld(history=3)
    world.play(staged(stage, "dev/1.0.0"), at_once=True)
    world.pin("dev/1.0.0")
    world.go_on(hours=7)
    version = world.version("dev/1.0.0")
    assert MARK not in version.tags
    assert version.latest_in("westeurope")
    assert not world.going()
    assert "dev/1.0.0 thing-unmarked" in world.journal("thing-unmarked")


@pytest.mark.parametrize(
    ("was", "becomes"), [("younger: 30d", "younger: 3000d"), ("mode: enforce", "mode: dry_run")]
)
@pytest.mark.parametrize("stage", [Stage.MARKED, Stage.EXCLUDED])
def test_a_policy_that_is_taken_back_takes_the_marks_back(
    tmp_path: Path, stage: Stage, was: str, becomes: str
) -> None:
    world = RetentionWorld(history=3, config=configured(tmp_path))
    world.play(staged(stage, "dev/1.0.0"), at_once=True)
    configured(tmp_path, (was, becomes))
    world.go_on(hours=4)
    assert not world.going()
    assert MARK not in world.version("dev/1.0.0").tags
    assert world.version("dev/1.0.0").latest_in("westeurope")


def test_a_machine_that_comes_at_the_last_moment_keeps_it() -> None:
    world = RetentionWorld(history=3)
    world.play(staged(Stage.EXCLUDED, "dev/1.0.0"), at_once=True)
    world.machine("late", f"{GALLERY}/images/dev/versions/1.0.0")
    world.go_on(hours=6)
    assert world.there() == ["1.0.0", "1.0.1", "1.0.2"]
    assert not world.deletions()


def test_a_dry_run_tells_and_changes_nothing(tmp_path: Path) -> None:
    world = RetentionWorld(config=configured(tmp_path, ("mode: enforce", "mode: dry_run")))
    before = len(world.azure.calls.list("arm"))
    world.go_on(hours=6)
    plan = world.plan_now()
    assert [v.name for v in plan.verdicts if not v.keep] == list(OLD)
    assert not plan.enforce
    writes = [c for c in world.azure.calls.list("arm")[before:] if c.method in ("PATCH", "PUT", "DELETE")]
    assert not writes
    assert not world.events("VersionMarked")


def test_an_image_that_only_observes_loses_nothing(tmp_path: Path) -> None:
    config = configured(tmp_path, ("dev: {template: dev.json}", "dev: {template: dev.json, mode: observe}"))
    world = RetentionWorld(config=config)
    world.go_on(hours=6)
    assert not world.going()
    assert [v.name for v in world.plan_now().verdicts if not v.keep] == list(OLD)


def test_versions_that_nobody_has_taken_over_stay() -> None:
    """No ownership tag, or no record: the factory does not know them as its own."""
    world = RetentionWorld()
    tags = {"imageFactoryImage": "dev"}
    world.seed("0.9.0", days=300)
    world.seed("0.9.1", days=300, tags=tags)
    world.play(left("0.9.0", "0.9.1", "1.0.4", "1.0.5"))
    reasons = {v.name: v.reason for v in world.plan_now().verdicts}
    assert reasons["dev/0.9.0"].endswith("its ownership tag is missing")
    assert reasons["dev/0.9.1"].endswith("a record of it in the ledger is missing")


def test_a_mark_that_the_ledger_does_not_know_counts_for_nothing() -> None:
    """Tags are copied by all sorts of tools: the notice begins anew."""
    world = RetentionWorld(history=3)
    world.version("dev/1.0.0").tags[MARK] = "2026-01-01T00:00:00Z because"
    world.play(left("1.0.1", "1.0.2"))
    marked = moment(world, "thing-marked", "dev/1.0.0").at
    assert moment(world, "thing-excluded", "dev/1.0.0").at - marked >= NOTICE


def test_a_plan_that_is_abnormal_stops_until_a_person_approves_that_very_plan(tmp_path: Path) -> None:
    world = RetentionWorld(config=configured(tmp_path, ("number: 10", "number: 1")))
    world.go_on(hours=3)
    assert not world.going()
    assert world.events("RetentionBlocked") == ["retention/gallery_version"]
    kind = next(k for k in world.plan_now().kinds if k.kind is Kind.GALLERY_VERSION)
    assert kind.stopped
    assert kind.tripped.startswith("4 of 6 gallery versions of dev would newly be marked, more than the 1")
    out, factory = world.worker.outside, world.worker.factory()
    with pytest.raises(Invalid, match=f"no plan 'nonsense' waits.*{kind.digest}"):
        rulings.approve(out, factory, "nonsense", "me", "c-1")
    assert rulings.approve(out, factory, kind.digest, "me", "c-1") == (Kind.GALLERY_VERSION,)
    world.play(left("1.0.4", "1.0.5"))


def test_any_change_of_the_plan_voids_the_approval(tmp_path: Path) -> None:
    world = RetentionWorld(config=configured(tmp_path, ("number: 10", "number: 1")))
    world.go_on(hours=3)
    digest = next(k.digest for k in world.plan_now().kinds if k.going)
    rulings.approve(world.worker.outside, world.worker.factory(), digest, "me", "c-1")
    world.pin("dev/1.0.0")
    world.go_on(hours=3)
    assert not world.going()
    assert world.journal("approval-void") == ["gallery_version approval-void"]
    assert len([e for e in world.published if e["eventType"].endswith("RetentionBlocked")]) == 2


def test_an_approval_outlives_what_cannot_be_seen_for_a_while(tmp_path: Path) -> None:
    world = RetentionWorld(config=configured(tmp_path, ("number: 10", "number: 1")))
    world.go_on(hours=2)
    digest = next(k.digest for k in world.plan_now().kinds if k.going)
    rulings.approve(world.worker.outside, world.worker.factory(), digest, "me", "c-1")
    fault = world.azure.faults.add(Fault("arm", "status", method="POST", path="ResourceGraph", count=10**6))
    world.go_on(hours=2)
    world.azure.faults.remove(fault.id)
    world.play(left("1.0.4", "1.0.5"))
    assert not world.journal("approval-void")


def test_what_cannot_be_seen_keeps_everything(tmp_path: Path) -> None:
    """Resource Graph says nothing of a subscription that the identity cannot see."""
    other = "22222222-2222-2222-2222-222222222222"
    config = configured(tmp_path, ("  minimum_age: 1d", f"  minimum_age: 1d\n  subscriptions: [{other}]"))
    world = RetentionWorld(config=config)
    world.go_on(hours=3)
    assert not world.going()
    assert {v.rule for v in world.plan_now().verdicts} == {"blind"}
    assert other in world.plan_now().blind[0]
    assert world.events("RetentionBlocked")


def test_a_role_that_does_not_reach_the_whole_subscription_keeps_everything() -> None:
    """Resource Graph would leave out the machines of other groups without a word."""
    world = RetentionWorld()
    world.play(staged(Stage.EXCLUDED, "dev/1.0.0"), at_once=True)
    world.azure.roles.revoke(FACTORY, IMAGE_FACTORY.name)
    world.azure.roles.assign(FACTORY, IMAGE_FACTORY.name, GROUP)
    world.go_on(hours=6)
    assert not world.deletions()
    assert "Microsoft.Compute/virtualMachines/read" in world.plan_now().blind[0]
    assert world.going(), "marks stay as they are"
    world.azure.roles.assign(FACTORY, IMAGE_FACTORY.name, f"/subscriptions/{SUBSCRIPTION}")
    world.play(left("1.0.4", "1.0.5"))


def test_a_list_that_fails_half_way_keeps_everything_for_now() -> None:
    world = RetentionWorld()
    fault = world.azure.faults.add(
        Fault("arm", "status", method="POST", path="ResourceGraph", nth=2, count=10**6)
    )
    world.go_on(hours=5)
    assert not world.going()
    world.azure.faults.remove(fault.id)
    world.play(left("1.0.4", "1.0.5"))


def test_azure_s_own_guard_is_respected() -> None:
    """`blockDeletionBeforeEndOfLife`: what Azure would refuse is not asked for."""
    world = RetentionWorld(history=3)
    end = world.clock.now() + timedelta(days=30)
    world.seed("0.1.0", days=400, end_of_life=end, block_deletion=True)
    rulings.adopt(world.worker.outside, world.worker.factory(), "dev", "dev", ("0.1.0",), "c-1")
    world.play(left("0.1.0", "1.0.1", "1.0.2"))
    verdict = next(v for v in world.plan_now().verdicts if v.name == "dev/0.1.0")
    assert verdict.reason.startswith("Azure blocks its deletion before its end of life on 2026-12-21")


def test_a_soft_deleted_version_can_be_brought_back_and_stays() -> None:
    world = RetentionWorld(history=3)
    gallery = world.azure.galleries.seed_gallery(GROUP, "images")
    gallery.properties["softDeletePolicy"] = {"isSoftDeleteEnabled": True, "retentionPeriodInDays": 7}
    world.play(left("1.0.1", "1.0.2"))
    told = rulings.undelete(world.worker.outside, world.worker.factory(), "dev/1.0.0", "c-1")
    assert told == ""
    world.go_on(hours=6)
    assert world.there() == ["1.0.0", "1.0.1", "1.0.2"]
    assert PIN in world.version("dev/1.0.0").tags


@pytest.mark.parametrize("lag", [120.0, 840.0])
def test_a_resource_graph_that_is_behind_only_costs_time(lag: float) -> None:
    world = RetentionWorld(switches=Switches(graph_lag_seconds=lag))
    world.play(left("1.0.4", "1.0.5"), horizon=timedelta(days=3))
    assert_sound(world, ["1.0.4", "1.0.5"])
    assert world.events("VersionMarked") == list(OLD)


def test_a_version_that_somebody_else_deletes_is_told_and_forgotten() -> None:
    world = RetentionWorld(history=3)
    world.play(staged(Stage.MARKED, "dev/1.0.0"), at_once=True)
    world.azure.fabric.records.remove(world.version("dev/1.0.0").id)
    world.go_on(hours=2)
    assert not world.going()
    assert world.journal("thing-gone") == ["dev/1.0.0 thing-gone"]
    assert not world.events("VersionRetired")
