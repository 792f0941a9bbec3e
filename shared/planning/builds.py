"""When an image is built, and when it is not: the rules of a look at an image, first answer wins."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from shared.domain.factory import AfterArchive, Image, Mode, Timing
from shared.domain.ingredients import Ingredient
from shared.domain.orders import Order, OrderKind
from shared.domain.records import Claim, CurrentRun, ImageRecord
from shared.domain.sources import GallerySource
from shared.domain.templates import Provisioning, RunState, Template
from shared.domain.versions import Version

from . import byhand, clock, deployment, ingredients, orders
from .actions import (
    Action,
    CountFailure,
    CreateTemplate,
    DeleteTemplate,
    ForgetRun,
    NoteRun,
    Nothing,
    PassSchedule,
    PatchTemplate,
    RecordEnd,
    RefuseOrder,
    ReplaceTemplate,
    RequestRun,
    Wait,
)


class Situation(msgspec.Struct, frozen=True):
    """Everything that a decision about an image depends on."""

    image: Image
    timing: Timing
    record: ImageRecord
    template: Template | None
    """None if it does not exist."""
    now: datetime
    moving: str = ""
    """Which ancestor is on its way to something newer; known only where a run would be asked for."""
    found: tuple[Ingredient, ...] | None = None
    """What the image is made from now; known only where its schedule asks whether that has changed."""

    @property
    def order(self) -> Order | None:
        """A run that a person asked for: nothing that merely keeps automatic runs from starting keeps it."""
        return orders.open_order(self.record, OrderKind.START)


def plan(s: Situation) -> tuple[Action, ...]:
    """What to do about the image now; always at least one action."""
    return next(answer for rule in RULES if (answer := rule(s)))


def wants(s: Situation) -> str:
    """Why a run is wanted, empty if none is."""
    r = s.record
    if s.order:
        return s.order.said
    if r.owed:
        return r.owed
    if _has_news(r) and not _barred(s):
        return f"source version {r.wanted} is newer than {r.built or r.baseline or 'nothing'}"
    if not clock.conditional(s.image) and (changed := deployment.news(r, s.image)):
        return changed
    if s.image.source is None and s.image.build_at_first_sight and r.recorded is None:
        return "first build"
    return clock.wants(r, s.image, s.now, s.found)


def asks_what_changed(s: Situation, planned: tuple[Action, ...]) -> bool:
    """Whether the plan is to be made again with what the image is made from: to decide, and to note it."""
    if s.found is not None or not clock.conditional(s.image):
        return False
    if isinstance(planned[0], CreateTemplate | RequestRun):
        return True
    due = clock.wants(s.record, s.image, s.now, None)
    return s.image.mode is Mode.OBSERVE and bool(due) and wants(s) == due


def _has_news(record: ImageRecord) -> bool:
    return record.wanted is not None and record.wanted.newer_than(record.built or record.baseline)


def _barred(s: Situation) -> str:
    """Why the wanted version alone is no reason for a run, empty if it is one."""
    r = s.record
    if r.cancelled and not (r.wanted and r.wanted.newer_than(r.cancelled)):
        return f"the run for {r.cancelled} was cancelled; it is not tried again for the same version"
    if r.older > s.timing.older_tries:
        runs = f"{r.older} runs in a row built {r.built} although {r.wanted} is listed"
        return f"{runs}; waiting for the next version"
    return ""


Answer = tuple[Action, ...] | None
NOTHING = Version(0, 0, 0, "nothing")
"""The baseline of an image whose source had no version when it was first seen."""
REQUESTS = 5
"""How often a run is asked for before its not showing up counts as a failure."""


def _run_has_ended(s: Situation) -> Answer:
    run = s.template.last_run if s.template else None
    if s.template is None or run is None or not run.state.over or run.start == s.record.recorded:
        return None
    return (RecordEnd(run, _claim_of(s, run.start), s.template),)


def _run_is_to_be_cancelled(s: Situation) -> Answer:
    return byhand.cancels(s.record, s.image, s.template, s.timing.claim, s.now)


def _deletion_has_ended(s: Situation) -> Answer:
    return byhand.ends_deletion(s.record, s.image, s.template)


def _template_is_to_be_deleted(s: Situation) -> Answer:
    return byhand.deletes(s.record, s.template, s.timing.look_again, s.now)


def _run_is_under_way(s: Situation) -> Answer:
    run = s.template.last_run if s.template else None
    if run is None or run.state.over:
        return None
    doing = "being cancelled" if run.state is RunState.CANCELING else "under way"
    told = Nothing(f"the run of {run.start} is {doing}")
    if s.record.run and s.record.run.start == run.start:
        return (told,)
    return NoteRun(CurrentRun(run.start, s.now, _claim_of(s, run.start), run.started)), told


def _run_has_vanished(s: Situation) -> Answer:
    """Only a template that is gone, or made anew, forgets a run."""
    run = s.record.run
    if run is None or (s.template and s.template.last_run):
        return None
    return (ForgetRun(run, f"the run of {run.start} has vanished with its template"),)


def _output_is_not_safe(s: Situation) -> Answer:
    if not s.record.unsettled:
        return None
    return (Nothing(f"no new run while {', '.join(s.record.unsettled)} is not safe in the archive"),)


def _run_is_requested(s: Situation) -> Answer:
    claim = s.record.claim
    if claim is None or s.now >= claim.at + s.timing.claim:
        return None
    why = f"a run was requested at {claim.at:%H:%M:%S} UTC and is not visible yet (attempt {claim.attempt})"
    return (Wait(claim.at + s.timing.claim, why),)


def _template_goes(s: Situation) -> Answer:
    """No run is asked for while a deletion may be on its way: it would take the run with it."""
    if s.template is None:
        return None
    sent = s.record.deleting
    on_its_way = sent is not None and s.now < sent + s.timing.claim
    if s.template.provisioning is not Provisioning.DELETING and not on_its_way:
        return None
    return (Wait(s.now + s.timing.look_again, "the template is being deleted"),)


def _file_says_something_else(s: Situation) -> Answer:
    """No run is under way, and every output is safe: the template may be left."""
    t = s.template
    if t is None or s.image.mode is not Mode.ACT:
        return None
    match deployment.change(s.image, t):
        case deployment.Change.REPLACE:
            return (ReplaceTemplate(t, deployment.CHANGED),)
        case deployment.Change.PATCH if t.provisioning is Provisioning.SUCCEEDED and not _rests(s):
            if s.record.patched == str(s.image.form):
                return None  # somebody, or Azure itself, says otherwise again: that is no reason not to build
            return (PatchTemplate(t, f"{deployment.CHANGED}, and Azure can change that"),)
    return None


def _rests(s: Situation) -> bool:
    return bool(_is_paused(s) or _is_too_soon(s))


def _is_paused(s: Situation) -> Answer:
    return _rest(s, f"paused: {s.record.paused}") if s.record.paused and not s.order else None


def _is_not_wanted(s: Situation) -> Answer:
    if wants(s):
        return None
    if why := clock.passes(s.record, s.image, s.now, s.found):
        return (PassSchedule(why),)
    if s.image.source is None:
        why = f"nothing to build: {s.image.source_text}"
    elif _has_news(s.record):
        why = _barred(s)
    elif s.record.built:
        told = " (inferred)" if s.record.built_inferred else ""
        why = f"already built from {s.record.built}{told}"
    elif s.record.baseline == NOTHING:
        why = "its source has no version yet"
    else:
        why = f"nothing newer than {s.record.baseline or 'what was first seen'}"
    return _rest(s, why, clock.next_due(s.record, s.image, s.now))


def _template_failed(s: Situation) -> Answer:
    failed = s.template is not None and s.template.provisioning is Provisioning.FAILED
    if not failed or s.record.template_failed or s.template is None:
        return None
    why = f"the template could not be made: {s.template.trouble or 'no reason given'}"
    return (CountFailure(why, template=True),)


def _is_too_soon(s: Situation) -> Answer:
    r = s.record
    if r.retry_at is None or s.now >= r.retry_at or s.order:
        return None
    because = (
        f"{plural(r.failures, 'failure')} in a row"
        if r.failures
        else f"built {r.built}, {r.wanted} is wanted"
    )
    return _rest(s, f"tried again at {r.retry_at:%Y-%m-%d %H:%M:%S} UTC: {because}", r.retry_at)


def _window_is_closed(s: Situation) -> Answer:
    """Automatic runs wait for it; one that is under way, or that a person asked for, does not."""
    opens = s.image.window.opens(s.now) if s.image.window and not s.order else s.now
    if opens <= s.now:
        return None
    return _rest(s, f"its build window opens at {opens:%Y-%m-%d %H:%M} UTC; wanted, since {wants(s)}", opens)


def _ancestors_move(s: Situation) -> Answer:
    """Built once for whatever its ancestors come to, and after them; but not kept waiting for ever."""
    since = s.record.wanted_since
    if not s.moving or not _has_news(s.record) or s.record.owed or s.order:
        return None
    if since and s.now >= since + s.timing.cascade:
        return None
    return (Wait(s.now + s.timing.stagger, f"waits, since {s.moving}"),)


def _only_observes(s: Situation) -> Answer:
    if s.image.mode is Mode.ACT:
        return None
    if s.order:
        return (RefuseOrder(s.order.kind, "mode is observe by now: nothing is started"),)
    return (Nothing(f"mode is observe: would build, since {wants(s)}"),)


def _template_is_not_ready(s: Situation) -> Answer:
    if s.template is None:
        return (CreateTemplate(wants(s)),)
    again = s.now + s.timing.look_again
    match s.template.provisioning:
        case Provisioning.SUCCEEDED:
            return None
        case Provisioning.FAILED | Provisioning.CANCELED:
            if s.template.owner != s.image.name:
                why = f"the template failed to be made and is not the factory's: {s.template.trouble}"
                return (RefuseOrder(s.order.kind, why) if s.order else Nothing(why),)
            last = s.template.last_run.start if s.template.last_run else None
            return (DeleteTemplate(last, f"it failed to be made: {s.template.trouble}"),)
        case state:
            return (Wait(again, f"the template is {state.value.lower()}"),)


def _start(s: Situation) -> Answer:
    template = s.template
    last = template.last_run.start if template and template.last_run else None
    before = s.record.claim
    attempt = before.attempt + 1 if before and before.previous == last else 1
    if attempt > REQUESTS:
        return (CountFailure(f"a run was requested {REQUESTS} times and never became visible"),)
    exact = template.exact_version if template else None
    version = s.record.wanted if _has_news(s.record) and not _barred(s) else None
    order = s.order.id if s.order else ""
    made_of = ingredients.marks(s.found, s.record.made_of) if s.found is not None else None
    if before and attempt > 1 and before.made_of is not None:
        made_of = before.made_of  # the first request may be the one that the run comes of
    claim = Claim(last, s.now, attempt, version, exact, wants(s), order=order, made_of=made_of)
    return (RequestRun(claim),)


RULES: tuple[Callable[[Situation], Answer], ...] = (
    _run_has_ended,
    _run_is_to_be_cancelled,
    _deletion_has_ended,
    _run_is_under_way,
    _run_has_vanished,
    _output_is_not_safe,
    _run_is_requested,
    _template_goes,
    _template_is_to_be_deleted,
    _file_says_something_else,
    _is_paused,
    _is_not_wanted,
    _template_failed,
    _is_too_soon,
    _window_is_closed,
    _ancestors_move,
    _only_observes,
    _template_is_not_ready,
    _start,
)


def _claim_of(s: Situation, start: str) -> Claim | None:
    """The claim that the run with this start time meets, whoever started it. No clocks are compared.

    A run that was seen keeps its claim: whether startTime stays the same over a run is not settled.
    """
    if s.record.run:
        return s.record.run.claim
    claim = s.record.claim
    return claim if claim and claim.previous != start else None


def _rest(s: Situation, why: str, until: datetime | None = None) -> tuple[Action, ...]:
    """No run now: the template goes if it has served, else the journal says what keeps it."""
    if s.template is not None:
        kept = _keeps_template(s)
        if not kept and s.image.mode is Mode.ACT:
            return (
                DeleteTemplate(
                    s.record.recorded, f"archived: {plural(s.record.vhds, 'VHD')} of its last run"
                ),
            )
        why += f"; template kept: {kept}" if kept else "; mode is observe: would delete the template"
    return (Wait(until, why),) if until else (Nothing(why),)


def _keeps_template(s: Situation) -> str:
    """Why the template stays, empty if it may go."""
    r, t = s.record, s.template
    last = t.last_run.start if t and t.last_run else None
    if s.image.after_archive is AfterArchive.KEEP_TEMPLATE:
        return "after_archive is keep_template"
    if t is None or t.owner != s.image.name:
        return "it was not made by the factory"
    if last is None or last != r.recorded:
        return "it has not run yet"
    if r.vhds == 0:
        return "its last run left no VHD"
    if r.manifests < r.vhds:
        return f"{r.manifests} of {plural(r.vhds, 'VHD')} of its last run archived"
    return ""


def plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def adopt(
    record: ImageRecord | None, image: Image, newest: Version | None, now: datetime
) -> ImageRecord | None:
    """The image's record once its source's newest version is known; None if that changes nothing.

    The first sight of a source is no news, unless the configuration asks for a build then. `newest` is None
    for a source that has no version yet: then its first one is news.
    """
    fresh = deployment.sourced(record or ImageRecord(image.name, scheduled=now), image)
    known = [v for v in (fresh.wanted, fresh.built, fresh.baseline) if v]
    if isinstance(image.source, GallerySource) and _goes_back(fresh, newest):
        # What was wanted is latest no more: what is, is wanted in its place. What was built stays built.
        return msgspec.structs.replace(fresh, wanted=newest, older=0)
    if newest is None:
        return None if known else msgspec.structs.replace(fresh, baseline=NOTHING)
    if known and not all(newest.newer_than(v) for v in known):
        return None
    if known or image.build_at_first_sight:
        return msgspec.structs.replace(fresh, wanted=newest, wanted_since=now, older=0)
    return msgspec.structs.replace(fresh, baseline=newest)


def _goes_back(record: ImageRecord, newest: Version | None) -> bool:
    wanted = record.wanted
    return _has_news(record) and wanted is not None and (newest is None or wanted.newer_than(newest))
