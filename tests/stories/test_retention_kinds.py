"""Managed images, archived VHDs, templates and staging groups go by the same stages, each in its own way."""

import json
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sandbox.arm.compute.seeds import MachineSeed
from sandbox.arm.imagebuilder.seeds import RunSeed, TemplateSeed
from sandbox.arm.records import Group
from sandbox.arm.roles import IMAGE_FACTORY
from sandbox.identity.tokens import FACTORY
from shared.domain import keys
from shared.domain.ids import BlobAddress, ImageName, ResourceId, RunStart
from shared.domain.records import OutputRecord, OutputState, RunRecord
from shared.domain.releases import DefinitionName, Descent, ReleaseRecord
from shared.domain.retention import OWNER, PIN, Kind, Stage
from shared.domain.templates import OutputKind, RunState
from shared.domain.versions import Version
from shared.ports import Insert, Put
from shared.usecases import rulings

from .endings import NEW, NEWER
from .retaining import Retaining, RetentionWorld
from .scenes import GROUP, IMAGE, TEMPLATES, factory_file, vhd_distributor
from .world import World

RULES = {
    "mode": "enforce",
    "notice": "1h",
    "grace": "1h",
    "archived_vhds": {"newest": 1, "floor": 1, "younger": "30d", "superseded": "0s"},
    "managed_images": {"newest": 1, "floor": 1, "younger": "30d", "superseded": "0s"},
    "left_configuration": {"newest": 0, "floor": 0, "younger": "30d"},
}


def built(folder: Path, *versions: str, **options: Any) -> Retaining:
    """An image was built from these versions, the last time a hundred days ago."""
    config = factory_file(folder, IMAGE, retention=RULES, **options)
    world = Retaining(config=config)
    world.go_on(minutes=10)
    for version in versions:
        world.publish_version(version)
        world.play(partial(safe, version))
        world.clock.advance(timedelta(days=1))
    later(world, days=100)
    return world


def vhds(world: Retaining) -> list[BlobAddress]:
    return [at for at in world.archived() if at.name.endswith(".vhd")]


def safe(version: str, world: World) -> bool:
    image = world.image()
    return image is not None and str(image.built) == version and not image.unsettled


def later(world: Retaining, days: int) -> None:
    """By then the app has long been started anew."""
    world.clock.advance(timedelta(days=days))
    world.worker = world.new_worker()


DELETE = {"options": {"after_archive": "delete_template"}}
VERSIONS = (NEW, NEWER, "22.04.209903010")


def rules(world: Retaining) -> dict[str, str]:
    return {v.name: v.rule for v in world.plan_now().verdicts}


def test_old_vhds_go_with_their_manifests_and_the_newest_stays(tmp_path: Path) -> None:
    world = built(tmp_path, *VERSIONS, **DELETE)
    first, second, third = sorted(vhds(world), key=lambda at: world.blobs.facts(at).modified)
    world.go_on(hours=6)
    assert world.archived() == sorted([third, third.beside(".json")], key=str)
    states = [o.state for o in world.records(OutputRecord)]
    assert sorted(states, key=str) == sorted([OutputState.RETIRED] * 2 + [OutputState.ARCHIVED], key=str)
    assert set(world.events("VersionRetired")) == {str(first), str(second)}
    assert not world.going()


def test_vhds_that_were_distributed_into_the_archive_go_with_their_manifests(tmp_path: Path) -> None:
    """Theirs tell the run in their names, since the next run may take the same name for its VHD."""
    into = vhd_distributor(uri="https://archive.blob.core.windows.net/images")
    world = built(tmp_path, *VERSIONS, properties=into, **DELETE)
    third = max(vhds(world), key=lambda at: world.blobs.facts(at).modified)
    world.go_on(hours=6)
    assert vhds(world) == [third]
    (manifest,) = (at for at in world.archived() if at.name.endswith(".json"))
    assert manifest.name.startswith(third.name.removesuffix(".vhd"))
    assert not world.going()


def test_a_vhd_is_pinned_by_its_metadata_and_an_unknown_one_stays(tmp_path: Path) -> None:
    world = built(tmp_path, *VERSIONS, **DELETE)
    oldest = min(vhds(world), key=lambda at: world.blobs.facts(at).modified)
    foreign = BlobAddress("archive", "images", "somebody/else.vhd")
    world.blobs.plant(foreign, [(0, b"x" * 512)], length=512, page_blob=True)
    rulings.pin(world.worker.outside, world.worker.factory(), str(oldest), "we need it")
    world.go_on(hours=6)
    assert {oldest, foreign} <= set(vhds(world))
    assert len(vhds(world)) == 3
    assert world.blobs.facts(oldest).metadata[PIN] == "we need it"
    assert rules(world)[str(foreign)] == "unknown"


def test_a_vhd_that_changes_while_it_is_going_is_marked_anew(tmp_path: Path) -> None:
    """Its mark went with the metadata that somebody else has written."""
    world = built(tmp_path, *VERSIONS, **DELETE)
    world.play(lambda w: Stage.EXCLUDED in w.going().values(), at_once=True)  # type: ignore[attr-defined]  # a Retaining
    going = [BlobAddress(*name.split("/", 2)) for name in world.going()]
    for at in going:
        facts = world.blobs.facts(at)
        metadata = {n: v for n, v in facts.metadata.items() if not n.startswith("imageFactory")}
        world.blobs.mark(at, metadata, facts.etag)
    world.go_on(minutes=70)
    assert set(going) <= set(vhds(world))
    world.go_on(hours=6)
    assert len(vhds(world)) == 1


def test_what_belongs_to_an_image_that_left_goes_but_for_its_newest(tmp_path: Path) -> None:
    """Its template goes too, once nothing of its last run is in danger, and the staging group with it."""
    world = built(tmp_path, *VERSIONS[:1], options={"after_archive": "keep_template"})
    factory_file(tmp_path, "other", retention=RULES)
    world.go_on(hours=6)
    assert not [t for t in world.azure.imagebuilder.templates() if t.name == IMAGE]
    assert len(vhds(world)) == 1, "the newest good one"
    assert IMAGE in world.events("VersionRetired")
    reason = next(v.reason for v in world.plan_now().verdicts if v.kind is Kind.ARCHIVED_VHD)
    assert reason == "the newest good one"


def test_a_template_whose_output_is_not_safe_stays(tmp_path: Path) -> None:
    world = Retaining(config=factory_file(tmp_path, IMAGE, retention=RULES))
    world.go_on(minutes=10)
    world.blobs.denied.add(("archive", "write"))
    world.publish_version(NEW)
    world.play(lambda w: bool(w.records(OutputRecord)), at_once=True)
    factory_file(tmp_path, "other", retention=RULES)
    later(world, days=40)
    world.go_on(hours=4)
    assert [t.name for t in world.azure.imagebuilder.templates() if t.name == IMAGE]
    assert rules(world)[IMAGE] == "busy"


def stick(world: Retaining) -> None:
    """A run of one of the factory's templates has been going on for twenty hours."""
    group = world.azure.fabric.records.group(GROUP.split("/")[2], "image-factory")
    assert group is not None
    file = json.loads(bytes(world.worker.factory().image(IMAGE).body))
    seed = TemplateSeed(
        properties=file["properties"],
        identity=next(iter(file["identity"]["userAssignedIdentities"])),
        tags={OWNER: IMAGE},
        run=RunSeed(state="Running", started=world.clock.now() - timedelta(hours=20)),
    )
    world.azure.imagebuilder.seeds.template(group, "stuck", "westeurope", str(seed.identity), seed)


def test_a_run_beyond_its_time_is_reported_and_cancelled_and_never_deleted(tmp_path: Path) -> None:
    world = Retaining(config=factory_file(tmp_path, IMAGE, retention=RULES))
    world.go_on(minutes=10)
    stick(world)
    verdict = next(v for v in world.plan_now().verdicts if v.name == "stuck")
    assert (verdict.keep, verdict.rule, verdict.step.value) == (True, "stuck", "cancel")
    assert verdict.reason.startswith("stuck: Running since 2026-11-20 13:10 UTC, longer than ")
    world.go_on(hours=3)
    found = world.azure.imagebuilder.template(f"{TEMPLATES}/stuck")
    assert found is not None
    assert found.last_run is not None
    assert found.last_run.state == "Canceled"
    assert world.journal("template-cancelled") == ["stuck template-cancelled"]
    assert world.journal("template-stuck") == ["stuck template-stuck"]
    assert "stuck" in world.events("WorkFailed")


def orphan(world: Retaining) -> str:
    """A template is gone, and its staging group was forgotten; the group's id."""
    template = next(iter(world.azure.imagebuilder.templates()))
    assert template.staging is not None
    group: str = template.staging.group_id
    world.azure.fabric.records.remove(template.id)
    return group


def test_a_staging_group_that_outlived_its_template_goes_unless_it_holds_more(tmp_path: Path) -> None:
    world = built(tmp_path, *VERSIONS[:2], options={"after_archive": "keep_template"})
    group = orphan(world)
    factory_file(tmp_path, "other", retention=RULES)
    foreign = world.azure.inventory.add(group, "Microsoft.Web/sites", "mine", {})
    world.go_on(hours=4)
    name = group.rsplit("/", 1)[1].lower()
    assert rules(world)[name] == "doubtful"
    world.azure.fabric.records.remove(foreign.id)
    world.go_on(hours=6)
    assert world.azure.fabric.records.group(group.split("/")[2], name) is None
    assert name in world.events("VersionRetired")


def test_a_staging_group_with_something_pinned_in_it_stays(tmp_path: Path) -> None:
    world = built(tmp_path, *VERSIONS[:2], options={"after_archive": "keep_template"})
    group = orphan(world)
    factory_file(tmp_path, "other", retention=RULES)
    kind = "Microsoft.Compute/disks"
    world.azure.inventory.add(group, kind, "evidence", {}, tags={PIN.upper(): "the auditors want it"})
    world.go_on(hours=9)
    assert rules(world)[group.rsplit("/", 1)[1].lower()] == "doubtful"


def test_a_staging_group_of_somebody_elses_template_stays(tmp_path: Path) -> None:
    """One bears the name of ours in another subscription; ours has passed to another template."""
    world = built(tmp_path, *VERSIONS[:1], options={"after_archive": "keep_template"})
    group = orphan(world)
    elsewhere, name = "11111111-0000-0000-0000-000000000000", group.rsplit("/", 1)[1]
    factory_file(tmp_path, "other", retention=RULES | {"subscriptions": [elsewhere]})
    of = {"imageTemplateName": "theirs", "imageTemplateResourceGroupName": "team"}
    tags = {"createdBy": "AzureVMImageBuilder", **of}
    world.azure.fabric.records.add_group(Group(elsewhere, name, "westeurope", tags))
    world.azure.roles.assign(FACTORY, IMAGE_FACTORY.name, f"/subscriptions/{elsewhere}")
    ours = world.azure.fabric.records.group(group.split("/")[2], name)
    assert ours
    ours.tags = {**ours.tags, **of}
    groups = [v.rule for v in world.plan_now().verdicts if v.kind is Kind.STAGING_GROUP]
    assert sorted(groups) == ["doubtful", "unknown"]


def succeeded(image: str, start: RunStart, ended: datetime, version: str, source: str = "") -> RunRecord:
    return RunRecord(
        image=ImageName(image),
        template=TEMPLATES,
        start=start,
        started=ended,
        ended=ended,
        state=RunState.SUCCEEDED,
        message="",
        version=Version.parse(version),
        inferred=False,
        ours=True,
        why="",
        outputs=("image",),
        log_end="",
        staging_group=None,
        correlation="c-1",
        source=source,
    )


def with_images(world: Retaining, *names: str, location: str = "westeurope", days: int = 200) -> None:
    """Managed images of the image's runs, ten days apart, as the ledger knows them."""
    for number, name in enumerate(names):
        id = f"{GROUP}/providers/Microsoft.Compute/images/{name}"
        world.azure.compute.seeds.image(id, location, MachineSeed(), {OWNER: IMAGE})
        ended = world.clock.now() - timedelta(days=days - 10 * number)
        start = RunStart(f"{ended:%Y-%m-%dT%H:%M:%S.000000000Z}")
        run = succeeded(IMAGE, start, ended, NEW)
        output = OutputRecord(
            ImageName(IMAGE),
            start,
            "image",
            OutputKind.MANAGED_IMAGE,
            OutputState.RECORDED,
            TEMPLATES,
            artifact=ResourceId.parse(id),
        )
        world.ledger.commit(f"image:{IMAGE}", (Insert(run), Insert(output)))


def test_old_managed_images_go_and_the_one_in_use_stays(tmp_path: Path) -> None:
    world = Retaining(config=factory_file(tmp_path, IMAGE, retention=RULES))
    world.go_on(minutes=10)
    with_images(world, "one", "two", "three", "four")
    reference = {"id": f"{GROUP}/providers/Microsoft.Compute/images/TWO"}
    machine = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web"
    world.azure.compute.seeds.machine(machine, "westeurope", MachineSeed(image=reference))
    world.go_on(hours=6)
    there = world.azure.fabric.records.of_kind("Microsoft.Compute/images", GROUP)
    assert sorted(image.id.rsplit("/", 1)[1] for image in there) == ["four", "two"]
    assert sorted(world.events("VersionRetired")) == ["one", "three"]


def test_the_newest_managed_image_of_each_region_stays(tmp_path: Path) -> None:
    """One resource group holds them all."""
    world = Retaining(config=factory_file(tmp_path, IMAGE, retention=RULES))
    world.go_on(minutes=10)
    with_images(world, "north", location="northeurope", days=205)
    with_images(world, "west-1", "west-2")
    assert rules(world) == {"north": "newest-good", "west-1": "retire", "west-2": "newest-good"}


def test_what_something_kept_was_built_from_is_kept_and_goes_after_it(tmp_path: Path) -> None:
    """base/1.0.0 is the parent of dev/1.0.0: while that is kept both stay; then the child goes first."""
    world = RetentionWorld(history=0)
    for number in range(4):
        world.seed(f"1.0.{number}", days=200 - 10 * number, definition="base")
        world.seed(f"1.0.{number}", days=190 - 10 * number)
    out, factory = world.worker.outside, world.worker.factory()
    for definition in ("base", "dev"):
        rulings.adopt(out, factory, definition, "dev", (), "c-1")
    descend(world, "1.0.0")
    world.pin("dev/1.0.0")
    world.go_on(hours=12)
    assert world.there("base") == ["1.0.0", "1.0.2", "1.0.3"]
    assert rules(world)["base/1.0.0"] == "parent"
    rulings.unpin(out, factory, "dev/1.0.0")
    world.go_on(hours=16)
    assert world.there("base") == ["1.0.2", "1.0.3"]
    assert "1.0.0" not in world.there()
    gone = [e["subject"] for e in world.published if e["eventType"].endswith("VersionRetired")]
    assert gone.index("dev/1.0.0") < gone.index("base/1.0.0")


def descend(world: RetentionWorld, number: str) -> None:
    """As the end of a run records it: dev's version was built from base's."""
    start, now = RunStart("2026-06-01T00:00:00.000000000Z"), world.clock.now()
    root, version = str(world.worker.factory().definitions[DefinitionName("base")].id), Version.parse(number)
    run = succeeded("dev", start, now, number, root)
    artifact = ResourceId.parse(world.version(f"dev/{number}").id)
    output = OutputRecord(
        ImageName("dev"),
        start,
        "dev",
        OutputKind.GALLERY_VERSION,
        OutputState.RECORDED,
        TEMPLATES,
        artifact=artifact,
    )
    world.ledger.commit("image:dev", (Put(run), Put(output)))
    world.ledger.commit(
        keys.of_lineage(root), (Put(Descent(root, version, ImageName("dev"), start, False, now)),)
    )
    release: ReleaseRecord = world.release(f"dev/{number}")
    world.ledger.commit("definition:dev", (Put(replace(release, run=start)),))
