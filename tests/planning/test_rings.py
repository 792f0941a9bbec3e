"""From which ring to which a version goes on, and when."""

from datetime import timedelta

from msgspec.structs import replace

from shared.domain.galleries import Replication
from shared.domain.releases import Stage

from .azure_gallery import TAKES
from .cases import MINUTE
from .release_cases import (
    AT_ONCE,
    BROAD,
    BY_HAND,
    CANARY,
    EARLY,
    EVERYWHERE,
    HOUR,
    ONE,
    RINGS,
    THREE,
    TWO,
    appears,
    hold,
    latest,
    passes,
    promote,
    regions,
    released,
    resume,
    withdraw,
    world,
)


def test_a_version_reaches_its_rings_in_order_and_is_latest_in_each_that_it_has_passed() -> None:
    told = world()
    canary, early = {"northeurope"}, {"northeurope", "eastus", "westus3"}
    nowhere, all_of_it = set[str](), set(EVERYWHERE)
    way = ((30, canary, nowhere), (60, early, canary), (120, early, canary), (30, all_of_it, early))
    for minutes, there, offered in (*way, (60, all_of_it, all_of_it)):
        passes(told, minutes=minutes)
        assert regions(told, ONE) == there
        assert latest(told, ONE) == offered
    assert told.stage(ONE) is Stage.RELEASED


def test_a_ring_soaks_from_the_moment_at_which_its_last_region_is_there() -> None:
    told = world(replace(RINGS, rings=(replace(CANARY, soak=timedelta(0)), EARLY, BROAD)))
    passes(told, minutes=25)
    told.azure.advance(told.azure.now + TAKES)
    told.look(ONE)
    complete = told.azure.now
    assert told.stage(ONE) is Stage.SOAKING
    told.run_due(complete + 2 * HOUR - MINUTE)
    assert "eastus" not in latest(told, ONE)
    told.run_due(complete + 2 * HOUR + MINUTE)
    assert latest(told, ONE) == {"northeurope", "eastus", "westus3"}


def test_without_soaks_a_version_needs_one_update_a_ring_and_one_more() -> None:
    told = released()
    assert told.accepted == 3


def test_a_ring_by_hand_waits_for_a_person_however_long_it_has_soaked() -> None:
    told = world(BY_HAND)
    passes(told, hours=100)
    assert regions(told, ONE) == {"northeurope"}
    assert not latest(told, ONE)
    assert told.record(ONE).reason.endswith("it waits for a person: release promote ubuntu/1.0.1")
    promote(told, ONE)
    passes(told, minutes=10)
    assert latest(told, ONE) == {"northeurope"}
    passes(told, hours=10)
    assert latest(told, ONE) == EVERYWHERE


def test_promoting_skips_the_soak_of_one_ring_alone() -> None:
    told = world()
    passes(told, minutes=30)
    promote(told, ONE)
    passes(told, minutes=30)
    assert latest(told, ONE) == {"northeurope"}
    assert told.stage(ONE) is Stage.SOAKING


def test_promoting_through_skips_every_soak_but_no_replication() -> None:
    told = world(BY_HAND)
    promote(told, ONE, through=True)
    passes(told, minutes=15)
    assert latest(told, ONE) == frozenset()
    passes(told, minutes=75)
    assert latest(told, ONE) == EVERYWHERE


def test_a_newer_version_overtakes_one_that_soaks_and_the_older_stays_where_it_is() -> None:
    told = world()
    passes(told, minutes=90)
    assert latest(told, ONE) == {"northeurope"}
    appears(told, TWO)
    passes(told, minutes=60)
    told.look(ONE)
    assert told.stage(ONE) is Stage.OVERTAKEN
    assert told.record(ONE).reason.startswith("overtaken by 1.0.2")
    passes(told, hours=20)
    assert regions(told, ONE) == {"northeurope", "eastus", "westus3"}
    assert latest(told, ONE) == {"northeurope"}
    assert latest(told, TWO) == EVERYWHERE
    assert told.azure.latest("northeurope") == TWO


def test_a_version_that_is_still_being_made_overtakes_none() -> None:
    told = world()
    passes(told, minutes=60)
    told.azure.fails[TWO, "northeurope"] = -1
    appears(told, TWO)
    passes(told, hours=10)
    assert latest(told, ONE) == EVERYWHERE
    assert told.stage(TWO) is Stage.MAKING


def test_when_the_newer_one_is_withdrawn_the_older_goes_on() -> None:
    told = world()
    passes(told, minutes=90)
    appears(told, TWO)
    passes(told, hours=2)
    assert latest(told, TWO) == {"northeurope"}
    withdraw(told, TWO)
    passes(told, minutes=5)
    assert told.azure.latest("northeurope") == ONE
    passes(told, hours=20)
    assert latest(told, ONE) == EVERYWHERE


def test_when_the_newer_one_is_held_the_older_goes_on_until_it_is_resumed() -> None:
    told = world()
    passes(told, minutes=30)
    appears(told, TWO)
    passes(told, minutes=60)
    assert told.stage(ONE) is Stage.OVERTAKEN
    hold(told, TWO)
    passes(told, minutes=90)
    assert latest(told, ONE) == {"northeurope"}
    resume(told, TWO)
    passes(told, minutes=5)
    told.look(ONE)
    assert told.stage(ONE) is Stage.OVERTAKEN


def test_when_the_newer_one_reaches_no_region_of_its_ring_the_older_goes_on() -> None:
    told = world()
    passes(told, minutes=90)
    for region in ("eastus", "westus3"):
        told.azure.fails[TWO, region] = 9
    appears(told, TWO)
    passes(told, hours=48)
    assert told.stage(TWO) is Stage.FAILED
    assert latest(told, ONE) == EVERYWHERE


def test_a_version_that_could_not_be_made_stands_in_nobodys_way() -> None:
    told = world()
    told.azure.fails[TWO, "northeurope"] = 9
    appears(told, TWO)
    passes(told, hours=20)
    assert told.stage(TWO) is Stage.FAILED
    assert latest(told, ONE) == EVERYWHERE
    assert told.record(TWO).reason == "it could not be made, and no region has it"


def test_of_three_versions_the_newest_is_released_and_the_others_stop() -> None:
    told = world(RINGS, ONE, TWO, THREE)
    passes(told, hours=24)
    assert latest(told, THREE) == EVERYWHERE
    assert (latest(told, ONE), latest(told, TWO)) == (frozenset(), frozenset())


def test_no_more_versions_are_in_flight_than_allowed() -> None:
    told = world(replace(AT_ONCE, in_flight=1))
    passes(told, minutes=30)
    told.azure.fails[ONE, "eastus"] = -1
    told.azure.advance(told.azure.now + HOUR)
    assert told.record(ONE).busy
    appears(told, TWO)
    told.azure.advance(told.azure.now + TAKES)
    told.look(TWO)
    assert told.stage(TWO) is Stage.WAITING
    assert told.record(TWO).reason == "waits: 1 versions are in flight, as many as in_flight allows"


def test_a_region_past_its_deadline_no_longer_holds_its_ring() -> None:
    told = world(AT_ONCE)
    told.azure.fails[ONE, "eastus"] = -1
    passes(told, hours=23)
    assert latest(told, ONE) == {"northeurope"}
    passes(told, hours=3)
    assert latest(told, ONE) == EVERYWHERE - {"eastus"}
    assert told.record(ONE).reason == "released in every ring; given up: eastus"


def test_a_region_that_was_given_up_counts_again_once_it_is_there() -> None:
    told = world(AT_ONCE)
    told.azure.fails[ONE, "eastus"] = -1
    passes(told, hours=30)
    late = told.azure.stored[ONE].regions["eastus"]
    late.state, late.there = Replication.COMPLETED, told.azure.now
    told.look(ONE)
    assert latest(told, ONE) == EVERYWHERE


def test_time_in_which_a_version_is_held_is_no_delay_of_its_regions() -> None:
    """Azure takes the update of the hold alone, so that a region that failed stays so meanwhile."""
    told = world(AT_ONCE)
    told.azure.fails[ONE, "eastus"] = 2
    passes(told, minutes=30)
    hold(told, ONE)
    passes(told, hours=48)
    told.look(ONE)
    resume(told, ONE)
    passes(told, hours=4)
    assert latest(told, ONE) == EVERYWHERE


def test_a_region_that_hangs_takes_no_place_in_flight_beyond_the_deadline() -> None:
    """Not even where the version has been overtaken and nobody gives the region up."""
    told = world(replace(AT_ONCE, in_flight=1))
    told.azure.fails[ONE, "eastus"] = -1
    passes(told, minutes=30)
    appears(told, TWO)
    passes(told, hours=20)
    assert told.stage(TWO) is Stage.WAITING
    passes(told, hours=10)
    assert latest(told, TWO) == EVERYWHERE
