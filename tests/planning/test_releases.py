"""What a look at a version decides beside its regions: when it waits, what it says, what it tells."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from shared.domain.factory import Timing
from shared.domain.releases import ReleaseRecord, Stage, WriteClaim
from shared.planning import actions
from shared.planning.releases import became_latest, newly_given_up, plan
from shared.planning.rings import Situation

from .cases import MINUTE
from .release_cases import (
    AT_ONCE,
    BY_HAND,
    HOUR,
    ONE,
    RINGS,
    appears,
    hold,
    latest,
    others_write,
    passes,
    released,
    withdraw,
    world,
)
from .release_world import World, finish, step


def situation(told: World, record: ReleaseRecord | None = None) -> Situation:
    seen = told.azure.get(ONE)
    return Situation(told.definition, Timing(), record or told.record(ONE), seen, (), 0, told.azure.now)


def ready() -> World:
    """The version has been made, and what a look would do is to bring it on."""
    told = world(AT_ONCE)
    told.azure.advance(told.azure.now + HOUR)
    return told


def test_whoever_finds_a_claim_waits_until_it_ends() -> None:
    told = ready()
    until = told.azure.now + 5 * MINUTE
    claimed = replace(told.record(ONE), claim=WriteClaim("another", until))
    (wait,) = plan(situation(told, claimed)).actions
    assert wait == actions.Wait(until, f"an update was begun that ends by {until:%H:%M:%S} UTC")


def test_a_claim_that_has_ended_is_no_more() -> None:
    told = ready()
    claimed = replace(told.record(ONE), claim=WriteClaim("another", told.azure.now))
    decided = plan(situation(told, claimed))
    assert decided.record.claim is None
    assert isinstance(decided.actions[0], actions.UpdateVersion)


def test_of_two_workers_at_once_one_writes() -> None:
    told = ready()
    first, second = told.worker(ONE), told.worker(ONE)
    assert [step(w) for w in (first, second, first, second)] == ["read", "read", "plan", "plan"]
    finish(second)
    finish(first)
    assert told.accepted == 1


def test_an_update_is_not_sent_when_too_little_is_left_of_the_claim() -> None:
    told = ready()
    slow = told.worker(ONE)
    while step(slow) != "check":
        pass
    told.azure.advance(told.azure.now + 3 * MINUTE)
    finish(slow)
    assert told.accepted == 0
    assert told.record(ONE).claim is None


def test_an_answer_that_got_lost_is_waited_out_and_then_azure_is_asked() -> None:
    told = ready()
    told.fault = "unanswered"
    told.look(ONE)
    assert told.record(ONE).claim
    passes(told, minutes=4)
    assert told.accepted == 1
    passes(told, hours=10)
    assert told.stage(ONE) is Stage.RELEASED


def test_refused_updates_are_asked_for_again_ever_later_and_not_in_between() -> None:
    told = ready()
    told.azure.denied |= {"eastus", "westus3"}
    asked = list[datetime]()
    told.judge = lambda world, sent: asked.append(world.azure.now)
    begun = told.azure.now
    for _ in range(180):
        told.look(ONE)
        told.azure.advance(told.azure.now + MINUTE)
    after = [round((at - begun) / MINUTE) for at in asked]
    assert after == [0, 1, 2, 3, 5, 9, 17, 33, 63, 93, 123, 153]  # the second is accepted


def test_observing_says_what_it_would_do_and_does_nothing() -> None:
    told = ready()
    told.definition = replace(AT_ONCE, act=False)
    (answer,) = plan(situation(told)).actions
    assert answer == actions.Nothing(
        "mode is observe: would update it: to eastus, westus3; latest in northeurope"
    )


def test_an_observed_version_that_fails_takes_no_step() -> None:
    told = ready()
    told.definition = replace(AT_ONCE, act=False)
    passes(told, hours=40)
    told.look(ONE)
    assert (told.accepted, latest(told, ONE)) == (0, frozenset())


def test_a_version_that_is_gone_or_going_is_left_alone() -> None:
    told = ready()
    told.azure.stored[ONE].deleting = True
    told.look(ONE)
    assert (told.stage(ONE), told.record(ONE).reason) == (Stage.GONE, "the version is being deleted")
    del told.azure.stored[ONE]
    told.look(ONE)
    assert (told.stage(ONE), told.record(ONE).reason) == (Stage.GONE, "the version does not exist")
    assert told.accepted == 0


def test_what_stands_still_is_planned_the_same_and_has_no_further_effect() -> None:
    told = released()
    once = plan(situation(told))
    twice = plan(situation(told, once.record))
    assert (once.actions, once.record) == (twice.actions, twice.record)
    assert once.actions == (actions.Nothing("released in every ring"),)


def test_descendants_are_told_of_a_withdrawal_once() -> None:
    told = released()
    withdraw(told, ONE)
    before = plan(situation(told)).actions
    assert before[0] == actions.MarkDescendants("ubuntu/1.0.1")
    told.look(ONE)
    told.look(ONE)
    assert told.record(ONE).descendants_told
    assert not any(isinstance(a, actions.MarkDescendants) for a in plan(situation(told)).actions)


def test_what_descends_tells_its_own_of_the_first_that_was_withdrawn() -> None:
    told = released()
    marked = replace(told.record(ONE), descends_from="base/1.0.0")
    assert plan(situation(told, marked)).actions[0] == actions.MarkDescendants("base/1.0.0")
    assert latest(told, ONE)


def test_where_it_has_become_latest_is_told_once() -> None:
    told = ready()
    told.look(ONE)
    before = told.record(ONE)
    passes(told, minutes=5)
    after = told.record(ONE)
    assert became_latest(before, after) == ("northeurope",)
    assert became_latest(after, after) == ()


def test_what_is_given_up_is_told_once() -> None:
    told = ready()
    told.azure.fails[ONE, "eastus"] = -1
    told.look(ONE)
    before = told.record(ONE)
    passes(told, hours=30)
    after = told.record(ONE)
    assert newly_given_up(before, after) == (("eastus", "not replicated after 1 day, 0:00:00"),)
    assert newly_given_up(after, after) == ()


def test_everywhere_excluded_is_noted_once_for_a_withdrawn_version() -> None:
    told = released()
    withdraw(told, ONE)
    passes(told, minutes=2)
    noted = told.record(ONE).withdrawn_everywhere
    assert noted
    passes(told, hours=2)
    told.look(ONE)
    assert told.record(ONE).withdrawn_everywhere == noted


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "it is being made"),
        (26, "ring canary (1 of 3) is complete and soaks until 2026-11-10 13:20:00 UTC"),
        (90, "ring early (2 of 3): replicating to eastus, westus3"),
        (140, "ring early (2 of 3) is complete and soaks until 2026-11-10 15:41:00 UTC"),
        (600, "released in every ring"),
    ],
)
def test_it_says_where_it_stands_and_what_it_waits_for(minutes: int, said: str) -> None:
    told = world(RINGS)
    passes(told, minutes=minutes)
    assert told.record(ONE).reason == said


def test_a_held_version_says_why_and_in_which_ring() -> None:
    told = world(BY_HAND)
    passes(told, minutes=30)
    hold(told, ONE)
    told.look(ONE)
    assert told.record(ONE).reason == "held in ring canary (1 of 3): it does not boot"


def test_an_update_says_what_it_changes() -> None:
    told = released()
    others_write(told, ONE, swedencentral=True)
    withdraw(told, ONE)
    update = plan(situation(told)).actions[1]
    assert isinstance(update, actions.UpdateVersion)
    assert update.why == "excluded from latest in eastus, japaneast, northeurope, uksouth, westus3 (it leaks)"


def test_a_region_that_failed_is_named_when_it_is_removed() -> None:
    told = world(AT_ONCE)
    told.azure.fails[ONE, "eastus"] = 9
    said = set[str]()
    for _ in range(300):
        passes(told, minutes=1)
        said.add(told.record(ONE).reason.partition(";")[0])
    assert {"once more to the regions that failed", "away from the failed eastus", "to eastus"} <= said


def test_a_newer_version_is_said_to_have_overtaken_the_older() -> None:
    told = world(RINGS)
    passes(told, minutes=30)
    appears(told, "1.0.2")
    told.azure.advance(told.azure.now + HOUR)
    told.look("1.0.2")
    told.look(ONE)
    assert told.record(ONE).reason == "overtaken by 1.0.2"
