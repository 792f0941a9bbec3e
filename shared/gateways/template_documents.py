"""How Image Builder's JSON becomes a template, a last run and outputs, to the letter where letters count."""

import contextlib
import re
from typing import Any

import msgspec

from shared import telemetry
from shared.contracts.generalization import generalized_by
from shared.domain.deployment import FORM, Form
from shared.domain.errors import Invalid, RetryableError
from shared.domain.galleries import VersionId
from shared.domain.ids import BlobAddress, ResourceId, RunStart, TemplateId
from shared.domain.retention import OWNER, tag_of
from shared.domain.templates import LastRun, Origin, OutputKind, Provisioning, RunOutput, RunState, Template

from .addresses import Addresses
from .arm import at, moment, text_at

_KINDS = {
    "microsoft.compute/galleries/images/versions": OutputKind.GALLERY_VERSION,
    # The specification's own example is spelt like this.
    "microsoft.compute/galleries/images/imageversions": OutputKind.GALLERY_VERSION,
    "microsoft.compute/images": OutputKind.MANAGED_IMAGE,
}

_LOG_PATH = re.compile(
    r"/storageAccounts/([a-z0-9]{3,24})/blobServices/default/containers/packerlogs/([0-9a-f-]{36})"
    r"/customization\.log"
)
_LOG_URL = re.compile(r"https://\S{1,500}?/packerlogs/[0-9a-f-]{36}/customization\.log")


def template(document: Any, addresses: Addresses) -> Template:
    """Raises RetryableError, with what stands there, for a state that is not known."""
    id = TemplateId.parse(text_at(document, "id"))
    said = text_at(document, "properties", "provisioningState")
    try:
        provisioning = Provisioning(said)
    except ValueError as error:
        raise RetryableError(
            f"template {id.group}/{id.name} has the unknown provisioningState {said!r}"
        ) from error
    tags = _tags(document)
    owner, form = tag_of(tags, OWNER) or None, Form.parse(tag_of(tags, FORM))
    return Template(
        id=id,
        location=text_at(document, "location").replace(" ", "").lower(),
        provisioning=provisioning,
        owner=owner,
        exact_version=text_at(document, "properties", "source", "exactVersion") or None,
        staging_group=_staging_group(text_at(document, "properties", "exactStagingResourceGroup")),
        last_run=_last_run(id, document, addresses),
        trouble=_trouble(document),
        generalized_by=generalized_by(at(document, "properties", "customize")),
        origin=_origin(at(document, "properties", "source")),
        form=form,
        tags=tags,
        content=_content(document) if owner and not form else b"",
    )


def _origin(source: Any) -> Origin:
    """Read for lineage alone: what cannot be understood is Azure's affair."""
    match text_at(source, "type").lower():
        case "platformimage":
            named = (text_at(source, part) for part in ("publisher", "offer", "sku"))
            return Origin(":".join(named).lower(), _named(text_at(source, "version")))
        case "managedimage":
            return Origin(text_at(source, "imageId").lower())
        case "sharedimageversion":
            with contextlib.suppress(Invalid):
                id = VersionId.parse(text_at(source, "imageVersionId"))
                return Origin(str(id.definition), _named(id.version))
    return Origin()


def _named(version: str) -> str:
    return "" if version.lower() == "latest" else version


def run_output(document: Any, addresses: Addresses) -> RunOutput | None:
    """None for an output that came to nothing.

    Without address or id where what stands there is none of ours: it is kept by name, and never followed.
    """
    name = text_at(document, "name")
    uri, artifact = (text_at(document, "properties", each) for each in ("artifactUri", "artifactId"))
    if not uri and not artifact:
        return None
    try:
        if uri:
            return RunOutput(name, OutputKind.VHD, address=addresses.address_of(uri))
        id = ResourceId.parse(artifact)
        return RunOutput(name, _KINDS.get(id.type, OutputKind.MANAGED_IMAGE), artifact=id)
    except Invalid as error:
        telemetry.event("run-output-unusable", output=name, error=error)
        gallery = (
            OutputKind.GALLERY_VERSION if "/galleries/" in artifact.lower() else OutputKind.MANAGED_IMAGE
        )
        return RunOutput(name, gallery if artifact and not uri else OutputKind.VHD)


def _last_run(id: TemplateId, document: Any, addresses: Addresses) -> LastRun | None:
    status = at(document, "properties", "lastRunStatus")
    start = text_at(status, "startTime")
    started = moment(start)
    if started is None:  # no run yet, or one that has not begun and thus has no name
        return None
    said = text_at(status, "runState")
    try:
        state = RunState(said)
    except ValueError as error:
        raise RetryableError(f"template {id.group}/{id.name} has the unknown runState {said!r}") from error
    ended, message = moment(text_at(status, "endTime")), text_at(status, "message")
    return LastRun(RunStart(start), state, started, ended, message, _log(message, addresses))


def _log(message: str, addresses: Addresses) -> BlobAddress | None:
    """Where a failed run's message says that its log is: as a blob's URL or, in newer runs, an ARM path."""
    if found := _LOG_PATH.search(message):
        return BlobAddress(found[1], "packerlogs", f"{found[2]}/customization.log")
    if found := _LOG_URL.search(message):
        try:
            return addresses.address_of(found[0])
        except Invalid:
            return None
    return None


def _tags(document: Any) -> dict[str, str]:
    tags = at(document, "tags")
    return {str(name): str(value) for name, value in tags.items()} if hasattr(tags, "items") else {}


def _content(document: Any) -> bytes:
    return msgspec.json.encode(document.as_dict() if hasattr(document, "as_dict") else document)


def _staging_group(id: str) -> str | None:
    parts = id.strip("/").split("/")
    named = len(parts) >= 4 and parts[2].lower() == "resourcegroups"
    return parts[3] if named else None


def _trouble(document: Any) -> str:
    error = at(document, "properties", "provisioningError")
    code, message = text_at(error, "provisioningErrorCode"), text_at(error, "message")
    return ": ".join(part for part in (code, message) if part)
