"""What a look leaves in the image's record: one function for each thing that can happen to a run."""

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from shared.domain.errors import Invalid
from shared.domain.factory import Timing
from shared.domain.ids import RunStart
from shared.domain.orders import OrderKind
from shared.domain.records import Claim, CurrentRun, ImageRecord, OutputState
from shared.domain.templates import LastRun, RunState
from shared.domain.versions import Version

from . import orders

SOURCE_TAG = "VMImageBuilderSource"
"""The tag with which Image Builder marks what it makes; it ends in the version: `… (18.04.202401161)`."""
_IN_TAG = re.compile(r"\(([^()]+)\)\s*\Z")


class Built(msgspec.Struct, frozen=True):
    """The source version that a run really built, and whether that is only inferred."""

    version: Version | None
    inferred: bool = False


def what_was_built(
    tags: Iterable[str], exact: str | None, claim: Claim | None, record: ImageRecord, started: datetime
) -> Built:
    """Observed, never assumed: the artifact's tag, a changed exactVersion, else the newest then listed."""
    for tag in tags:
        if (found := _IN_TAG.search(tag)) and (version := version_of(found[1])):
            return Built(version)
    if claim and exact and exact != claim.exact_before and (version := version_of(exact)):
        return Built(version)
    if claim and claim.version:
        return Built(claim.version, inferred=True)
    known_then = record.wanted if record.wanted_since and record.wanted_since <= started else None
    version = known_then or record.built or record.baseline
    return Built(version, inferred=version is not None)


def requested(record: ImageRecord, claim: Claim) -> ImageRecord:
    """A run is about to be asked for. One that the schedule asked for stays owed until it succeeds.

    One that a person asked for is never owed: an order is one run. Until it succeeds the schedule ignores it.
    """
    by_hand = bool(claim.order)
    owed = record.owed or ("" if claim.version or by_hand else claim.why)
    scheduled = record.scheduled if by_hand else claim.at
    return replace(record, claim=claim, run=None, owed=owed, scheduled=scheduled, retry_at=None)


def noted(record: ImageRecord, run: CurrentRun) -> ImageRecord:
    """A run is visible: whatever was claimed is met, and so is an order."""
    met = orders.met(record, run.claim, run.start, run.seen)
    return replace(met, run=run, claim=None)


def forgotten(record: ImageRecord) -> ImageRecord:
    """A run has vanished, and what it was wanted for is wanted again."""
    return replace(record, run=None, claim=None)


def refused(record: ImageRecord) -> ImageRecord:
    """The request was refused, so that no run can come of the claim."""
    return replace(record, claim=None)


def called_off(record: ImageRecord, claim: Claim, why: str, now: datetime) -> ImageRecord:
    """A request of which nothing came is cancelled: as with a run, its version is not tried again."""
    none = orders.refused(record, OrderKind.START, why, now) if claim.order else record
    done = orders.done(none, OrderKind.CANCEL, why, now)
    return replace(done, claim=None, cancelled=claim.version or record.cancelled, owed="", retry_at=None)


def passed(record: ImageRecord, now: datetime) -> ImageRecord:
    """The schedule was due and had no reason to start a run: it counts from now on."""
    return replace(record, scheduled=now)


def failed(record: ImageRecord, why: str, timing: Timing, now: datetime) -> ImageRecord:
    """One more failure in a row: back-off, and a pause when there were enough of them."""
    failures = record.failures + 1
    pause = f"{failures} failures in a row; the last: {why}" if failures >= timing.pause_after else ""
    return replace(
        record,
        failures=failures,
        retry_at=_back_off(failures, timing, now),
        paused=record.paused or pause,
        claim=None,
    )


def ended(
    record: ImageRecord, run: LastRun, claim: Claim | None, built: Built, timing: Timing, now: datetime
) -> ImageRecord:
    """A run is over. Its outputs are added by `leaves`."""
    met = orders.over(orders.met(record, claim, run.start, now), run.start, run.state, now)
    over = replace(
        met,
        claim=None,
        run=None,
        recorded=run.start,
        recorded_state=run.state,
        template_failed=False,
    )
    match run.state:
        case RunState.SUCCEEDED:
            return _succeeded(over, claim, built, timing, now)
        case RunState.CANCELED:
            # A run that no version asked for says nothing of one; somebody else's was for what was wanted.
            cancelled = claim.version or over.cancelled if claim else over.wanted
            return replace(over, cancelled=cancelled, owed="", retry_at=None)
        case _:
            return failed(over, f"run {run.state.value}: {run.message or 'no message'}"[:500], timing, now)


def leaves(record: ImageRecord, unsettled: tuple[str, ...], vhds: int) -> ImageRecord:
    """The outputs that the run just recorded has left."""
    return replace(record, unsettled=record.unsettled + unsettled, vhds=vhds, manifests=0)


def settled(record: ImageRecord, run: RunStart, name: str, state: OutputState) -> ImageRecord:
    """An output is archived, lost or dismissed. Settling it twice changes nothing."""
    output = f"{run}/{name}"
    if output not in record.unsettled:
        return record
    counts = state is OutputState.ARCHIVED and run == record.recorded
    left = tuple(o for o in record.unsettled if o != output)
    return replace(record, unsettled=left, manifests=record.manifests + counts)


def resumed(record: ImageRecord) -> ImageRecord:
    """A person wants automatic runs again."""
    return replace(record, paused="", paused_by="", failures=0, retry_at=None, cancelled=None, older=0)


def paused(record: ImageRecord, by: str, reason: str) -> ImageRecord:
    """A person wants no automatic runs."""
    return replace(record, paused=f"by {by}{f': {reason}' if reason else ''}", paused_by=by)


def _succeeded(
    record: ImageRecord, claim: Claim | None, built: Built, timing: Timing, now: datetime
) -> ImageRecord:
    wanted = claim.version if claim else None
    older = bool(wanted and built.version and wanted.newer_than(built.version))
    after = replace(
        record,
        built=built.version or record.built,
        built_inferred=built.inferred,
        failures=0,
        paused=record.paused if record.paused_by else "",
        owed="",
        retry_at=None,
        scheduled=claim.at if claim and claim.order else record.scheduled,
        made_of=(claim.made_of if claim else None) or record.made_of,
    )
    if older:
        tries = record.older + 1
        again = _back_off(tries, timing, now) if tries <= timing.older_tries else None
        return replace(after, older=tries, retry_at=again)
    if after.wanted and after.wanted.newer_than(after.built):
        return after  # a run that was for something else: what is known of the wanted version stays
    return replace(after, cancelled=None, older=0)


def _back_off(times: int, timing: Timing, now: datetime) -> datetime:
    return now + timing.retry_after[min(times, len(timing.retry_after)) - 1]


def version_of(text: str) -> Version | None:
    """Of a marketplace image the version itself, of a gallery's the id of one."""
    try:
        return Version.parse(text.rsplit("/", 1)[-1])
    except Invalid:
        return None
