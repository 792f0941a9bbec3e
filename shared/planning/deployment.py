"""Templates follow their files: by PATCH where Azure can, else another template takes the place of the old.

The image goes on as it is: its runs, outputs and history are kept by its name. The old template stays until
all that its last run left is safe; until then the image's record knows it as a former one.
"""

import enum
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.domain import deployment
from shared.domain.factory import Image, Mode, Timing
from shared.domain.ids import RunStart, TemplateId
from shared.domain.records import Claim, Former, ImageRecord
from shared.domain.templates import Provisioning, RunState, Template

from .actions import Action, DeleteFormer, ForgetFormer, RecordEnd

AT_WORK = (Provisioning.CREATING, Provisioning.UPDATING, Provisioning.DELETING)
UNWATCHED = "none"
"""In place of a source, for an image whose source offers no newer versions."""
CHANGED = "its template file has changed"


class Change(enum.Enum):
    """What brings a template up to its file."""

    NONE = "none"
    PATCH = "patch"
    REPLACE = "replace"


def change(image: Image, template: Template) -> Change:
    """A template that the factory did not make is nobody's file's: it is run as it is."""
    if template.owner != image.name:
        return Change.NONE
    form, told = image.form, template.form
    if told is not None:
        fixed, loose = told.fixed == form.fixed, told.loose == form.loose
    else:
        fixed, loose = _compared(bytes(image.body), template.content)
    if not fixed and template.id != deployment.named(image.template, form):
        return Change.REPLACE
    return Change.NONE if fixed and loose else Change.PATCH


def renamed(record: ImageRecord, image: Image) -> ImageRecord:
    """Under another configured name the image starts anew, with what is there under that name."""
    if record.template and not deployment.is_of(image.template, record.template):
        record = replace(record, template=None)
    here = image.in_use(record)  # it may have been left before, under this very name
    return forgotten(record, here) if is_former(record, here) else record


def sourced(record: ImageRecord, image: Image) -> ImageRecord:
    """Versions of another source say nothing of the one that the file names now: with that it starts anew."""
    root = image.source.root if image.source else UNWATCHED
    if record.source in ("", root):
        return replace(record, source=root)
    run = record.run
    pending = record.wanted and record.wanted.newer_than(record.built or record.baseline)
    resting = record.cancelled is not None or record.older > 0
    return replace(
        record,
        source=root,
        # The file may be edited back before it is built: what was wanted till then would be forgotten.
        owed=record.owed or (CHANGED if pending and not resting else ""),
        baseline=None,
        wanted=None,
        wanted_since=None,
        built=None,
        built_inferred=False,
        cancelled=None,
        older=0,
        retry_at=record.retry_at if record.failures else None,
        claim=_for_no_version(record.claim),
        run=replace(run, claim=_for_no_version(run.claim)) if run else None,
    )


def _for_no_version(claim: Claim | None) -> Claim | None:
    return replace(claim, version=None) if claim else None


def follow(record: ImageRecord, image: Image, template: Template | None) -> ImageRecord:
    """What the file says when the image is first seen is no news, nor for somebody else's template, ever."""
    foreign = template is not None and template.owner != image.name
    if record.form and not foreign:
        return record
    return replace(record, form=image.form.fixed)


def news(record: ImageRecord, image: Image) -> str:
    """Why what the file says asks for a run; empty if it does not."""
    return CHANGED if record.form and record.form != image.form.fixed else ""


def aim(record: ImageRecord, image: Image) -> TemplateId:
    """Where a template is made: under the configured name, so long as its file has never changed."""
    form = image.form
    if record.template is None and record.form in ("", form.fixed):
        return image.template
    return deployment.named(image.template, form)


def moved(
    record: ImageRecord, image: Image, to: TemplateId, run: RunStart | None, now: datetime
) -> ImageRecord:
    """From now on the image is built in the template `to`; `run` is the last one of the one it leaves."""
    left = image.in_use(record)
    if to == left:
        return record
    back = next((each for each in record.former if each.id == to), None)
    others = tuple(each for each in record.former if each.id not in (to, left))
    return replace(
        record,
        template=None if to == image.template else to,
        former=(*others, Former(left, now, run, record.deleting)),
        deleting=back.deleting if back else None,
        template_failed=False,
        patched="",
        retry_at=None,
    )


def left(record: ImageRecord, image: Image, template: Template, now: datetime) -> ImageRecord:
    """The template says what the file does not say any more: the next one has a name of its own."""
    run = template.last_run.start if template.last_run else None
    return moved(record, image, deployment.named(image.template, image.form), run, now)


def ended_in(record: ImageRecord, template: Template) -> ImageRecord:
    """Of a former template, the end of its last run is recorded."""
    run = template.last_run.start if template.last_run else None
    return _changed(record, template.id, run=run, kept="")


def done(record: ImageRecord, template: Template, state: RunState) -> ImageRecord:
    """A run has ended: what its template said is no news any more if it was built, or was cancelled."""
    if template.form is None or state not in (RunState.SUCCEEDED, RunState.CANCELED):
        return record
    return replace(record, form=template.form.fixed)


def goes(record: ImageRecord, id: TemplateId, at: datetime | None) -> ImageRecord:
    return _changed(record, id, deleting=at)


def stays(record: ImageRecord, id: TemplateId, why: str) -> ImageRecord:
    return _changed(record, id, deleting=None, kept=why)


def forgotten(record: ImageRecord, id: TemplateId) -> ImageRecord:
    return replace(record, former=tuple(each for each in record.former if each.id != id))


def is_former(record: ImageRecord, id: TemplateId) -> bool:
    return any(each.id == id for each in record.former)


def former(
    record: ImageRecord,
    image: Image,
    seen: Mapping[TemplateId, Template | None],
    timing: Timing,
    now: datetime,
) -> tuple[Action, ...]:
    """What to do about the templates that the image has left, of those that were `seen`."""
    return tuple(_former(record, image, seen, timing, now))


def _former(
    record: ImageRecord,
    image: Image,
    seen: Mapping[TemplateId, Template | None],
    timing: Timing,
    now: datetime,
) -> Iterator[Action]:
    for each in record.former:
        if each.id not in seen:
            continue
        template = seen[each.id]
        if template is None:
            # Whoever was to make it may still be at it.
            if each.deleting or now >= each.since + timing.claim:
                yield ForgetFormer(each.id, "it is gone", deleted=each.deleting is not None)
        elif template.owner != image.name:
            yield ForgetFormer(each.id, "it is not the factory's")
        elif template.last_run and template.last_run.state.over and template.last_run.start != each.run:
            yield RecordEnd(template.last_run, None, template)
        elif _may_go(record, image, each, template, timing, now):
            yield DeleteFormer(each.id, each.run, "the file of the image says something else now")


def _may_go(
    record: ImageRecord, image: Image, each: Former, template: Template, timing: Timing, now: datetime
) -> bool:
    running = template.last_run is not None and not template.last_run.state.over
    on_its_way = each.deleting is not None and now < each.deleting + timing.claim
    unsafe = each.run is not None and any(o.startswith(f"{each.run}/") for o in record.unsettled)
    busy = running or on_its_way or template.provisioning in AT_WORK
    return image.mode is Mode.ACT and not (busy or unsafe or each.kept)


def _changed(record: ImageRecord, id: TemplateId, **changes: Any) -> ImageRecord:
    former = tuple(replace(each, **changes) if each.id == id else each for each in record.former)
    return replace(record, former=former)


def _compared(file: bytes, there: bytes) -> tuple[bool, bool]:
    """Whether what is fixed, and what is not, says what the file says, as far as Azure's answer can tell.

    Azure adds what a file leaves out; so only what the file does say counts.
    """
    if not there:
        return True, True
    wanted, found = (msgspec.json.decode(each, type=dict[str, Any]) for each in (file, there))
    fixed, loose = deployment.fixed(wanted), deployment.loose(wanted)
    return _within(fixed, deployment.fixed(found)), _within(loose, deployment.loose(found))


def _within(wanted: Any, found: Any) -> bool:
    # Keys may be ids too, of identities, and nothing is said of them but that they are there.
    if wanted in (None, "", [], {}, False):
        return True
    if isinstance(wanted, dict) and any(each.startswith("/") for each in wanted):
        return isinstance(found, dict) and {*map(str.lower, wanted)} <= {*map(str.lower, found)}
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_within(value, found.get(k)) for k, value in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(found, list) and len(found) == len(wanted)
        return same and all(map(_within, wanted, found))
    if isinstance(wanted, str) and isinstance(found, str) and wanted.startswith("/"):
        return wanted.lower() == found.lower()  # an id, which Azure spells as it likes
    return bool(wanted == found)
