"""SourceImage triggers: Azure's own automation, which starts runs that no request asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.arm import events
from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.imagebuilder import wire
from sandbox.arm.imagebuilder.schema import API_VERSIONS, TYPE
from sandbox.arm.imagebuilder.template import Template, Trigger
from sandbox.arm.imagebuilder.validation import check_name, invalid
from sandbox.arm.router import Route
from sandbox.http import Headers, Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.arm.context import Context, Origin
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.model import Version
    from sandbox.arm.galleries.provider import Galleries
    from sandbox.arm.imagebuilder.outcomes import Durations
    from sandbox.arm.imagebuilder.run import Runs

FAILURES_ALLOWED = 3
_PATH = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.VirtualMachineImages"
    "/imageTemplates/{template}/triggers"
)
_SINCE_2022_07 = tuple(version for version in API_VERSIONS if version >= "2022-07-01")


class Triggers:
    def __init__(
        self,
        fabric: Fabric,
        durations: Durations,
        runs: Runs,
        galleries: Galleries,
        find: Callable[[Context], Template],
        everything: Callable[[], list[Template]],
    ) -> None:
        self._fabric, self._durations, self._runs = fabric, durations, runs
        self._galleries, self._find, self._everything = galleries, find, everything
        galleries.replication.listeners.append(self.version_moved)

    def routes(self) -> list[Route]:
        action = f"{TYPE}/triggers"
        one = f"{_PATH}/{{trigger}}"
        return [
            Route("GET", _PATH, self._list, f"{action}/read", _SINCE_2022_07),
            Route("GET", one, self._get, f"{action}/read", _SINCE_2022_07),
            Route("PUT", one, self._put, f"{action}/write", _SINCE_2022_07),
            Route("DELETE", one, self._delete, f"{action}/delete", _SINCE_2022_07),
        ]

    def new_version(self, publisher: str, offer: str, sku: str, at: datetime) -> None:
        """Azure looks now and then; how often is not documented."""
        wanted = (publisher.lower(), offer.lower(), sku.lower())
        for template in self._everything():
            source = template.source
            named = tuple(str(source.get(part, "")).lower() for part in ("publisher", "offer", "sku"))
            if template.trigger is not None and named == wanted:
                self._look_later(template, at)

    def version_moved(self, version: Version, at: datetime) -> None:
        """Only what is newer than all before it is news: a version that was withdrawn starts nothing."""
        for template in self._everything():
            if template.trigger is None or _followed(template) != version.definition_id.lower():
                continue
            newest = self._newest(template)
            if newest > template.trigger.seen:
                template.trigger.seen = newest
                self._look_later(template, at)

    def run_ended(self, template: Template, succeeded: bool) -> None:
        """Repeated failures silence a trigger without a word; a success wakes it."""
        if template.trigger is not None:
            template.trigger.failures = 0 if succeeded else template.trigger.failures + 1

    def _newest(self, template: Template) -> tuple[int, ...]:
        """The rank of what `latest` means for a template with a gallery source."""
        found = self._galleries.latest(_followed(template), template.location)
        return found.rank if found else ()

    def _look_later(self, template: Template, at: datetime) -> None:
        self._fabric.after(at, self._durations.trigger_check, lambda due: self._look(template, due))

    def _look(self, template: Template, at: datetime) -> None:
        trigger = template.trigger
        if trigger is None or trigger.failures >= FAILURES_ALLOWED or template.state != "Succeeded":
            return
        if template.run is not None:
            self._look_later(template, at)
        elif trigger.state == "Succeeded":
            self._runs.start(template, at)

    def _list(self, context: Context) -> Response:
        template = self._find(context)
        rows = [wire.trigger_document(template, template.trigger)] if template.trigger else []
        return wire.answer(200, {"value": rows})

    def _get(self, context: Context) -> Response:
        template = self._find(context)
        return wire.answer(200, wire.trigger_document(template, self._named(context, template)))

    def _put(self, context: Context) -> Response:
        template, name = self._find(context), context.params["trigger"]
        check_name("trigger", name)
        kind = (context.body().get("properties") or {}).get("kind")
        if kind != "SourceImage":
            raise invalid(f"The trigger kind '{kind}' is not supported: expected 'SourceImage'.")
        self._check(template)
        existing = template.trigger
        if existing is not None and existing.name.lower() != name.lower():
            raise conflict(
                f"The template already has the trigger '{existing.name}'; one of a kind is allowed."
            )
        trigger = template.trigger = existing or Trigger(name, kind, seen=self._newest(template))
        trigger.state = "Updating" if existing else "Creating"
        operation = self._fabric.operations.start(
            "imagebuilder", template.subscription, _operations(template), context.now
        )
        origin = context.origin

        def done(at: datetime) -> None:
            trigger.state, trigger.healthy_since = "Succeeded", at
            operation.finish(at)
            self._publish(template, trigger, origin, "write", at)

        self._fabric.after(context.now, self._durations.trigger_put, done)
        headers = self._fabric.operations.headers(operation, context.request, "Azure-AsyncOperation")
        return wire.answer(200 if existing else 201, wire.trigger_document(template, trigger), headers)

    def _delete(self, context: Context) -> Response:
        template = self._find(context)
        trigger, origin = template.trigger, context.origin
        if trigger is None or trigger.name.lower() != context.params["trigger"].lower():
            return Response(204)
        trigger.state = "Deleting"
        operation = self._fabric.operations.start(
            "imagebuilder", template.subscription, _operations(template), context.now
        )

        def done(at: datetime) -> None:
            template.trigger = None
            operation.finish(at)
            self._publish(template, trigger, origin, "delete", at)

        self._fabric.after(context.now, self._durations.trigger_delete, done)
        names = ("Azure-AsyncOperation", "Location")
        return Response(202, Headers(self._fabric.operations.headers(operation, context.request, *names)))

    def _publish(self, template: Template, trigger: Trigger, origin: Origin, verb: str, at: datetime) -> None:
        where = f"{template.id}/triggers/{trigger.name}"
        events.publish(self._fabric, origin, where, f"{TYPE}/triggers/{verb}", "Success", at)

    def _check(self, template: Template) -> None:
        if template.state != "Succeeded":
            raise conflict(
                f"The trigger needs a template in the provisioning state Succeeded; it is {template.state}.",
                "OperationNotAllowed",
            )
        source = template.source
        version = str(source.get("version") or source.get("imageVersionId", "latest")).rsplit("/", 1)[-1]
        if source.get("type") == "ManagedImage" or version.lower() != "latest":
            raise invalid(f"A SourceImage trigger needs the source version 'latest', not '{version}'.")
        if any("/versions/" in str(each.get("galleryImageId", "")).lower() for each in template.distributors):
            raise invalid("A SourceImage trigger needs distribute targets without an explicit image version.")
        followed = _followed(template)
        if followed and any(
            str(each.get("galleryImageId", "")).lower() == followed for each in template.distributors
        ):
            raise invalid(
                "A SourceImage trigger needs a source other than the image definitions of its targets."
            )

    def _named(self, context: Context, template: Template) -> Trigger:
        name = context.params["trigger"]
        if template.trigger is None or template.trigger.name.lower() != name.lower():
            raise ArmError(404, "NotFound", f"The trigger '{name}' of {template.name} was not found.")
        return template.trigger


def _followed(template: Template) -> str:
    """The image definition whose latest version is the source, in lower case; empty for other sources."""
    asked = str(template.source.get("imageVersionId", "")).lower()
    return asked.removesuffix("/versions/latest") if asked.endswith("/versions/latest") else ""


def _operations(template: Template) -> str:
    return f"providers/Microsoft.VirtualMachineImages/locations/{template.location}/operations"
