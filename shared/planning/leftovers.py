"""Templates and staging groups as things: needed or not, and stuck."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from shared.domain.estate import SeenGroup, SeenTemplate
from shared.domain.ids import ImageName
from shared.domain.records import RunRecord
from shared.domain.retention import MADE, OWNER, Kind, Thing, tag_of

from .knowledge import Knowledge

_MADE_BY = "createdBy"
_BUILDER = "AzureVMImageBuilder"
_OF_TEMPLATE = ("imageTemplateName", "imageTemplateResourceGroupName")
_RUNNING = ("Running", "Canceling")
_BUILDERS_OWN = (
    "microsoft.storage/storageaccounts",
    "microsoft.network/",
    "microsoft.compute/disks",
    "microsoft.compute/virtualmachines",
    "microsoft.containerinstance/containergroups",
    "microsoft.managedidentity/userassignedidentities",
    "microsoft.keyvault/vaults",
    "microsoft.eventgrid/",
    "microsoft.virtualmachineimages/",
)
"""What Image Builder puts into a staging group; a group with anything else in it is not its alone."""


def leftovers(k: Knowledge) -> Iterator[Thing]:
    for template in k.templates.values():
        if tag_of(template.tags, OWNER):
            yield _template(k, template)
    for group in k.groups:
        if tag_of(group.tags, _MADE_BY) == _BUILDER:
            yield _staging_group(k, group)


def _template(k: Knowledge, seen: SeenTemplate) -> Thing:
    owner = ImageName(tag_of(seen.tags, OWNER))
    image = k.image_of.get(seen.id)
    state = k.states.get(owner)
    made, doubts = _made(seen)
    stuck = _stuck(k, seen, made)
    return k.thing(
        Kind.TEMPLATE,
        seen.id,
        image.name if image else owner,
        seen.tags,
        name=seen.id.rsplit("/", 1)[1],
        place=seen.id.rsplit("/providers/", 1)[0],
        recorded=state is not None,
        made=made,
        stuck=stuck,
        cancellable=bool(stuck) and seen.run_state == "Running",
        used_by=(f"image {image.name}",) if image else (),
        busy=_needed(k, seen, owner),
        doubts=doubts,
    )


def _made(seen: SeenTemplate) -> tuple[datetime | None, tuple[str, ...]]:
    try:
        tag = tag_of(seen.tags, MADE)
        return (datetime.fromisoformat(tag) if tag else seen.run_started), ()
    except ValueError:
        return seen.run_started, (f"its tag {MADE} is no time",)


def _stuck(k: Knowledge, seen: SeenTemplate, made: datetime | None) -> str:
    """In the words of a report; empty while it is within its time."""
    patience, limit = k.factory.retention.patience, timedelta(minutes=seen.timeout_minutes)
    for state, since, most in (
        ("Creating", made if seen.state == "Creating" else None, patience.creating),
        ("Running", seen.run_started if seen.run_state == "Running" else None, limit + patience.running),
        (
            "Canceling",
            seen.run_started if seen.run_state == "Canceling" else None,
            limit + patience.cancelling,
        ),
    ):
        if since and k.now - since > most:
            return f"stuck: {state} since {since:%Y-%m-%d %H:%M} UTC, longer than {most}"
    return ""


def _needed(k: Knowledge, seen: SeenTemplate, owner: ImageName) -> str:
    """Rule 1: a template does not go while an output of its last run is neither archived nor lost."""
    if seen.run_state in _RUNNING:
        return "a run of it is under way"
    if seen.state not in ("Succeeded", "Failed", "Canceled"):
        return f"Azure is at work on it ({seen.state})"
    state = k.states.get(owner)
    if state and state.unsettled:
        return f"the output {state.unsettled[0]} is not safe in the archive yet"
    if seen.run_start and (owner, seen.run_start) not in k.runs:
        return f"the end of its run of {seen.run_start} is not recorded: its outputs may not be safe"
    return ""


def _staging_group(k: Knowledge, seen: SeenGroup) -> Thing:
    runs = k.runs_in.get(seen.id, [])
    latest = max(runs, key=lambda run: run.started, default=None)
    return k.thing(
        Kind.STAGING_GROUP,
        seen.id,
        latest.image if latest else "",
        seen.tags,
        name=seen.name,
        place=seen.id.rsplit("/resourcegroups/", 1)[0],
        recorded=latest is not None,
        made=(latest.ended or latest.started) if latest else None,
        busy=_in_danger(k, seen, runs) or ("" if seen.state == "Succeeded" else f"it is {seen.state}"),
        used_by=_template_of(k, seen),
        doubts=_foreign(k, seen, runs),
    )


def template_of(group: SeenGroup) -> str:
    """The id of the template that its tags say it was made for."""
    name, holder = (tag_of(group.tags, tag).lower() for tag in _OF_TEMPLATE)
    place = f"/subscriptions/{group.id.split('/')[2]}/resourcegroups/{holder}"
    return f"{place}/providers/microsoft.virtualmachineimages/imagetemplates/{name}"


def _template_of(k: Knowledge, seen: SeenGroup) -> tuple[str, ...]:
    named = template_of(seen)
    users = {*k.templates_in.get(seen.id, ()), *({named} & k.templates.keys())}
    return tuple(f"the template {each.rsplit('/', 1)[1]}" for each in sorted(users))


def _in_danger(k: Knowledge, seen: SeenGroup, runs: list[RunRecord]) -> str:
    """Why what lies in the group is not safe; a run's outputs lie in its group, even if that is not told."""
    names = {(run.image, run.start) for run in runs}
    for output in k.unsettled:
        if (output.image, output.run) in names or (output.staging_group or "").lower() == seen.name:
            return f"the output {output.id} is not safe in the archive yet"
    return ""


def _foreign(k: Knowledge, seen: SeenGroup, runs: list[RunRecord]) -> tuple[str, ...]:
    if not all(tag_of(seen.tags, tag) for tag in _OF_TEMPLATE):
        return ("its tags do not say which template it was made for",)
    if template_of(seen) not in {run.template.lower() for run in runs}:
        return (f"it was made for {template_of(seen)}, of which the ledger knows no run in it",)
    rules = k.factory.retention
    for each in k.contents.get(seen.id, ()):
        if each.unlisted:
            return (f"what is in it is not known: {each.unlisted}",)
        if rules.pinned(each.tags) or rules.excluded(each.tags):
            return (f"something in it is pinned, or excluded from retention: {each.id}",)
        if not any(
            each.type == own or (own[-1] == "/" and each.type.startswith(own)) for own in _BUILDERS_OWN
        ):
            return (f"there is something in it that Image Builder does not make: {each.id}",)
    return ()
