"""What may stand in a template's body, by api-version: a table, and the reader that goes by it.

From 2024-02-01 on names are case-sensitive and unknown ones refused; before, they matched in any case and
unknown ones were dropped. Read-only members are accepted and ignored in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.arm.errors import ArmError, bad_request

API_VERSIONS = (
    "2019-05-01-preview",
    "2020-02-14",
    "2021-10-01",
    "2022-02-14",
    "2022-07-01",
    "2023-07-01",
    "2024-02-01",
    "2025-10-01",
)
STRICT_SINCE = "2024-02-01"
TYPE = "Microsoft.VirtualMachineImages/imageTemplates"

Fields = Mapping[str, str]
"""Name to "kind", "kind since" or "kind <before": text number flag texts numbers map any {object} [list]"""

_NAMED: Fields = {"type": "text", "name": "text"}
_SCRIPT: Fields = {**_NAMED, "scriptUri": "text", "inline": "texts", "sha256Checksum": "text"}
_POWERSHELL: Fields = {
    **_SCRIPT,
    "runElevated": "flag",
    "runAsSystem": "flag 2021-10-01",
    "validExitCodes": "numbers",
}
_FILE: Fields = {**_NAMED, "sourceUri": "text", "destination": "text", "sha256Checksum": "text"}
_TARGET: Fields = {"type": "text", "runOutputName": "text", "artifactTags": "map"}

UNIONS: Mapping[str, Mapping[str, Fields]] = {
    "source": {
        "PlatformImage": {
            "type": "text",
            "publisher": "text",
            "offer": "text",
            "sku": "text",
            "version": "text",
            "exactVersion": "text",
            "planInfo": "{plan}",
        },
        "ManagedImage": {"type": "text", "imageId": "text"},
        "SharedImageVersion": {"type": "text", "imageVersionId": "text", "exactVersion": "text"},
    },
    "customize": {
        "Shell": _SCRIPT,
        "PowerShell": _POWERSHELL,
        "File": _FILE,
        "WindowsRestart": {
            **_NAMED,
            "restartCommand": "text",
            "restartCheckCommand": "text",
            "restartTimeout": "text",
        },
        "WindowsUpdate": {**_NAMED, "searchCriteria": "text", "filters": "texts", "updateLimit": "number"},
    },
    "inVMValidations": {"Shell": _SCRIPT, "PowerShell": _POWERSHELL, "File": _FILE},
    "distribute": {
        "ManagedImage": {**_TARGET, "imageId": "text", "location": "text"},
        "SharedImage": {
            **_TARGET,
            "galleryImageId": "text",
            "replicationRegions": "texts",
            "excludeFromLatest": "flag",
            "storageAccountType": "text",
            "targetRegions": "[targetRegion] 2022-07-01",
            "versioning": "{versioning} 2022-07-01",
            "replicationMode": "text 2025-10-01",
        },
        "VHD": {**_TARGET, "uri": "text 2022-07-01"},
    },
    "versioning": {"Latest": {"scheme": "text", "major": "number"}, "Source": {"scheme": "text"}},
}
_TOLD_BY = {"versioning": "scheme"}
"""The member that says of which type an object is, where it is not `type`."""

OBJECTS: Mapping[str, Fields] = {
    "template": {
        "id": "text",
        "name": "text",
        "type": "text",
        "systemData": "any",
        "location": "text",
        "tags": "map",
        "identity": "{identity}",
        "properties": "{properties}",
    },
    "patch": {"identity": "{identity}", "tags": "map", "properties": "{patchProperties}"},
    "patchProperties": {
        "distribute": "[distribute] 2023-07-01",
        "vmProfile": "{vmProfile} 2024-02-01",
    },
    "identity": {
        "type": "text",
        "userAssignedIdentities": "any",
        "principalId": "text",
        "tenantId": "text",
    },
    "properties": {
        "source": "{source}",
        "customize": "[customize]",
        "optimize": "{optimize} 2022-07-01",
        "validate": "{validate} 2022-02-14",
        "distribute": "[distribute]",
        "errorHandling": "{errorHandling} 2023-07-01",
        "provisioningState": "text",
        "provisioningError": "any",
        "lastRunStatus": "any",
        "buildTimeoutInMinutes": "number",
        "vmProfile": "{vmProfile}",
        "additionalDataDisks": "[dataDisk] 2025-10-01",
        "stagingResourceGroup": "text 2022-02-14",
        "exactStagingResourceGroup": "text",
        "autoRun": "{autoRun} 2024-02-01",
        "managedResourceTags": "map 2024-02-01",
    },
    "plan": {"planName": "text", "planProduct": "text", "planPublisher": "text"},
    "targetRegion": {"name": "text", "replicaCount": "number", "storageAccountType": "text"},
    "optimize": {"vmBoot": "{state}", "workload": "{workload} 2025-10-01"},
    "state": {"state": "text"},
    "workload": {"state": "text", "scriptUri": "text", "sha256Checksum": "text"},
    "validate": {
        "continueDistributeOnFailure": "flag",
        "sourceValidationOnly": "flag",
        "inVMValidations": "[inVMValidations]",
    },
    "errorHandling": {"onCustomizerError": "text", "onValidationError": "text"},
    "autoRun": {"state": "text"},
    "dataDisk": {"sizeGB": "number"},
    "vmProfile": {
        "vmSize": "text",
        "osDiskSizeGB": "number",
        "userAssignedIdentities": "texts 2021-10-01",
        "vnetConfig": "{vnetConfig}",
    },
    "vnetConfig": {
        "name": "text <2020-02-14",
        "subnetName": "text <2020-02-14",
        "resourceGroupName": "text <2020-02-14",
        "subnetId": "text",
        "proxyVmSize": "text 2021-10-01",
        "containerInstanceSubnetId": "text 2024-02-01",
    },
}

READ_ONLY = frozenset(
    ("provisioningState", "provisioningError", "lastRunStatus", "exactStagingResourceGroup", "exactVersion")
)


def read(name: str, document: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The body with the table's spelling. Raises ArmError for a wrong type, or an unknown field if strict."""
    return _object(name, document, version, name if name != "template" else "")


def strict(version: str) -> bool:
    return version >= STRICT_SINCE


def _object(name: str, document: Mapping[str, Any], version: str, at: str) -> dict[str, Any]:
    fields = _fields(name, document)
    known = {field: rule.partition(" ") for field, rule in fields.items()}
    usable = {field: kind for field, (kind, _, since) in known.items() if _is_of(version, since)}
    spelling = {field.lower(): field for field in usable}
    found: dict[str, Any] = {}
    for key, value in document.items():
        field = key if strict(version) else spelling.get(key.lower(), key)
        if field not in usable:
            if strict(version):
                raise _unmarshalling(f'json: unknown field "{key}"')
            continue
        if value is not None and field not in READ_ONLY:
            found[field] = _value(usable[field], value, version, f"{at}.{field}".lstrip("."))
    return found


def _is_of(version: str, since: str) -> bool:
    return version < since[1:] if since.startswith("<") else version >= since


def _fields(name: str, document: Mapping[str, Any]) -> Fields:
    """The members of an object; of a union those of its type, or of all types where it names none of them."""
    if name not in UNIONS:
        return OBJECTS[name]
    variants = UNIONS[name]
    kind = next((value for key, value in document.items() if key.lower() == _TOLD_BY.get(name, "type")), None)
    for variant, fields in variants.items():
        if isinstance(kind, str) and variant.lower() == kind.lower():
            return fields
    return {field: rule for fields in variants.values() for field, rule in fields.items()}


def _value(kind: str, value: Any, version: str, at: str) -> Any:
    if kind[0] == "{" and isinstance(value, dict):
        return _object(kind[1:-1], value, version, at)
    if kind[0] == "[" and isinstance(value, list):
        return [_element(kind[1:-1], each, version, f"{at}[{index}]") for index, each in enumerate(value)]
    if kind[0] not in "{[" and _IS[kind](value):
        return value
    expected = {"{": "object", "[": "array"}.get(kind[0], _WORDS.get(kind, kind))
    raise _unmarshalling(f"json: cannot unmarshal {_go_kind(value)} into field {at} of type {expected}")


def _element(name: str, value: Any, version: str, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unmarshalling(f"json: cannot unmarshal {_go_kind(value)} into field {at} of type object")
    return _object(name, value, version, at)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


_IS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": _is_number,
    "flag": lambda value: isinstance(value, bool),
    "texts": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "numbers": lambda value: isinstance(value, list) and all(map(_is_number, value)),
    "map": lambda value: isinstance(value, dict) and all(isinstance(each, str) for each in value.values()),
    "any": lambda _: True,
}
_WORDS = {
    "text": "string",
    "number": "int32",
    "flag": "bool",
    "texts": "[]string",
    "numbers": "[]int32",
    "map": "map[string]string",
}


def _go_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    kinds = {str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def _unmarshalling(reason: str) -> ArmError:
    return bad_request("ValidationFailed", f"Unmarshalling entity encountered error: {reason}")
