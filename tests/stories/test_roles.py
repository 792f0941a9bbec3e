"""What the app's identity needs: a token of the right audience for every request, and these roles alone."""

import json
from pathlib import Path

from sandbox.arm.galleries.replication import Plan
from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.arm.roles import IMAGE_FACTORY
from sandbox.azure import SUBSCRIPTION
from sandbox.identity.tokens import FACTORY
from shared.domain.records import JournalLine, OutputRecord, OutputState, RunRecord
from shared.domain.releases import ReleaseRecord, Stage
from shared.usecases import withdrawals

from .endings import NEW, assert_fault_free, released
from .gallery import GALLERY, begun, rebuilt, say
from .outside import ARM
from .retaining import RetentionWorld, left
from .scenes import GROUP, IMAGE, factory_file
from .test_retention_kinds import built, orphan, stick, with_images
from .world import World

ROOT = Path(__file__).parent.parent.parent
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"


def eventful(tmp_path: Path) -> World:
    """A run that fails and leaves a log, one with outputs of every kind, a template that comes and goes.

    Its gallery version is released.
    """
    images = f"{COMPUTE}/images/managed"
    targets = [
        {"type": "VHD", "runOutputName": f"{IMAGE}-vhd"},
        {"type": "ManagedImage", "runOutputName": "managed", "imageId": images, "location": "westeurope"},
        {
            "type": "SharedImage",
            "runOutputName": "gallery",
            "galleryImageId": f"{COMPUTE}/galleries/main/images/web",
            "replicationRegions": ["westeurope"],
            "excludeFromLatest": True,
        },
    ]
    rings = [{"name": "all", "regions": {"westeurope": {}}}]
    web = {"gallery": "main", "location": "westeurope", "rings": rings}
    config = factory_file(tmp_path, properties={"distribute": targets}, definitions={"web": web})
    world = World(config=config)
    world.azure.galleries.seed_definition(GROUP, "main", "web", os_type="Linux")
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    world.plan(IMAGE, Outcome(result="failure"))
    world.play(lambda w: len(w.records(RunRecord)) == 2 and released(NEW)(w) and _latest(w))
    return world


def _latest(world: World) -> bool:
    return any(r.stage is Stage.RELEASED for r in world.records(ReleaseRecord))


def actions(world: World) -> set[str]:
    """What the factory's requests to Resource Manager needed, in lower case."""
    calls = world.azure.calls.list("arm")
    return {action.lower() for call in calls for action in (call.action, *call.linked) if action}


def test_every_request_carries_the_factory_s_token_of_the_right_audience(tmp_path: Path) -> None:
    """Resource Manager's for Resource Manager, Event Grid's for the topic; nobody else's anywhere."""
    world = eventful(tmp_path)
    told = {(call.service, call.principal, call.audience) for call in world.azure.calls}
    assert told == {
        ("arm", FACTORY, ARM),
        ("eventgrid", FACTORY, "https://eventgrid.azure.net"),
    }


def retiring_everything(folder: Path) -> set[str]:
    """Things of every kind go, while others are in use by everything that can use them."""
    world = RetentionWorld(history=3)
    world.machine("web", f"{GALLERY}/images/dev/versions/1.0.2")
    for kind, name in (
        ("Microsoft.Compute/virtualMachineScaleSets", "set"),
        ("Microsoft.Compute/virtualMachineScaleSets/virtualMachines", "set/0"),
        ("Microsoft.LabServices/labs", "class"),
        ("Microsoft.DevTestLab/labs/virtualMachines", "lab/vm"),
        ("Microsoft.DevTestLab/labs/customImages", "lab/image"),
    ):
        world.azure.inventory.add(GROUP, kind, name, {})
    world.play(left("1.0.1", "1.0.2"))
    (folder / "kinds").mkdir()
    kinds = built(folder / "kinds", NEW, options={"after_archive": "keep_template"})
    orphan(kinds)
    with_images(kinds, "one", "two")
    stick(kinds)
    kinds.go_on(hours=6)
    assert kinds.events("VersionRetired")
    return actions(world) | actions(kinds)


def test_the_stories_use_exactly_the_actions_of_the_role(tmp_path: Path) -> None:
    """What infra/image-factory-role.json grants, and what the sandbox grants: no more, no less."""
    used = actions(eventful(tmp_path)) | retiring_everything(tmp_path)
    written = json.loads((ROOT / "infra" / "image-factory-role.json").read_text(encoding="utf-8"))
    assert used == {action.lower() for action in written["Actions"]}
    assert used == {action.lower() for action in IMAGE_FACTORY.actions}


def test_releases_in_trouble_need_no_other_action() -> None:
    """A region that fails, one that others drop, a hold, a withdrawal down to what was built from it."""
    world = begun()
    world.azure.galleries.plan(Plan(region="uksouth", fails=2))
    world.make()
    world.play(rebuilt)
    for word in (withdrawals.hold, withdrawals.resume, withdrawals.withdraw):
        say(world, word)
        world.go_on(hours=1)
    assert world.release("dev/1.0.0").withdrawn_everywhere
    assert actions(world) <= {action.lower() for action in IMAGE_FACTORY.actions}
    assert not [line for line in world.records(JournalLine) if line.what == "access-denied"]


def test_outputs_of_every_kind_are_recorded_and_only_the_vhd_is_copied(tmp_path: Path) -> None:
    """Managed images and gallery versions are safe where they are."""
    world = eventful(tmp_path)
    outputs = {o.name: o.state for o in world.records(OutputRecord)}
    assert outputs == {
        f"{IMAGE}-vhd": OutputState.ARCHIVED,
        "managed": OutputState.RECORDED,
        "gallery": OutputState.RECORDED,
    }


def test_a_missing_role_on_the_topic_is_named_and_goes_on_when_granted() -> None:
    """Nothing is published meanwhile, and nothing recorded that should have been published first."""
    world = World()
    world.play(lambda w: w.image() is not None)
    assert world.azure.roles.revoke(FACTORY, "EventGrid Data Sender")
    world.publish_version(NEW)
    world.go_on(hours=6)
    (line,) = [line for line in world.records(JournalLine) if line.what == "access-denied"]
    assert "EventGrid" in line.why
    assert line.partition.startswith("source:")
    assert len(world.queues.waiting()) == 1
    world.azure.roles.assign(FACTORY, "EventGrid Data Sender", f"/subscriptions/{SUBSCRIPTION}")
    world.play(released(NEW))
    assert_fault_free(world, NEW)
