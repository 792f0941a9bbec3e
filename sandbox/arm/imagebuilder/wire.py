"""Templates, outputs and triggers on the wire: member order, zero values and null as recorded."""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.arm.imagebuilder.schema import TYPE
from sandbox.arm.imagebuilder.template import Output, Template, Trigger, nanoseconds
from sandbox.http import Headers, Response

# Documented defaults; that they are written out follows the rule that absent members of a sent object are.
_VALIDATE = {"continueDistributeOnFailure": False, "sourceValidationOnly": False}
_ERROR_HANDLING = {"onCustomizerError": "cleanup", "onValidationError": "cleanup"}


def answer(status: int, document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """Indented by one blank, and without a charset, as this provider does for single resources."""
    body = msgspec.json.format(msgspec.json.encode(document), indent=1)
    return Response(status, Headers({"Content-Type": "application/json", **(headers or {})}), body)


def template_document(template: Template) -> dict[str, Any]:
    return {
        "properties": _properties(template),
        "identity": template.identity,
        "tags": template.tags,
        "location": template.location,
        "id": template.id,
        "name": template.name,
        "type": TYPE,
    }


def output_document(template: Template, output: Output) -> dict[str, Any]:
    artifact = (
        {"artifactId": output.artifact_id} if output.artifact_id else {"artifactUri": output.artifact_uri}
    )
    return {
        "properties": {**artifact, "provisioningState": "Succeeded"},
        "id": f"{template.id}/runOutputs/{output.name}",
        "name": output.name,
        "type": f"{TYPE}/runOutputs",
    }


def trigger_document(template: Template, trigger: Trigger) -> dict[str, Any]:
    properties: dict[str, Any] = {"kind": trigger.kind, "provisioningState": trigger.state}
    if trigger.healthy_since:
        time = nanoseconds(trigger.healthy_since, 163)
        properties["status"] = {"code": "Healthy", "message": "Trigger is active", "time": time}
    return {
        "properties": properties,
        "id": f"{template.id}/triggers/{trigger.name}",
        "name": trigger.name,
        "type": f"{TYPE}/triggers",
    }


def _properties(template: Template) -> dict[str, Any]:
    asked = template.properties
    found: dict[str, Any] = {"source": _sorted({**asked["source"], **_exact(template)})}
    if asked.get("customize"):
        found["customize"] = [
            _scripted(each, template.computed_checksums.get(at)) for at, each in enumerate(asked["customize"])
        ]
    _copy(asked, found, "optimize")
    if "validate" in asked:
        found["validate"] = {**_VALIDATE, **asked["validate"]}
    found["distribute"] = [_distributor(each) for each in asked["distribute"]]
    if "errorHandling" in asked:
        found["errorHandling"] = {**_ERROR_HANDLING, **asked["errorHandling"]}
    found["provisioningState"] = template.state
    if template.error:
        code, message = template.error
        found["provisioningError"] = {"provisioningErrorCode": code, "message": message}
    if template.last_run:
        found["lastRunStatus"] = template.last_run.document()
    found["buildTimeoutInMinutes"] = asked.get("buildTimeoutInMinutes", 0)
    if "vmProfile" in asked:
        found["vmProfile"] = _vm_profile(asked["vmProfile"])
    _copy(asked, found, "additionalDataDisks", "autoRun", "managedResourceTags")
    found["stagingResourceGroup"] = asked.get("stagingResourceGroup", "")
    found["exactStagingResourceGroup"] = template.staging.group_id if template.staging else ""
    return found


def _exact(template: Template) -> dict[str, str]:
    """The version as it was sent until the template is provisioned, as it was resolved from then on."""
    source = template.source
    sent = {"PlatformImage": "version", "SharedImageVersion": "imageVersionId"}.get(source.get("type", ""))
    return {"exactVersion": template.exact_version or source.get(sent, "")} if sent else {}


def _copy(asked: dict[str, Any], found: dict[str, Any], *names: str) -> None:
    for name in names:
        if name in asked:
            found[name] = asked[name]


def _sorted(document: dict[str, Any]) -> dict[str, Any]:
    return {key: document[key] for key in sorted(document)}


def _scripted(customizer: dict[str, Any], computed: str | None) -> dict[str, Any]:
    """An empty checksum is left out until Image Builder has computed its own."""
    kept = {key: value for key, value in customizer.items() if key != "sha256Checksum" or value}
    if computed and "sha256Checksum" not in kept:
        kept["sha256Checksum"] = computed
    return _sorted(kept)


def _distributor(distributor: dict[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {"artifactTags": {}, **distributor}
    if distributor.get("type") == "SharedImage":
        filled = {"excludeFromLatest": False, **filled, "versioning": None}
    return _sorted(filled)


def _vm_profile(profile: dict[str, Any]) -> dict[str, Any]:
    filled = {"vmSize": "", "osDiskSizeGB": 0, **profile}
    network = profile.get("vnetConfig")
    if network is not None:
        filled["vnetConfig"] = {**network, "proxyVmSize": network.get("proxyVmSize", "")}
    return filled
