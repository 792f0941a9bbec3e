"""The third story as tables: what goes is marked, excluded and deleted, and what is needed stays.

Then a policy that is too eager is stopped. What a plan says is checked as well as what became of it.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from sandbox.calls import Call
from sandbox.demo.alarms import Deviation
from sandbox.demo.evidence import Evidence
from sandbox.demo.galleries import VERSION
from sandbox.demo.history import AGES, GOING, HOME, PINNED, USED, versions_of
from sandbox.demo.scene import DEVELOPERS, GRACE, NOTICE
from sandbox.demo.steps import Proof, Seen, Step
from sandbox.eventgrid.events import Event
from sandbox.running import RunningSandbox

MARK: Final = "imageFactoryRetire"
_OWNER: Final = "imageFactoryImage"
_KIND: Final = "gallery_version"
_KEPT: Final = {USED: "in-use", PINNED: "pinned", VERSION: "newest-released"}
"""Whom the policy does not keep, by the rule that does."""
_TAGS: Final = "/providers/Microsoft.Resources/tags/"
_WHOLE_SECONDS: Final = timedelta(seconds=1)
"""Marks say since when in whole seconds, so the notice may begin that much before its mark is written."""
_SLACK: Final = timedelta(seconds=0.1)
_PATIENCE: Final = timedelta(seconds=30)


def check_plan(plan: dict[str, Any]) -> None:
    """It retires those that nobody needs, which are marked, and says for which reason the others stay."""
    ours = _verdicts(plan)
    retired = {version for version, verdict in ours.items() if not verdict["keep"]}
    if retired != set(GOING):
        raise Deviation(f"the plan retires {_list(retired)} of {DEVELOPERS}, expected {_list(GOING)}")
    if unmarked := [version for version in GOING if ours[version]["stage"] == "none"]:
        raise Deviation(f"the plan does not show the marks of {_list(unmarked)} of {DEVELOPERS}")
    for version, rule in _KEPT.items():
        found = ours[version]["rule"] if version in ours else "nothing"
        if found != rule:
            raise Deviation(f"the plan says {found} of {DEVELOPERS}/{version}, expected {rule}")


def check_survivors(sandbox: RunningSandbox) -> None:
    """All that the first plan keeps is there, and nothing of it is marked, whatever came after it."""
    there, expected = versions_of(sandbox), {*AGES, VERSION} - set(GOING)
    if set(there) != expected:
        raise Deviation(f"{DEVELOPERS} has {_list(there)}, expected {_list(expected)}")
    if marked := [name for name, version in there.items() if MARK in version.tags]:
        raise Deviation(f"{_list(marked)} of {DEVELOPERS} are marked, expected no mark")


def check_stopped(plan: dict[str, Any], evidence: Evidence) -> None:
    """What the command line calls stopped is the very plan of the event, and nothing of it comes next."""
    told = next(kind for kind in plan["kinds"] if kind["kind"] == _KIND)
    if not told["tripped"] or told["approved"]:
        raise Deviation("the command line does not say that the over-eager plan is stopped")
    digest = _data(evidence.published("ImageFactory.RetentionBlocked")[-1].event)["digest"]
    if told["digest"] != digest:
        raise Deviation(f"the plan's digest is {told['digest']}, the event told {digest}")
    for version, verdict in _verdicts(plan).items():
        if verdict["step"] != "nothing":
            raise Deviation(
                f"{DEVELOPERS}/{version}: {verdict['step']} comes next, though its kind is stopped"
            )


def _adopted(evidence: Evidence) -> Seen | None:
    """A person has told the factory whose versions these are: what has no owner is none of its business."""
    there = versions_of(evidence.sandbox)
    if not all(name in there and there[name].tags.get(_OWNER) == DEVELOPERS for name in AGES):
        return None
    calls = list(evidence.calls("arm", "PATCH", f"/images/{DEVELOPERS}/versions/[^/]+{_TAGS}", 200))
    told = f"(python -m shared.cli retention adopt {DEVELOPERS} --image {DEVELOPERS})"
    return Seen(calls[len(AGES) - 1].at, f"as versions of its image {told}")


def _marked(evidence: Evidence) -> Seen | None:
    marked = {name for name, version in versions_of(evidence.sandbox).items() if MARK in version.tags}
    if others := marked - set(GOING):
        raise Deviation(f"{_list(others)} of {DEVELOPERS} are marked, expected {_list(GOING)} alone")
    if marked != set(GOING):
        return None
    at = max(calls[-1].at for calls in _calls(evidence, "PATCH", _TAGS).values())
    return Seen(at, f"{_list(GOING)}: the tag {MARK} says since when, and why")


def _excluded(evidence: Evidence) -> Seen | None:
    there = versions_of(evidence.sandbox)
    updates = _calls(evidence, "PATCH", r"\?")
    if set(updates) != set(GOING) or any(there[v].latest_in(HOME) for v in GOING if v in there):
        return None
    marks = _calls(evidence, "PATCH", _TAGS)
    waits = [updates[v][0].at - marks[v][-1].at for v in GOING]
    _long_enough(min(waits), NOTICE - _WHOLE_SECONDS, "excluded", "their marks")
    at = max(calls[0].at for calls in updates.values())
    return Seen(at, f"{_list(GOING)}, {_seconds(min(waits))} after the mark: time in which owners can pin")


def _deleted(evidence: Evidence) -> Seen | None:
    """Each once, and nothing else of what can be deleted in Azure."""
    deleted = [
        call
        for service in ("arm", "blob")
        for call in evidence.calls(service, "DELETE", "")
        if call.status in (200, 202)
    ]
    ours = _calls(evidence, "DELETE", r"\?")
    if len(deleted) > len(ours):
        extra = next(call for call in deleted if [call] not in ours.values())
        raise Deviation(f"{extra.path} was deleted, expected {_list(GOING)} of {DEVELOPERS}, each once")
    if set(ours) != set(GOING) or set(GOING) & set(versions_of(evidence.sandbox)):
        return None
    updates = _calls(evidence, "PATCH", r"\?")
    waits = [ours[v][0].at - updates[v][-1].at for v in GOING]
    _long_enough(min(waits), GRACE, "deleted", "their exclusion")
    at = max(calls[0].at for calls in ours.values())
    return Seen(at, f"{_list(GOING)}, {_seconds(min(waits))} after that, and looked at again from scratch")


def _calls(evidence: Evidence, method: str, rest: str) -> dict[str, list[Call]]:
    """The factory's requests to versions that go, as far as they were accepted, by version."""
    found: dict[str, list[Call]] = {}
    for version in GOING:
        target = rf"/images/{DEVELOPERS}/versions/{re.escape(version)}{rest}"
        calls = [call for call in evidence.calls("arm", method, target) if call.status in (200, 202)]
        found |= {version: calls} if calls else {}
    return found


def _told(kind: str) -> Proof:
    """An event for each that goes, with the reason, and for nothing else."""
    expected = {f"{DEVELOPERS}/{version}" for version in GOING}

    def proof(evidence: Evidence) -> Seen | None:
        events = evidence.published(f"ImageFactory.{kind}")
        subjects = {str(each.event.get("subject")) for each in events}
        if others := subjects - expected:
            raise Deviation(f"{kind} tells of {_list(others)}, expected {_list(expected)}")
        if subjects != expected:
            return None
        return Seen(events[-1].at, f"ImageFactory.{kind}: {_list(expected)}")

    return proof


def _blocked(evidence: Evidence) -> Seen | None:
    events = evidence.published("ImageFactory.RetentionBlocked", f"retention/{_KIND}")
    if not events:
        return None
    return Seen(events[0].at, f"ImageFactory.RetentionBlocked: {_data(events[0].event)['why']}")


def _verdicts(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of the definition's versions, by their numbers."""
    ours = (each for each in plan["verdicts"] if each["name"].startswith(f"{DEVELOPERS}/"))
    return {each["name"].rpartition("/")[2]: each for each in ours if each["kind"] == _KIND}


def _data(event: Event) -> dict[str, Any]:
    data = event.get("data")
    return dict(data) if isinstance(data, dict) else {}


def _long_enough(wait: timedelta, least: timedelta, what: str, after: str) -> None:
    if wait < least - _SLACK:
        told = f"{what} {_seconds(wait)} after {after}, expected {_seconds(least)} at least"
        raise Deviation(f"versions of {DEVELOPERS} were {told}")


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():.1f} s"


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


MARKING: Final = (
    Step("Taken over", _adopted, _PATIENCE),
    Step("Versions marked", _marked, _PATIENCE),
    Step("Event published", _told("VersionMarked"), _PATIENCE),
)
RETIRING: Final = (
    Step("Not latest", _excluded, _PATIENCE),
    Step("Versions deleted", _deleted, _PATIENCE),
    Step("Event published", _told("VersionRetired"), _PATIENCE),
)
"""Seen in Azure, each stage after its time, and told by events."""
STOPPED: Final = (Step("Plan stopped", _blocked, _PATIENCE),)
"""Nothing of an abnormal plan is carried out, and people are told."""
