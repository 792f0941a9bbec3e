"""Image Builder. A request that has effects is sent once; what becomes of it is seen by a later look."""

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from shared import telemetry
from shared.domain.deployment import FORM, form_of, loose
from shared.domain.errors import FactoryError, Invalid, Missing, WrongState
from shared.domain.ids import TemplateId
from shared.domain.retention import MADE, OWNER
from shared.domain.templates import RunOutput, Template

from .addresses import Addresses
from .arm import arm_call
from .connection import Connection
from .errors import Call, Meaning, Need, saying, translated
from .template_documents import run_output, template

if TYPE_CHECKING:
    from azure.mgmt.imagebuilder import ImageBuilderClient

_TYPE = "Microsoft.VirtualMachineImages/imageTemplates"
_NOT_NOW = saying(WrongState, "its state does not allow that now")
_WRONG_STATE: Mapping[int | tuple[int, str], Meaning] = {
    # A second run is not documented; other verbs are refused with either status.
    409: _NOT_NOW,
    (400, "OperationNotAllowed"): _NOT_NOW,
    (400, "Conflict"): _NOT_NOW,
}


class ArmTemplates:
    """`ports.Templates`. `blob_template` is how addresses of VHD outputs are read."""

    def __init__(self, endpoint: str, blob_template: str, connection: Connection) -> None:
        self._endpoint = endpoint
        self._addresses = Addresses(blob_template)
        self._connection = connection
        self._clients: dict[str, ImageBuilderClient] = {}
        self._lock = threading.Lock()

    def get(self, id: TemplateId) -> Template | None:
        try:
            with translated(_call("reading", id, "read", "Reader")):
                return template(self._of(id).get(id.group, id.name), self._addresses)
        except Missing:
            return None

    def list(self, subscription: str) -> Iterator[Template]:
        need = Need(f"{_TYPE}/read", "Reader", f"/subscriptions/{subscription}")
        call = arm_call(f"listing the image templates of {subscription}", need)
        with translated(call):
            pages = self._client(subscription).virtual_machine_image_templates.list().by_page()
        while True:
            with translated(call):
                page = next(pages, None)
            if page is None:
                return
            yield from _readable(page, self._addresses)

    def create(self, id: TemplateId, body: bytes, owner: str, made: datetime) -> None:
        content = _owned(body, owner, made)
        with translated(_call("creating", id, "write", "Contributor", _WRONG_STATE)):
            self._of(id).begin_create_or_update(id.group, id.name, content, polling=False)

    def patch(self, id: TemplateId, body: bytes, owner: str, tags: Mapping[str, str]) -> None:
        content = _changed(body, owner, tags)
        with translated(_call("patching", id, "write", "Contributor", _WRONG_STATE)):
            self._of(id).begin_update(id.group, id.name, content, polling=False)

    def delete(self, id: TemplateId) -> None:
        with translated(_call("deleting", id, "delete", "Contributor", _WRONG_STATE)):
            self._of(id).begin_delete(id.group, id.name, polling=False)

    def cancel(self, id: TemplateId) -> None:
        call = _call("cancelling the run of", id, "cancel/action", "Contributor", _WRONG_STATE)
        with translated(call):
            self._of(id).begin_cancel(id.group, id.name, polling=False)

    def run(self, id: TemplateId) -> None:
        call = _call("running", id, "run/action", "Contributor", _WRONG_STATE, repeatable=False)
        with translated(call):
            self._of(id).begin_run(id.group, id.name, polling=False)

    def outputs(self, id: TemplateId) -> tuple[RunOutput, ...]:
        with translated(_call("reading the run outputs of", id, "runOutputs/read", "Reader")):
            listed = list(self._of(id).list_run_outputs(id.group, id.name))
        read = (run_output(each, self._addresses) for each in listed)
        return tuple(each for each in read if each is not None)

    def _of(self, id: TemplateId) -> Any:
        return self._client(id.subscription).virtual_machine_image_templates

    def _client(self, subscription: str) -> "ImageBuilderClient":
        with self._lock:
            if subscription not in self._clients:
                from azure.mgmt.imagebuilder import ImageBuilderClient

                options = self._connection.arm_options(self._endpoint)
                self._clients[subscription] = ImageBuilderClient(subscription_id=subscription, **options)
            return self._clients[subscription]


def _call(
    doing: str,
    id: TemplateId,
    verb: str,
    role: str,
    but: Mapping[int | tuple[int, str], Meaning] | None = None,
    *,
    repeatable: bool = True,
) -> Call:
    scope = f"/subscriptions/{id.subscription}/resourceGroups/{id.group}"
    need = Need(f"{_TYPE}/{verb}", role, scope)
    return arm_call(f"{doing} template {id.group}/{id.name}", need, but, repeatable=repeatable)


def _readable(page: Iterator[Any], addresses: Addresses) -> Iterator[Template]:
    """One template that cannot be read must not hide the others: it gets its own look, which will say so."""
    for each in page:
        try:
            yield template(each, addresses)
        except FactoryError as error:
            telemetry.event("template-unreadable", template=str(each.get("id")), error=error)


def _owned(body: bytes, owner: str, made: datetime) -> bytes:
    """The template file with tags that say whose it is, and whose what is built in it will be."""
    document = _document(body, owner)
    made_at = {MADE: f"{made:%Y-%m-%dT%H:%M:%SZ}"}
    tags = _merged(document.get("tags") or {}, _ours(body, owner), made_at)
    properties = document.get("properties")
    if isinstance(properties, dict):
        properties = _marked(properties, owner)
    return msgspec.json.encode({**document, "tags": tags, "properties": properties})


def _changed(body: bytes, owner: str, tags: Mapping[str, str]) -> bytes:
    """What a PATCH may carry. Whether it takes the place of all tags or adds to them is not settled.

    So those that are there go along, other people's and those of policies too.
    """
    change = loose(_document(body, owner))
    told = _merged(tags, change.get("tags") or {}, _ours(body, owner))
    return msgspec.json.encode({**change, "tags": told, "properties": _marked(change["properties"], owner)})


def _merged(*told: Mapping[str, str]) -> dict[str, str]:
    """The later ones count. Azure refuses names that differ in case alone: they are one tag's."""
    found = {name.lower(): (name, value) for tags in told for name, value in tags.items()}
    return dict(found.values())


def _document(body: bytes, owner: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Invalid(f"the template file of image {owner} is not a JSON object: {error}") from error


def _ours(body: bytes, owner: str) -> dict[str, str]:
    return {OWNER: owner, FORM: str(form_of(body))}


def _marked(properties: dict[str, Any], owner: str) -> dict[str, Any]:
    if not isinstance(properties.get("distribute"), list):
        return properties
    return {**properties, "distribute": [_signed(each, owner) for each in properties["distribute"]]}


def _signed(target: Any, owner: str) -> Any:
    """A VHD is known by its archive's own marks."""
    if not isinstance(target, dict) or target.get("type") == "VHD":
        return target
    return {**target, "artifactTags": {**(target.get("artifactTags") or {}), OWNER: owner}}
