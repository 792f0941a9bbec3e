"""What must not happen on the way: seen at once, so that nobody waits in vain for the next step."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from sandbox.demo.evidence import Evidence

Alarm = Callable[[Evidence], str | None]


class Deviation(Exception):
    """The story did not go as it should; the message says what was wrong."""


def host_died(evidence: Evidence) -> str | None:
    host = evidence.sandbox.host
    if host is None or (host.pid is not None and host.starts == 1):
        return None
    return f"the Functions host died (exit status {host.last_exit})"


def storage_died(evidence: Evidence) -> str | None:
    return None if evidence.sandbox.storage.azurite.alive() else "the storage emulator died"


def template_failed(evidence: Evidence) -> str | None:
    name = evidence.ever("template Failed")
    return f"the template {name} could not be provisioned" if name else None


def run_failed(evidence: Evidence) -> str | None:
    for state in ("Failed", "PartiallySucceeded", "Canceled"):
        if name := evidence.ever(f"run {state}"):
            return f"the run of {name} ended as {state}"
    return None


def replication_failed(evidence: Evidence) -> str | None:
    """Written by whomever: no version of a story without faults fails anywhere."""
    failures = evidence.published("Microsoft.Resources.ResourceWriteFailure", "/versions/")
    return f"{failures[0].event['subject']} could not be replicated" if failures else None


def refused(evidence: Evidence) -> str | None:
    """No answer of a story without faults says that a token or a role is missing."""
    for call in evidence.everything():
        if call.principal == "factory" and call.status in (401, 403):
            return f"the factory was refused: {call.method} {call.path} was answered {call.status}"
    return None


def event_dead(evidence: Evidence) -> str | None:
    dead = evidence.sandbox.azure.eventgrid.outbox.dead
    return f"an event could not be delivered: {dead[0].get('deadLetterReason')}" if dead else None


def run_twice(evidence: Evidence) -> str | None:
    runs = Counter(call.path for call in evidence.calls("arm", "POST", r"/run\?", 202))
    again = next((count for count in runs.values() if count > 1), 0)
    return f"{again} runs were started for one version" if again else None


ALARMS: Final[tuple[Alarm, ...]] = (
    host_died,
    storage_died,
    template_failed,
    run_failed,
    replication_failed,
    refused,
    event_dead,
    run_twice,
)


def check(evidence: Evidence) -> None:
    """Raise `Deviation` for the first alarm."""
    for alarm in ALARMS:
        if (why := alarm(evidence)) is not None:
            raise Deviation(why)
