"""With a faulty configuration nothing is acted upon, nothing is lost, and mending it is enough."""

import json
from pathlib import Path

import pytest

from shared.domain.records import FailedWork, RunRecord

from .endings import NEW, NEWER, assert_fault_free, released
from .scenes import arm_calls, factory_file
from .world import World

FAULTS = {
    "no YAML": "images: [",
    "unknown key": '{"imagess": {}}',
    "empty": "",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", ["start", "run", "copy"])
def test_a_faulty_configuration_stops_everything_until_it_is_mended(
    tmp_path: Path, fault: str, at: str
) -> None:
    """Looks come back, events are accepted, and the story goes on by itself."""
    config = factory_file(tmp_path)
    world = World(config=config)
    world.play(lambda w: w.image() is not None)
    if at != "start":
        world.publish_version(NEW)
        world.play(lambda w: bool(w.known().run or w.known().recorded), at_once=True)
    if at == "copy":
        world.play(lambda w: bool(w.known().unsettled), at_once=True)
    sound = config.read_text(encoding="utf-8")
    config.write_text(FAULTS[fault], encoding="utf-8")
    world.azure.calls.clear()
    before = [record for _, record in world.ledger.rows()]
    if at == "start":
        world.publish_version(NEW)
    world.go_on(hours=4)
    assert not arm_calls(world, "GET")
    assert not world.azure.calls.list("eventgrid")
    assert [record for _, record in world.ledger.rows()] == before
    config.write_text(sound, encoding="utf-8")
    world.publish_version(NEWER)
    world.play(released(NEWER))
    assert not world.records(FailedWork)
    assert len(world.records(RunRecord)) == (1 if at == "start" else 2)


def test_a_template_file_that_breaks_stops_everything_too(tmp_path: Path) -> None:
    """The factory is what factory.yaml and its templates say, or nothing."""
    config = factory_file(tmp_path)
    world = World(config=config)
    world.play(lambda w: w.image() is not None)
    file = tmp_path / "template.json"
    sound = file.read_text(encoding="utf-8")
    file.write_text(sound[:-20], encoding="utf-8")
    world.publish_version(NEW)
    world.azure.calls.clear()
    world.go_on(hours=1)
    assert not arm_calls(world, "GET")
    file.write_text(sound, encoding="utf-8")
    world.play(released(NEW))
    assert_fault_free(world, NEW)


def test_a_changed_template_file_is_used_for_the_next_template(tmp_path: Path) -> None:
    """Without a restart."""
    config = factory_file(tmp_path)
    world = World(config=config)
    world.play(lambda w: w.image() is not None)
    file = tmp_path / "template.json"
    changed = json.loads(file.read_text(encoding="utf-8"))
    changed["tags"] = {"owner": "somebody-new"}
    file.write_text(json.dumps(changed), encoding="utf-8")
    world.publish_version(NEW)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    (template,) = world.azure.imagebuilder.templates()
    assert template.tags["owner"] == "somebody-new"


def test_an_image_that_is_added_is_looked_at(tmp_path: Path) -> None:
    """And one that is removed is left alone."""
    world = World(config=factory_file(tmp_path, "web"))
    world.play(lambda w: w.image("web") is not None)
    factory_file(tmp_path, "db")
    world.go_on(hours=1)
    world.publish_version(NEW)
    world.play(lambda w: w.image("db") is not None and str(w.known("db").built) == NEW)
    assert world.known("web").wanted is None
    assert not world.records(FailedWork)
