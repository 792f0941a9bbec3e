"""A run, from the accepted request to its end: one timer at a time, each step scheduling the next.

Only `lastRunStatus` tells of it. A run that is over (ended, cancelled, its template gone) lets whatever is
still on its way fall flat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.arm import events
from sandbox.arm.context import Origin
from sandbox.arm.imagebuilder.artifacts import Artifact, Build, DistributionFailed
from sandbox.arm.imagebuilder.outcomes import AS_THE_TEMPLATE_SAYS, Durations, Outcome
from sandbox.arm.imagebuilder.schema import TYPE
from sandbox.arm.imagebuilder.scripts import Executed
from sandbox.arm.imagebuilder.sources import Resolved, SourceRefused
from sandbox.arm.imagebuilder.template import LastRun, Template
from sandbox.arm.storage import BlobAddress

if TYPE_CHECKING:
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.model import Version
    from sandbox.arm.imagebuilder.artifacts import Artifacts
    from sandbox.arm.imagebuilder.scripts import Scripts
    from sandbox.arm.imagebuilder.sources import Sources
    from sandbox.arm.operations import Operation
    from sandbox.schedule import Timer

DEFAULT_TIMEOUT_MINUTES = 240
Ended = Callable[[Template, bool, datetime], None]


@dataclass(slots=True)
class Run:
    """`origin` None: Azure itself started it. `source` is known once the build has begun."""

    id: str
    outcome: Outcome
    origin: Origin | None
    operation: Operation | None
    source: Resolved | None = None
    executed: Executed = field(default_factory=lambda: Executed(()))
    validation_failure: str | None = None
    canceling: bool = False
    over: bool = False
    timers: list[Timer] = field(default_factory=list)


class Runs:
    def __init__(
        self,
        fabric: Fabric,
        durations: Durations,
        sources: Sources,
        scripts: Scripts,
        artifacts: Artifacts,
    ) -> None:
        self._fabric, self.durations = fabric, durations
        self._sources, self._scripts, self._artifacts = sources, scripts, artifacts
        self.on_end: Ended = lambda _template, _succeeded, _at: None

    def start(
        self,
        template: Template,
        at: datetime,
        origin: Origin | None = None,
        operation: Operation | None = None,
    ) -> Run:
        outcome = template.planned.pop(0) if template.planned else AS_THE_TEMPLATE_SAYS
        run = template.run = Run(self._fabric.guid(), outcome, origin, operation)
        delay = timedelta(seconds=self._fabric.switches.visible_run_delay)
        if delay:
            run.timers.append(
                self._fabric.schedule.at(at + delay, lambda due: self._appear(template, run, due))
            )
        else:
            self._appear(template, run, at)
        return run

    def cancel(self, template: Template, at: datetime) -> None:
        run = template.run
        assert run is not None, "the provider refuses to cancel where no run goes on"
        self._stop(run)
        run.canceling = True
        if template.last_run is None or template.last_run.end is not None:  # accepted, but not visible yet
            template.last_run = self._new_status(at)
        template.last_run.state, template.last_run.sub_state = "Canceling", None
        template.last_run.message = "Canceling image build"
        run.timers.append(
            self._fabric.after(at, self.durations.canceling, lambda due: self._canceled(template, run, due))
        )

    def abandon(self, template: Template) -> None:
        """The template is gone, with its group or without: nothing of the run happens any more."""
        if template.run is not None:
            self._stop(template.run)
            template.run.over = True
            template.run = None

    def _appear(self, template: Template, run: Run, at: datetime) -> None:
        template.last_run = self._new_status(at)
        if self._fabric.switches.run_removes_old_vhds:
            self._remove_vhds(template)
        minutes = template.properties.get("buildTimeoutInMinutes") or DEFAULT_TIMEOUT_MINUTES
        run.timers.append(
            self._fabric.after(
                at, minutes * 60, lambda due: self._fail(template, run, _timed_out(minutes), due)
            )
        )
        try:
            run.source = self._sources.resolve(template)
        except SourceRefused as refused:
            self._next(template, run, at, self.durations.building, _failing(self._fail, refused.message))
            return
        if self._fabric.switches.exact_version_refreshed:
            template.exact_version = run.source.exact
        self._next(template, run, at, self.durations.building, self._customize)

    def _customize(self, template: Template, run: Run, at: datetime) -> None:
        if self._planned_failure(template, run, "Building", at):
            return
        assert template.last_run is not None
        if self._fabric.switches.start_time_moves:
            template.last_run.start = at
        template.last_run.sub_state = "Customizing"
        seconds = self.durations.customizing if template.customizers else 0.0
        self._next(template, run, at, seconds, self._customized)

    def _customized(self, template: Template, run: Run, at: datetime) -> None:
        def work() -> None:
            run.executed = self._scripts.execute(template.customizers, template.identity_ids)

        def done(when: datetime) -> None:
            if run.over or run.canceling:
                return
            if run.executed.failure:
                self._fail(template, run, run.executed.failure, when)
            elif not self._planned_failure(template, run, "Customizing", when):
                self._optimize(template, run, when)

        self._fabric.aside(at, work, done, self._broken(template, run))

    def _optimize(self, template: Template, run: Run, at: datetime) -> None:
        optimize = template.properties.get("optimize") or {}
        wanted = any((part or {}).get("state") == "Enabled" for part in optimize.values())
        if wanted:
            self._show(template, "Optimizing")
        self._next(template, run, at, self.durations.optimizing if wanted else 0.0, self._validate)

    def _validate(self, template: Template, run: Run, at: datetime) -> None:
        wanted = "validate" in template.properties
        if wanted:
            self._show(template, "Validating")
        self._next(template, run, at, self.durations.validating if wanted else 0.0, self._validated)

    def _validated(self, template: Template, run: Run, at: datetime) -> None:
        validate = template.properties.get("validate") or {}
        found: list[Executed] = []

        def work() -> None:
            steps = list(validate.get("inVMValidations") or ())
            found.append(self._scripts.execute(steps, template.identity_ids))

        def done(when: datetime) -> None:
            if run.over or run.canceling or self._planned_failure(template, run, "Validating", when):
                return
            run.validation_failure = found[0].failure
            if run.validation_failure and not validate.get("continueDistributeOnFailure"):
                self._fail(template, run, run.validation_failure, when)
                return
            self._show(template, "Distributing")
            self._next(template, run, when, self.durations.distributing, self._distribute)

        self._fabric.aside(at, work, done, self._broken(template, run))

    def _distribute(self, template: Template, run: Run, at: datetime) -> None:
        assert run.source is not None, "a build has a source before it distributes"
        if not run.outcome.distribute and self._planned_failure(template, run, "Distributing", at):
            return
        source, executed = run.source, run.executed
        build = Build(template, run.id, source, executed.digest, run.outcome.vhd, at)
        made, failures = self._plan(build, template.distributors, run.outcome)
        in_staging = template.staging.account if template.staging else None
        template.stored += [each.address for each in made if each.address.account == in_staging]

        def work() -> None:
            self._artifacts.write(build, made)

        def done(when: datetime) -> None:
            if run.over or run.canceling:
                self._artifacts.withdraw(made)
            else:
                self._replicate(template, run, build, made, failures, when)

        def broken(when: datetime) -> None:
            self._artifacts.withdraw(made)
            self._broken(template, run)(when)

        self._fabric.aside(at, work, done, broken)

    def _replicate(
        self,
        template: Template,
        run: Run,
        build: Build,
        made: list[Artifact],
        failures: list[str],
        at: datetime,
    ) -> None:
        """Distributing lasts until every version is in its regions; a version goes on if the run ends."""
        going = {each.version.id: each for each in made if each.version is not None}
        if not going:
            self._distributed(template, run, made, failures, at)
            return

        def ended(version: Version, when: datetime) -> None:
            artifact = going.pop(version.id)
            if version.state == "Failed":
                made.remove(artifact)
                flaw = version.content.flaw
                reason = flaw[1] if flaw else f"the replication of '{version.id}' failed"
                failures.append(f"{artifact.output.name}: {reason}")
            if not going and not run.over and not run.canceling:
                self._distributed(template, run, made, failures, when)

        for each in tuple(going.values()):
            if each.version is not None:
                each.version.ended.append(ended)
                self._artifacts.release(build, each.version, at)

    def _plan(
        self, build: Build, targets: list[dict[str, Any]], outcome: Outcome
    ) -> tuple[list[Artifact], list[str]]:
        made: list[Artifact] = []
        failures: list[str] = []
        spared = targets[-1:] if outcome.result == "partial" and len(targets) > 1 else []
        failures.extend(f"{target['runOutputName']}: {outcome.message}" for target in spared)
        for target in targets[: len(targets) - len(spared)]:
            try:
                made.append(self._artifacts.plan(build, target))
            except DistributionFailed as failed:
                failures.append(f"{target['runOutputName']}: {failed}")
        return made, failures

    def _distributed(
        self, template: Template, run: Run, made: list[Artifact], failures: list[str], at: datetime
    ) -> None:
        outputs = {each.output.name.lower(): each.output for each in made}
        if run.validation_failure or run.outcome.result == "failure":
            template.outputs = outputs
            reason = run.validation_failure or run.outcome.message
            self._fail(template, run, reason, at, keep_outputs=True)
        elif failures and not made:
            self._fail(template, run, "; ".join(failures), at)
        elif failures or run.outcome.result == "partial":
            template.outputs = outputs
            reason = "; ".join(failures) or run.outcome.message
            self._end(template, run, "PartiallySucceeded", self._failure_text(template, run, reason), at)
        else:
            template.outputs = outputs
            self._end(template, run, "Succeeded", "", at)

    def _broken(self, template: Template, run: Run) -> Callable[[datetime], None]:
        return lambda at: self._fail(template, run, "storage refused what the build read or wrote", at)

    def _planned_failure(self, template: Template, run: Run, phase: str, at: datetime) -> bool:
        """A planned failure with outputs has to come as far as distributing them."""
        planned = run.outcome.result == "failure" and run.outcome.at == phase and not run.outcome.distribute
        if planned:
            self._fail(template, run, run.outcome.message, at)
        return planned

    def _fail(
        self, template: Template, run: Run, reason: str, at: datetime, keep_outputs: bool = False
    ) -> None:
        if run.over or run.canceling:
            return
        if not keep_outputs and not self._fabric.switches.old_outputs_survive:
            template.outputs = {}
        self._end(template, run, "Failed", self._failure_text(template, run, reason), at, reason)

    def _canceled(self, template: Template, run: Run, at: datetime) -> None:
        if not self._fabric.switches.old_outputs_survive:
            template.outputs = {}
        self._end(template, run, "Canceled", "The build was canceled", at)

    def _end(
        self, template: Template, run: Run, state: str, message: str, at: datetime, reason: str = ""
    ) -> None:
        self._stop(run)
        run.over, template.run = True, None
        status = template.last_run
        assert status is not None, "a run shows before it ends"
        status.state, status.sub_state, status.end, status.message = state, None, at, message
        self._write_log(template, run, reason)
        if run.operation is not None:
            failed = ("PackerBuildFailed", message) if state in ("Failed", "PartiallySucceeded") else None
            run.operation.finish(at, failed, "Canceled" if state == "Canceled" else None)
        self._publish(template, run, state, at)
        self.on_end(template, state == "Succeeded", at)

    def _publish(self, template: Template, run: Run, state: str, at: datetime) -> None:
        switches = self._fabric.switches
        if not switches.completion_events or (run.origin is None and not switches.triggered_run_events):
            return
        named: dict[str, Any] = {
            "Succeeded": "Success",
            "Failed": "Failure",
            "PartiallySucceeded": switches.partial_event,
            "Canceled": switches.canceled_event,
        }
        if named[state] != "none":
            origin = run.origin or Origin(None, run.id, None, "POST", f"{template.id}/run")
            events.publish(self._fabric, origin, template.id, f"{TYPE}/run/action", named[state], at)

    def _failure_text(self, template: Template, run: Run, reason: str) -> str:
        assert template.staging is not None, "a provisioned template has its staging group"
        account, blob = template.staging.account, f"packerlogs/{run.id}/customization.log"
        place = f"{template.staging.group_id}/providers/Microsoft.Storage/storageAccounts/{account}"
        place += f"/blobServices/default/containers/{blob}"
        if self._fabric.switches.log_location == "url":
            place = self._fabric.storage.url(BlobAddress(account, *blob.split("/", 1)))
        return (
            "Failed while waiting for packerizer: Microservice has failed: Failed while processing request: "
            f"Error when executing packerizer: Packer build command has failed: exit status 1 ({reason}). "
            "During the image build, a failure has occurred, please review the build log to identify which "
            "build/customization step failed. For more troubleshooting steps go to "
            f"https://aka.ms/azvmimagebuilderts. Image Build log location: {place}. "
            f"OperationId: {run.id}. Use this operationId to search packer logs."
        )

    def _write_log(self, template: Template, run: Run, reason: str) -> None:
        if template.staging is None or not self._fabric.storage.account_exists(template.staging.account):
            return  # somebody deleted it: the run still ends, without a log
        address = BlobAddress(template.staging.account, "packerlogs", f"{run.id}/customization.log")
        last = [f"==> azure-arm: Build failed: {reason}"] if reason else ["==> azure-arm: Build ended."]
        text = "\n".join(["==> azure-arm: Running builder ...", *run.executed.log, *last, ""])
        self._fabric.background(lambda: self._fabric.storage.write_text(address, text), lambda: None)

    def _remove_vhds(self, template: Template) -> None:
        gone, template.stored = template.stored, []

        def work() -> None:
            for address in gone:
                self._fabric.storage.delete_blob(address)

        self._fabric.background(work, lambda: None)

    def _new_status(self, at: datetime) -> LastRun:
        return LastRun(at, self._fabric.random.randrange(1, 1000))

    def _show(self, template: Template, sub_state: str) -> None:
        assert template.last_run is not None, "a run shows from its first step on"
        template.last_run.sub_state = sub_state

    def _next(
        self,
        template: Template,
        run: Run,
        at: datetime,
        seconds: float,
        step: Callable[[Template, Run, datetime], None],
    ) -> None:
        if not seconds:
            step(template, run, at)
            return
        timer = self._fabric.after(at, seconds * run.outcome.slower, lambda due: step(template, run, due))
        run.timers.append(timer)

    def _stop(self, run: Run) -> None:
        for timer in run.timers:
            timer.cancel()
        run.timers.clear()


def _failing(
    fail: Callable[[Template, Run, str, datetime], None], reason: str
) -> Callable[[Template, Run, datetime], None]:
    return lambda template, run, at: fail(template, run, reason, at)


def _timed_out(minutes: int) -> str:
    return f"the build timed out after {minutes} minutes (buildTimeoutInMinutes)"
