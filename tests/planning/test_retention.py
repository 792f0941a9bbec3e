"""What retention keeps and what it lets go, and in which words."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.ids import ImageName
from shared.domain.retention import PIN, Kind, Policy, TagRule
from shared.planning.standings import pillars

from .cases import NOW
from .retention_cases import (
    DAY,
    HOUR,
    NEWEST,
    NOTHING_KEPT,
    TICK,
    about,
    kept,
    planned,
    rules,
    version,
    words,
)

OWN = "the factory does not know it as its own: "
ALWAYS: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"owned": False}, "unknown", OWN + "its ownership tag is missing"),
    ({"recorded": False}, "unknown", OWN + "a record of it in the ledger is missing"),
    ({"doubts": ("its tag names `windows`",)}, "doubtful", "its tag names `windows`"),
    ({"made": None}, "doubtful", "its date is not known"),
    ({"tags": {"Team": "games"}}, "excluded", "a tag excludes it from retention"),
    ({"tags": {PIN: "for the audit"}}, "pinned", "pinned by a tag"),
    ({"tags": {PIN.upper(): ""}}, "pinned", "pinned by a tag"),
    ({"tags": {"keep": "yes"}}, "pinned", "pinned by a tag"),
    ({"stuck": "creating for 3 hours"}, "stuck", "creating for 3 hours"),
    ({"used_by": ("vm-1",)}, "in-use", "in use by vm-1"),
    ({"used_by": ("vm-1", "vm-2", "vm-3")}, "in-use", "in use by vm-1 and 2 more"),
    ({"source_of": ("base", "web")}, "source", "source of the template base and 1 more"),
    ({"busy": "it is soaking"}, "busy", "it is soaking"),
    ({"offered": ("west", "north")}, "newest-released", "the newest released in north, west"),
    (
        {"made": NOW - DAY + TICK},
        "minimum-age",
        "younger than the minimum age of 1d: made 2026-11-09 12:00 UTC",
    ),
    (
        {"guarded": True, "end_of_life": NOW + HOUR},
        "guarded",
        "Azure blocks its deletion before its end of life on 2026-11-10 13:00 UTC",
    ),
)


@pytest.mark.parametrize(("facts", "rule", "reason"), ALWAYS)
def test_is_kept_whatever_the_policy_says(facts: dict[str, Any], rule: str, reason: str) -> None:
    thing = version(1, **facts)
    by = rules(pins=(TagRule("KEEP", "yes"),), exclusions=(TagRule("team"),))
    assert words(thing, planned(thing, NEWEST, by=by)) == (rule, reason)


OF_NO_WEIGHT: tuple[dict[str, Any], ...] = (
    {},
    {"tags": {"keep": "no"}},
    {"tags": {"imageFactoryKept": "yes"}},
    {"end_of_life": NOW + HOUR},
    {"guarded": True, "end_of_life": NOW},
    {"guarded": True},
    {"parent": NEWEST.id},
    {"cancellable": True},
)


@pytest.mark.parametrize("facts", OF_NO_WEIGHT)
def test_goes_if_nothing_keeps_it(facts: dict[str, Any]) -> None:
    thing = version(1, **facts)
    verdict = about(thing, planned(thing, NEWEST, by=rules(pins=(TagRule("keep", "yes"),))))
    told = "made 2026-08-12 12:00 UTC, superseded 2026-10-31 12:00 UTC: no part of its policy keeps it"
    assert (verdict.keep, verdict.rule, verdict.reason) == (False, "retire", told)


def test_everything_stays_if_not_everything_can_be_seen() -> None:
    seen = planned(version(1), version(2, used_by=("vm-1",)), NEWEST, blind=("subscription b",))
    assert {(v.keep, v.rule, v.reason) for v in seen.verdicts} == {
        (True, "blind", "not everything can be seen: subscription b")
    }
    assert seen.blind == ("subscription b",)


def test_the_newest_good_one_is_not_a_bad_one_nor_a_doubtful_one() -> None:
    good = version(5)
    seen = planned(good, version(6, good=False), version(7, owned=False), version(8, doubts=("no run",)))
    assert words(good, seen) == ("newest-good", "the newest good one")
    assert kept(seen) == {"5", "7", "8"}


def test_what_a_tag_excludes_does_not_stand_in_for_the_newest() -> None:
    seen = planned(version(5), version(6, tags={"pet": ""}), by=rules(exclusions=(TagRule("pet"),)))
    assert kept(seen) == {"5", "6"}


PARTS: tuple[tuple[Policy, dict[str, Any], str, str], ...] = (
    (Policy(None, None, None, False, 2), {}, "floor", "among the last 2 good ones"),
    (Policy(2, None, None, False, 0), {}, "newest", "among the newest 2"),
    (
        Policy(None, 20 * DAY + TICK, None, False, 0),
        {},
        "younger",
        "younger than the policy's age of 20d: made 2026-10-21 12:00 UTC",
    ),
    (
        Policy(None, 21 * DAY, None, False, 0),
        {},
        "younger",
        "younger than the policy's age of 21d: made 2026-10-21 12:00 UTC",
    ),
    (
        Policy(None, None, 11 * DAY, False, 0),
        {},
        "superseded",
        "superseded 2026-10-31 12:00 UTC, kept for 11d after it",
    ),
    (
        Policy(None, None, None, True, 0),
        {"end_of_life": NOW + DAY},
        "end-of-life",
        "before its end of life on 2026-11-11 12:00 UTC",
    ),
)


@pytest.mark.parametrize(("policy", "facts", "rule", "reason"), PARTS)
def test_any_part_of_the_policy_keeps(policy: Policy, facts: dict[str, Any], rule: str, reason: str) -> None:
    thing = version(8, **facts)
    assert words(thing, planned(thing, NEWEST, by=rules(policy))) == (rule, reason)


EXACTLY: tuple[Policy, ...] = (
    Policy(None, None, None, False, 1),
    Policy(1, None, None, False, 0),
    Policy(None, 20 * DAY, None, False, 0),
    Policy(None, None, 10 * DAY, False, 0),
    Policy(None, None, None, True, 0),
)


@pytest.mark.parametrize("policy", EXACTLY)
def test_goes_at_the_very_moment_at_which_the_policy_ends(policy: Policy) -> None:
    thing = version(8, end_of_life=NOW)
    assert not about(thing, planned(thing, NEWEST, by=rules(policy))).keep


def test_what_no_newer_good_one_follows_is_not_superseded() -> None:
    bad, policy = version(9, good=False), Policy(None, None, timedelta(0), False, 0)
    seen = planned(version(8), bad, by=rules(policy))
    assert words(bad, seen) == ("superseded", "not superseded: no newer good one is there")


def test_is_superseded_from_when_a_newer_one_and_it_were_there_together() -> None:
    """A patch of an old line is made after a newer line: it is superseded from its first moment."""
    patch, policy = version(3, made=NOW - 5 * DAY), Policy(None, None, 5 * DAY + HOUR, False, 0)
    reason = "superseded 2026-11-05 12:00 UTC, kept for 121h after it"
    assert words(patch, planned(patch, NEWEST, by=rules(policy))) == ("superseded", reason)


def test_is_superseded_by_the_earliest_of_the_newer_good_ones() -> None:
    old, policy = version(3), Policy(None, None, 61 * DAY, False, 0)
    seen = planned(old, version(4), version(5, good=False), NEWEST, by=rules(policy))
    assert words(old, seen)[1] == "superseded 2026-09-11 12:00 UTC, kept for 61d after it"


def test_counting_is_per_image_kind_and_place() -> None:
    policy = Policy(1, None, None, False, 0)
    elsewhere = version(1, id="/a", place="there")
    another = version(1, id="/b", image=ImageName("windows"))
    vhd = version(1, id="/c", kind=Kind.ARCHIVED_VHD)
    seen = planned(version(1), elsewhere, another, vhd, NEWEST, by=rules(policy))
    assert {v.id for v in seen.verdicts if not v.keep} == {"/versions/1"}


def test_newest_counts_bad_ones_and_the_floor_does_not() -> None:
    things = (version(5), version(6), version(7, good=False), NEWEST)
    assert kept(planned(*things, by=rules(Policy(2, None, None, False, 0)))) == {"7", "9"}
    assert kept(planned(*things, by=rules(Policy(None, None, None, False, 2)))) == {"6", "9"}


def test_versions_are_ordered_as_numbers_and_others_by_their_date() -> None:
    tenth = version(10, made=NOW - 50 * DAY)
    assert kept(planned(version(9), tenth)) == {"10"}
    images = [version(n, kind=Kind.MANAGED_IMAGE, rank=()) for n in (2, 4, 3)]
    assert kept(planned(*images)) == {"4"}


def test_an_image_that_left_the_configuration_has_a_policy_of_its_own() -> None:
    old, by = version(1, configured=False), rules(Policy(newest=10), left=NOTHING_KEPT)
    seen = planned(old, version(9, configured=False), by=by)
    assert words(old, seen) == (
        "retire",
        "its image ubuntu left the configuration; made 2026-08-12 12:00 UTC",
    )
    assert kept(seen) == {"9"}


def test_an_image_may_have_a_policy_of_its_own_for_a_kind() -> None:
    by = rules(of_images={(ImageName("ubuntu"), Kind.GALLERY_VERSION): Policy(2, None, None, False, 0)})
    images = [version(n, id=f"/images/{n}", kind=Kind.MANAGED_IMAGE) for n in (8, 9)]
    seen = planned(version(8), NEWEST, *images, by=by)
    assert {v.id for v in seen.verdicts if not v.keep} == {"/images/8"}


def test_everything_down_to_the_newest_settled_one_may_be_latest() -> None:
    facts = {"offered": ("west",), "good": False}
    seen = planned(
        version(4, **facts),
        version(5, **facts),
        version(6, settled=False, **facts),
        version(7, good=False),
        version(8, owned=False, settled=False, **facts),
    )
    assert kept(seen) == {"5", "6", "8"}
    assert words(version(5), seen) == ("newest-released", "the newest released in west")


def test_what_retention_excluded_itself_may_be_latest_and_stands_in_for_nobody() -> None:
    facts = {"good": False, "taken": ("west",)}
    older = version(5, offered=("west",), good=False)
    assert kept(planned(older, version(6, **facts), version(7, **facts))) == {"5", "6", "7"}
    assert kept(planned(version(6, **facts), version(7, offered=("west",), good=False))) == {"7"}


def test_who_is_latest_in_place_of_a_version_is_what_its_going_counts_on() -> None:
    """Whoever made it, and besides the last good ones of the image."""
    going = version(5, taken=("west",))
    others = version(7, offered=("west",), owned=False), version(8, offered=("north",), owned=False)
    assert pillars((going, *others, NEWEST), rules(), going.id) == ("/versions/7", "/versions/9")
    assert pillars((*others, NEWEST), rules(), going.id) == ()


def test_what_somebody_else_made_is_latest_as_well() -> None:
    facts = {"offered": ("west",), "good": False}
    assert kept(planned(version(5, **facts), version(6, owned=False, **facts))) == {"6"}


def test_parents_of_what_is_kept_are_kept_if_so_configured() -> None:
    family = (
        version(1, kind=Kind.ARCHIVED_VHD),
        version(2, parent="/versions/1"),
        version(3, parent="/versions/2", recorded=False),
        version(4, parent="/versions/3"),
        version(5, parent="/versions/nowhere"),
        NEWEST,
    )
    only = rules(keep_parents=False)
    seen = planned(version(0, kind=Kind.ARCHIVED_VHD), *family)
    assert kept(seen) == {"1", "2", "3", "9"}
    assert words(family[0], seen) == ("newest-good", "the newest good one")
    assert words(family[1], seen) == ("parent", "something that is kept was built from it")
    assert kept(planned(version(0, kind=Kind.ARCHIVED_VHD), *family, by=only)) == {"1", "3", "9"}


@pytest.mark.parametrize("kind", [Kind.TEMPLATE, Kind.STAGING_GROUP])
def test_what_is_left_over_knows_no_policy(kind: Kind) -> None:
    left = version(1, kind=kind)
    seen = planned(left, by=rules(Policy(newest=9, floor=9)))
    assert words(left, seen) == ("retire", "nothing needs it any more; made 2026-08-12 12:00 UTC")
    young = version(1, kind=kind, made=NOW)
    assert words(young, planned(young))[0] == "minimum-age"
