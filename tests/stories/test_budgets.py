"""What each step of the story costs in requests, as the design allows."""

from pathlib import Path

from sandbox.azure import Setting
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import RunRecord
from shared.usecases.looks import work_off
from shared.usecases.sweep import sweep

from .endings import NEW
from .scenes import IMAGE, KEEP, factory_file
from .world import World

LOOK = Look(Lane.BUILDS, Thing.IMAGE, IMAGE, "a-test")


def requests(world: World, look: Look = LOOK) -> list[str]:
    """What one look sends: storage by port and method, the rest by verb and the end of the path."""
    before = len(world.gate.names)
    work_off(world.worker.outside, world.worker.factory(), look)
    return [short(name) for name in world.gate.names[before:]]


def short(name: str) -> str:
    verb, _, path = name.partition(" ")
    return f"{verb} {path.rsplit('/', 1)[1]}" if path else name


def arm(names: list[str]) -> list[str]:
    return [name for name in names if " " in name and not name.endswith(" events")]


def wanting(tmp_path: Path) -> World:
    """The template is there, and NEW is wanted; the look that starts the run is not done yet."""
    world = World(config=factory_file(tmp_path, options=KEEP))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: any(t.state == "Succeeded" for t in w.azure.imagebuilder.templates()), at_once=True)
    return world


def test_a_look_that_finds_nothing_changed_is_one_read_and_one_get(tmp_path: Path) -> None:
    """And nothing is written, nothing sent."""
    world = wanting(tmp_path)
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    requests(world)
    assert requests(world) == ["ledger.read", f"GET {IMAGE}"]


def test_a_look_at_an_unchanged_source_is_one_read_and_one_get() -> None:
    """However many images are made from it."""
    world = World()
    world.play(lambda w: w.image() is not None)
    (key,) = world.worker.factory().sources
    assert requests(world, Look(Lane.SOURCES, Thing.SOURCE, key, "a-test")) == [
        "ledger.read",
        "GET versions",
    ]


def test_starting_a_run_is_one_get_one_post_and_three_ledger_calls(tmp_path: Path) -> None:
    """Record, slot and claim; and the message that looks whether the run became visible."""
    world = wanting(tmp_path)
    assert requests(world) == [
        "ledger.read",
        f"GET {IMAGE}",
        "ledger.commit",
        "ledger.commit",
        "POST run",
        "queues.send",
    ]


def test_recording_an_ended_run_is_two_calls_and_one_read_per_output(tmp_path: Path) -> None:
    """The outputs, their facts, and one transaction."""
    world = wanting(tmp_path)
    world.lose_events = True
    world.play(lambda w: any(o.outputs for o in w.azure.imagebuilder.templates()), at_once=True)
    names = requests(world)
    assert len(world.records(RunRecord)) == 1
    assert arm(names) == [f"GET {IMAGE}", "GET runOutputs"]
    assert [name for name in names if name.startswith("blobs")] == ["blobs.facts"]
    assert names.count("POST events") == 1


def test_a_settled_output_is_looked_at_with_one_read(tmp_path: Path) -> None:
    """Late copies of its message cost next to nothing."""
    world = wanting(tmp_path)
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    run = world.known().recorded
    look = Look(Lane.ARCHIVE, Thing.OUTPUT, f"{IMAGE}/{run}/{IMAGE}-vhd", "a-test")
    assert requests(world, look) == ["ledger.read"]


def test_a_sweep_lists_templates_one_call_per_page(tmp_path: Path) -> None:
    """Seven templates in pages of three; and no single template is read."""
    names = tuple(f"image-{number}" for number in range(7))
    world = World(config=factory_file(tmp_path, *names, options=KEEP), setting=Setting(page_size=3))
    world.play(lambda w: all(w.image(name) for name in names))
    world.publish_version(NEW)
    world.play(lambda w: all(str(w.known(name).built) == NEW for name in names))
    before = len(world.gate.names)
    assert sweep(world.worker.outside, world.worker.factory(), "a-test") == 0
    sent = [short(name) for name in world.gate.names[before:]]
    assert arm(sent) == ["GET imageTemplates"] * 3
    assert "queues.send" not in sent
