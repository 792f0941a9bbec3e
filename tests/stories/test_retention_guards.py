"""What keeps a version although the plan of the sweep, or what Resource Graph shows, would let it go."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sandbox.arm.records import Group
from sandbox.arm.roles import IMAGE_FACTORY
from sandbox.azure import SUBSCRIPTION
from sandbox.faults import Fault
from sandbox.identity.tokens import FACTORY
from sandbox.switches import Switches
from shared.domain import keys
from shared.domain.galleries import Target, Update, VersionId
from shared.domain.ids import ImageName, ResourceId, RunStart
from shared.domain.orders import OrderKind
from shared.domain.records import OutputRecord, OutputState, RunRecord
from shared.domain.releases import Descent
from shared.domain.retention import MARK, PIN, Kind, RetentionRecord, Stage
from shared.domain.templates import OutputKind
from shared.domain.versions import Version
from shared.ports import Put
from shared.usecases import orders, rulings, withdrawals
from shared.usecases.retention import send

from .gallery import GALLERY
from .retaining import RetentionWorld, left
from .scenes import GROUP, TEMPLATES
from .test_retention_kinds import succeeded
from .test_retention_story import configured, staged

VERSIONS = f"{GALLERY}/images/dev/versions"
SETS = "Microsoft.Compute/virtualMachineScaleSets"
ELSEWHERE = "11111111-0000-0000-0000-000000000000"


def waiting(stage: Stage, **options: Any) -> RetentionWorld:
    """1.0.0 of three has reached a stage; from now on there is no sweep."""
    world = RetentionWorld(history=options.pop("history", 3), **options)
    world.play(staged(stage, "dev/1.0.0"), at_once=True, horizon=timedelta(days=3))
    world.sweep_retention_in(timedelta(days=400))
    return world


def look(world: RetentionWorld, number: str = "1.0.0") -> None:
    send(world.worker.outside, Kind.GALLERY_VERSION, f"{VERSIONS}/{number}".lower(), "again")


def rule(world: RetentionWorld, number: str = "1.0.0") -> str:
    return next(v.rule for v in world.plan_now().verdicts if v.name == f"dev/{number}")


def scale_set(
    world: RetentionWorld, reference: dict[str, str], group: str = GROUP, capacity: int | None = None
) -> None:
    model = {"virtualMachineProfile": {"storageProfile": {"imageReference": reference}}}
    made = world.azure.inventory.add(group, SETS, "set", model)
    if capacity is not None:
        made.extra = {"sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": capacity}}


@pytest.mark.parametrize(
    "reference",
    [
        {"id": f"{VERSIONS}/1.0.0"},
        {"sharedGalleryImageId": f"/SharedGalleries/{SUBSCRIPTION}-IMAGES/Images/dev/Versions/1.0.0"},
        {"communityGalleryImageId": "/CommunityGalleries/contoso-1234/Images/dev/Versions/1.0.0"},
    ],
)
def test_a_user_that_comes_in_the_grace_time_keeps_it_by_whatever_way_it_names_it(
    reference: dict[str, str],
) -> None:
    world = waiting(Stage.EXCLUDED)
    scale_set(world, reference)
    world.go_on(hours=2)
    look(world)
    world.sweep_retention_in(timedelta(minutes=30))
    world.go_on(hours=1)
    assert "1.0.0" in world.there()
    assert not world.going()
    assert world.version("dev/1.0.0").latest_in("westeurope")


def test_a_sibling_that_a_person_deletes_unseen_is_not_counted_on(tmp_path: Path) -> None:
    """Resource Graph still shows the one that makes the other one dispensable."""
    config = configured(tmp_path, ("newest: 2", "newest: 1"), ("floor: 2", "floor: 1"))
    switches = Switches(graph_lag_seconds=840)
    world = waiting(Stage.EXCLUDED, history=2, config=config, switches=switches)
    world.go_on(hours=2)
    world.plan_now()
    world.azure.fabric.records.remove(f"{VERSIONS}/1.0.1")
    look(world)
    world.go_on(minutes=5)
    assert world.there() == ["1.0.0"]
    world.sweep_retention_in(timedelta(hours=1))
    world.go_on(hours=5)
    assert world.there() == ["1.0.0"]
    assert not world.going()


def test_a_person_who_makes_it_latest_again_takes_the_mark_back() -> None:
    world = waiting(Stage.EXCLUDED)
    galleries = world.worker.outside.galleries
    version = galleries.get(VersionId.parse(f"{VERSIONS}/1.0.0"))
    assert version
    regions = tuple(Target(r.name, r.replicas, r.storage, excluded=False) for r in version.regions)
    galleries.update(version, Update(regions))
    world.go_on(hours=2)
    look(world)
    world.go_on(hours=1)
    assert "1.0.0" in world.there()
    assert not world.going()


def test_an_owner_who_takes_the_mark_off_and_pins_gets_it_back_as_it_was() -> None:
    world = waiting(Stage.EXCLUDED)
    version = world.version("dev/1.0.0")
    version.tags = {name: value for name, value in version.tags.items() if name != MARK} | {PIN: "mine"}
    world.sweep_retention_in(timedelta(minutes=30))
    world.go_on(hours=7)
    assert not world.going()
    assert world.version("dev/1.0.0").latest_in("westeurope")


def test_a_mark_that_is_written_anew_remembers_where_it_was_latest() -> None:
    world = waiting(Stage.EXCLUDED)
    version = world.version("dev/1.0.0")
    version.tags = {name: value for name, value in version.tags.items() if name != MARK}
    world.sweep_retention_in(timedelta(minutes=30))
    world.go_on(minutes=90)
    assert world.going()["dev/1.0.0"] is Stage.MARKED
    world.pin("dev/1.0.0")
    world.go_on(hours=3)
    assert not world.going()
    assert world.version("dev/1.0.0").latest_in("westeurope")


def test_a_hold_of_a_version_that_was_taken_over_keeps_it() -> None:
    world = RetentionWorld(history=3)
    word = withdrawals.Word("dev/1.0.0", "somebody looks at it", "c")
    withdrawals.hold(world.worker.outside, world.worker.factory(), word)
    world.go_on(hours=9)
    assert "1.0.0" in world.there()
    assert rule(world) == "busy"


def test_what_azure_refuses_holds_nothing_else_up() -> None:
    """Two at a time; the oldest two are locked."""
    world = RetentionWorld()
    for number in ("1.0.0", "1.0.1"):
        fault = Fault("arm", "status", method="DELETE", path=f"versions/{number}", status=409, count=10**6)
        world.azure.faults.add(fault)
    world.go_on(hours=10)
    assert world.there() == ["1.0.0", "1.0.1", "1.0.4", "1.0.5"]


def built(world: RetentionWorld, number: str, version: Version | None) -> RunStart:
    """A version of dev whose run was built from another version of dev."""
    source = f"{GALLERY}/images/dev"
    start = RunStart(f"2026-01-01T00:00:0{number[-1]}Z")
    when = world.clock.now() - timedelta(days=90)
    run = replace(succeeded("dev", start, when, "1.0.0", source), version=version)
    artifact = ResourceId.parse(f"{VERSIONS}/{number}")
    kind, state = OutputKind.GALLERY_VERSION, OutputState.RECORDED
    output = OutputRecord(run.image, start, "dev", kind, state, TEMPLATES, artifact=artifact)
    world.ledger.commit(keys.of_image("dev"), (Put(run), Put(output)))
    release = world.release(f"dev/{number}")
    world.ledger.commit(keys.of_definition("dev"), (Put(replace(release, run=start)),))
    if version:
        descent = Descent(source, version, run.image, start, False, when)
        world.ledger.commit(keys.of_lineage(source), (Put(descent),))
    return start


def test_children_go_before_their_parents_and_hold_up_nobody_else(tmp_path: Path) -> None:
    """One at a time; the oldest is the parent of the next, which has to go first."""
    world = RetentionWorld(config=configured(tmp_path, ("per_sweep: 2", "per_sweep: 1")))
    built(world, "1.0.1", Version.parse("1.0.0"))
    world.play(left("1.0.4", "1.0.5"), horizon=timedelta(days=4))
    gone = world.deletions()
    assert gone.index("1.0.1") < gone.index("1.0.0")


def test_a_child_of_nobody_knows_which_version_keeps_all_of_them() -> None:
    world = RetentionWorld(history=4)
    built(world, "1.0.3", None)
    assert {rule(world, number) for number in ("1.0.0", "1.0.1")} == {"doubtful"}


def test_versions_of_a_definition_that_left_the_configuration_stay(tmp_path: Path) -> None:
    """What people have said of them, such as a withdrawal, cannot be read any more."""
    config = configured(tmp_path)
    world = RetentionWorld(history=3, config=config)
    built(world, "1.0.0", None)
    text = config.read_text()
    config.write_text(text[: text.index("  dev:\n    gallery")] + text[text.index("retention:") :])
    world.worker = world.new_worker()
    verdicts = [v for v in world.plan_now().verdicts if v.kind is Kind.GALLERY_VERSION]
    assert {v.rule for v in verdicts if v.name.endswith("/1.0.0")} <= {"doubtful", "unknown"}
    assert all(v.keep for v in verdicts)


def test_machines_are_looked_for_where_images_were_made_once(tmp_path: Path) -> None:
    """Until somebody says that the subscription is out of scope."""
    entry = f"  elsewhere: {{template: dev.json, subscription: {ELSEWHERE}}}\n"
    config = configured(tmp_path, ("images:\n", f"images:\n{entry}"))
    world = RetentionWorld(history=3, config=config)
    world.azure.fabric.records.add_group(Group(ELSEWHERE, "team", "westeurope"))
    world.azure.roles.assign(FACTORY, IMAGE_FACTORY.name, f"/subscriptions/{ELSEWHERE}")
    scale_set(world, {"id": f"{VERSIONS}/1.0.0"}, f"/subscriptions/{ELSEWHERE}/resourceGroups/team")
    world.go_on(minutes=70)
    config.write_text(config.read_text().replace(entry, ""))
    world.worker = world.new_worker()
    assert world.worker.factory().scope == (SUBSCRIPTION,)
    assert rule(world) == "in-use"
    text = config.read_text().replace("retention:\n", f"retention:\n  out_of_scope: [{ELSEWHERE}]\n")
    config.write_text(text)
    world.worker = world.new_worker()
    assert rule(world) == "retire"


@pytest.mark.parametrize(("capacity", "expected"), [(2, "blind"), (0, "retire"), (None, "retire")])
def test_a_scale_set_whose_instances_cannot_be_seen_keeps_everything(
    capacity: int | None, expected: str
) -> None:
    """Whoever may not read instances gets none listed, and no word about it."""
    world = RetentionWorld(history=3)
    scale_set(world, {"id": f"{VERSIONS}/1.0.2"}, capacity=capacity)
    assert rule(world) == expected


def test_an_image_of_a_lab_uses_the_managed_image_that_it_was_made_from() -> None:
    world = RetentionWorld(history=3)
    image = f"{GROUP}/providers/Microsoft.Compute/images/golden"
    name, kind = "lab/golden", "Microsoft.DevTestLab/labs/customImages"
    world.azure.inventory.add(GROUP, kind, name, {"managedImageId": image})
    references = [r.id for seen in world.worker.outside.estate.resources((SUBSCRIPTION,)) for r in _of(seen)]
    assert image.lower() in references


def _of(seen: Any) -> tuple[Any, ...]:
    return getattr(seen, "references", ())


def test_only_the_looked_at_group_is_listed_in_a_look() -> None:
    """A sweep lists what is in every staging group that outlived its template; a look has no need to."""
    world = RetentionWorld(history=3)
    template = {"imageTemplateName": "gone", "imageTemplateResourceGroupName": "image-factory"}
    tags = {"createdBy": "AzureVMImageBuilder", **template}
    for number in range(3):
        world.azure.fabric.records.add_group(Group(SUBSCRIPTION, f"IT_{number}", "westeurope", tags))
    world.play(staged(Stage.MARKED, "dev/1.0.0"), at_once=True)
    world.sweep_retention_in(timedelta(days=400))
    before = len(world.azure.calls.list("arm"))
    world.clock.advance(timedelta(hours=4))
    look(world)
    world.go_on(minutes=1)
    paths = [call.path.lower() for call in world.azure.calls.list("arm")[before:]]
    assert not [path for path in paths if "/it_" in path and path.endswith("/resources")]


def test_every_page_of_what_was_built_from_a_version_is_read() -> None:
    """A thousand others that are gone come before the one that is there."""
    world = waiting(Stage.EXCLUDED, history=4)
    root, version, when = f"{GALLERY}/images/dev", Version.parse("1.0.0"), world.clock.now()
    for number in range(1000):
        other = Descent(root, version, ImageName("aaa"), RunStart(f"2020-01-01T{number:04}"), False, when)
        world.ledger.commit(keys.of_lineage(root), (Put(other),))
    built(world, "1.0.3", version)
    world.go_on(hours=2)
    look(world)
    world.go_on(minutes=10)
    assert "1.0.0" in world.there()


def test_a_mark_is_found_for_unmarking_however_many_there_are() -> None:
    world = waiting(Stage.MARKED)
    (held,) = [r for r in world.records(RetentionRecord) if r.name == "dev/1.0.0"]
    rows = [Put(replace(held, id=f"{held.id}-{n:04}", name=f"dev/other-{n}")) for n in range(1100)]
    for start in range(0, len(rows), 100):
        world.ledger.commit(keys.of_retention(Kind.GALLERY_VERSION.value), rows[start : start + 100])
    last = replace(held, id=f"{held.id}-9999", name="dev/last")
    world.ledger.commit(keys.of_retention(Kind.GALLERY_VERSION.value), (Put(last),))
    rulings.unmark(world.worker.outside, world.worker.factory(), "dev/last", "wanted", "c")
    assert "dev/last" not in world.going()


def test_what_a_fixed_version_was_built_into_is_known_as_its_child(tmp_path: Path) -> None:
    """Nothing watches a fixed version; the run is its child all the same, and so is what the run made."""
    config = configured(tmp_path)
    file = tmp_path / "dev.json"
    template = json.loads(file.read_text())
    template["properties"]["source"]["imageVersionId"] = f"{VERSIONS}/1.0.0"
    file.write_text(json.dumps(template))
    world = RetentionWorld(history=3, config=config)
    this = world.worker
    orders.order(this.outside, this.factory(), "dev", OrderKind.START, "one", "ada", "", "c")
    world.play(lambda w: bool(w.records(RunRecord)) and w.known("dev").run is None)
    (run,) = world.records(RunRecord)
    assert (run.source.lower(), str(run.version), run.inferred) == (
        VERSIONS.rsplit("/", 1)[0].lower(),
        "1.0.0",
        False,
    )
    assert [str(row.version) for row in world.records(Descent)] == ["1.0.0"]
    (made,) = [v for v in world.plan_now().verdicts if v.parent]
    assert made.parent == f"{VERSIONS}/1.0.0".lower()
