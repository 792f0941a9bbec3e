"""The image templates' front: what a request may do in which state, and the operation that it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm import events, ids, paging
from sandbox.arm.errors import ArmError, bad_request, conflict, resource_not_found
from sandbox.arm.imagebuilder import schema, validation, values, wire
from sandbox.arm.imagebuilder.artifacts import Artifacts
from sandbox.arm.imagebuilder.outcomes import Durations, Outcome, VhdShape
from sandbox.arm.imagebuilder.provisioning import Fault, Provisioning
from sandbox.arm.imagebuilder.run import Runs
from sandbox.arm.imagebuilder.schema import API_VERSIONS, TYPE
from sandbox.arm.imagebuilder.scripts import Scripts
from sandbox.arm.imagebuilder.seeds import Seeds
from sandbox.arm.imagebuilder.sources import Sources
from sandbox.arm.imagebuilder.staging import StagingGroups
from sandbox.arm.imagebuilder.template import Template
from sandbox.arm.imagebuilder.triggers import Triggers
from sandbox.arm.router import Route
from sandbox.http import Headers, Response

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.provider import Galleries
    from sandbox.arm.inventory import Inventory
    from sandbox.arm.marketplace import Catalogue
    from sandbox.arm.operations import Operation

_ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
_NAMESPACE = "providers/Microsoft.VirtualMachineImages"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/" + _NAMESPACE + "/imageTemplates"
_ONE = _GROUP + "/{template}"
_BOTH = ("Azure-AsyncOperation", "Location")


class ImageBuilder:
    def __init__(
        self,
        fabric: Fabric,
        inventory: Inventory,
        catalogue: Catalogue,
        galleries: Galleries,
        durations: Durations | None = None,
        shape: VhdShape | None = None,
    ) -> None:
        self._fabric, self._inventory = fabric, inventory
        self.durations = durations or Durations()
        sources, scripts = Sources(fabric, catalogue, galleries), Scripts(fabric, inventory)
        self._staging = StagingGroups(fabric, inventory)
        self._provisioning = Provisioning(fabric, sources, self._staging, scripts)
        self.seeds = Seeds(fabric, inventory, self._staging, self._provisioning)
        self.artifacts = Artifacts(fabric, inventory, galleries, shape or VhdShape())
        self.runs = Runs(fabric, self.durations, sources, scripts, self.artifacts)
        self.triggers = Triggers(fabric, self.durations, self.runs, galleries, self._find, self.templates)
        self.runs.on_end = lambda template, succeeded, _at: self.triggers.run_ended(template, succeeded)
        catalogue.listeners.append(
            lambda publisher, offer, sku: self.triggers.new_version(publisher, offer, sku, fabric.clock.now())
        )
        fabric.records.reap_with(TYPE, self._reap)

    def routes(self) -> list[Route]:
        table: tuple[tuple[str, str, Any, str], ...] = (
            ("GET", _ONE, self._get, "read"),
            ("PUT", _ONE, self._put, "write"),
            ("PATCH", _ONE, self._patch, "write"),
            ("DELETE", _ONE, self._delete, "delete"),
            ("POST", f"{_ONE}/run", self._run, "run/action"),
            ("POST", f"{_ONE}/cancel", self._cancel, "cancel/action"),
            ("GET", f"{_ONE}/runOutputs", self._outputs, "runOutputs/read"),
            ("GET", f"{_ONE}/runOutputs/{{output}}", self._output, "runOutputs/read"),
            ("GET", _GROUP, self._list, "read"),
            ("GET", "/subscriptions/{subscription}/" + _NAMESPACE + "/imageTemplates", self._list, "read"),
        )
        operations = (
            f"/subscriptions/{{subscription}}/{_NAMESPACE}/locations/{{location}}/operations/{{operation}}"
        )
        poll = Route(
            "GET",
            operations,
            lambda context: self._fabric.operations.poll(context.request),
            "Microsoft.VirtualMachineImages/locations/operations/read",
        )
        return [
            *(
                Route(verb, path, handler, f"{TYPE}/{action}", API_VERSIONS)
                for verb, path, handler, action in table
            ),
            *self.triggers.routes(),
            poll,
        ]

    def templates(self) -> list[Template]:
        found = self._fabric.records.of_kind(TYPE, "/subscriptions")
        return [record for record in found if isinstance(record, Template)]

    def template(self, template_id: str) -> Template | None:
        found = self._fabric.records.get(template_id)
        return found if isinstance(found, Template) else None

    def plan(self, template_id: str, *outcomes: Outcome) -> None:
        """How the next runs of a template end, one outcome each. Raises ValueError if there is none."""
        template = self.template(template_id)
        if template is None:
            raise ValueError(f"no image template {template_id!r} in this world")
        template.planned.extend(outcomes)

    def _put(self, context: Context) -> Response:
        name = context.params["template"]
        validation.check_name("template", name)
        body = schema.read("template", context.body(), context.version)
        validation.check_template(body)
        values.check(body["properties"], context.version)
        existing = self.template(context.request.path)
        if existing is not None:
            raise conflict(
                f"Update/Upgrade of image templates is currently not supported. Please delete the template "
                f"'{existing.name}' (provisioning state: {existing.state}) and create it again."
            )
        template = self._new(context, name, body)
        self._check_identities(context, template)
        self._fabric.records.put(template)
        operation, origin = self._started(template, context), context.origin

        def provisioned(fault: Fault | None, at: datetime) -> None:
            template.state = "Failed" if fault else "Succeeded"
            template.error = (fault.provisioning_code, fault.message) if fault else None
            operation.finish(at, (fault.code, fault.message) if fault else None)
            ended: events.Outcome = "Failure" if fault else "Success"
            events.publish(self._fabric, origin, template.id, f"{TYPE}/write", ended, at)
            if not fault and (template.properties.get("autoRun") or {}).get("state") == "Enabled":
                self.runs.start(template, at)

        def due(at: datetime) -> None:
            if self.template(template.id) is template:  # its group may be gone by now
                self._provisioning.begin(template, at, provisioned)

        self._fabric.after(context.now, self.durations.provisioning, due)
        headers = self._fabric.operations.headers(operation, context.request, "Azure-AsyncOperation")
        return wire.answer(201, wire.template_document(template), headers)

    def _new(self, context: Context, name: str, body: dict[str, Any]) -> Template:
        assigned: dict[str, Any] = {each: {} for each in body["identity"]["userAssignedIdentities"]}
        return Template(
            subscription=context.params["subscription"],
            group=context.params["group"],
            name=name,
            location=str(body["location"]).replace(" ", "").lower(),
            tags=dict(body.get("tags") or {}),
            identity={"type": "UserAssigned", "userAssignedIdentities": assigned},
            properties=body["properties"],
        )

    def _check_identities(self, context: Context, template: Template) -> None:
        """The caller must be allowed to lend them, and Azure must know them."""
        profile = template.properties.get("vmProfile") or {}
        for identity in (*template.identity_ids, *(profile.get("userAssignedIdentities") or ())):
            context.permit_linked(_ASSIGN, identity)
            parsed = ids.parse(identity)
            if parsed is None or self._fabric.records.get(identity) is not None:
                continue
            known = self._fabric.records.group(parsed.subscription, parsed.group)
            if known is None or not self._fabric.switches.adopt_identities:
                raise bad_request(
                    "FailedIdentityOperation",
                    f"Identity operation for resource '{template.id}' failed with error 'Failed to perform "
                    f"resource identity operation. Status: 'BadRequest'. Response: 'Resource '{identity}' "
                    "was not found.'.",
                )
            self._inventory.add_identity(parsed.group_id, parsed.name)

    def _patch(self, context: Context) -> Response:
        template = self._find(context)
        body = schema.read("patch", context.body(), context.version)
        validation.check_patch(body, template.distributors)
        if template.state != "Succeeded" or template.run is not None:
            raise self._not_allowed(template, "write")
        if body.get("tags") is not None:
            template.tags = dict(body["tags"])
        if "identity" in body:
            self._patch_identity(context, template, body["identity"])
        template.properties = {**template.properties, **(body.get("properties") or {})}
        template.state = "Updating"
        operation, origin = self._started(template, context), context.origin

        def done(at: datetime) -> None:
            template.state = "Succeeded"
            operation.finish(at)
            events.publish(self._fabric, origin, template.id, f"{TYPE}/write", "Success", at)

        self._fabric.after(context.now, self.durations.patching, done)
        return self._accepted(operation, context)

    def _patch_identity(self, context: Context, template: Template, identity: dict[str, Any]) -> None:
        if identity.get("type", "").lower() == "none":
            template.identity = {"type": "None"}
            return
        template.identity = {
            "type": "UserAssigned",
            "userAssignedIdentities": {each: {} for each in identity["userAssignedIdentities"]},
        }
        self._check_identities(context, template)

    def _delete(self, context: Context) -> Response:
        template = self.template(context.request.path)
        if template is None:
            return Response(204)
        if template.state in ("Creating", "Updating"):
            raise self._refused(f"'DELETE' is not allowed in provisioningState: '{template.state.lower()}'")
        if template.run is not None:
            raise self._not_allowed(template, "delete")
        if template.state == "Deleting":
            raise self._refused("'DELETE' is not allowed in provisioningState: 'deleting'")
        template.state = "Deleting"
        operation, origin = self._started(template, context), context.origin

        def done(at: datetime) -> None:
            self._staging.remove(template, at)
            if self.template(template.id) is template:  # its group may be gone by now
                self._fabric.records.remove(template.id)
            operation.finish(at)
            events.publish(self._fabric, origin, template.id, f"{TYPE}/delete", "Success", at)

        self._fabric.after(context.now, self.durations.deleting, done)
        return self._accepted(operation, context)

    def _run(self, context: Context) -> Response:
        template = self._find(context)
        if template.state != "Succeeded" or template.run is not None:
            raise self._not_allowed(template, "run")
        operation = self._started(template, context)
        self.runs.start(template, context.now, context.origin, operation)
        return self._accepted(operation, context)

    def _cancel(self, context: Context) -> Response:
        template = self._find(context)
        if template.run is None or template.run.canceling:
            raise self._not_allowed(template, "cancel")
        self.runs.cancel(template, context.now)
        events.publish(
            self._fabric, context.origin, template.id, f"{TYPE}/cancel/action", "Success", context.now
        )
        return Response(204)

    def _get(self, context: Context) -> Response:
        return wire.answer(200, wire.template_document(self._find(context)))

    def _list(self, context: Context) -> Response:
        scope = context.request.path.lower().split("/providers/")[0]
        found = self._fabric.records.of_kind(TYPE, scope)
        rows = [wire.template_document(each) for each in found if isinstance(each, Template)]
        return paging.page(context.request, rows, self._fabric.page_size)

    def _outputs(self, context: Context) -> Response:
        template = self._find(context)
        rows = [wire.output_document(template, output) for output in template.outputs.values()]
        return paging.page(
            context.request, rows, self._fabric.page_size, {"Content-Type": "application/json"}
        )

    def _output(self, context: Context) -> Response:
        template, name = self._find(context), context.params["output"]
        output = template.outputs.get(name.lower())
        if output is None:
            raise ArmError(
                404, "NotFound", f"The run output '{name}' of template '{template.name}' was not found."
            )
        return wire.answer(200, wire.output_document(template, output))

    def _find(self, context: Context) -> Template:
        path = "/".join(context.request.path.split("/")[:9])
        template = self.template(path)
        if template is None:
            raise resource_not_found(TYPE, context.params["template"], context.params["group"])
        return template

    def _started(self, template: Template, context: Context) -> Operation:
        where = f"{_NAMESPACE}/locations/{template.location}/operations"
        return self._fabric.operations.start("imagebuilder", template.subscription, where, context.now)

    def _accepted(self, operation: Operation, context: Context) -> Response:
        return Response(202, Headers(self._fabric.operations.headers(operation, context.request, *_BOTH)))

    def _not_allowed(self, template: Template, verb: str) -> ArmError:
        state = "canceling" if template.run and template.run.canceling else "running" if template.run else ""
        return self._refused(
            f"Operation {TYPE}/{verb} is not allowed in provisioning state: {template.state} or run state: "
            f"{state}"
        )

    def _refused(self, message: str) -> ArmError:
        return ArmError(self._fabric.switches.second_run_status, "OperationNotAllowed", message)

    def _reap(self, template: Template, at: datetime) -> None:
        """The template goes with its resource group."""
        self.runs.abandon(template)
        self._staging.remove(template, at)
