"""The journal tells what was decided and done, when and why: a line when a reason changes."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from shared.contracts.messages import decode
from shared.domain import keys
from shared.domain.looks import Lane
from shared.domain.records import JournalLine
from shared.ports import Put
from shared.usecases import status

from .endings import NEW, released
from .scenes import factory_file
from .world import World


def lines(world: World) -> list[JournalLine]:
    return sorted(world.records(JournalLine), key=lambda line: line.at)


def archived() -> World:
    world = World()
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(released(NEW))
    return world


def test_the_story_can_be_read_from_the_journal() -> None:
    """From the version seen to the template deleted, each once, in order."""
    world = archived()
    told = [line.what for line in lines(world) if line.what != "decided"]
    story = [
        "source-version-found",
        "source-version-wanted",
        "template-requested",
        "run-requested",
        "run-started",
        "run-ended",
        "archive-started",
        "copied",
        "verified",
        "archived",
        "template-deleted",
    ]
    assert {what: told.count(what) for what in story} == dict.fromkeys(story, 1)
    at = {line.what: line.at for line in lines(world)}
    assert [at[what] for what in story] == sorted(at[what] for what in story)


def test_looks_that_change_nothing_leave_no_line() -> None:
    """A week of sweeps, timers and looks by hand."""
    world = archived()
    world.go_on(hours=1)
    status.ask_for_look(world.worker.outside, world.worker.factory(), "ubuntu-22", "by-hand")
    world.go_on(minutes=10)
    before = len(lines(world))
    for _ in range(5):
        status.ask_for_look(world.worker.outside, world.worker.factory(), "ubuntu-22", "by-hand")
        world.go_on(hours=8)
    assert len(lines(world)) == before


def test_one_correlation_id_goes_from_the_source_to_the_archive() -> None:
    """From the look that found the version through event and messages to each effect."""
    world = archived()
    (found,) = [line for line in lines(world) if line.what == "source-version-found"]
    followed = {line.what for line in lines(world) if line.correlation == found.correlation}
    assert {"source-version-wanted", "template-requested", "run-requested"} <= followed
    asked = {
        call.correlation
        for call in world.azure.calls.list("arm")
        if call.method in ("PUT", "POST") and call.principal == "factory"
    }
    assert asked == {found.correlation}


def test_the_end_of_a_run_carries_the_correlation_of_its_event() -> None:
    """Azure's own, so that its activity log and ours can be read together; and each effect after it."""
    world = archived()
    by_what = {line.what: line.correlation for line in lines(world)}
    after = ("run-ended", "archive-started", "copied", "verified", "archived", "template-deleted")
    assert len({by_what[what] for what in after}) == 1


def test_status_and_journal_are_asked_for_by_people() -> None:
    """The newest lines, oldest first, of one image or of the whole factory."""
    world = archived()
    out, factory = world.worker.outside, world.worker.factory()
    told = status.status(out, factory)
    assert [(i.name, str(i.record.built)) for i in told.images if i.record] == [("ubuntu-22", NEW)]
    assert [str(source.newest) for source in told.sources] == [NEW]
    newest = status.journal(out, factory, "ubuntu-22", 5)
    own = [line for line in lines(world) if line.partition == keys.of_image("ubuntu-22")]
    assert len(newest) == 5
    assert [line.at for line in newest] == [line.at for line in own[-5:]]
    whole = status.journal(out, factory, None, 1000)
    assert Counter(line.what for line in whole) == Counter(line.what for line in lines(world))


def test_old_lines_are_forgotten() -> None:
    """After timing.journal, 400 days by default; what is younger stays."""
    world = archived()
    world.clock.advance(timedelta(days=399))
    world.go_on(hours=2)
    assert [line for line in lines(world) if line.what == "archived"]
    world.clock.advance(timedelta(days=2))
    world.go_on(hours=4)
    assert not [line for line in lines(world) if line.what == "archived"]


def test_the_old_lines_of_every_partition_are_forgotten_in_the_end(tmp_path: Path) -> None:
    """However many images there are, and also of those that left the configuration."""
    names = [f"image-{number}" for number in range(8)]
    world = World(config=factory_file(tmp_path, *names, "gone"))
    world.play(lambda w: w.image("gone") is not None and w.image("image-7") is not None)
    factory_file(tmp_path, *names)
    (key,) = world.worker.factory().sources
    images = [keys.of_image(name) for name in (*names, "gone")]
    partitions = {keys.FACTORY, keys.of_source(key), *images}
    for partition in partitions:
        old = [JournalLine(world.clock.now(), "x", "told", str(n), "a-test", partition) for n in range(90)]
        world.ledger.commit(partition, [Put(line) for line in old])
    assert {line.partition for line in lines(world)} == partitions
    world.clock.advance(timedelta(days=400))
    world.go_on(hours=16)
    assert not [line for line in lines(world) if line.what == "told"]


def test_messages_carry_names_and_nothing_else() -> None:
    """No claim of an event, no address, no token."""
    world = World()
    world.play(lambda w: w.image() is not None)
    bodies: list[str] = []
    world.gate.before = lambda _: bodies.extend(m.body for m in world.queues.waiting())
    world.publish_version(NEW)
    world.play(released(NEW))
    assert bodies
    for body in set(bodies):
        decode(Lane.BUILDS, body)
        assert "203.0.113.7" not in body
        assert "blob.core" not in body
