"""The story as a table: what has to happen, in which order, and what proves that it did."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from sandbox.demo.evidence import Evidence

VERSION_FOUND: Final = "ImageFactory.SourceVersionFound"
_ACCEPTED: Final = range(200, 300)
RUN_ENDED: Final = "Microsoft.Resources.ResourceActionSuccess"


class Seen(msgspec.Struct, frozen=True):
    """A step has happened: when, and what is worth telling about it."""

    at: datetime
    told: str


Proof = Callable[[Evidence], Seen | None]
Telling = Callable[[Evidence], str]


class Step(msgspec.Struct, frozen=True):
    words: str
    proof: Proof
    patience: timedelta = timedelta(seconds=30)
    """How long it may take after the step before it."""
    copying: bool = False


def called(service: str, method: str, target: str, status: int, told: str | Telling) -> Proof:
    """The factory sent this request, and it was answered so."""

    def proof(evidence: Evidence) -> Seen | None:
        call = next(evidence.calls(service, method, target, status), None)
        return Seen(call.at, _text(told, evidence)) if call else None

    return proof


def published(kind: str, subject: str = "", told: str = "") -> Proof:
    """Such an event was published; `subject` is a part of its subject."""

    def proof(evidence: Evidence) -> Seen | None:
        found = evidence.published(kind, subject)
        return Seen(found[0].at, f"{kind}{told}") if found else None

    return proof


def delivered(kind: str, subject: str = "") -> Proof:
    """Such an event was delivered to a function of the app, and taken."""

    def proof(evidence: Evidence) -> Seen | None:
        for each in evidence.deliveries(kind, subject):
            if each.last_attempt and each.last_status in _ACCEPTED:
                return Seen(each.last_attempt, f"{kind} to {each.subscription.function}")
        return None

    return proof


def state(name: str, told: str | Telling, template: str = "") -> Proof:
    """Resource Manager told of this state of the template, by default the story's, or of its run."""

    def proof(evidence: Evidence) -> Seen | None:
        at = evidence.since(name, template)
        return Seen(at, _text(told, evidence)) if at else None

    return proof


def ended(template: str = "") -> Proof:
    """The template's run succeeded, and how long it took."""

    def told(evidence: Evidence) -> str:
        begun, over = evidence.since("run Building", template), evidence.since("run Succeeded", template)
        seconds = (over - begun).total_seconds() if begun and over else 0.0
        return f"Succeeded after {seconds:.1f} s, at {evidence.sandbox.options.speed:g} times Azure's speed"

    return state("run Succeeded", told, template)


def copied(evidence: Evidence) -> Seen | None:
    """Storage holds as many bytes as Image Builder wrote."""
    if not evidence.allocated or evidence.copied < evidence.allocated:
        return None
    calls = list(evidence.calls("blob", "PUT", r"\.vhd\?comp=page$", 201))
    return Seen(calls[-1].at, f"by {len(calls)} requests from service to service")


def staging_gone(evidence: Evidence) -> Seen | None:
    """Neither Resource Manager nor storage knows the staging group's account any more."""
    at, staging, azure = evidence.since("template gone"), evidence.staging, evidence.sandbox.azure
    if at is None or staging is None:
        return None
    if azure.inventory.account(staging.account) or azure.storage.account_exists(staging.account):
        return None
    return Seen(at, f"{_name(staging.group_id)}, its storage account and the VHD in it")


def _version(evidence: Evidence) -> str:
    return f"the marketplace lists {evidence.version}"


def _template(evidence: Evidence) -> str:
    return f"{evidence.image}, from its file in config/templates"


def _provisioned(evidence: Evidence) -> str:
    return f"with staging group {_name(evidence.staging.group_id)}" if evidence.staging else ""


def _manifest(evidence: Evidence) -> str:
    target = evidence.target
    return f"{target.name.removesuffix('.vhd')}.json" if target else ""


def _name(resource_id: str) -> str:
    return resource_id.rpartition("/")[2]


def _text(told: str | Telling, evidence: Evidence) -> str:
    return told if isinstance(told, str) else told(evidence)


_ONE: Final = r"/imageTemplates/[^/]+"
STORY: Final = (
    Step("Version seen", called("arm", "GET", r"/versions\?", 200, _version)),
    Step("Event published", published(VERSION_FOUND)),
    Step("Event delivered", delivered(VERSION_FOUND)),
    Step("Template created", called("arm", "PUT", rf"{_ONE}\?", 201, _template)),
    Step("Template ready", state("template Succeeded", _provisioned)),
    Step("Run started", called("arm", "POST", rf"{_ONE}/run\?", 202, "accepted by Image Builder")),
    Step("  building", state("run Building", "")),
    Step("  customizing", state("run Customizing", "")),
    Step("  distributing", state("run Distributing", "")),
    Step("Run ended", ended()),
    Step("Event delivered", delivered(RUN_ENDED)),
    Step("VHD copied", copied, copying=True),
    Step(
        "VHD verified",
        called("blob", "PUT", r"\.vhd\?comp=metadata$", 200, "content compared with the source"),
    ),
    Step("Manifest written", called("blob", "PUT", r"^/archive/images/.+\.json\?", 201, _manifest)),
    Step("Template deleted", called("arm", "DELETE", rf"{_ONE}\?", 202, "all its VHDs are safe")),
    Step("Staging deleted", staging_gone),
)
