"""Templates come when a first run is due, and go when every VHD is safe; some never do."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.domain.records import JournalLine, OutputRecord, OutputState, RunRecord

from .endings import NEW, NEWER, assert_fault_free, released
from .scenes import GROUP, IMAGE, KEEP, TEMPLATES, Operator, arm_calls, factory_file, source
from .world import World

if TYPE_CHECKING:
    from datetime import datetime

SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/builds/subnets/default"
ON_SUBNET = {"vmProfile": {"vnetConfig": {"subnetId": SUBNET}}}


def wanting(config: Path) -> World:
    world = World(config=config)
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    return world


def failures(world: World) -> list[str]:
    return [line.why for line in world.records(JournalLine) if line.what == "failure-counted"]


def test_the_template_is_made_when_the_first_run_is_due(tmp_path: Path) -> None:
    """Not before: nothing is wanted of an image that is as new as its source."""
    world = World(config=factory_file(tmp_path))
    world.go_on(hours=1)
    assert not world.azure.imagebuilder.templates()
    world.publish_version(NEW)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    (template,) = world.azure.imagebuilder.templates()
    assert (template.name, template.tags["owner"]) == (IMAGE, "platform-team")


@pytest.mark.parametrize("allowed", [True, False])
def test_a_template_on_a_bad_subnet_is_a_failure_and_replaced_when_tried_again(
    tmp_path: Path, allowed: bool
) -> None:
    """The subnet does not exist, or the identity may not join it; once mended, the image is built."""
    world = wanting(factory_file(tmp_path, properties=ON_SUBNET))
    roles, identity = world.azure.roles, world.azure.setting.identity_id
    if allowed:
        roles.assign(identity, "Network Contributor", GROUP)
    world.play(lambda w: w.known().failures == 1, at_once=True)
    assert ("not found" if allowed else "Not authorized") in failures(world)[0]
    world.azure.inventory.add_subnet(GROUP, "builds", "default")
    roles.assign(identity, "Network Contributor", GROUP)
    world.play(released(NEW))
    assert_fault_free(world, NEW)
    assert len(failures(world)) == 1
    assert arm_calls(world, "PUT", f"/{IMAGE}") == 2


def test_a_template_that_always_fails_pauses_the_image(tmp_path: Path) -> None:
    """Three failures, as with runs, each counted once."""
    world = wanting(factory_file(tmp_path, properties=ON_SUBNET))
    world.play(lambda w: bool(w.known().paused))
    world.go_on(hours=12)
    assert len(failures(world)) == 3
    assert world.requested_runs() == 0
    assert "3 failures in a row" in world.known().paused
    (told,) = [e for e in world.published if e["eventType"] == "ImageFactory.WorkFailed"]
    assert "not authorized" in str(told["data"]).lower()


def test_a_source_that_is_not_in_the_region_is_a_failure(tmp_path: Path) -> None:
    """A fixed version that does not exist: nothing to watch, and the first build fails with Azure's words."""
    properties = source(version="22.04.1")
    options = {"build_at_first_sight": True}
    world = World(config=factory_file(tmp_path, properties=properties, options=options))
    world.play(lambda w: w.image() is not None and w.known().failures == 1, at_once=True)
    assert "BadPIRSource" in failures(world)[0]


def test_a_failed_template_that_the_factory_did_not_make_is_never_deleted(tmp_path: Path) -> None:
    """It is left to whoever made it, and the journal says so."""
    world = World(config=factory_file(tmp_path, properties=ON_SUBNET))
    world.play(lambda w: w.image() is not None)
    Operator(world).put_template(world.worker.factory().image(IMAGE).body)
    world.go_on(minutes=2)
    world.publish_version(NEW)
    world.play(lambda w: "is not the factory's" in w.known().reason)
    assert arm_calls(world, "DELETE") == 0


def test_a_run_that_starts_between_archive_and_deletion_keeps_the_template(tmp_path: Path) -> None:
    """Just before the DELETE the template is read again; the VHD of that run is archived as well."""
    world = wanting(factory_file(tmp_path))
    started: list[datetime] = []

    def start(_request: int) -> None:
        if not started and "deleting the template" in world.known().reason:
            Operator(world).run()
            started.append(world.clock.now())

    world.gate.before = start
    world.play(lambda w: len(w.records(RunRecord)) == 2 and released(NEW)(w))
    assert started
    assert arm_calls(world, "DELETE", f"/{IMAGE}") == 1
    assert [o.state for o in world.records(OutputRecord)] == [OutputState.ARCHIVED] * 2
    assert not world.staging_accounts()


def test_a_run_that_starts_at_the_very_deletion_is_not_lost(tmp_path: Path) -> None:
    """Between the second reading and the DELETE: Azure refuses it, and the template stays for that run."""
    world = wanting(factory_file(tmp_path))
    started: list[int] = []

    def start(_request: int) -> None:
        if world.gate.names[-1].startswith("DELETE") and not started:
            started.append(Operator(world).send("POST", f"{TEMPLATES}/{IMAGE}/run").status)

    world.gate.before = start
    world.play(lambda w: len(w.records(RunRecord)) == 2 and released(NEW)(w))
    assert started == [202]
    assert [o.state for o in world.records(OutputRecord)] == [OutputState.ARCHIVED] * 2


def test_a_version_that_comes_while_the_template_is_deleted_waits_for_a_new_one(tmp_path: Path) -> None:
    """A run on a template that goes would be lost with it."""
    world = wanting(factory_file(tmp_path))
    world.play(lambda w: any(name.startswith("DELETE") for name in w.gate.names), at_once=True)
    world.publish_version(NEWER)
    world.play(released(NEWER))
    assert_fault_free(world, NEW, NEWER)


def test_what_keeps_a_template_alive_is_in_the_journal(tmp_path: Path) -> None:
    """One of the reasons; the planner's tests have them all."""
    world = wanting(factory_file(tmp_path, options=KEEP))
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    assert world.known().reason == f"already built from {NEW}; template kept: after_archive is keep_template"
    assert world.known().reason in {line.why for line in world.records(JournalLine)}


def test_a_template_deleted_by_somebody_else_is_made_again(tmp_path: Path) -> None:
    """When the next run is due."""
    world = wanting(factory_file(tmp_path, options=KEEP))
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    Operator(world).delete_template()
    world.go_on(minutes=10)
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    assert world.requested_runs() == 2


def test_a_template_deleted_by_somebody_during_its_run_is_made_again(tmp_path: Path) -> None:
    """Its group goes, and the run with it: the image is still wanted, so it is built in a new template."""
    world = wanting(factory_file(tmp_path, options=KEEP))
    world.play(lambda w: w.known().run is not None, at_once=True)
    (template,) = world.azure.imagebuilder.templates()
    world.azure.fabric.records.remove(template.id)
    world.azure.imagebuilder._reap(template, world.clock.now())
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    assert world.requested_runs() == 2
    assert len(world.records(RunRecord)) == 1
