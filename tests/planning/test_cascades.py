"""When an image made from a gallery definition is built: for what is latest, and after its ancestors."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.galleries import GalleryVersion, Placed, Provisioning, Replication
from shared.domain.records import ImageRecord
from shared.domain.sources import GallerySource
from shared.domain.versions import Version
from shared.planning import actions, builds
from shared.planning.sources import latest_in

from .azure_gallery import ID
from .cases import CLAIM, IMAGE, MINUTE, NOW, situation, v, wanting

MADE_FROM = replace(IMAGE, source=GallerySource(ID, "westeurope"))
MOVING = "base is being built"


def in_gallery(
    text: str, *, excluded: bool = False, state: Provisioning = Provisioning.SUCCEEDED
) -> GalleryVersion:
    placed = Placed("westeurope", 1, "Standard_LRS", excluded, Replication.COMPLETED)
    return GalleryVersion(
        id=ID.version(text),
        version=v(text),
        location="westeurope",
        provisioning=state,
        excluded=False,
        regions=(placed,),
        tags={},
    )


def test_an_image_waits_for_an_ancestor_that_moves_and_says_so() -> None:
    (wait,) = builds.plan(replace(situation(image=MADE_FROM), moving=MOVING))
    assert wait == actions.Wait(NOW + timedelta(minutes=5), "waits, since base is being built")


def test_an_image_is_kept_waiting_for_its_ancestors_for_a_limited_time() -> None:
    record = replace(wanting(), wanted_since=NOW - timedelta(hours=24))
    (request,) = builds.plan(replace(situation(record, image=MADE_FROM), moving=MOVING))
    assert isinstance(request, actions.RequestRun)


@pytest.mark.parametrize("owed", ["a person asked for it", "scheduled for tonight"])
def test_a_run_that_no_new_version_asks_for_waits_for_nobody(owed: str) -> None:
    record = replace(wanting(), owed=owed)
    (request,) = builds.plan(replace(situation(record, image=MADE_FROM), moving=MOVING))
    assert isinstance(request, actions.RequestRun)


def test_what_is_requested_already_does_not_wait_again() -> None:
    record = replace(wanting(), claim=CLAIM)
    (wait,) = builds.plan(replace(situation(record, image=MADE_FROM), moving=MOVING))
    assert "a run was requested" in wait.why  # type: ignore[union-attr] # a Wait


def test_the_first_version_of_a_source_that_was_empty_is_news() -> None:
    empty = builds.adopt(None, MADE_FROM, None, NOW)
    assert empty
    assert empty.baseline == builds.NOTHING
    (nothing,) = builds.plan(situation(empty, image=MADE_FROM))
    assert nothing.why.startswith("its source has no version yet")  # type: ignore[union-attr] # a Nothing
    assert builds.adopt(empty, MADE_FROM, None, NOW) is None
    first = builds.adopt(empty, MADE_FROM, v("1.0.0"), NOW)
    assert first
    assert first.wanted == v("1.0.0")
    assert builds.wants(situation(first, image=MADE_FROM)) == "source version 1.0.0 is newer than nothing"


def test_what_is_latest_no_more_is_wanted_no_more() -> None:
    record = builds.adopt(wanting(), MADE_FROM, v("1.0.0"), NOW)
    assert record
    assert record.wanted == v("1.0.0")
    assert not builds.wants(situation(record, image=MADE_FROM))


def test_what_was_built_from_a_version_that_is_latest_no_more_is_not_built_back() -> None:
    built = replace(wanting(), built=v("1.0.1"))
    assert builds.adopt(built, MADE_FROM, v("1.0.0"), NOW) is None
    assert builds.adopt(built, MADE_FROM, None, NOW) is None


def test_a_marketplace_that_leaves_a_version_out_takes_nothing_back() -> None:
    assert builds.adopt(wanting(), IMAGE, v("1.0.0"), NOW) is None


_newest = st.none() | st.integers(0, 4).map(lambda patch: v(f"1.0.{patch}"))


@given(st.lists(_newest, max_size=8))
def test_an_image_wants_what_is_latest_and_nothing_else(seen: list[Version | None]) -> None:
    """Whatever comes and goes: what is to be built is what `latest` means now, and none twice."""
    record = ImageRecord(MADE_FROM.name, scheduled=NOW)
    for newest in seen:
        record = builds.adopt(record, MADE_FROM, newest, NOW) or record
        if builds.wants(situation(record, image=MADE_FROM)):
            assert record.wanted == newest
            record = replace(record, built=record.wanted)
        assert builds.adopt(record, MADE_FROM, newest, NOW + MINUTE) in (None, record)


def test_latest_is_the_highest_by_number_that_is_not_excluded_there_nor_being_deleted() -> None:
    versions = [
        in_gallery("1.0.9"),
        in_gallery("1.0.10"),
        in_gallery("1.0.11", excluded=True),
        in_gallery("1.0.12", state=Provisioning.DELETING),
        in_gallery("1.0.13", state=Provisioning.UPDATING),
    ]
    assert [each.version.text for each in latest_in("westeurope", versions)] == ["1.0.13", "1.0.10", "1.0.9"]
    assert not list(latest_in("eastus", versions))
