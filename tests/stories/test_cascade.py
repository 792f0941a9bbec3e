"""What is built from an image is built again after it: in order, and once for each change."""

import json
from pathlib import Path

import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from shared.domain.records import FailedWork
from shared.domain.releases import ReleaseRecord, Stage
from shared.usecases import withdrawals

from .gallery import GalleryWorld, say, stands
from .graphs import Graph, assert_built_once_each, graph_file, graph_world, publish, runs
from .world import UBUNTU, World

CHAIN = {"os": ("", "os"), "base": ("os", "base"), "app": ("base", "app")}
TWO_FEEDERS = {
    "os": ("", "os"),
    "left": ("os", "mixed"),
    "right": ("os", "mixed"),
    "app": ("mixed", "app"),
}
LONG_WAY = {"os": ("", "os"), "middle": ("os", "mixed"), "short": ("", "mixed"), "app": ("mixed", "app")}
"""One way from the marketplace to `mixed` is longer than the other."""
GRAPHS = {"chain": CHAIN, "two feeders": TWO_FEEDERS, "ways of unequal length": LONG_WAY}
NEWER = "22.04.202612010"


@pytest.mark.parametrize("name", GRAPHS)
def test_a_change_of_the_source_builds_everything_once_in_order(name: str, tmp_path: Path) -> None:
    """However many of its ancestors moved, and then again with the next change."""
    graph: Graph = GRAPHS[name]
    world = graph_world(tmp_path, graph)
    publish(world)
    assert_built_once_each(world, graph)
    publish(world, NEWER)
    world.play(lambda w: len(runs(world)) >= 2 * len(graph))
    world.go_on(hours=3)
    counted = [str(run.image) for run in runs(world)]
    assert {image: counted.count(image) for image in graph} == dict.fromkeys(graph, 2)
    assert not world.records(FailedWork)


def test_events_that_are_lost_cost_a_cascade_nothing_but_time(tmp_path: Path) -> None:
    world = graph_world(tmp_path, TWO_FEEDERS)
    world.lose_events = True
    publish(world)
    assert_built_once_each(world, TWO_FEEDERS)


def test_the_last_image_is_built_from_what_is_latest_when_its_ancestors_are_done(tmp_path: Path) -> None:
    """Of two feeders' versions the higher one, whichever was made first."""
    world = graph_world(tmp_path, TWO_FEEDERS)
    publish(world)
    assert_built_once_each(world, TWO_FEEDERS)
    (app,) = [run for run in runs(world) if run.image == "app"]
    assert str(app.version) == world.latest("westeurope", "mixed") == world.versions("mixed")[-1].name


def test_a_version_that_others_put_in_builds_what_is_below_and_nothing_above(tmp_path: Path) -> None:
    world = graph_world(tmp_path, CHAIN)
    world.make("base", "7.0.0")
    assert_built_once_each(world, CHAIN, but=("os", "base"))
    assert [str(run.version) for run in runs(world)] == ["7.0.0"]


def test_nothing_is_built_from_a_version_before_it_is_latest_in_the_template_s_region(tmp_path: Path) -> None:
    """Two rings, the template in a region of the second."""
    rings = [
        {"name": "far", "regions": {"westeurope": {}}, "soak": "20m"},
        {"name": "near", "regions": {"uksouth": {}}, "soak": "20m"},
    ]
    graph = {"os": ("", "os"), "app": ("os", "app")}
    near = [{"name": "near", "regions": {"uksouth": {}, "westeurope": {}}}]
    config = graph_file(tmp_path, graph, own={"os": {"rings": rings}, "app": {"rings": near}})
    template = json.loads((tmp_path / "app.json").read_text())
    (tmp_path / "app.json").write_text(json.dumps({**template, "location": "uksouth"}))
    world = GalleryWorld(config=config, definitions=("app", "os"))
    world.go_on(minutes=20)
    publish(world)
    world.play(lambda w: world.latest("westeurope", "os") != "", at_once=True)
    world.go_on(minutes=10)
    assert [run.image for run in runs(world)] == ["os"]
    world.play(lambda w: world.latest("uksouth", "os") != "", at_once=True)
    assert [run.image for run in runs(world)] == ["os"]
    world.play(lambda w: len(runs(world)) == 2)
    assert not world.wrong


def test_an_image_waits_for_what_it_is_made_from_and_says_so(tmp_path: Path) -> None:
    """The middle of the chain fails, and is tried again; the end of it waits for that."""
    world = graph_world(tmp_path, CHAIN)
    publish(world)
    world.play(lambda w: any(t.name == "base" for t in w.azure.imagebuilder.templates()), at_once=True)
    world.plan("base", Outcome(result="failure"))
    world.play(lambda w: any(run.image == "app" for run in runs(world)))
    assert [run.image for run in runs(world)] == ["os", "base", "base", "app"]


def test_an_image_does_not_wait_for_ever_for_an_ancestor_that_keeps_failing(tmp_path: Path) -> None:
    """One of two feeders fails until its runs pause: what the other made is built from."""
    world = graph_world(tmp_path, TWO_FEEDERS)
    publish(world)
    world.play(lambda w: any(t.name == "left" for t in w.azure.imagebuilder.templates()), at_once=True)
    world.plan("left", *[Outcome(result="failure")] * 3)
    world.play(lambda w: any(run.image == "app" for run in runs(world)))
    assert world.known("left").paused
    assert [r.state.value for r in runs(world) if r.image == "left"] == ["Failed"] * 3
    assert len([r for r in runs(world) if r.image == "app"]) == 1


@pytest.mark.parametrize("how", ["hold", "withdraw"])
def test_an_ancestor_that_a_person_stops_holds_nobody_up(how: str, tmp_path: Path) -> None:
    """A feeder's version soaks and is stopped: the other one's is built from."""
    world = graph_world(tmp_path, TWO_FEEDERS)
    publish(world)

    def both(_: World) -> bool:
        return len([r for r in world.records(ReleaseRecord) if r.definition == "mixed"]) == 2

    world.play(both, at_once=True)
    newest = world.versions("mixed")[-1].name
    say(world, getattr(withdrawals, how), f"mixed/{newest}")
    world.play(lambda w: any(run.image == "app" for run in runs(world)))
    (app,) = [run for run in runs(world) if run.image == "app"]
    assert str(app.version) == world.versions("mixed")[0].name
    assert not world.wrong


def newest(world: GalleryWorld, definition: str) -> ReleaseRecord:
    found: list[ReleaseRecord] = [r for r in world.records(ReleaseRecord) if r.definition == definition]
    return max(found, key=lambda record: record.version.rank)


@pytest.mark.parametrize("withdrawn", [("base", "app"), ("app",), ("base",), ()])
def test_a_withdrawn_version_marks_everything_below_and_takes_what_is_configured(
    withdrawn: tuple[str, ...], tmp_path: Path
) -> None:
    """At any depth: a version in between that stays does not hide the one below it."""
    own = {name: {"withdraw_with_source": name in withdrawn} for name in ("base", "app")}
    world = graph_world(tmp_path, CHAIN, own=own)
    publish(world)
    assert_built_once_each(world, CHAIN)
    made = newest(world, "os").name
    say(world, withdrawals.withdraw, made)
    world.play(lambda w: all(newest(world, name).descends_from for name in ("base", "app")))
    world.go_on(hours=2)
    for name in ("base", "app"):
        record = newest(world, name)
        assert record.descends_from == made
        assert (record.stage is Stage.WITHDRAWN) is (name in withdrawn)
        assert (world.latest("westeurope", name) == "") is (name in withdrawn)
        assert f"descends from the withdrawn {made}" in record.reason
        assert record.descendants_told
    assert len(runs(world)) == 3, "nothing is built because of it"
    assert not world.wrong


def test_a_version_that_is_built_from_a_withdrawn_one_is_marked_when_it_is_made(tmp_path: Path) -> None:
    """The run was under way when its source was withdrawn."""
    world = graph_world(tmp_path, CHAIN, own={"base": {"withdraw_with_source": True}})
    publish(world)
    world.play(lambda w: (image := w.image("base")) is not None and image.run is not None, at_once=True)
    made = newest(world, "os").name
    say(world, withdrawals.withdraw, made)
    world.play(lambda w: any(r.definition == "base" for r in w.records(ReleaseRecord)))
    world.go_on(hours=3)
    record = newest(world, "base")
    assert (record.descends_from, record.stage) == (made, Stage.WITHDRAWN)
    assert world.latest("westeurope", "base") == ""
    assert [run.image for run in runs(world)] == ["os", "base"], "nothing is built from that either"


def test_an_image_that_waits_to_be_built_wants_a_withdrawn_version_no_more(tmp_path: Path) -> None:
    """Its run had failed and is due again: it is not asked for; the next version is built as ever."""
    world = graph_world(tmp_path, CHAIN)
    publish(world)
    world.play(lambda w: any(t.name == "base" for t in w.azure.imagebuilder.templates()), at_once=True)
    world.plan("base", Outcome(result="failure"))
    world.play(lambda w: any(run.image == "base" for run in runs(world)), at_once=True)
    say(world, withdrawals.withdraw, newest(world, "os").name)
    world.go_on(hours=4)
    assert [run.image for run in runs(world)] == ["os", "base"]
    assert world.known("base").wanted is None
    publish(world, NEWER)
    world.play(lambda w: any(run.image == "app" for run in runs(world)))
    assert [run.image for run in runs(world)] == ["os", "base", "os", "base", "app"]
    assert not world.wrong


def test_after_a_withdrawal_the_next_change_builds_everything_anew(tmp_path: Path) -> None:
    world = graph_world(tmp_path, CHAIN, own={n: {"withdraw_with_source": True} for n in ("base", "app")})
    publish(world)
    assert_built_once_each(world, CHAIN)
    say(world, withdrawals.withdraw, newest(world, "os").name)
    world.play(lambda w: newest(world, "app").withdrawn_everywhere is not None)
    world.azure.catalogue.add_version(*UBUNTU, NEWER)
    world.play(lambda w: len(runs(world)) == 6)
    world.go_on(hours=3)
    assert [run.image for run in runs(world)] == [*CHAIN, *CHAIN]
    for name in CHAIN:
        assert stands(newest(world, name).name, Stage.RELEASED)(world)
    assert not world.wrong
