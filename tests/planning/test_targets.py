"""Which regions an update lists, and where `latest` may mean the version."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.domain.galleries import Replication, Target
from shared.domain.releases import Failures, Ring, RingRegion

from .azure_gallery import TAKES
from .release_cases import (
    AT_ONCE,
    EVERYWHERE,
    ONE,
    RINGS,
    appears,
    hold,
    latest,
    others_write,
    passes,
    promote,
    regions,
    released,
    resume,
    withdraw,
    world,
)


def test_what_others_have_added_is_kept_as_they_have_it() -> None:
    told = world(AT_ONCE)
    passes(told, minutes=25)
    others_write(told, ONE, swedencentral=False, brazilsouth=True)
    passes(told, hours=10)
    foreign = told.azure.stored[ONE].regions
    assert (foreign["swedencentral"].excluded, foreign["brazilsouth"].excluded) == (False, True)
    assert foreign["swedencentral"].storage == "Premium_LRS"
    assert latest(told, ONE) == EVERYWHERE | {"swedencentral"}


def test_a_version_excluded_as_a_whole_is_latest_in_no_region_of_others_by_our_update() -> None:
    told = world(AT_ONCE)
    others_write(told, ONE, swedencentral=False)
    told.azure.stored[ONE].excluded = True
    passes(told, hours=10)
    assert latest(told, ONE) == EVERYWHERE


@pytest.mark.parametrize("region", ["eastus", "swedencentral"])
def test_a_region_that_a_stale_list_dropped_while_it_replicated_is_put_back(region: str) -> None:
    told = world(AT_ONCE)
    passes(told, minutes=25)
    others_write(told, ONE, swedencentral=True)
    told.look(ONE)
    assert region in regions(told, ONE)
    others_write(told, ONE, region)
    assert region not in regions(told, ONE)
    passes(told, minutes=10)
    assert region in regions(told, ONE)
    passes(told, hours=10)
    assert latest(told, ONE) == EVERYWHERE


def test_a_region_dropped_from_a_held_version_is_put_back_and_one_of_a_withdrawn_is_not() -> None:
    for word, back in ((hold, True), (withdraw, False)):
        told = world(AT_ONCE)
        passes(told, minutes=25)
        word(told, ONE)
        passes(told, minutes=1)
        others_write(told, ONE, "eastus")
        passes(told, minutes=30)
        told.look(ONE)
        assert ("eastus" in regions(told, ONE)) is back


def test_a_region_of_others_that_had_replicated_and_is_gone_stays_gone() -> None:
    told = released()
    others_write(told, ONE, swedencentral=True)
    passes(told, minutes=30)
    told.look(ONE)
    del told.azure.stored[ONE].regions["swedencentral"]
    told.look(ONE)
    assert regions(told, ONE) == EVERYWHERE


def test_a_region_of_its_rings_that_somebody_removed_comes_back_excluded_until_it_is_there() -> None:
    told = released()
    del told.azure.stored[ONE].regions["eastus"]
    told.look(ONE)
    assert told.azure.stored[ONE].regions["eastus"].excluded
    passes(told, minutes=40)
    assert latest(told, ONE) == EVERYWHERE


def test_a_region_joins_with_its_replicas_and_storage_and_gets_more_if_it_has_too_few() -> None:
    """Storage is the one thing that Azure does not change afterwards; more replicas are others' decision."""
    home = RingRegion("northeurope", 4, "Standard_ZRS")
    early = Ring("early", (RingRegion("eastus", 3, "Premium_LRS"), RingRegion("westus3")))
    told = world(replace(AT_ONCE, rings=(Ring("canary", (home,)), early)))
    passes(told, hours=2)
    others_write(told, ONE, westus3=False)
    told.azure.stored[ONE].regions["westus3"].replicas = 5
    passes(told, hours=2)
    stored = told.azure.stored[ONE].regions
    assert {r.name: (r.replicas, r.storage) for r in stored.values()} == {
        "northeurope": (4, "Standard_LRS"),
        "eastus": (3, "Premium_LRS"),
        "westus3": (5, "Standard_LRS"),
    }


def test_a_region_that_fails_is_retried_then_removed_then_added_again_then_given_up() -> None:
    told = world(AT_ONCE)
    told.azure.fails[ONE, "eastus"] = 9
    passes(told, minutes=22)
    way = [Failures.NONE, Failures.RETRIED, Failures.REMOVING, Failures.ADDED_AGAIN]
    seen: list[Failures] = []
    for _ in range(40):
        passes(told, minutes=5)
        known = told.record(ONE).region("eastus")
        if known and known.failures not in seen:
            seen.append(known.failures)
    assert seen == way
    known = told.record(ONE).region("eastus")
    assert known
    assert known.given_up.startswith("failed again and again")
    assert latest(told, ONE) == EVERYWHERE - {"eastus"}


@pytest.mark.parametrize("failures", [1, 2])
def test_a_region_that_recovers_on_the_way_is_latest_like_the_others(failures: int) -> None:
    told = world(AT_ONCE)
    told.azure.fails[ONE, "eastus"] = failures
    passes(told, hours=10)
    assert latest(told, ONE) == EVERYWHERE
    assert not told.record(ONE).region("eastus").given_up  # type: ignore[union-attr]  # it is latest: known


def test_the_home_is_retried_and_never_removed() -> None:
    last = replace(AT_ONCE, home="japaneast", rings=(*AT_ONCE.rings,))
    told = world(last)
    passes(told, minutes=25)
    told.azure.fails[ONE, "japaneast"] = 9
    told.azure.stored[ONE].regions["japaneast"].state = Replication.FAILED
    passes(told, hours=10)
    assert "japaneast" in regions(told, ONE)


def test_a_region_that_failed_to_get_more_replicas_is_not_removed_with_those_that_it_has() -> None:
    told = released()
    told.azure.fails[ONE, "eastus"] = 9
    others_write(told, ONE, more="eastus")
    for _ in range(6):
        passes(told, hours=1)
        told.look(ONE)
    assert latest(told, ONE) == EVERYWHERE
    known = told.record(ONE).region("eastus")
    assert known
    assert known.given_up.startswith("failed again and again")


def test_a_region_that_azure_refuses_to_remove_is_given_up() -> None:
    told = world(AT_ONCE)
    told.azure.fails[ONE, "eastus"], told.azure.refuses_removal = 9, True
    passes(told, hours=10)
    assert told.record(ONE).region("eastus").given_up.startswith("failed, and Azure refuses")  # type: ignore[union-attr]  # as above
    assert latest(told, ONE) == EVERYWHERE - {"eastus"}


def test_a_word_is_carried_out_though_azure_refuses_to_remove_a_failed_region() -> None:
    """The removal had been decided and got no answer: it must not stand in the way of a withdrawal."""
    told = world(AT_ONCE)
    told.azure.fails[ONE, "eastus"], told.azure.refuses_removal = 9, True
    told.run_due(told.azure.now + timedelta(minutes=25))
    while told.record(ONE).region("eastus").failures is not Failures.RETRIED:  # type: ignore[union-attr]  # as above
        passes(told, minutes=1)
    told.fault = "lost"
    passes(told, minutes=30)
    withdraw(told, ONE)
    passes(told, hours=1)
    assert latest(told, ONE) == frozenset()


def test_regions_that_a_subscription_cannot_use_hold_neither_the_others_nor_what_is_latest() -> None:
    told = world(AT_ONCE)
    told.azure.denied.add("eastus")
    passes(told, hours=6)
    assert latest(told, ONE) == {"northeurope"}
    assert "westus3" in regions(told, ONE)
    passes(told, hours=30)
    assert latest(told, ONE) == EVERYWHERE - {"eastus"}


def test_a_ring_that_cannot_be_reached_does_not_keep_the_one_before_from_being_latest() -> None:
    only = Ring("early", (RingRegion("eastus"),))
    told = world(replace(AT_ONCE, rings=(AT_ONCE.rings[0], only)))
    told.azure.denied.add("eastus")
    passes(told, hours=6)
    assert latest(told, ONE) == {"northeurope"}


def test_what_others_take_back_is_left_alone_until_a_person_promotes_it() -> None:
    told = released()
    others_write(told, ONE, eastus=True)
    passes(told, hours=10)
    told.look(ONE)
    passes(told, hours=10)
    assert latest(told, ONE) == EVERYWHERE - {"eastus"}
    assert told.record(ONE).reason.endswith("excluded from latest by somebody else or by retention in eastus")
    promote(told, ONE)
    passes(told, minutes=10)
    assert latest(told, ONE) == EVERYWHERE


def test_what_is_latest_before_its_time_is_corrected() -> None:
    told = world(RINGS)
    passes(told, minutes=90)
    others_write(told, ONE, eastus=False, japaneast=False)
    told.look(ONE)
    assert latest(told, ONE) == {"northeurope"}
    assert told.azure.stored[ONE].regions["japaneast"].excluded


def test_a_version_that_was_made_as_latest_is_excluded_at_the_first_look_after() -> None:
    told = world(RINGS)
    told.azure.create("1.0.2", [Target("northeurope", 1, "Standard_LRS", excluded=False)], excluded=False)
    told.azure.advance(told.azure.now + TAKES)
    told.look("1.0.2")
    assert latest(told, "1.0.2") == frozenset()
    passes(told, hours=20)
    assert latest(told, "1.0.2") == EVERYWHERE


def test_the_end_of_life_counts_from_the_publishing_and_one_that_is_set_is_left() -> None:
    told = released(replace(AT_ONCE, end_of_life=timedelta(days=90)))
    stored = told.azure.stored[ONE]
    assert stored.end_of_life == stored.published + timedelta(days=90)
    stored.end_of_life = stored.published + timedelta(days=9)
    told.look(ONE)
    assert stored.end_of_life == stored.published + timedelta(days=9)


@pytest.mark.parametrize("where", ["eastus", "swedencentral"])
def test_after_a_hold_it_is_latest_again_where_it_was(where: str) -> None:
    told = released()
    others_write(told, ONE, swedencentral=False)
    passes(told, minutes=30)
    told.look(ONE)
    hold(told, ONE)
    passes(told, minutes=10)
    assert latest(told, ONE) == frozenset()
    resume(told, ONE)
    passes(told, hours=10)
    assert where in latest(told, ONE)


def test_after_a_hold_it_is_not_latest_where_somebody_had_taken_it_back() -> None:
    told = released()
    others_write(told, ONE, eastus=True)
    told.look(ONE)
    hold(told, ONE)
    passes(told, minutes=10)
    resume(told, ONE)
    passes(told, hours=10)
    assert latest(told, ONE) == EVERYWHERE - {"eastus"}


def test_after_a_hold_it_is_latest_again_though_a_newer_one_is_on_its_way() -> None:
    told = released(RINGS)
    hold(told, ONE)
    passes(told, minutes=10)
    appears(told, "1.0.2")
    passes(told, minutes=30)
    resume(told, ONE)
    passes(told, minutes=10)
    assert latest(told, ONE) == EVERYWHERE
