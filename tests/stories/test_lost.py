"""When a VHD is lost, when it only cannot be reached, and when nobody may look."""

from pathlib import Path

import pytest

from sandbox.arm.imagebuilder.outcomes import VhdShape
from sandbox.arm.roles import IMAGE_FACTORY, Role
from sandbox.identity.tokens import FACTORY
from shared.domain.records import FailedWork, JournalLine, OutputRecord, OutputState

from .endings import NEW, NEWER, assert_fault_free, released
from .scenes import KEEP, Operator, factory_file
from .test_archive import at_the_archive, manifests, on_copy, output
from .world import World

SHAPE = VhdShape(size_mib=64, payload_mib=8)
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"


def copying(tmp_path: Path) -> World:
    return at_the_archive(factory_file(tmp_path, options=KEEP), shape=SHAPE)


def delete_template(world: World) -> None:
    """At once, staging group and all."""
    (template,) = world.azure.imagebuilder.templates()
    world.azure.fabric.records.remove(template.id)
    world.azure.imagebuilder._reap(template, world.clock.now())


def delete_account(world: World) -> None:
    (account,) = world.staging_accounts()
    record = world.azure.inventory.account(account)
    assert record is not None
    assert Operator(world).send("DELETE", record.id).status == 200


def told(world: World) -> list[str]:
    return [line.what for line in world.records(JournalLine)]


@pytest.mark.parametrize("gone", [delete_template, delete_account])
@pytest.mark.parametrize("chunk", [0, 3])
def test_an_output_is_lost_when_template_or_account_is_gone(tmp_path: Path, gone: object, chunk: int) -> None:
    """Recorded, journalled, published once; what was copied keeps its name and says what it is."""
    world = copying(tmp_path)
    assert callable(gone)
    if chunk:
        on_copy(world, chunk, lambda: gone(world))
    else:
        gone(world)
    world.play(lambda w: output(w).state is OutputState.LOST)
    assert told(world).count("lost") == 1
    failed = [event for event in world.published if event["eventType"] == "ImageFactory.WorkFailed"]
    assert len(failed) == 1
    assert not manifests(world)
    left = [world.blobs.facts(at).metadata["state"] for at in world.archived()]
    assert left == (["lost"] if chunk else [])


def test_after_a_loss_the_next_version_is_built(tmp_path: Path) -> None:
    """A lost output holds nothing up, for it cannot be saved by waiting."""
    world = copying(tmp_path)
    delete_template(world)
    world.play(lambda w: output(w).state is OutputState.LOST)
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    states = sorted(o.state.value for o in world.records(OutputRecord))
    assert states == ["archived", "lost"]


def test_a_blob_that_is_gone_while_template_and_account_are_there_is_not_lost(tmp_path: Path) -> None:
    """The journal keeps the reason; nothing is started meanwhile, and after a day it is failed work."""
    world = copying(tmp_path)
    source = output(world).source
    assert source is not None
    world.blobs.delete_blob(source)
    world.publish_version(NEWER)
    world.go_on(hours=20)
    assert output(world).state is OutputState.FOUND
    assert "cannot be read although its template is there" in output(world).reason
    assert told(world).count("lost") == 0
    assert len(world.queues.waiting("archive")) == 1
    assert not world.records(FailedWork)
    world.go_on(hours=5)
    (failed,) = world.records(FailedWork)
    assert "cannot be read although its template is there" in failed.why
    assert world.requested_runs() == 1


def without(*actions: str) -> Role:
    """The factory's role on Resource Manager, but for some actions."""
    kept = tuple(each for each in IMAGE_FACTORY.actions if not each.endswith(actions))
    assert len(kept) == len(IMAGE_FACTORY.actions) - len(actions)
    return Role(IMAGE_FACTORY.name, kept)


ARM_ACTIONS = (
    "offers/skus/versions/read",
    "imageTemplates/read",
    "imageTemplates/write",
    "imageTemplates/run/action",
    "runOutputs/read",
    "imageTemplates/delete",
)


@pytest.mark.parametrize("action", ARM_ACTIONS)
def test_a_missing_role_is_named_in_the_journal_and_goes_on_when_granted(tmp_path: Path, action: str) -> None:
    """Role action and scope, as one line; hours later somebody grants it, and the story ends as ever."""
    world = World()
    world.play(lambda w: w.image() is not None)
    if action == "offers/skus/versions/read":
        world = World()
    world.azure.roles.define(without(action))
    world.publish_version(NEW)
    world.go_on(hours=6)
    lines = [line.why for line in world.records(JournalLine) if line.what == "access-denied"]
    assert len(lines) == 1, world.told()
    assert action.rsplit("/", 2)[-2].lower() in lines[0].lower()
    assert SUBSCRIPTION in lines[0]
    assert len(world.queues.waiting()) <= 2
    world.azure.roles.define(IMAGE_FACTORY)
    if action == "offers/skus/versions/read":
        world.play(lambda w: w.image() is not None)
        world.publish_version(NEWER)
        world.play(released(NEWER))
        assert_fault_free(world, NEWER)
        return
    world.play(released(NEW))
    assert_fault_free(world, NEW)


@pytest.mark.parametrize("what", ["read the source", "write the archive", "read the archive"])
def test_storage_that_refuses_the_identity_is_never_a_loss(tmp_path: Path, what: str) -> None:
    """One line of the journal; the copy goes on when the role is granted."""
    world = copying(tmp_path)
    (staging,) = world.staging_accounts()
    verb, _, which = what.split()
    account = staging if which == "source" else "archive"
    world.blobs.denied.add((account, verb))
    world.go_on(hours=6)
    lines = [line.why for line in world.records(JournalLine) if line.what == "access-denied"]
    assert len(lines) == 1, world.told()
    assert account in lines[0]
    assert output(world).state in (OutputState.FOUND, OutputState.COPYING)
    assert len(world.queues.waiting("archive")) == 1
    world.blobs.denied.clear()
    world.play(lambda w: output(w).state is OutputState.ARCHIVED)


def test_a_refusal_while_it_is_asked_whether_a_thing_exists_is_no_answer(tmp_path: Path) -> None:
    """Account gone, but nobody may say so: not lost until Resource Manager can be asked."""
    world = copying(tmp_path)
    world.azure.roles.define(without("storageAccounts/read"))
    delete_account(world)
    world.go_on(hours=6)
    assert output(world).state is OutputState.FOUND
    world.azure.roles.define(IMAGE_FACTORY)
    world.play(lambda w: output(w).state is OutputState.LOST)


def test_a_role_of_the_identity_that_vanishes_altogether_loses_nothing(tmp_path: Path) -> None:
    """All assignments are gone for hours, with a run and a copy under way."""
    world = copying(tmp_path)
    kept = list(world.azure.roles.assignments)
    world.azure.roles.revoke(FACTORY)
    (staging,) = world.staging_accounts()
    world.blobs.denied |= {(staging, "read"), ("archive", "read"), ("archive", "write")}
    world.go_on(hours=8)
    assert output(world).state is OutputState.FOUND
    world.blobs.denied.clear()
    for held in kept:
        if held.principal == FACTORY:
            world.azure.roles.assign(held.principal, held.role, held.scope)
    world.play(lambda w: output(w).state is OutputState.ARCHIVED)
