"""What holds of releases in random worlds, whatever happens in whatever order."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.galleries import Replication
from shared.domain.releases import Definition, Promotion, Ring, Stage
from shared.planning import withdrawals

from .azure_gallery import AzureGallery
from .cases import NOW
from .release_judges import every_rule
from .release_stories import GENTLE, MIXTURES, Event, Story, definitions, events
from .release_world import World

ROUND = timedelta(hours=3)
"""Between two sweeps: longer than any soak, any replication and any delay after a refusal."""


def story(definition: Definition, happenings: list[Event]) -> Story:
    """One version is there at the beginning, and then this happens."""
    azure = AzureGallery(definition.home, NOW)
    told = Story(World(definition, azure, every_rule))
    azure.create("1.0.1")
    told.world.look("1.0.1")
    for event in happenings:
        told.happens(event)
    told.all_end()
    azure.refuses_while_busy, told.world.fault = False, ""
    azure.denied.clear()
    azure.fails.clear()
    return told


def sweep(world: World) -> None:
    """A look at every version, then time passes; a person promotes what waits for that."""
    now = world.azure.now
    for text in sorted(world.azure.stored):
        world.look(text)
        ring = ring_at(world, text)
        if ring and ring.promotion is Promotion.BY_HAND and world.stage(text) is Stage.SOAKING:
            world.say(text, lambda r: withdrawals.promoted(r, world.definition, now, through=False))
    world.azure.advance(now + ROUND)


def ring_at(world: World, text: str) -> Ring | None:
    number = world.record(text).ring
    return world.definition.rings[number] if 0 <= number < len(world.definition.rings) else None


def settle(world: World, *, each: int) -> None:
    """As many sweeps as the slowest way takes, so many of them for a ring."""
    for _ in range(8 + each * len(world.definition.rings)):
        sweep(world)


def is_released(world: World, text: str) -> None:
    stored, record = world.azure.stored[text], world.record(text)
    assert record.stage is Stage.RELEASED, record.reason
    for ring in world.definition.rings:
        for region in ring.regions:
            assert stored.regions[region.name].state is Replication.COMPLETED
            assert stored.regions[region.name].replicas >= region.replicas
            assert world.azure.latest(region.name) == text
    assert not world.definition.end_of_life or stored.end_of_life


def holds(examples: int, promise: Callable[..., None], *strategies: st.SearchStrategy[Any]) -> None:
    settings(max_examples=examples)(given(*strategies)(promise))()


def often(brief: int) -> pytest.MarkDecorator:
    deeper = pytest.param(30 * brief, marks=pytest.mark.long)
    return pytest.mark.parametrize("examples", [brief, deeper])


@pytest.mark.parametrize("mixture", MIXTURES)
@often(40)
def test_every_update_keeps_to_the_rules_and_in_the_end_all_is_at_rest(examples: int, mixture: str) -> None:
    """Whoever interferes: no word is forgotten, nothing that got lost stays lost, and updates end."""

    def promise(definition: Definition, happenings: list[Event]) -> None:
        told = story(definition, happenings)
        world = told.world
        settle(world, each=3 + world.definition.deadline // ROUND)
        for text, row in world.rows.items():
            if row.record.held or row.record.withdrawn:
                stored = world.azure.stored[text]
                assert not any(world.azure.offered(stored, name) for name in stored.regions)
        for text, name in told.dropped:
            lost = name not in world.azure.stored[text].regions
            assert not lost or world.record(text).withdrawn or (text, name) in world.given_up
        is_at_rest(world)

    holds(examples, promise, definitions(), events(MIXTURES[mixture], 40))


@often(40)
def test_without_lasting_faults_the_newest_version_is_released_everywhere(examples: int) -> None:
    """After lost looks, lost answers, refusals and two workers at once: the sweep sees to it."""

    def promise(definition: Definition, happenings: list[Event]) -> None:
        world = story(definition, happenings).world
        settle(world, each=3)
        is_released(world, max(world.azure.stored))
        is_at_rest(world)

    holds(examples, promise, definitions(), events(GENTLE, 30))


@often(40)
def test_a_version_is_released_by_the_looks_that_it_asks_for(examples: int) -> None:
    """Without a sweep and without an event: a version that has somewhere to go asks for its next look."""

    def promise(definition: Definition, refuses: bool, lasts: int) -> None:
        azure = AzureGallery(definition.home, NOW, refuses, lasts=timedelta(minutes=lasts))
        world = World(definition, azure, every_rule)
        azure.create("1.0.1")
        world.look("1.0.1")
        world.run_due(NOW + timedelta(days=2))
        is_released(world, "1.0.1")
        assert world.accepted <= 2 * len(definition.rings) + 1

    holds(examples, promise, definitions(by_hand=False), st.booleans(), st.integers(0, 30))


def is_at_rest(world: World) -> None:
    """Further looks send nothing and change nothing."""
    accepted, rows = world.accepted, dict(world.rows)
    sweep(world)
    sweep(world)
    assert world.accepted == accepted
    assert {t: r.record for t, r in world.rows.items()} == {t: r.record for t, r in rows.items()}
