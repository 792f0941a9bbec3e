"""When an image is built, and what is said when it is not."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.factory import Image, Mode
from shared.domain.records import ImageRecord
from shared.domain.schedules import Schedule
from shared.domain.templates import Provisioning, RunState, Template
from shared.planning import actions, builds, clock

from .cases import (
    CLAIM,
    DELETING,
    FIRST,
    IMAGE,
    MINUTE,
    NOW,
    ORDER,
    READY,
    SECOND,
    archived,
    current,
    ran,
    situation,
    v,
    wanting,
)

RUNNING = ran(READY, FIRST, RunState.RUNNING)
OVER = ran(READY, FIRST, RunState.SUCCEEDED)
BUILT = archived(wanting())


def only(
    record: ImageRecord | None = None, template: Template | None = READY, image: Image = IMAGE
) -> actions.Action:
    plan = builds.plan(situation(record, template, image))
    assert len(plan) == 1
    return plan[0]


def test_a_wanted_version_requests_a_run_under_a_claim_keyed_by_the_run_before() -> None:
    action = only(wanting(BUILT), OVER)
    assert isinstance(action, actions.Nothing)
    record = replace(BUILT, wanted=v("1.0.2"))
    action = only(record, OVER)
    assert isinstance(action, actions.RequestRun)
    assert (action.claim.previous, action.claim.attempt, action.claim.version) == (FIRST, 1, v("1.0.2"))


def test_an_absent_template_is_made_when_its_first_run_is_due() -> None:
    assert isinstance(only(template=None), actions.CreateTemplate)
    nothing = replace(wanting(), wanted=None)
    assert only(nothing, None) == actions.Nothing("nothing newer than 1.0.0")


@pytest.mark.parametrize(("age", "expected"), [(9 * MINUTE, actions.Wait), (10 * MINUTE, actions.RequestRun)])
def test_a_claim_is_waited_for_and_then_repeated_as_its_next_attempt(
    age: timedelta, expected: type[actions.Action]
) -> None:
    action = only(replace(wanting(), claim=replace(CLAIM, at=NOW - age)))
    assert isinstance(action, expected)
    if isinstance(action, actions.RequestRun):
        assert action.claim.attempt == 2


def test_a_run_that_never_becomes_visible_counts_as_a_failure_in_the_end() -> None:
    claim = replace(CLAIM, at=NOW - 11 * MINUTE, attempt=builds.REQUESTS)
    assert isinstance(only(replace(wanting(), claim=claim)), actions.CountFailure)


def test_any_other_start_time_meets_the_claim_whoever_started_the_run() -> None:
    record = replace(wanting(), claim=CLAIM)
    note, told = builds.plan(situation(record, RUNNING))
    assert note == actions.NoteRun(replace(current(FIRST, CLAIM), started=NOW - timedelta(minutes=30)))
    assert told == actions.Nothing(f"the run of {FIRST} is under way")


def test_a_claim_is_not_met_by_the_run_that_it_followed() -> None:
    record = replace(BUILT, wanted=v("1.0.2"), claim=replace(CLAIM, previous=FIRST))
    assert isinstance(only(record, OVER), actions.Wait)


def test_a_replaced_template_does_not_meet_a_claim() -> None:
    record = replace(wanting(), claim=replace(CLAIM, previous=FIRST, at=NOW - 11 * MINUTE))
    action = only(record, READY)
    assert isinstance(action, actions.RequestRun)
    assert action.claim.attempt == 1


@pytest.mark.parametrize("state", [s for s in RunState if s.over])
def test_every_end_is_recorded_first(state: RunState) -> None:
    template = ran(READY, SECOND, state)
    record = replace(BUILT, claim=replace(CLAIM, previous=FIRST), unsettled=("x/vhd",), paused="yes")
    action = only(record, template)
    assert isinstance(action, actions.RecordEnd)
    assert action.claim == record.claim


def test_nothing_starts_while_an_output_is_neither_archived_nor_lost() -> None:
    record = replace(wanting(), recorded=FIRST, unsettled=(f"{FIRST}/vhd",))
    action = only(record, OVER)
    assert action == actions.Nothing(f"no new run while {FIRST}/vhd is not safe in the archive")


def test_the_template_goes_once_every_vhd_of_its_last_run_has_a_manifest() -> None:
    action = only(BUILT, OVER, DELETING)
    assert action == actions.DeleteTemplate(FIRST, "archived: 1 VHD of its last run")


@pytest.mark.parametrize(
    ("record", "template", "kept"),
    [
        (replace(BUILT, manifests=0), OVER, "0 of 1 VHD of its last run archived"),
        (replace(BUILT, vhds=0, manifests=0), OVER, "its last run left no VHD"),
        (BUILT, replace(OVER, owner=None), "it was not made by the factory"),
        (BUILT, replace(OVER, owner="other"), "it was not made by the factory"),
        (BUILT, READY, "it has not run yet"),
    ],
)
def test_the_journal_says_what_keeps_a_template(record: ImageRecord, template: Template, kept: str) -> None:
    action = only(record, template, DELETING)
    assert action == actions.Nothing(f"already built from 1.0.1; template kept: {kept}")


def test_a_template_that_failed_to_be_made_is_counted_once_then_replaced_when_it_is_time() -> None:
    failed = replace(READY, provisioning=Provisioning.FAILED, trouble="no rights on the subnet")
    assert only(template=failed) == actions.CountFailure(
        "the template could not be made: no rights on the subnet", template=True
    )
    counted = replace(wanting(), template_failed=True, failures=1, retry_at=NOW + MINUTE)
    assert isinstance(only(counted, failed), actions.Wait)
    due = replace(counted, retry_at=NOW)
    assert isinstance(only(due, failed), actions.DeleteTemplate)
    foreign = only(due, replace(failed, owner=None))
    assert isinstance(foreign, actions.Nothing)
    assert "not the factory's" in foreign.why


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"paused": "3 failures in a row; the last: exit 1"},
            "paused: 3 failures in a row; the last: exit 1",
        ),
        ({"wanted": None}, "nothing newer than 1.0.0"),
        (
            {"cancelled": v("1.0.1")},
            "the run for 1.0.1 was cancelled; it is not tried again for the same version",
        ),
        (
            {"built": v("1.0.0"), "older": 4},
            "4 runs in a row built 1.0.0 although 1.0.1 is listed; waiting for the next version",
        ),
    ],
)
def test_why_it_is_not_built(change: dict[str, object], why: str) -> None:
    action = only(replace(wanting(), **change))
    assert action == actions.Nothing(f"{why}; template kept: after_archive is keep_template")


def test_a_newer_version_than_the_cancelled_one_is_built() -> None:
    assert isinstance(only(replace(wanting(), cancelled=v("1.0.0"))), actions.RequestRun)


def test_a_retry_waits_for_its_time() -> None:
    action = only(replace(wanting(), failures=1, retry_at=NOW + MINUTE))
    assert isinstance(action, actions.Wait)
    assert action.until == NOW + MINUTE
    assert isinstance(only(replace(wanting(), failures=1, retry_at=NOW)), actions.RequestRun)


def test_observing_plans_the_same_and_does_nothing() -> None:
    watching = replace(IMAGE, mode=Mode.OBSERVE)
    action = only(image=watching)
    assert isinstance(action, actions.Nothing)
    assert action.why.startswith("mode is observe: would build, since source version 1.0.1")
    kept = only(BUILT, OVER, replace(DELETING, mode=Mode.OBSERVE))
    assert kept == actions.Nothing("already built from 1.0.1; mode is observe: would delete the template")


def test_a_fixed_source_version_is_said_to_be_fixed() -> None:
    fixed = replace(IMAGE, source=None, source_text="jammy 1.0.0 (fixed)")
    record = replace(wanting(), wanted=None)
    assert only(record, None, fixed) == actions.Nothing("nothing to build: jammy 1.0.0 (fixed)")


def test_a_missed_schedule_is_caught_up_once() -> None:
    nightly = replace(IMAGE, schedule=Schedule("0 3 * * *", "Europe/Paris"))
    record = replace(BUILT, scheduled=NOW - timedelta(days=5))
    action = only(record, OVER, nightly)
    assert isinstance(action, actions.RequestRun)
    assert action.claim.why == "scheduled for 2026-11-06 02:00 UTC"
    assert action.claim.version is None
    rest = only(replace(record, scheduled=NOW), OVER, nightly)
    assert isinstance(rest, actions.Wait)
    assert f"{rest.until:%d %H:%M}" == "11 02:00"


@pytest.mark.parametrize("known", [{"cancelled": v("1.0.1")}, {"built": v("1.0.0"), "older": 4}])
def test_a_due_schedule_does_not_ask_what_became_of_a_version(known: dict[str, object]) -> None:
    """Nor does its run count as one for that version."""
    nightly = replace(IMAGE, schedule=Schedule("0 3 * * *"))
    record = replace(wanting(), scheduled=NOW - timedelta(days=1), **known)
    action = only(record, image=nightly)
    assert isinstance(action, actions.RequestRun)
    assert (action.claim.version, action.claim.why) == (None, "scheduled for 2026-11-10 03:00 UTC")


def test_only_another_schedule_begins_to_count_anew() -> None:
    nightly, later = (replace(IMAGE, schedule=Schedule(f"0 {hour} * * *")) for hour in (3, 4))
    old = replace(BUILT, scheduled=NOW - timedelta(days=5))
    followed = clock.follow_schedule(old, nightly, NOW)
    assert followed.scheduled == NOW
    assert clock.follow_schedule(followed, nightly, NOW + MINUTE) == followed
    assert clock.follow_schedule(followed, later, NOW + MINUTE).scheduled == NOW + MINUTE
    assert clock.follow_schedule(old, IMAGE, NOW) == old


@pytest.mark.parametrize("template", [None, READY])
def test_a_run_that_was_seen_and_is_gone_with_its_template_is_forgotten_and_told(
    template: Template | None,
) -> None:
    """Also if the template has been made anew and has not run yet; one that can be seen is not gone."""
    record = replace(wanting(), run=current(FIRST, CLAIM))
    action = only(record, template)
    assert isinstance(action, actions.ForgetRun)
    assert action.why == f"the run of {FIRST} has vanished with its template"
    assert not any(isinstance(a, actions.ForgetRun) for a in builds.plan(situation(record, RUNNING)))


class TestAdopt:
    def test_the_first_sight_of_a_source_is_no_news(self) -> None:
        record = builds.adopt(None, IMAGE, v("1.0.0"), NOW)
        assert record is not None
        assert (record.baseline, record.wanted) == (v("1.0.0"), None)

    def test_the_first_sight_is_built_if_the_configuration_asks_for_it(self) -> None:
        record = builds.adopt(None, replace(IMAGE, build_at_first_sight=True), v("1.0.0"), NOW)
        assert record is not None
        assert record.wanted == v("1.0.0")
        assert isinstance(only(record, None), actions.CreateTemplate)

    def test_versions_compare_as_numbers_and_nothing_older_is_wanted(self) -> None:
        record = ImageRecord(IMAGE.name, baseline=v("18.04.9"))
        assert builds.adopt(record, IMAGE, v("18.04.8"), NOW) is None
        newer = builds.adopt(record, IMAGE, v("18.04.10"), NOW)
        assert newer is not None
        assert newer.wanted == v("18.04.10")
        assert builds.adopt(newer, IMAGE, v("18.04.10"), NOW) is None


_records = st.builds(
    ImageRecord,
    name=st.just(IMAGE.name),
    baseline=st.none() | st.just(v("1.0.0")),
    wanted=st.none() | st.sampled_from([v("1.0.1"), v("1.0.2")]),
    built=st.none() | st.sampled_from([v("1.0.0"), v("1.0.1")]),
    claim=st.none() | st.builds(replace, st.just(CLAIM), previous=st.sampled_from([None, FIRST, SECOND])),
    run=st.none() | st.just(current(FIRST, CLAIM)),
    recorded=st.sampled_from([None, FIRST, SECOND]),
    vhds=st.integers(0, 2),
    manifests=st.integers(0, 2),
    unsettled=st.sampled_from([(), (f"{FIRST}/vhd",)]),
    failures=st.integers(0, 4),
    template_failed=st.booleans(),
    retry_at=st.sampled_from([None, NOW - MINUTE, NOW + MINUTE]),
    paused=st.sampled_from(["", "paused by failures"]),
    cancelled=st.none() | st.just(v("1.0.1")),
    older=st.integers(0, 4),
    orders=st.sampled_from([(), (ORDER,)]),
)
_templates = st.none() | st.builds(
    lambda template, start, state, provisioning, owner: replace(
        ran(template, start, state) if start else template, provisioning=provisioning, owner=owner
    ),
    st.just(READY),
    st.sampled_from([None, FIRST, SECOND]),
    st.sampled_from(RunState),
    st.sampled_from(Provisioning),
    st.sampled_from([None, "ubuntu"]),
)


@given(_records, _templates, st.sampled_from([IMAGE, DELETING]), st.sampled_from(Mode))
def test_no_plan_ever_endangers_an_output(
    record: ImageRecord, template: Template | None, image: Image, mode: Mode
) -> None:
    """Whatever the ledger and Azure say: never a run or a deletion over an unsafe output or another run."""
    plan = builds.plan(situation(record, template, replace(image, mode=mode)))
    assert plan
    run = template.last_run if template else None
    for action in plan:
        if isinstance(action, actions.RequestRun | actions.DeleteTemplate | actions.CreateTemplate):
            assert not record.unsettled
            assert mode is Mode.ACT
            assert run is None or (run.state.over and run.start == record.recorded)
        if isinstance(action, actions.DeleteTemplate):
            assert template is not None
            assert template.owner == image.name
            if (
                template.provisioning is not Provisioning.FAILED
                and template.provisioning is not Provisioning.CANCELED
            ):
                assert 0 < record.vhds <= record.manifests
        if isinstance(action, actions.RequestRun):
            assert template is not None
            assert template.provisioning is Provisioning.SUCCEEDED
            assert not record.paused or action.claim.order == ORDER.id
