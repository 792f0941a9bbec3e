"""Rows that a newer factory has written: what they tell of waits, everything else goes on."""

from pathlib import Path

import pytest

from shared.domain import keys
from shared.domain.records import FailedWork, OutputRecord, OutputState, Record
from shared.gateways.rows import Row, row_of

from .endings import NEW, NEWER
from .scenes import KEEP, factory_file
from .world import World


def archiving(tmp_path: Path) -> World:
    """The VHDs of db and web are recorded and not yet touched; every message is lost."""
    world = World(config=factory_file(tmp_path, "db", "web", options=KEEP))
    world.play(lambda w: bool(w.image("db") and w.image("web")))
    world.publish_version(NEW)
    world.play(lambda w: len(w.records(OutputRecord)) == 2, at_once=True)
    return world


def record_of(world: World, row: str) -> Record:
    output, other = world.records(OutputRecord)
    record: Record = {
        "image": world.known("db"),
        "output": output if output.image == "db" else other,
        "source": next(record for key, record in world.ledger.rows() if key.row == "source"),
    }[row]
    return record


LANES = {"image": "builds", "output": "archive", "source": "sources"}


@pytest.mark.parametrize("row", LANES)
def test_a_row_that_cannot_be_read_holds_up_nothing_else(tmp_path: Path, row: str) -> None:
    """The sweep alone brings the other image's VHD to safety; a person is told once, and may mend the row."""
    world = archiving(tmp_path)
    record = record_of(world, row)
    key, sound = keys.key_of(record), row_of(record)
    world.ledger.plant(key, Row(sound.kind, sound.v + 1, sound.data))
    world.queues.clear()
    world.go_on(minutes=30)
    assert state_of(world, "web") is OutputState.ARCHIVED
    world.go_on(hours=6)
    assert len([sent for sent in world.queues.waiting() if "db" in sent.body]) <= 1
    assert [work.lane for work in failed(world)] == [LANES[row]]
    told = [event for event in world.published if event["eventType"] == "ImageFactory.WorkFailed"]
    assert len(told) == 1
    world.ledger.plant(key, sound)
    world.play(lambda w: state_of(w, "db") is OutputState.ARCHIVED)


def test_an_image_whose_row_cannot_be_read_does_not_keep_a_version_from_the_others(tmp_path: Path) -> None:
    """It comes first of all that are made from the source."""
    world = archiving(tmp_path)
    sound = row_of(world.known("db"))
    world.ledger.plant(keys.image_key("db"), Row(sound.kind, sound.v + 1, sound.data))
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known("web").built) == NEWER and not w.known("web").unsettled)
    world.ledger.plant(keys.image_key("db"), sound)
    world.play(lambda w: str(w.known("db").built) == NEWER and not w.known("db").unsettled)


def failed(world: World) -> list[FailedWork]:
    page = world.ledger.scan(keys.FACTORY, "failed:")
    return [row.record for row in page.rows if isinstance(row.record, FailedWork)]


def state_of(world: World, image: str) -> OutputState:
    run = next(row.record for row in world.ledger.scan(keys.of_image(image), "output:").rows)
    assert isinstance(run, OutputRecord)
    return run.state
