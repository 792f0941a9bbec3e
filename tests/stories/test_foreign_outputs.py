"""Outputs that the factory cannot follow: a person hears of them, and nothing else is held up by them."""

from pathlib import Path

import pytest

from sandbox.arm.imagebuilder.template import Output
from sandbox.arm.roles import IMAGE_FACTORY, Role
from shared import cli
from shared.domain.errors import Invalid
from shared.domain.records import FailedWork, JournalLine, OutputRecord, OutputState
from shared.usecases import status

from .endings import NEW, NEWER
from .scenes import GROUP, IMAGE, arm_calls, factory_file, vhd_distributor
from .test_archive import at_the_archive, manifests, output
from .world import World

ELSEWHERE = "https://archive.blob.core.usgovcloudapi.net/vhds/ubuntu.vhd"


def with_outputs(tmp_path: Path, *planted: Output) -> World:
    """NEW is built; its run lists what is planted, under the names of its outputs or new ones."""
    world = World(config=factory_file(tmp_path))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: any(t.outputs for t in w.azure.imagebuilder.templates()), at_once=True)
    (template,) = world.azure.imagebuilder.templates()
    template.outputs |= {each.name: each for each in planted}
    world.play(lambda w: bool(w.records(OutputRecord)), at_once=True)
    return world


def elsewhere(tmp_path: Path) -> World:
    return with_outputs(tmp_path, Output(f"{IMAGE}-vhd", artifact_uri=ELSEWHERE))


def dismiss(world: World, name: str) -> None:
    status.dismiss(world.worker.outside, world.worker.factory(), name, "by-hand")


def test_a_vhd_at_an_address_of_somebody_else_is_refused_and_told(tmp_path: Path) -> None:
    """No request goes there; one journal line, one event; no run and no deletion until somebody decides."""
    world = elsewhere(tmp_path)
    world.publish_version(NEWER)
    world.go_on(hours=6)
    record = output(world)
    assert (record.state, record.source) == (OutputState.REFUSED, None)
    told = [line.why for line in world.records(JournalLine) if line.what == "refused"]
    assert told == ["not archived: its address is not one of a storage account in the configured cloud"]
    failed = [event for event in world.published if event["eventType"] == "ImageFactory.WorkFailed"]
    assert [event["data"]["output"] for event in failed] == [record.id]
    assert (world.requested_runs(), arm_calls(world, "DELETE")) == (1, 0)
    assert world.known().manifests == 0
    assert not manifests(world)


def test_the_next_version_is_built_once_a_person_dismisses_the_output(tmp_path: Path) -> None:
    """By the command line. The template goes with the VHD of its next run, not before."""
    world = elsewhere(tmp_path)
    world.publish_version(NEWER)
    world.go_on(hours=1)
    assert arm_calls(world, "DELETE") == 0
    refused = output(world)
    assert cli.main(["dismiss", refused.id], lambda: world.worker) == 0
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    states = {o.run: o.state for o in world.records(OutputRecord)}
    assert states.pop(refused.run) is OutputState.DISMISSED
    assert list(states.values()) == [OutputState.ARCHIVED]
    assert len(manifests(world)) == 1


def test_a_dismissed_output_does_not_count_as_archived(tmp_path: Path) -> None:
    """after_archive is delete_template, and the VHD may still be wanted."""
    world = elsewhere(tmp_path)
    dismiss(world, output(world).id)
    world.go_on(hours=3)
    assert not world.known().unsettled
    assert "template kept: 0 of 1 VHD of its last run archived" in world.known().reason
    assert arm_calls(world, "DELETE") == 0


def test_dismissing_what_nothing_waits_for_is_refused_with_what_is_waited_for(tmp_path: Path) -> None:
    world = elsewhere(tmp_path)
    waiting = output(world).id
    for wrong in (f"{IMAGE}/x/y", IMAGE, f"{waiting}x"):
        with pytest.raises(Invalid, match=f"nothing waits for the output '{wrong}'; .*: {waiting}"):
            dismiss(world, wrong)
    dismiss(world, waiting)
    with pytest.raises(Invalid, match=r"waited for are: none"):
        dismiss(world, waiting)
    assert cli.main(["dismiss", waiting], lambda: world.worker) != 0


def test_an_output_of_an_image_that_left_the_configuration_can_be_dismissed(tmp_path: Path) -> None:
    world = elsewhere(tmp_path)
    waiting = output(world).id
    factory_file(tmp_path, "another")
    world.queues.clear()
    dismiss(world, waiting)
    world.go_on(minutes=30)
    assert not world.known().unsettled
    assert not world.records(FailedWork)


def test_a_vhd_that_is_gone_from_the_archive_is_refused(tmp_path: Path) -> None:
    """It was distributed straight into the archive, and somebody deleted it there before it was verified."""
    uri = "https://archive.blob.core.windows.net/images/golden/ubuntu.vhd"
    world = at_the_archive(factory_file(tmp_path, properties=vhd_distributor(uri=uri)))
    source = output(world).source
    assert source is not None
    world.blobs.delete_blob(source)
    world.play(lambda w: output(w).state is OutputState.REFUSED)
    assert "it is not in the archive any more" in output(world).reason
    world.go_on(hours=30)
    assert not world.records(FailedWork)
    assert arm_calls(world, "DELETE") == 0


def without_images(world: World) -> None:
    """Nobody has granted the factory to read artifacts."""
    kept = tuple(each for each in IMAGE_FACTORY.actions if not each.startswith("Microsoft.Compute/images"))
    assert len(kept) < len(IMAGE_FACTORY.actions)
    world.azure.roles.define(Role(IMAGE_FACTORY.name, kept))


@pytest.mark.parametrize(
    "artifact", ["Microsoft.Compute/images/web", "Microsoft.Compute/disks/web", "Microsoft.New/things/web"]
)
def test_an_artifact_whose_tags_cannot_be_read_does_not_hold_up_the_vhds(
    tmp_path: Path, artifact: str
) -> None:
    """Its type is not known, or the role on it is missing: the run is recorded, and its VHD archived."""
    world = World(config=factory_file(tmp_path))
    without_images(world)
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: any(t.outputs for t in w.azure.imagebuilder.templates()), at_once=True)
    (template,) = world.azure.imagebuilder.templates()
    template.outputs["web"] = Output("web", artifact_id=f"{GROUP}/providers/{artifact}")
    world.play(lambda w: w.known().manifests == 1, at_once=True)
    states = {o.name: o.state for o in world.records(OutputRecord)}
    assert states == {f"{IMAGE}-vhd": OutputState.ARCHIVED, "web": OutputState.RECORDED}
