"""What happens to a run, and what it leaves in the image's record."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.factory import Timing
from shared.domain.ids import RunStart
from shared.domain.records import ImageRecord, OutputState
from shared.domain.templates import LastRun, RunState
from shared.planning import runs
from shared.planning.runs import Built

from .cases import CLAIM, FIRST, MINUTE, NOW, SECOND, archived, current, v, wanting

TIMING = Timing()
BUILT = Built(v("1.0.1"))
TAG = "Canonical:jammy:gen2 (1.0.1)"
FAILURES = [s for s in RunState if s.over and s not in (RunState.SUCCEEDED, RunState.CANCELED)]


def run(state: RunState, start: RunStart = SECOND, message: str = "") -> LastRun:
    return LastRun(start, state, NOW - 30 * MINUTE, NOW, message)


def ended(
    record: ImageRecord, state: RunState, built: Built = BUILT, *, ours: bool = True, message: str = ""
) -> ImageRecord:
    claim = CLAIM if ours else None
    return runs.ended(record, run(state, message=message), claim, built, TIMING, NOW)


class TestWhatWasBuilt:
    def test_the_tag_of_the_artifact_is_believed_first(self) -> None:
        found = runs.what_was_built(["", TAG], "1.0.2", CLAIM, wanting(), NOW)
        assert found == Built(v("1.0.1"))

    @pytest.mark.parametrize("tag", ["", "latest", "x (latest)", "(1.0.1) x", "x (1.0)", "x (1.0.1.0)"])
    def test_a_tag_that_does_not_end_in_a_version_tells_nothing(self, tag: str) -> None:
        found = runs.what_was_built([tag], "1.0.2", CLAIM, wanting(), NOW)
        assert found == Built(v("1.0.2"))

    def test_an_exact_version_tells_only_if_it_changed_since_before_the_run(self) -> None:
        assert runs.what_was_built([], "1.0.2", CLAIM, wanting(), NOW) == Built(v("1.0.2"))
        unchanged = runs.what_was_built([], CLAIM.exact_before, CLAIM, wanting(), NOW)
        assert unchanged == Built(v("1.0.1"), inferred=True)

    def test_an_exact_version_tells_nothing_of_a_run_that_somebody_else_started(self) -> None:
        record = replace(wanting(), wanted_since=NOW - MINUTE)
        assert runs.what_was_built([], "1.0.2", None, record, NOW) == Built(v("1.0.1"), inferred=True)

    def test_a_version_listed_after_the_start_cannot_have_been_built(self) -> None:
        record = replace(wanting(), wanted_since=NOW + MINUTE)
        assert runs.what_was_built([], None, None, record, NOW) == Built(v("1.0.0"), inferred=True)

    def test_nothing_is_inferred_from_nothing(self) -> None:
        assert runs.what_was_built([], None, None, ImageRecord(wanting().name), NOW) == Built(None)


class TestRequested:
    def test_a_run_that_no_version_asked_for_stays_owed(self) -> None:
        claim = replace(CLAIM, version=None, why="scheduled")
        record = runs.requested(wanting(), claim)
        assert (record.owed, record.claim, record.scheduled) == ("scheduled", claim, claim.at)

    def test_a_run_for_a_version_owes_nothing_of_its_own(self) -> None:
        assert runs.requested(wanting(), CLAIM).owed == ""
        assert runs.requested(replace(wanting(), owed="scheduled"), CLAIM).owed == "scheduled"

    def test_a_refused_request_leaves_no_claim(self) -> None:
        assert runs.refused(runs.requested(wanting(), CLAIM)).claim is None

    def test_a_run_that_is_seen_takes_the_claim_with_it(self) -> None:
        seen = current(SECOND, CLAIM)
        record = runs.noted(runs.requested(wanting(), CLAIM), seen)
        assert (record.claim, record.run) == (None, seen)


class TestEnded:
    def test_success_is_built_and_ends_every_trouble(self) -> None:
        before = replace(wanting(), failures=2, retry_at=NOW, paused="x", owed="y", cancelled=v("1.0.0"))
        record = ended(before, RunState.SUCCEEDED)
        assert record.built == v("1.0.1")
        assert (record.failures, record.retry_at, record.paused) == (0, None, "")
        assert (record.owed, record.cancelled, record.older) == ("", None, 0)

    @pytest.mark.parametrize("state", [s for s in RunState if s.over])
    def test_every_end_is_recorded_and_leaves_no_run(self, state: RunState) -> None:
        record = ended(replace(wanting(), claim=CLAIM, run=current(SECOND, CLAIM)), state)
        assert (record.recorded, record.recorded_state) == (SECOND, state)
        assert (record.claim, record.run) == (None, None)

    @pytest.mark.parametrize("state", FAILURES)
    def test_failures_back_off_further_and_pause_in_the_end(self, state: RunState) -> None:
        """30 minutes, 2 hours, 8 hours; a partly succeeded run is a failure like any other."""
        record, waits = wanting(), []
        for number in (1, 2, 3):
            assert record.paused == ""
            record = ended(record, state, message="exit 1")
            assert (record.failures, record.built) == (number, None)
            assert record.retry_at is not None
            waits.append(record.retry_at - NOW)
        assert waits == [timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8)]
        assert record.paused == f"3 failures in a row; the last: run {state.value}: exit 1"

    def test_a_pause_keeps_its_first_reason(self) -> None:
        record = replace(wanting(), failures=3, paused="3 failures in a row; the last: exit 1")
        after = ended(record, RunState.FAILED, message="exit 2")
        assert (after.failures, after.paused) == (4, record.paused)
        assert after.retry_at == NOW + timedelta(hours=8)

    def test_a_long_message_does_not_fill_the_record(self) -> None:
        record = ended(replace(wanting(), failures=2), RunState.FAILED, message="x" * 100_000)
        assert len(record.paused) < 600

    def test_a_cancelled_run_is_no_failure_and_not_tried_again(self) -> None:
        record = ended(replace(wanting(), failures=1, retry_at=NOW, owed="x"), RunState.CANCELED)
        assert (record.cancelled, record.failures) == (v("1.0.1"), 1)
        assert (record.retry_at, record.owed, record.built) == (None, "", None)

    def test_a_cancelled_run_of_somebody_else_counts_for_what_was_wanted(self) -> None:
        assert ended(wanting(), RunState.CANCELED, ours=False).cancelled == v("1.0.1")

    @pytest.mark.parametrize("known", [{"cancelled": v("1.0.1")}, {"older": 4}])
    @pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.CANCELED])
    def test_a_run_by_schedule_says_nothing_of_a_version_that_it_did_not_build(
        self, state: RunState, known: dict[str, object]
    ) -> None:
        """Cancelled once, or settled for: the version stays so, and is not tried again after every night."""
        before = replace(wanting(), built=v("1.0.0"), **known)
        scheduled = replace(CLAIM, version=None)
        after = runs.ended(before, run(state), scheduled, Built(v("1.0.0")), TIMING, NOW)
        assert (after.cancelled, after.older) == (before.cancelled, before.older)
        assert after.retry_at is None

    def test_settling_for_an_older_version_holds_up_nothing_that_comes_next(self) -> None:
        record = ended(replace(wanting(), older=3), RunState.SUCCEEDED, Built(v("1.0.0")))
        assert (record.older, record.retry_at) == (4, None)

    def test_an_older_version_than_wanted_is_tried_again_later(self) -> None:
        record, older = wanting(), Built(v("1.0.0"))
        for number, wait in enumerate(TIMING.retry_after, start=1):
            record = ended(record, RunState.SUCCEEDED, older)
            assert (record.older, record.retry_at) == (number, NOW + wait)
            assert record.built == v("1.0.0")
        assert ended(record, RunState.SUCCEEDED).older == 0

    def test_a_run_whose_version_nobody_knows_keeps_the_last_known(self) -> None:
        record = ended(replace(wanting(), built=v("1.0.0")), RunState.SUCCEEDED, Built(None))
        assert record.built == v("1.0.0")

    def test_a_failure_to_request_counts_like_that_of_a_run(self) -> None:
        record = runs.failed(replace(wanting(), claim=CLAIM), "never visible", TIMING, NOW)
        assert (record.failures, record.claim) == (1, None)

    def test_a_person_resumes_with_a_clean_sheet(self) -> None:
        paused = replace(wanting(), paused="x", failures=3, retry_at=NOW, cancelled=v("1.0.1"), older=3)
        record = runs.resumed(paused)
        assert record == wanting()


class TestSettled:
    LEFT = runs.leaves(archived(wanting()), (f"{FIRST}/a", f"{FIRST}/b"), 2)

    def test_only_an_archived_output_counts_as_a_manifest(self) -> None:
        assert (self.LEFT.vhds, self.LEFT.manifests) == (2, 0)
        one = runs.settled(self.LEFT, FIRST, "a", OutputState.ARCHIVED)
        assert (one.unsettled, one.manifests) == ((f"{FIRST}/b",), 1)
        lost = runs.settled(one, FIRST, "b", OutputState.LOST)
        assert (lost.unsettled, lost.manifests) == ((), 1)

    def test_settling_twice_is_settling_once(self) -> None:
        one = runs.settled(self.LEFT, FIRST, "a", OutputState.ARCHIVED)
        assert runs.settled(one, FIRST, "a", OutputState.ARCHIVED) == one
        assert runs.settled(one, FIRST, "unknown", OutputState.ARCHIVED) == one

    def test_an_output_of_an_earlier_run_is_no_manifest_of_the_last(self) -> None:
        record = replace(self.LEFT, recorded=SECOND)
        after = runs.settled(record, FIRST, "a", OutputState.ARCHIVED)
        assert (after.unsettled, after.manifests) == ((f"{FIRST}/b",), 0)

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(OutputState)), max_size=8))
    def test_manifests_never_exceed_what_the_run_left(self, ends: list[tuple[str, OutputState]]) -> None:
        record = runs.leaves(archived(wanting()), tuple(f"{FIRST}/{n}" for n in "abc"), 3)
        for name, state in ends:
            record = runs.settled(record, FIRST, name, state)
        firsts = dict(reversed(ends))
        expected = sum(state is OutputState.ARCHIVED for state in firsts.values())
        assert record.manifests == expected
        assert record.unsettled == tuple(f"{FIRST}/{n}" for n in "abc" if n not in firsts)
