"""What people say of a version, and what becomes of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.domain.errors import Invalid
from shared.domain.galleries import Target
from shared.domain.releases import ReleaseRecord, Stage
from shared.planning import withdrawals

from .azure_gallery import ID, AzureGallery
from .cases import NOW, v
from .release_cases import (
    AT_ONCE,
    BY_HAND,
    EVERYWHERE,
    ONE,
    RINGS,
    TWO,
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
from .release_judges import every_rule
from .release_world import Row, World

Word = Callable[[World, str], None]


@pytest.mark.parametrize(("word", "stage"), [(hold, Stage.HELD), (withdraw, Stage.WITHDRAWN)])
def test_a_held_or_withdrawn_version_is_latest_nowhere_after_one_update(word: Word, stage: Stage) -> None:
    told = released()
    before = told.accepted
    word(told, ONE)
    told.look(ONE)
    assert told.accepted == before + 1
    assert latest(told, ONE) == frozenset()
    assert told.azure.stored[ONE].excluded
    assert told.stage(ONE) is stage
    assert regions(told, ONE) == EVERYWHERE


@pytest.mark.parametrize("word", [hold, withdraw])
def test_a_held_or_withdrawn_version_spreads_no_more(word: Word) -> None:
    told = world(RINGS)
    passes(told, minutes=90)
    there = regions(told, ONE)
    word(told, ONE)
    passes(told, hours=30)
    told.look(ONE)
    assert regions(told, ONE) == there


@pytest.mark.parametrize("word", [hold, withdraw])
def test_a_word_is_heeded_as_soon_as_azure_takes_updates_again(word: Word) -> None:
    told = world(RINGS)
    passes(told, minutes=90)
    told.azure.refuses_while_busy = True
    assert latest(told, ONE) == {"northeurope"}
    word(told, ONE)
    passes(told, minutes=5)
    assert latest(told, ONE) == {"northeurope"}
    passes(told, minutes=20)
    assert latest(told, ONE) == frozenset()


@pytest.mark.parametrize("word", [hold, withdraw])
def test_a_word_counts_from_the_first_moment_of_a_version(word: Word) -> None:
    told = world(AT_ONCE)
    word(told, ONE)
    passes(told, hours=10)
    assert regions(told, ONE) == {"northeurope"}
    assert latest(told, ONE) == frozenset()


@pytest.mark.parametrize("word", [hold, withdraw])
def test_what_others_make_latest_against_a_word_is_excluded_again(word: Word) -> None:
    told = released()
    word(told, ONE)
    passes(told, minutes=10)
    others_write(told, ONE, eastus=False, swedencentral=False)
    told.look(ONE)
    told.azure.advance(told.azure.now + timedelta(hours=1))
    assert latest(told, ONE) == frozenset()


def test_a_resumed_version_goes_on_in_the_ring_in_which_it_was_held() -> None:
    told = world(RINGS)
    passes(told, minutes=110)
    hold(told, ONE)
    passes(told, hours=5)
    assert latest(told, ONE) == frozenset()
    resume(told, ONE)
    passes(told, minutes=5)
    assert latest(told, ONE) == {"northeurope", "eastus", "westus3"}
    passes(told, hours=1)
    assert latest(told, ONE) == EVERYWHERE


def test_a_soak_that_ends_during_a_hold_takes_the_version_no_further() -> None:
    told = world(RINGS)
    passes(told, minutes=30)
    hold(told, ONE)
    passes(told, hours=5)
    told.look(ONE)
    assert told.record(ONE).ring == 0
    assert told.record(ONE).reason == "held in ring canary (1 of 3): it does not boot"


@pytest.mark.parametrize("word", [hold, withdraw])
def test_a_word_while_azure_refuses_the_next_ring_keeps_the_version_out_of_it(word: Word) -> None:
    told = world(AT_ONCE)
    told.azure.advance(told.azure.now + timedelta(hours=1))
    told.fault = "throttled"
    told.look(ONE)
    assert told.record(ONE).ring == 1
    word(told, ONE)
    passes(told, hours=10)
    told.look(ONE)
    assert regions(told, ONE) == {"northeurope"}


def test_when_the_newest_is_withdrawn_the_one_before_is_latest_again_everywhere() -> None:
    told = released()
    appears(told, TWO)
    passes(told, hours=24)
    assert {told.azure.latest(region) for region in EVERYWHERE} == {TWO}
    withdraw(told, TWO)
    passes(told, minutes=5)
    assert {told.azure.latest(region) for region in EVERYWHERE} == {ONE}


def test_promoting_a_held_version_lifts_the_hold() -> None:
    told = world(BY_HAND)
    passes(told, minutes=30)
    hold(told, ONE)
    passes(told, minutes=30)
    promote(told, ONE)
    passes(told, minutes=5)
    assert latest(told, ONE) == {"northeurope"}


def test_promoting_tries_again_what_was_given_up() -> None:
    told = world(AT_ONCE)
    told.azure.fails[ONE, "eastus"] = 9
    passes(told, hours=10)
    told.look(ONE)
    assert latest(told, ONE) == EVERYWHERE - {"eastus"}
    told.azure.fails.clear()
    promote(told, ONE)
    passes(told, hours=5)
    told.look(ONE)
    passes(told, hours=5)
    assert latest(told, ONE) == EVERYWHERE


def test_promoting_frees_a_ring_that_no_region_had_reached() -> None:
    told = world(AT_ONCE)
    told.azure.fails |= {(ONE, "eastus"): 3, (ONE, "westus3"): 3}
    passes(told, hours=10)
    assert told.stage(ONE) is Stage.FAILED
    assert told.record(ONE).reason.startswith("no region of ring early (2 of 3) has it")
    promote(told, ONE)
    passes(told, hours=10)
    assert latest(told, ONE) == EVERYWHERE


def from_before() -> World:
    """A version that was latest in two regions when a person first said something of it."""
    told = World(RINGS, AzureGallery(RINGS.home, NOW), every_rule)
    targets = (Target(name, 1, "Standard_LRS", excluded=False) for name in ("northeurope", "swedencentral"))
    told.azure.create(ONE, targets, excluded=False)
    told.azure.advance(NOW + timedelta(hours=2))
    record = ReleaseRecord(RINGS.name, v(ONE), ID.version(ONE), told.azure.now, history=True)
    told.rows[ONE] = Row(record, 1)
    return told


def test_a_version_from_before_the_factory_stays_latest_where_it_is_when_it_is_released() -> None:
    told = from_before()
    promote(told, ONE, through=True)
    told.look(ONE)
    assert latest(told, ONE) == {"northeurope", "swedencentral"}
    passes(told, hours=10)
    assert latest(told, ONE) == EVERYWHERE | {"swedencentral"}


def test_a_version_from_before_the_factory_is_latest_again_where_it_was_after_a_hold() -> None:
    told = from_before()
    hold(told, ONE)
    passes(told, minutes=10)
    assert latest(told, ONE) == frozenset()
    resume(told, ONE)
    passes(told, minutes=10)
    assert latest(told, ONE) == {"northeurope", "swedencentral"}


RECORD = replace(world().record(ONE), stage=Stage.SOAKING, reason="soaks")
GONE_WRONG = replace(RECORD, withdrawn="it leaks")


@pytest.mark.parametrize(
    ("record", "word", "said"),
    [
        (GONE_WRONG, lambda r: withdrawals.held(r, "why"), "is withdrawn (it leaks); build it again instead"),
        (GONE_WRONG, withdrawals.resumed, "is withdrawn"),
        (GONE_WRONG, lambda r: withdrawals.promoted(r, RINGS, NOW, through=True), "is withdrawn"),
        (RECORD, withdrawals.resumed, "ubuntu/1.0.1 is not held: soaks"),
        (
            replace(RECORD, stage=Stage.OVERTAKEN, reason="overtaken by 1.0.2"),
            lambda r: withdrawals.promoted(r, RINGS, NOW, through=False),
            "ubuntu/1.0.1 is overtaken by 1.0.2: hold or withdraw that one first",
        ),
    ],
)
def test_a_word_that_makes_no_sense_is_refused_with_what_to_do(
    record: ReleaseRecord, word: Callable[[ReleaseRecord], ReleaseRecord], said: str
) -> None:
    with pytest.raises(Invalid) as refused:
        word(record)
    assert said in str(refused.value)


def test_withdrawing_twice_changes_nothing_and_keeps_the_first_reason() -> None:
    once = withdrawals.withdrawn(RECORD, "it leaks", NOW)
    assert withdrawals.withdrawn(once, "again", NOW + timedelta(hours=1)) == once


def test_what_descends_from_a_withdrawn_version_is_marked_and_withdrawn_only_if_so_configured() -> None:
    marked = withdrawals.descends(RECORD, "base/1.0.0", RINGS, NOW)
    assert (marked.descends_from, marked.withdrawn) == ("base/1.0.0", "")
    along = withdrawals.descends(RECORD, "base/1.0.0", replace(RINGS, withdraw_with_source=True), NOW)
    assert (along.withdrawn, along.withdrawn_at) == ("built from the withdrawn base/1.0.0", NOW)
    assert withdrawals.descends(along, "other/2.0.0", RINGS, NOW) == along


def test_a_word_clears_what_azure_refused_before() -> None:
    refused = replace(RECORD, refusals=4, denials=2, retry_at=NOW + timedelta(hours=1))
    for record in (withdrawals.held(refused, "why"), withdrawals.withdrawn(refused, "why", NOW)):
        assert (record.refusals, record.denials, record.retry_at) == (0, 0, None)
