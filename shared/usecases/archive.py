"""A look at a VHD output: copy it, verify it, write its manifest. Each step may be the last before a kill.

The state machine of an output, one step a function; a look goes on from step to step until its time slice
is over, the output is settled, or somebody else is at work on it.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import AccessDenied, Changed, Exists, FactoryError, Invalid, Missing, Unreachable
from shared.domain.events import EventType, FactoryEvent
from shared.domain.factory import Factory, Mode, Verification
from shared.domain.ids import TemplateId
from shared.domain.looks import Lane, Look, Thing
from shared.domain.manifests import manifest_of
from shared.domain.records import ImageRecord, OutputRecord, OutputState
from shared.planning import archive as rules
from shared.planning import runs
from shared.planning.looks import arm
from shared.ports import Held, Outside, Put, Replace, Write

from . import shelf
from .copying import copy_slice, leased, marks, ranges_of
from .journal import image_line
from .verifying import verify_slice


class Task(msgspec.Struct, frozen=True):
    """One look at one output, as far as it has come."""

    out: Outside
    factory: Factory
    look: Look
    until: datetime
    """When the time slice is over."""
    held: Held[OutputRecord]

    @property
    def record(self) -> OutputRecord:
        return self.held.record

    @property
    def verification(self) -> Verification:
        image = self.factory.images.get(self.record.image)
        return image.verification if image else Verification.SAMPLE


def look_at_output(out: Outside, factory: Factory, look: Look) -> None:
    """One ledger read; nothing more for an output that is settled."""
    held = out.ledger.read(_key(look.id), OutputRecord)
    if held is None:
        raise Invalid(f"no output {look.id[:200]!r} is recorded")
    task = Task(out, factory, look, out.clock.now() + factory.timing.copy_slice, held)
    image = factory.images.get(held.record.image)
    if (image.mode if image else factory.mode) is Mode.OBSERVE and held.record.state in STEPS:
        _save(task, replace(held.record, reason="mode is observe: would archive"), "decided")
        return
    going: Task | None = task
    try:
        while going and (step := STEPS.get(going.record.state)):
            task, going = going, step(going)
    except (Missing, Unreachable) as error:
        _settle_if_lost(_again(task), error)
    except Changed as error:
        _refuse(_again(task), f"it changed while it was archived: {error}")
    except (Exists, Invalid) as error:
        _refuse(_again(task), str(error))


def _examine(task: Task) -> Task | None:
    """Pin what could not be pinned before, and refuse at once what is no VHD."""
    record, source, blobs = task.record, task.record.source, task.out.blobs
    if source is None:
        raise Invalid(f"the record of {record.id} has no address")
    if not record.etag:
        facts = blobs.facts(source)
        if record.started and facts.modified < record.started:
            why = "left by an earlier run: it was last written before this one began"
            return _settle(task, replace(record, state=OutputState.DISMISSED, reason=why), "dismissed")
        record = replace(record, etag=facts.etag, length=facts.length)
    fault = rules.length_fault(record.length)
    if not fault:
        end = record.length
        footer = blobs.read(source, end - rules.FOOTER, end, if_match=record.etag)
        fault = rules.footer_fault(footer, record.length)
    task = _save(task, record, "output-pinned")
    if fault:
        return _refuse(task, fault)
    allocated = sum(r.size for r in ranges_of(task.out, source, record.etag))
    record = replace(record, allocated=allocated)
    now = task.out.clock.now()
    why = "verifying it in place" if record.in_place else f"copying it to {record.target}"
    return _save(
        task, replace(record, state=OutputState.COPYING, copy_started=now, reason=why), "archive-started"
    )


def _copy(task: Task) -> Task | None:
    record = task.record
    if record.in_place:
        return _save(task, replace(record, state=OutputState.COPIED), "copied")
    copied = copy_slice(task.out, task.factory, record, task.until)
    now = task.out.clock.now()
    there = record.allocated if copied.complete else min(record.copied + copied.moved, record.allocated)
    told = f"copied {there:,} of {record.allocated:,} bytes that hold data"
    record = replace(record, copied=there, reason=told)
    if not copied.complete:
        return _wait(task, record, now)
    return _save(task, replace(record, state=OutputState.COPIED, copy_ended=now), "copied")


def _verify(task: Task) -> Task | None:
    record, kind = task.record, task.verification
    checked = verify_slice(task.out, task.factory, record, kind, task.until)
    now = task.out.clock.now()
    if checked.fault:
        return _refuse(task, checked.fault)
    record = replace(record, checked=checked.chunks)
    if not checked.complete:
        told = f"{checked.chunks} chunks compared ({kind.value})"
        return _wait(task, replace(record, reason=told), now)
    done = replace(
        record,
        state=OutputState.VERIFIED,
        verification=kind.value,
        digest=checked.digest,
        target_etag=checked.target_etag,
        verified=now,
        reason=f"verified: {kind.value}, {checked.chunks} chunks compared",
    )
    return _save(task, done, "verified")


def _finish(task: Task) -> Task | None:
    """The manifest is the commit mark; then the event, then the ledger."""
    record, out = task.record, task.out
    if record.target is None:
        raise Invalid(f"the record of {record.id} has no target")
    manifest = manifest_of(record, out.version)
    try:
        at = rules.manifest_place(record.target, record.run, in_place=record.in_place)
        out.manifests.write(at, manifest)
    except Exists:
        telemetry.event("manifest-exists", output=record.id)
    data: dict[str, str | int | bool | None] = {
        "image": record.image,
        "run": record.run,
        "output": record.name,
        "blob": str(record.target),
        "version": record.version.text if record.version else None,
        "bytes": record.length,
    }
    _publish(task, EventType.VHD_ARCHIVED, data)
    done = replace(record, state=OutputState.ARCHIVED, reason=f"archived at {record.target}")
    return _settle(task, done, "archived", shelf.put_up(out, done))


STEPS: dict[OutputState, Callable[[Task], Task | None]] = {
    OutputState.FOUND: _examine,
    OutputState.COPYING: _copy,
    OutputState.COPIED: _verify,
    OutputState.VERIFIED: _finish,
}


def _save(task: Task, record: OutputRecord, what: str) -> Task:
    """Write the record if it changed, with a journal line if its reason did."""
    if record == task.record:
        return task
    record = replace(record, trouble=None)
    writes: list[Write] = [Replace(record, task.held.etag), *_line(task, record, what)]
    etags = task.out.ledger.commit(keys.of_image(record.image), writes)
    return replace(task, held=Held(record, etags[0]))


def _line(task: Task, record: OutputRecord, what: str) -> tuple[Put, ...]:
    if record.reason == task.record.reason:
        return ()
    telemetry.event(what, output=record.id, why=record.reason)
    now = task.out.clock.now()
    return (image_line(record.image, record.id, what, record.reason, task.look, now),)


def _wait(task: Task, record: OutputRecord, until: datetime) -> Task | None:
    """The slice is over: the next one begins at once, as a message of its own."""
    now = task.out.clock.now()
    needed = arm(record.look_due, task.look.due, until, now - task.factory.timing.overdue)
    _save(task, replace(record, look_due=until) if needed else record, "progress")
    if needed:
        task.out.queues.send(Look(Lane.ARCHIVE, Thing.OUTPUT, record.id, task.look.correlation, due=until))
    return None


def _settle(task: Task, record: OutputRecord, what: str, *more: Write) -> Task | None:
    """Output and image in one transaction; then the image is looked at, which may have waited for this."""
    key = keys.image_key(record.image)
    held = task.out.ledger.read(key, ImageRecord)
    record = replace(record, look_due=None, trouble=None)
    writes: list[Write] = [Replace(record, task.held.etag), *_line(task, record, what), *more]
    if held:
        image = runs.settled(held.record, record.run, record.name, record.state)
        writes.append(Replace(image, held.etag))
    task.out.ledger.commit(key.partition, writes)
    if record.image in task.factory.images:  # or else it left the configuration, and its VHD is safe
        task.out.queues.send(Look(Lane.BUILDS, Thing.IMAGE, record.image, task.look.correlation))
    return None


def _refuse(task: Task, why: str) -> Task | None:
    """No manifest; the source stays untouched, and so does what was copied. A person has to decide."""
    record = replace(task.record, state=OutputState.REFUSED, reason=f"not archived: {why}", look_due=None)
    _publish(task, EventType.WORK_FAILED, {"image": record.image, "output": record.id, "why": record.reason})
    _save(task, record, "refused")
    return None


def _settle_if_lost(task: Task, error: FactoryError) -> None:
    """Something could not be read. Lost only if it is the source, and Resource Manager says why."""
    record, out = task.record, task.out
    if record.in_place and isinstance(error, Missing):
        _refuse(task, f"it is not in the archive any more: {error}")
        return
    if record.source is None or record.in_place:
        raise error
    missing, unreachable = False, False
    try:
        out.blobs.facts(record.source)
    except Missing:
        missing = True
    except Unreachable:
        unreachable = True
    if not missing and not unreachable:
        raise error
    template = TemplateId.parse(record.template)
    known = out.templates.get(template) is not None
    account = _account_is_known(out, template, record)
    if not rules.is_lost(rules.Traces(missing, unreachable, known, account)):
        why = f"the source {record.source} cannot be read although its template is there"
        _remark(task, why)
        raise Unreachable(why) from error
    gone = "the template" if not known else "the storage account"
    why = f"lost: the source {record.source} cannot be read and {gone} is gone, as Resource Manager says"
    _mark_lost(task)
    _publish(task, EventType.WORK_FAILED, {"image": record.image, "output": record.id, "why": why})
    _settle(task, replace(record, state=OutputState.LOST, reason=why), "lost")


def _remark(task: Task, why: str) -> None:
    """The reason alone: the look has failed, and the trouble that it is in goes on."""
    record = replace(task.record, reason=why)
    if record != task.record:
        line = _line(task, record, "source-unreadable")
        task.out.ledger.commit(keys.of_image(record.image), [Replace(record, task.held.etag), *line])


def _account_is_known(out: Outside, template: TemplateId, record: OutputRecord) -> bool | None:
    if record.staging_group is None or record.source is None:
        return None
    try:
        return out.resources.account_exists(
            template.subscription, record.staging_group, record.source.account
        )
    except AccessDenied:
        return None


def _mark_lost(task: Task) -> None:
    """What had been copied stays under its name, and says what it is."""
    target = task.record.target
    if target is None or task.record.state is OutputState.FOUND:
        return
    try:
        with leased(task.out, target, task.factory) as lease:
            task.out.blobs.label(target, {**marks(task.record), "state": "lost"}, lease.id)
    except Missing:
        return  # nothing had been copied yet


def _publish(task: Task, kind: EventType, data: dict[str, str | int | bool | None]) -> None:
    now = task.out.clock.now()
    task.out.events.publish(FactoryEvent(kind, task.record.id, now, data, task.look.correlation))


def _again(task: Task) -> Task:
    """The record may have been written by the step that failed."""
    held = task.out.ledger.read(_key(task.look.id), OutputRecord)
    return replace(task, held=held) if held else task


def _key(id: str) -> keys.Key:
    parts = id.split("/")
    if len(parts) != 3:
        raise Invalid(f"{id[:200]!r} is not the id of an output; expected image/run/name")
    return keys.output_key(*parts)
