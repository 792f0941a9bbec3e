"""The end of a run: what it left, what it was built from, and how the image stands after it.

Recorded in one transaction, whoever started the run and however it ended; outputs may exist in spite of a
failure. Its gallery versions are introduced before, so that whoever finds the run finds them too. Two
Resource Manager calls, and one read per output.
"""

import msgspec
from msgspec.structs import replace

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import AccessDenied, FactoryError, Invalid, Missing, Unreachable
from shared.domain.events import EventType
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import ImageRecord, OutputRecord, OutputState, RunRecord
from shared.domain.templates import LastRun, OutputKind, RunOutput, RunState
from shared.planning import actions, deployment, runs
from shared.planning.archive import place
from shared.ports import Insert, Put

from .descent import introduce, note_descent
from .journal import image_line
from .slots import leave_slot
from .turn import Turn, save, says, send

LOG_END = 4096
"""Bytes of customization.log that are kept with a failed run."""


class Found(msgspec.Struct, frozen=True):
    """One output as it is now, and the tag that says what it was built from."""

    record: OutputRecord
    tag: str = ""


def record_end(turn: Turn, action: actions.RecordEnd) -> Turn:
    """Publish first, record after, then send a look for each output and for the image."""
    if known := _known(turn, action):
        turn = replace(turn, record=_come_back(turn, known, action))
        turn = save(says(turn, f"the run of {known.start} is recorded already"), "run-known")
        send(turn)
        return turn
    listed = turn.out.templates.outputs(action.template.id)
    found = [f for output in listed if (f := _find(turn, action, output))]
    built = _built(turn, action, [f.tag for f in found])
    outputs = [replace(f.record, version=built.version, inferred=built.inferred) for f in found]
    run = _run_record(turn, action, built, outputs)
    turn = _after(turn, action, built, outputs)
    _publish(turn, run)
    note_descent(turn.out, run, built, turn.now)
    for output in outputs:
        introduce(turn.out, turn.factory, turn.image, output, built, turn.look)
    turn = save(turn, "run-ended", Insert(run), *(Insert(o) for o in outputs), *_refusals(turn, outputs))
    if run.ended:
        telemetry.metric("run-age", (run.ended - run.started).total_seconds(), "s", image=run.image)
    if action.claim:
        leave_slot(turn.out, turn.image, action.claim.slot)
    for output in outputs:
        if output.state is OutputState.FOUND:
            look = Look(Lane.ARCHIVE, Thing.OUTPUT, output.id, turn.look.correlation, due=output.look_due)
            turn.out.queues.send(look)
    send(turn)
    return turn


def _known(turn: Turn, action: actions.RecordEnd) -> RunRecord | None:
    """An image may come back to a template that it was built in before, whose last run is recorded."""
    held = turn.out.ledger.read(keys.run_key(turn.image.name, action.run.start), RunRecord)
    return held.record if held and held.record.template == str(action.template.id) else None


def _come_back(turn: Turn, run: RunRecord, action: actions.RecordEnd) -> ImageRecord:
    """What keeps the template are this run's VHDs, not those of the template that the image comes from."""
    if deployment.is_former(turn.record, action.template.id):
        return deployment.ended_in(turn.record, action.template)
    read, image = turn.out.ledger.read, turn.image.name
    found = [read(keys.output_key(image, run.start, name), OutputRecord) for name in run.outputs]
    states = [held.record.state for held in found if held and held.record.kind is OutputKind.VHD]
    record = replace(turn.record, run=None, recorded=run.start, recorded_state=run.state)
    return replace(record, vhds=len(states), manifests=states.count(OutputState.ARCHIVED))


def _refusals(turn: Turn, outputs: list[OutputRecord]) -> list[Put]:
    """What cannot be archived at all is told at once, and holds the next run until a person has seen it."""
    lines = []
    for output in outputs:
        if output.state is OutputState.REFUSED:
            turn.event(EventType.WORK_FAILED, image=output.image, output=output.id, why=output.reason)
            now = turn.out.clock.now()
            lines.append(image_line(output.image, output.id, "refused", output.reason, turn.look, now))
    return lines


def _after(turn: Turn, action: actions.RecordEnd, built: runs.Built, outputs: list[OutputRecord]) -> Turn:
    """The image's record, and the one event that says that automatic runs pause."""
    was_paused = turn.record.paused
    unsettled = tuple(f"{o.run}/{o.name}" for o in outputs if not o.state.settled)
    if deployment.is_former(turn.record, action.template.id):
        record = deployment.ended_in(turn.record, action.template)
        turn = replace(turn, record=replace(record, unsettled=record.unsettled + unsettled))
        return says(turn, f"a run of the former template {action.template.id.name} ended: {action.run.start}")
    claim, known = action.claim, built
    if _elsewhere(turn, action):
        # Of the image's own source the run says that it was had, as far as it was asked for: no version of
        # another one is older or newer.
        asked = claim.version if claim else None
        known = runs.Built(asked, inferred=asked is not None)
    record = runs.ended(turn.record, action.run, claim, known, turn.factory.timing, turn.now)
    record = deployment.done(record, action.template, action.run.state)
    vhds = sum(o.kind is OutputKind.VHD for o in outputs)
    turn = replace(turn, record=runs.leaves(record, unsettled, vhds))
    if record.paused and not was_paused:
        why = f"automatic runs pause: {record.paused}"
        turn.event(EventType.WORK_FAILED, image=turn.image.name, run=action.run.start, why=why)
    state = action.run.state.value
    told = f"run {action.run.start} ended: {state}"
    if action.run.message and state != "Succeeded":
        told += f" ({action.run.message[:300]})"
    version = (
        f", built from {built.version}{' (inferred)' if built.inferred else ''}" if built.version else ""
    )
    return says(turn, f"{told}{version}; outputs: {', '.join(o.name for o in outputs) or 'none'}")


def _find(turn: Turn, action: actions.RecordEnd, output: RunOutput) -> Found | None:
    """The output as a record, or None for one that an earlier run left behind."""
    record = OutputRecord(
        image=turn.image.name,
        run=action.run.start,
        name=output.name,
        kind=output.kind,
        state=OutputState.RECORDED,
        template=str(action.template.id),
        artifact=output.artifact,
        staging_group=action.template.staging_group,
        started=action.run.started,
        found=turn.now,
        generalized_by=action.template.generalized_by,
    )
    if output.address is None and output.kind is OutputKind.VHD:
        why = "not archived: its address is not one of a storage account in the configured cloud"
        return Found(replace(record, state=OutputState.REFUSED, reason=why))
    if output.address is None:
        return Found(record, _tag_of(turn, output))
    archive = turn.factory.archive
    own = (output.address.account, output.address.container) == (archive.account, archive.container)
    target = output.address if own else place(archive, turn.image.name, action.run.start, output.name)
    vhd = replace(record, state=OutputState.FOUND, source=output.address, target=target, look_due=turn.now)
    return _pin(turn, vhd, action.run)


def _tag_of(turn: Turn, output: RunOutput) -> str:
    """What cannot be read tells nothing; it must not hold up the run's VHDs."""
    try:
        tags = turn.out.resources.tags(output.artifact) if output.artifact else None
    except (Invalid, AccessDenied) as error:
        telemetry.event("output-not-readable", output=output.name, why=str(error))
        return ""
    return (tags or {}).get(runs.SOURCE_TAG, "")


def _pin(turn: Turn, vhd: OutputRecord, run: LastRun) -> Found | None:
    """ETag and length, so that only this very blob is ever archived. What cannot be read is pinned later."""
    if vhd.source is None:
        return Found(vhd)
    try:
        facts = turn.out.blobs.facts(vhd.source)
    except (Missing, Unreachable, AccessDenied) as error:
        telemetry.event("output-not-readable", output=vhd.id, why=str(error))
        stale = isinstance(error, Missing) and run.state is not RunState.SUCCEEDED
        return None if stale else Found(vhd)  # a run that failed may list what one before it had left
    if facts.modified < run.started:
        telemetry.event("output-of-an-earlier-run", output=vhd.id, modified=facts.modified.isoformat())
        return None
    tag = next((v for k, v in facts.metadata.items() if k.lower() == runs.SOURCE_TAG.lower()), "")
    return Found(replace(vhd, etag=facts.etag, length=facts.length), tag)


def _built(turn: Turn, action: actions.RecordEnd, tags: list[str]) -> runs.Built:
    """What the record knows is of the source that the image has now; the template may have another."""
    version, claim, record = action.template.origin.version, action.claim, turn.record
    if version and (fixed := runs.version_of(version)):
        return runs.Built(fixed)
    if _elsewhere(turn, action):
        claim, record = replace(claim, version=None) if claim else None, ImageRecord(turn.image.name)
    return runs.what_was_built(tags, action.template.exact_version, claim, record, action.run.started)


def _elsewhere(turn: Turn, action: actions.RecordEnd) -> bool:
    """Whether the template is built from something else than what its image is made from by now."""
    root, source = action.template.origin.root, turn.image.source
    return bool(root) and source is not None and root != source.root


def _run_record(
    turn: Turn, action: actions.RecordEnd, built: runs.Built, outputs: list[OutputRecord]
) -> RunRecord:
    run, claim = action.run, action.claim
    return RunRecord(
        image=turn.image.name,
        template=str(action.template.id),
        start=run.start,
        started=run.started,
        ended=run.ended,
        state=run.state,
        message=run.message[:2000],
        version=built.version,
        inferred=built.inferred,
        source=action.template.origin.root,
        ours=claim is not None,
        why=claim.why if claim else "started by somebody else",
        outputs=tuple(o.name for o in outputs),
        log_end="" if run.state is RunState.SUCCEEDED else _log_end(turn, action),
        staging_group=action.template.staging_group,
        correlation=turn.look.correlation,
    )


def _log_end(turn: Turn, action: actions.RecordEnd) -> str:
    """The end of customization.log, only from an account that Resource Manager knows in our staging group.

    The address comes out of a message that a build script may have had a say in: a token must not follow it
    to an account of somebody else.
    """
    log, group = action.run.log, action.template.staging_group
    if log is None or group is None:
        return ""
    try:
        if not turn.out.resources.account_exists(action.template.id.subscription, group, log.account):
            return f"not read: {log} is not in the staging group {group}"
        length = turn.out.blobs.facts(log).length
        end = turn.out.blobs.read(log, max(0, length - LOG_END), length) if length else b""
    except FactoryError as error:
        return f"not read: {error}"
    return "".join(c for c in end.decode("utf-8", "replace") if c.isprintable() or c in "\n\t")


def _publish(turn: Turn, run: RunRecord) -> None:
    turn.event(
        EventType.BUILD_ENDED,
        image=run.image,
        run=run.start,
        state=run.state.value,
        version=run.version.text if run.version else None,
        inferred=run.inferred,
        outputs=len(run.outputs),
    )
