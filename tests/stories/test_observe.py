"""Observe plans and journals everything and applies nothing; act is the customer's decision."""

from pathlib import Path

from shared.domain.records import OutputRecord, OutputState

from .endings import NEW, assert_fault_free, released
from .scenes import IMAGE, KEEP, Operator, arm_calls, factory_file
from .world import World

WRITES = ("create_pages", "copy_pages", "label", "write", "acquire", "renew", "release")


def applied(world: World) -> list[str]:
    """Requests that change something at Azure."""
    arm = [f"{method} ×{n}" for method in ("PUT", "POST", "DELETE") if (n := arm_calls(world, method))]
    return arm + [name for name in world.gate.names if name in {f"blobs.{verb}" for verb in WRITES}]


def test_observe_applies_nothing_and_journals_what_it_would_do(tmp_path: Path) -> None:
    """Until somebody says act: then it goes on by itself."""
    world = World(config=factory_file(tmp_path, mode="observe"))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.go_on(hours=5)
    assert applied(world) == []
    expected = f"mode is observe: would build, since source version {NEW} is newer than"
    assert expected in world.known().reason
    assert expected in world.told()
    factory_file(tmp_path)
    world.play(released(NEW))
    assert_fault_free(world, NEW)


def test_observe_records_runs_of_others_and_touches_no_output(tmp_path: Path) -> None:
    """A person builds; the VHD is known, and copied only once somebody says act."""
    world = World(config=factory_file(tmp_path, mode="observe"))
    operator = Operator(world)
    operator.put_template(world.worker.factory().image(IMAGE).body)
    world.go_on(minutes=5)
    operator.run()
    world.go_on(hours=3)
    (output,) = world.records(OutputRecord)
    assert (output.state, output.reason) == (OutputState.FOUND, "mode is observe: would archive")
    assert applied(world) == []
    factory_file(tmp_path)
    world.play(lambda w: w.records(OutputRecord)[0].state is OutputState.ARCHIVED)


def test_a_single_image_acts_while_the_factory_observes(tmp_path: Path) -> None:
    """Mode of an image."""
    own = {"web": {"mode": "act", **KEEP}}
    world = World(config=factory_file(tmp_path, "web", "db", own=own, mode="observe"))
    world.play(lambda w: bool(w.image("web") and w.image("db")))
    world.publish_version(NEW)
    world.play(lambda w: str(w.known("web").built) == NEW and not w.known("web").unsettled)
    world.go_on(hours=1)
    assert [template.name for template in world.azure.imagebuilder.templates()] == ["web"]
    assert "mode is observe" in world.known("db").reason


def test_observe_would_delete_a_template_and_says_so(tmp_path: Path) -> None:
    """The mode is turned back once the image is built and before its template is deleted."""
    world = World(config=factory_file(tmp_path))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: w.image() is not None and w.known().manifests == 1, at_once=True)
    factory_file(tmp_path, mode="observe")
    world.go_on(hours=1)
    assert arm_calls(world, "DELETE") == 0
    assert "mode is observe: would delete the template" in world.known().reason
