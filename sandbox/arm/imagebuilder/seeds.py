"""Templates and staging groups that are put into the world by hand, with a past.

What is stuck in Azure is stuck here, and nothing moves it by itself: a template that is `Creating` since
yesterday, a run that goes on for twenty hours, a staging group whose template is long gone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from sandbox.arm import ids
from sandbox.arm.context import Origin
from sandbox.arm.imagebuilder import schema, validation
from sandbox.arm.imagebuilder.outcomes import AS_THE_TEMPLATE_SAYS
from sandbox.arm.imagebuilder.run import Run
from sandbox.arm.imagebuilder.staging import StagingRefused, marks
from sandbox.arm.imagebuilder.template import LastRun, Output, Template
from sandbox.arm.records import Group

if TYPE_CHECKING:
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.imagebuilder.provisioning import Provisioning
    from sandbox.arm.imagebuilder.staging import StagingGroups
    from sandbox.arm.inventory import Inventory

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
State = Literal["Creating", "Updating", "Succeeded", "Failed", "Deleting", "Canceled"]
RunState = Literal["Running", "Canceling", "Succeeded", "PartiallySucceeded", "Failed", "Canceled"]
_GOING_ON: tuple[RunState, ...] = ("Running", "Canceling")
_MESSAGES: dict[RunState, str] = {
    "Canceling": "Canceling image build",
    "Canceled": "The build was canceled",
}


class _Seed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class RunSeed(_Seed, frozen=True):
    """The last run of a template. What is over has ended; what goes on has not, and ends by cancel alone."""

    state: RunState
    started: Moment
    ended: Moment | None = None
    sub_state: str | None = None
    message: str | None = None


class OutputSeed(_Seed, frozen=True):
    """An artifact of the last run: the id of an image, or the address of a VHD."""

    name: str
    artifact_id: str | None = None
    artifact_uri: str | None = None


class TemplateSeed(msgspec.Struct, frozen=True, kw_only=True):
    """A template as it stands. `properties` are those of its PUT, `error` is why it has failed.

    `staging` False: its staging group has gone, or never came.
    """

    properties: dict[str, Any]
    identity: str | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    state: State = "Succeeded"
    error: str | None = None
    error_code: str = "Other"
    exact_version: str | None = None
    staging: bool = True
    run: RunSeed | None = None
    outputs: tuple[OutputSeed, ...] = ()


class StagingSeed(msgspec.Struct, frozen=True, kw_only=True):
    """A staging group as Image Builder marks it. `template` and its group need not be there any more.

    `supplied`: it was the customer's before. `account`: the storage account in it, if there still is one.
    """

    template: str
    template_group: str
    supplied: bool = False
    account: str | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class Seeds:
    def __init__(
        self, fabric: Fabric, inventory: Inventory, staging: StagingGroups, provisioning: Provisioning
    ) -> None:
        self._fabric, self._inventory = fabric, inventory
        self._staging, self._provisioning = staging, provisioning

    def template(self, group: Group, name: str, location: str, identity: str, seed: TemplateSeed) -> Template:
        """Raises ArmError for what Image Builder would not have taken, ValueError for what cannot be."""
        body = self._body(location, seed.identity or identity, seed)
        validation.check_name("template", name)
        template = Template(
            subscription=group.subscription,
            group=group.name,
            name=name,
            location=location,
            tags=dict(seed.tags),
            identity=body["identity"],
            properties=body["properties"],
            state=seed.state,
            error=None if seed.error is None else (seed.error_code, seed.error),
            exact_version=seed.exact_version,
            outputs={each.name.lower(): _output(each) for each in seed.outputs},
        )
        if self._fabric.records.get(template.id) is not None:
            raise ValueError(f"the image template {template.id!r} is there already")
        if seed.run is not None:
            self._run(template, seed.run)
        if seed.state != "Creating":
            self._provisioning.introduce(template)
        if seed.staging:
            try:
                template.staging = self._staging.create(template)
            except StagingRefused as refused:
                raise ValueError(str(refused)) from refused
        self._fabric.records.put(template)
        return template

    def staging_group(self, subscription: str, name: str, location: str, seed: StagingSeed) -> Group:
        if self._fabric.records.group(subscription, name) is not None:
            raise ValueError(f"the resource group {name!r} is there already")
        tags = {**seed.tags, **marks(seed.template, seed.template_group, supplied=seed.supplied)}
        group = self._fabric.records.add_group(Group(subscription, name, location, tags))
        if seed.account is not None:
            self._fabric.storage.create_account(seed.account)
            self._inventory.add_account(group.id, seed.account, sku="Standard_ZRS", tags=tags)
        return group

    def _body(self, location: str, identity: str, seed: TemplateSeed) -> dict[str, Any]:
        document = {
            "location": location,
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}},
            "tags": dict(seed.tags),
            "properties": seed.properties,
        }
        body = schema.read("template", document, schema.API_VERSIONS[-1])
        validation.check_template(body)
        return body

    def _run(self, template: Template, seed: RunSeed) -> None:
        going = seed.state in _GOING_ON
        if going == (seed.ended is not None):
            word = "has no" if going else "needs"
            raise ValueError(
                f"the last run of the template {template.name!r} is {seed.state}: it {word} `ended`"
            )
        if seed.ended is not None and seed.ended < seed.started:
            raise ValueError(f"the last run of the template {template.name!r} ended before it started")
        template.last_run = LastRun(
            seed.started.astimezone(UTC),
            self._fabric.random.randrange(1, 1000),
            seed.state,
            seed.sub_state or ("Building" if seed.state == "Running" else None),
            seed.ended.astimezone(UTC) if seed.ended else None,
            _MESSAGES.get(seed.state, "") if seed.message is None else seed.message,
        )
        if going:
            guid = self._fabric.guid()
            origin = Origin(None, guid, None, "POST", f"{template.id}/run")
            template.run = Run(guid, AS_THE_TEMPLATE_SAYS, origin, None, canceling=seed.state == "Canceling")


def _output(seed: OutputSeed) -> Output:
    if (seed.artifact_id is None) == (seed.artifact_uri is None):
        raise ValueError(f"the output {seed.name!r} needs either artifact_id or artifact_uri")
    if seed.artifact_id is not None and ids.parse(seed.artifact_id) is None:
        raise ValueError(f"the output {seed.name!r}: {seed.artifact_id!r} is not the id of a resource")
    return Output(seed.name, seed.artifact_id, seed.artifact_uri)
