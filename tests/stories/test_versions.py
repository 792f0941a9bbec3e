"""Which versions are news, and what becomes of one that appears while another is being built."""

from pathlib import Path

import pytest

from sandbox.arm.marketplace import Deprecation
from shared.domain.records import JournalLine, RunRecord, SourceRecord

from .endings import NEW, NEWER, OLD, assert_fault_free, released
from .scenes import arm_calls, factory_file
from .world import UBUNTU, World

SHARES = 4
"""Parts of one enumeration, so that workers share it."""


def news_at(request: int | None) -> int:
    """The story of NEW; NEWER appears right before the given request. The number of requests it took."""
    world = World()
    world.play(lambda w: w.image() is not None)
    began = world.gate.count

    def appear(count: int) -> None:
        if request is not None and count == began + request:
            world.publish_version(NEWER)

    world.gate.before = appear
    world.publish_version(NEW)
    world.play(released(NEW if request is None else NEWER))
    built = [str(run.version) for run in sorted(world.records(RunRecord), key=lambda run: run.start)]
    expected = [[NEW]] if request is None else [[NEW, NEWER], [NEWER]]
    assert built in expected, world.told()
    assert_fault_free(world, *built)
    return world.gate.count - began


@pytest.mark.parametrize("share", range(SHARES))
def test_a_second_version_may_appear_at_any_point(share: int) -> None:
    """One run for each version that is built, the newest in the end, and every VHD archived."""
    requests = news_at(None)
    for request in range(1 + share, requests + 1, 2 * SHARES):
        try:
            news_at(request)
        except AssertionError as error:
            error.add_note(f"NEWER appeared before request {request}")
            raise


def test_versions_that_appear_during_a_run_lead_to_exactly_one_more() -> None:
    """Three versions while one is being built: the last of them is built, and nothing else."""
    world = World()
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: w.known().run is not None, at_once=True)
    for version in ("22.04.209901020", "22.04.209901030", NEWER):
        world.publish_version(version)
        world.go_on(minutes=1)
    world.play(released(NEWER))
    assert_fault_free(world, NEW, NEWER)


def test_the_first_look_at_a_source_only_records() -> None:
    """What is there when the factory is deployed is the baseline, not news."""
    world = World()
    world.play(lambda w: w.image() is not None)
    world.go_on(hours=2)
    image = world.image()
    assert image is not None
    assert (str(image.baseline), image.wanted, image.reason) == (OLD, None, f"nothing newer than {OLD}")
    assert not world.azure.imagebuilder.templates()
    told = [line for line in world.records(JournalLine) if line.what == "source-first-seen"]
    assert [OLD in line.why for line in told] == [True]


def test_the_first_look_builds_if_the_configuration_asks_for_it(tmp_path: Path) -> None:
    """build_at_first_sight."""
    world = World(config=factory_file(tmp_path, options={"build_at_first_sight": True}))
    world.play(released(OLD))
    assert_fault_free(world, OLD)


def test_a_deprecated_version_is_no_news_and_a_deprecation_is_journalled() -> None:
    """It is told once, and nothing is built."""
    world = World()
    world.azure.catalogue.add_version(*UBUNTU, NEW)
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEWER)
    world.azure.catalogue.deprecate(*UBUNTU, NEWER, Deprecation("Deprecated"))
    world.azure.catalogue.deprecate(*UBUNTU, NEW, Deprecation("Deprecated"))
    world.go_on(hours=1)
    told = [line.why for line in world.records(JournalLine) if line.what == "source-version-deprecated"]
    assert sorted(why.split()[0] for why in told) == [NEW, NEWER]
    assert world.requested_runs() == 0
    (source,) = world.records(SourceRecord)
    assert str(source.newest) == NEW


def test_versions_compare_as_numbers() -> None:
    """…10 is newer than …9, and a version that only sorts behind is not."""
    world = World()
    world.azure.catalogue.add_version(*UBUNTU, "22.4.209901009")
    world.play(lambda w: w.image() is not None)
    world.publish_version("22.04.209901010")
    world.play(released("22.04.209901010"))
    world.publish_version("22.04.209901009")
    world.publish_version("22.04.99")
    world.go_on(hours=1)
    assert world.requested_runs() == 1


def test_one_marketplace_call_a_look_however_many_images(tmp_path: Path) -> None:
    """Four images from one source."""
    names = ("web", "db", "batch", "build")
    world = World(config=factory_file(tmp_path, *names))
    world.play(lambda w: all(w.image(name) for name in names))
    world.azure.calls.clear()
    world.publish_version(NEW)
    world.play(
        lambda w: all((image := w.image(name)) and str(image.wanted) == NEW for name in names), at_once=True
    )
    assert arm_calls(world, "GET", "/versions") == 1
    world.play(lambda w: all(str(w.known(name).built) == NEW for name in names))
    assert world.requested_runs() == len(names)
