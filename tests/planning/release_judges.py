"""What must hold of every update that the factory sends, told from the model of Azure, not from the plan."""

from datetime import datetime

from shared.domain.galleries import Replication
from shared.domain.releases import Promotion, Ring

from .release_world import Sent, World


def every_rule(world: World, sent: Sent) -> None:
    """Asked before Azure sees the update."""
    keeps_what_there_is(world, sent)
    adds_nothing_as_latest(sent)
    makes_latest_only_what_is_released(world, sent)
    heeds_a_persons_word(sent)
    comes_of_no_stale_list(world, sent)


def keeps_what_there_is(world: World, sent: Sent) -> None:
    """The home stays, and whatever has a replica; only a region that failed may go."""
    names = {t.name for t in sent.update.regions}
    assert world.azure.home in names
    assert len(names) == len(sent.update.regions)
    assert sent.had <= names, f"drops {sorted(sent.had - names)}"
    left_out = [p for p in sent.read.regions if p.name not in names]
    assert all(p.state is Replication.FAILED for p in left_out)
    replicas = {t.name: t.replicas for t in sent.update.regions}
    assert all(replicas.get(p.name, p.replicas) >= p.replicas for p in sent.read.regions)


def adds_nothing_as_latest(sent: Sent) -> None:
    there = {p.name for p in sent.read.regions}
    assert all(t.excluded for t in sent.update.regions if t.name not in there)


def makes_latest_only_what_is_released(world: World, sent: Sent) -> None:
    """It has replicated there, its ring is whole and has soaked, and so have the rings before."""
    for target in sent.update.regions:
        if target.excluded or not sent.read.excluded_in(target.name):
            continue
        placed = sent.read.region(target.name)
        assert placed is not None
        assert placed.state is Replication.COMPLETED
        ring = world.definition.ring_of(target.name)
        if ring is None:  # somebody else's: it may be again what it was before a hold
            assert (sent.text, target.name) in world.offered
            continue
        for number, each in enumerate(world.definition.rings[: ring + 1]):
            assert _passed(world, sent, number, each), f"{target.name} before ring {each.name} is passed"


def heeds_a_persons_word(sent: Sent) -> None:
    if sent.record.held or sent.record.withdrawn:
        assert all(t.excluded for t in sent.update.regions)
        assert sent.update.excluded
        names = {p.name for p in sent.read.regions} | {r.name for r in sent.record.regions}
        assert {t.name for t in sent.update.regions} <= names, "it spreads all the same"


def comes_of_no_stale_list(world: World, sent: Sent) -> None:
    """Between reading the list and writing it no other update of the factory has been accepted."""
    assert world.writes.get(sent.text, 0) == sent.writes


def _passed(world: World, sent: Sent, number: int, ring: Ring) -> bool:
    regions, text = world.azure.stored[sent.text].regions, sent.text
    ended = dict[str, datetime]()
    for each in ring.regions:
        stored = regions.get(each.name)
        if stored and stored.there:
            ended[each.name] = stored.there
        elif (text, each.name) not in world.given_up:
            return False
    if not ended:
        return False
    if sent.record.promoted > number:
        return True
    return ring.promotion is Promotion.AUTOMATIC and world.azure.now >= max(ended.values()) + ring.soak
