"""How a thing goes: one stage after the other; who takes its mark back; and what stops a plan."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.domain.ids import ImageName
from shared.domain.retention import PIN, Going, Kind, Policy, Stage, Step, Thing, Trip
from shared.planning.retention import RESEND, turn

from .cases import NOW
from .retention_cases import (
    DAY,
    HOUR,
    LAG,
    NEWEST,
    NOTHING_KEPT,
    TICK,
    about,
    of_kind,
    planned,
    rules,
    version,
)

STAGED = (Stage.MARKED, Stage.EXCLUDED, Stage.DELETING)


def at(stage: Stage, ago: timedelta = timedelta(0), **facts: Any) -> Thing:
    return version(1, going=Going(stage, None if stage is Stage.NONE else NOW - ago), **facts)


def step(thing: Thing, **changes: Any) -> Step:
    return about(thing, planned(thing, NEWEST, by=rules(**changes))).step


WAITS: tuple[tuple[Stage, dict[str, Any], timedelta, Step], ...] = (
    (Stage.MARKED, {"notice": 7 * DAY}, 7 * DAY, Step.EXCLUDE),
    (Stage.EXCLUDED, {"grace": 3 * DAY}, 3 * DAY, Step.DELETE),
    (Stage.EXCLUDED, {"grace": timedelta(0)}, LAG, Step.DELETE),
    (Stage.DELETING, {}, RESEND, Step.DELETE),
)


@pytest.mark.parametrize(("stage", "changes", "wait", "then"), WAITS)
def test_each_stage_has_its_time_to_the_moment(
    stage: Stage, changes: dict[str, Any], wait: timedelta, then: Step
) -> None:
    early = at(stage, wait - TICK)
    verdict = about(early, planned(early, NEWEST, by=rules(**changes)))
    assert (verdict.step, verdict.due) == (Step.WAIT, NOW + TICK)
    assert step(at(stage, wait), **changes) is then


def test_what_newly_goes_is_marked() -> None:
    assert step(at(Stage.NONE)) is Step.MARK


@pytest.mark.parametrize("stage", STAGED)
def test_since_when_must_be_known_to_go_on(stage: Stage) -> None:
    """Without it nobody knows whether the owners have had their time."""
    thing = version(1, going=Going(stage, None))
    assert step(thing) not in (Step.EXCLUDE, Step.DELETE)


@pytest.mark.parametrize("stage", [Stage.MARKED, Stage.EXCLUDED])
@pytest.mark.parametrize("facts", [{"tags": {PIN: ""}}, {"used_by": ("vm",)}, {"owned": False}])
def test_a_mark_is_taken_back_if_the_thing_is_kept_after_all(stage: Stage, facts: dict[str, Any]) -> None:
    assert step(at(stage, 9 * DAY, **facts)) is Step.UNMARK


def test_a_policy_that_is_taken_back_takes_the_marks_back() -> None:
    marked = at(Stage.MARKED, 9 * DAY)
    by = rules(Policy(newest=2))
    assert about(marked, planned(marked, NEWEST, by=by)).step is Step.UNMARK


@pytest.mark.parametrize("stage", [Stage.MARKED, Stage.EXCLUDED])
def test_being_busy_or_out_of_sight_takes_no_mark_back_and_brings_nothing_on(stage: Stage) -> None:
    assert step(at(stage, 9 * DAY, busy="it replicates")) is Step.NOTHING
    marked = at(stage, 9 * DAY)
    assert about(marked, planned(marked, blind=("a subscription",))).step is Step.NOTHING


def test_what_is_pinned_too_late_is_given_back_if_its_deletion_came_to_nothing() -> None:
    facts = {"tags": {PIN: ""}}
    assert step(at(Stage.DELETING, RESEND - TICK, **facts)) is Step.WAIT
    assert step(at(Stage.DELETING, RESEND, **facts)) is Step.UNMARK


def test_what_is_stuck_is_cancelled_where_that_is_possible_and_never_deleted() -> None:
    facts: dict[str, Any] = {"kind": Kind.TEMPLATE, "stuck": "running for 9 hours"}
    assert step(at(Stage.NONE, cancellable=True, **facts)) is Step.CANCEL
    assert step(at(Stage.NONE, **facts)) is Step.NOTHING
    assert step(at(Stage.EXCLUDED, 9 * DAY, **facts)) is Step.UNMARK
    assert step(at(Stage.NONE, cancellable=True, used_by=("vm",), owned=False, **facts)) is Step.NOTHING


@pytest.mark.parametrize("stage", [Stage.MARKED, Stage.EXCLUDED])
def test_a_dry_run_takes_the_marks_of_an_earlier_one_back(stage: Stage) -> None:
    assert step(at(stage, 9 * DAY), enforce=False) is Step.UNMARK
    assert step(at(stage, 9 * DAY, act=False)) is Step.UNMARK


def test_a_dry_run_asks_for_no_deletion_again() -> None:
    assert step(at(Stage.DELETING, DAY), enforce=False) is not Step.DELETE
    assert step(at(Stage.DELETING, DAY, act=False)) is not Step.DELETE


def test_nothing_is_marked_or_cancelled_for_an_image_that_is_only_observed() -> None:
    assert step(at(Stage.NONE, act=False)) is Step.NOTHING
    stuck = at(Stage.NONE, act=False, kind=Kind.TEMPLATE, stuck="running for 9 hours", cancellable=True)
    assert step(stuck) is Step.NOTHING


def test_a_policy_is_one_of_the_thing_itself_not_of_its_like() -> None:
    """Facts that contradict one another: of one image, one thing is said to have left the configuration."""
    left, stays = version(5, configured=False), version(6)
    by = rules(Policy(3, None, None, False, 0), left=NOTHING_KEPT)
    seen = planned(left, stays, NEWEST, by=by)
    assert [about(thing, seen).rule for thing in (left, stays)] == ["retire", "newest"]


def history(many: int, stage: Stage = Stage.NONE, kind: Kind = Kind.GALLERY_VERSION) -> list[Thing]:
    """So many old ones, oldest first, and a newest one that stays."""
    since = None if stage is Stage.NONE else NOW - 9 * DAY
    facts: dict[str, Any] = {"kind": kind, "going": Going(stage, since)}
    old = [version(n, id=f"/{n}", made=NOW - 100 * DAY + HOUR * n, **facts) for n in range(many)]
    return [*old, version(many + 1, id="/last", kind=kind, made=NOW - 50 * DAY)]


@pytest.mark.parametrize(
    ("many", "trip", "trips"),
    [
        (3, Trip(), False),
        (4, Trip(), True),
        (4, Trip(number=4), False),
        (4, Trip(number=0, percent=80), False),
        (4, Trip(number=0, percent=79), True),
        (1, Trip(number=0, percent=0), True),
        (0, Trip(number=0, percent=0), False),
    ],
)
def test_trips_above_the_larger_of_a_number_and_a_share(many: int, trip: Trip, trips: bool) -> None:
    """The share is of all of the image's things of that kind: here one of them stays."""
    seen = of_kind(planned(*history(many), by=rules(trip=trip)))
    assert (bool(seen.tripped), seen.stopped) == (trips, trips)


def test_a_plan_that_tripped_says_why() -> None:
    told = "4 of 5 gallery versions of ubuntu would newly be marked, more than the 3 that `trip` allows"
    assert of_kind(planned(*history(4), by=rules(trip=Trip()))).tripped == told


def test_what_is_marked_already_trips_nothing() -> None:
    assert not of_kind(planned(*history(9, Stage.MARKED), by=rules(trip=Trip()))).tripped


def test_each_image_and_each_kind_trips_for_itself() -> None:
    windows = [replace(t, id=f"/w{t.id}", image=ImageName("windows")) for t in history(3)]
    vhds = [replace(t, id=f"/v{t.id}") for t in history(4, kind=Kind.ARCHIVED_VHD)]
    seen = planned(*history(3), *windows, *vhds, by=rules(trip=Trip()))
    assert not of_kind(seen).tripped
    assert of_kind(seen, Kind.ARCHIVED_VHD).stopped


def test_nothing_of_a_kind_that_tripped_goes_on_but_marks_are_taken_back() -> None:
    waiting = version(1, id="/x", rank=(0, 1), going=Going(Stage.EXCLUDED, NOW - 9 * DAY))
    pinned = version(2, id="/y", rank=(0, 2), going=Going(Stage.MARKED, NOW), tags={PIN: ""})
    seen = planned(*history(4), waiting, pinned, by=rules(trip=Trip()))
    assert about(waiting, seen).step is Step.NOTHING
    assert [(v.id, v.step) for v in turn(seen, rules(), {})] == [("/y", Step.UNMARK)]


def test_the_approval_of_a_plan_is_void_after_any_change_of_it() -> None:
    things, by = history(5), rules(trip=Trip())
    digest = of_kind(planned(*things, by=by)).digest
    approved = {Kind.GALLERY_VERSION: digest}
    assert not of_kind(planned(*things, by=by, approved=approved)).stopped
    pinned = [replace(things[0], tags={PIN: ""}), *things[1:]]
    more = [*things, version(0, id="/more", rank=(0, 1))]
    another = [replace(things[0], made=NOW - 200 * DAY), *things[1:]]
    for changed in (pinned, more, another):
        assert of_kind(planned(*changed, by=by, approved=approved)).stopped
    assert of_kind(planned(*things, by=by, approved={Kind.ARCHIVED_VHD: digest})).stopped


def test_the_digest_stays_while_the_plan_is_carried_out() -> None:
    """Else an approval would be void as soon as the first of its things is marked."""
    seen = {of_kind(planned(*history(5, stage))).digest for stage in Stage}
    assert len(seen) == 1


def test_the_digest_of_the_plan_is_that_of_all_kinds() -> None:
    vhds = [replace(t, id=f"/v{t.id}") for t in history(1, kind=Kind.ARCHIVED_VHD)]
    assert planned(*history(2)).digest != planned(*history(2), *vhds).digest


def test_a_sweep_brings_so_many_on_the_oldest_first_and_marks_all() -> None:
    due = history(5, Stage.MARKED)[:-1]
    gone = [replace(t, id=f"/g{t.id}", going=Going(Stage.EXCLUDED, NOW - 9 * DAY)) for t in history(5)[:-1]]
    new = [replace(t, id=f"/n{t.id}", going=Going()) for t in history(5)[:-1]]
    vhds = [replace(t, id=f"/v{t.id}") for t in history(3, Stage.MARKED, Kind.ARCHIVED_VHD)]
    seen = turn(planned(NEWEST, *due, *gone, *new, *vhds), rules(per_sweep=2), {})
    by_step = {each: [v.id for v in seen if v.step is each] for each in Step}
    assert by_step[Step.EXCLUDE] == ["/0", "/1", "/v/0", "/v/1"]
    assert by_step[Step.DELETE] == ["/g/0", "/g/1"]
    assert len(by_step[Step.MARK]) == 5
    assert not by_step[Step.WAIT] + by_step[Step.NOTHING]


def test_what_something_was_built_from_waits_for_that_and_what_was_tried_last_comes_last() -> None:
    gone = Going(Stage.EXCLUDED, NOW - 9 * DAY)
    parent, other = version(1, going=gone), version(3, going=gone)
    child = version(5, going=gone, parent=parent.id)
    seen, by = planned(parent, child, other, NEWEST), rules(per_sweep=1)
    assert [v.id for v in turn(seen, by, {})] == [other.id]
    tried = {(other.kind, other.id): NOW - HOUR}
    assert [v.id for v in turn(seen, by, tried)] == [child.id]
    tried[child.kind, child.id] = NOW
    assert [v.id for v in turn(seen, by, tried)] == [other.id]
    alone = planned(parent, other, NEWEST)
    assert [v.id for v in turn(alone, by, tried)] == [parent.id]


def test_an_image_that_only_observes_trips_nobody() -> None:
    """Its things are never marked, so that they would count as new for ever."""
    watched = [replace(t, act=False) for t in history(6)]
    assert not of_kind(planned(*watched, by=rules(trip=Trip()))).tripped
    assert of_kind(planned(*history(6), by=rules(trip=Trip()))).tripped


def test_the_same_facts_give_the_same_plan_byte_for_byte() -> None:
    things = history(6)
    first, second = planned(*things), planned(*reversed(things))
    assert msgspec.json.encode(first) == msgspec.json.encode(second)
    assert [v.name for v in first.verdicts] == [f"ubuntu/1.0.{n}" for n in (0, 1, 2, 3, 4, 5, 7)]
    assert [k.kind for k in first.kinds] == list(Kind)
