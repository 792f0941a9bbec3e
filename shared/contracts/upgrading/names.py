"""How members and types are spelled: since 2024-02-01 Image Builder counts upper and lower case."""

from collections.abc import Mapping
from typing import Final

_SCRIPT: Final = "type name scriptUri inline sha256Checksum runElevated runAsSystem validExitCodes"
_STEP: Final = (
    f"{_SCRIPT} sourceUri destination restartCommand restartCheckCommand restartTimeout searchCriteria"
    " filters updateLimit"
)
_PLACES: Final = {
    "template": "location tags identity:identity properties:properties",
    "identity": "type userAssignedIdentities",
    "properties": (
        "source:source customize:step validate:validate distribute:distributor optimize:optimize"
        " autoRun:state errorHandling:errorHandling vmProfile:vmProfile buildTimeoutInMinutes"
        " stagingResourceGroup managedResourceTags additionalDataDisks:disk provisioningState"
        " provisioningError lastRunStatus exactStagingResourceGroup"
    ),
    "source": "type publisher offer sku version planInfo:plan imageId imageVersionId exactVersion",
    "plan": "planName planProduct planPublisher",
    "step": _STEP,
    "validate": "continueDistributeOnFailure sourceValidationOnly inVMValidations:step",
    "distributor": (
        "type runOutputName artifactTags imageId location galleryImageId replicationRegions excludeFromLatest"
        " storageAccountType targetRegions:region versioning:versioning replicationMode uri"
    ),
    "region": "name replicaCount storageAccountType",
    "versioning": "scheme major",
    "optimize": "vmBoot:state workload:workload",
    "state": "state",
    "workload": "state scriptUri sha256Checksum",
    "errorHandling": "onCustomizerError onValidationError",
    "vmProfile": "vmSize osDiskSizeGB userAssignedIdentities vnetConfig:network",
    "network": "subnetId containerInstanceSubnetId proxyVmSize name subnetName resourceGroupName",
    "disk": "sizeGB",
}

Members = Mapping[str, tuple[str, str]]
"""By lower-case name: the name, and the place that its value is; empty if its members are anybody's."""

MEMBERS: Final[Mapping[str, Members]] = {
    place: {name.lower(): (name, of) for name, _, of in (member.partition(":") for member in members.split())}
    for place, members in _PLACES.items()
}
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "identity": ("UserAssigned", "None"),
    "source": ("PlatformImage", "ManagedImage", "SharedImageVersion"),
    "step": ("Shell", "PowerShell", "File", "WindowsRestart", "WindowsUpdate"),
    "distributor": ("ManagedImage", "SharedImage", "VHD"),
}
OLD_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    # 2018-02-01-preview and 2019-02-01-preview, as bicep-types-az lists their types.
    "step": {"script": "scriptUri", "scriptURI": "scriptUri", "sourceURI": "sourceUri"},
    # As Azure's own reference of early 2020 wrote them.
    "source": {"imageVersionID": "imageVersionId"},
    "distributor": {"tags": "artifactTags"},
}
"""Names that have gone, or that were written so without complaint."""


def lower_camel(name: str) -> str:
    """As types were written before 2019-02-01-preview."""
    return "vhd" if name == "VHD" else f"{name[0].lower()}{name[1:]}"
