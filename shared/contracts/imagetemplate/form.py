"""What may stand in an image template: every object with its members, and what each of them may be.

Names, kinds, values and bounds are those of api-version 2025-10-01, as its specification has them; what the
specification leaves open is as the reference of templates describes it. Read-only members are not among them:
what Azure exports is read as an older template, and they are taken off.
"""

from collections.abc import Mapping
from typing import Final

from .kinds import Flag, Form, Ids, Kind, Many, Number, Tags, Text, Union

GROUP: Final = "resourcegroups"
"""Stands for the type of a resource group, whose id has no provider."""
TEXT: Final = Text("a text", or_empty=True)
_NAME: Final = r"[A-Za-z0-9_.\-]{1,128}"
_ID: Final = r"/[\x21-\x7e]{1,1000}"
_REGION: Final = Text(
    "the name of a region such as westeurope", r"[A-Za-z0-9][A-Za-z0-9 ]{0,63}", rule="region"
)
_SWITCH: Final = Text("Enabled or Disabled", choices=("Enabled", "Disabled"))
_STORAGE: Final = Text(
    "Standard_LRS, Standard_ZRS or Premium_LRS", choices=("Standard_LRS", "Standard_ZRS", "Premium_LRS")
)
_CHECKSUM: Final = Text(
    "the SHA-256 of the file: 64 hexadecimal digits", "[0-9A-Fa-f]{64}", or_empty=True, rule="checksum"
)
_SCRIPT_URI: Final = Text(
    "the address of a script such as https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME",
    r"https?://[^\s/?#]+(/\S*)?",
    or_empty=True,
    rule="address",
)
_SOURCE_URI: Final = Text(
    "the address of a file such as https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME",
    r"https?://[^\s/?#]+(/\S*)?",
    rule="address",
)
_COMMANDS: Final = Many(Text("a command"), 'a list of commands: ["...", "..."]')
_IDENTITY: Final = Text(
    "the id of a user-assigned identity: /subscriptions/.../userAssignedIdentities/NAME",
    of="microsoft.managedidentity/userassignedidentities",
    rule="resource-id",
)
_SUBNET: Final = Text(
    "the id of a subnet: /subscriptions/.../virtualNetworks/NAME/subnets/NAME",
    of="microsoft.network/virtualnetworks/subnets",
    or_empty=True,
    rule="resource-id",
)
_MANAGED_IMAGE: Final = Text(
    "the id of a managed image: /subscriptions/.../Microsoft.Compute/images/NAME",
    of="microsoft.compute/images",
    rule="resource-id",
)
_VM_SIZE: Final = Text(
    "the size of a machine such as Standard_D2ds_v5",
    r"[A-Za-z]+_[A-Za-z0-9\-]+(_[A-Za-z0-9\-]+)*",
    or_empty=True,
)

PLAN: Final = Form(
    "planInfo",
    {
        name: Text(f"the {part} of the purchase plan", ".+", rule="plan")
        for name, part in (("planName", "name"), ("planProduct", "product"), ("planPublisher", "publisher"))
    },
    ("planName", "planProduct", "planPublisher"),
)
SOURCE: Final = Union(
    "source",
    {
        "PlatformImage": Form(
            "a PlatformImage source",
            {
                "type": TEXT,
                "publisher": Text("a publisher such as Canonical", _NAME),
                "offer": Text("an offer such as 0001-com-ubuntu-server-jammy", _NAME),
                "sku": Text("a sku such as 22_04-lts-gen2", _NAME),
                "version": Text("latest, or a version such as 22.04.202611010", _NAME, rule="version"),
                "planInfo": PLAN,
            },
            ("publisher", "offer", "sku", "version"),
        ),
        "ManagedImage": Form(
            "a ManagedImage source", {"type": TEXT, "imageId": _MANAGED_IMAGE}, ("imageId",)
        ),
        "SharedImageVersion": Form(
            "a SharedImageVersion source",
            {
                "type": TEXT,
                "imageVersionId": Text("the resource id of a gallery image version", _ID, rule="resource-id"),
            },
            ("imageVersionId",),
        ),
    },
)

_STEP: Final[Mapping[str, Kind]] = {"type": TEXT, "name": TEXT}
_SCRIPT: Final[Mapping[str, Kind]] = {
    **_STEP,
    "scriptUri": _SCRIPT_URI,
    "inline": _COMMANDS,
    "sha256Checksum": _CHECKSUM,
}
_POWERSHELL: Final[Mapping[str, Kind]] = {
    **_SCRIPT,
    "runElevated": Flag(),
    "runAsSystem": Flag(),
    "validExitCodes": Many(Number("a whole number"), "a list of whole numbers such as [0, 3010]"),
}
_FILE: Final[Mapping[str, Kind]] = {
    **_STEP,
    "sourceUri": _SOURCE_URI,
    "destination": Text("the whole path of the file, such as /tmp/app.conf", r"\S|\S.*\S"),
    "sha256Checksum": _CHECKSUM,
}
_RESTART: Final[Mapping[str, Kind]] = {
    **_STEP,
    "restartCommand": TEXT,
    "restartCheckCommand": TEXT,
    "restartTimeout": Text(
        "a number and a unit, such as 5m or 2h", r"([0-9]+(\.[0-9]+)?(ms|s|m|h))+", or_empty=True
    ),
}
_UPDATE: Final[Mapping[str, Kind]] = {
    **_STEP,
    "searchCriteria": TEXT,
    "filters": Many(TEXT, 'a list of filters such as ["include:$true"]'),
    "updateLimit": Number("a whole number from 0 (for 1000)", 0),
}
CUSTOMIZER: Final = Union(
    "customizer",
    {
        "Shell": Form("a Shell customizer", _SCRIPT),
        "PowerShell": Form("a PowerShell customizer", _POWERSHELL),
        "File": Form("a File customizer", _FILE, ("sourceUri", "destination")),
        "WindowsRestart": Form("a WindowsRestart customizer", _RESTART),
        "WindowsUpdate": Form("a WindowsUpdate customizer", _UPDATE),
    },
)
VALIDATOR: Final = Union(
    "validator",
    {
        "Shell": Form("a Shell validator", _SCRIPT),
        "PowerShell": Form("a PowerShell validator", _POWERSHELL),
        "File": Form("a File validator", _FILE, ("sourceUri", "destination")),
    },
)

_TARGET: Final[Mapping[str, Kind]] = {
    "type": TEXT,
    "runOutputName": Text(
        "1 to 64 letters, digits, hyphens, underscores and dots",
        r"[A-Za-z0-9\-_.]{1,64}",
        rule="run-output-name",
    ),
    "artifactTags": Tags(),
}
VERSIONING: Final = Union(
    "versioning",
    {
        "Latest": Form(
            "versioning by Latest", {"scheme": TEXT, "major": Number("a whole number from -1", -1)}
        ),
        "Source": Form("versioning by Source", {"scheme": TEXT}),
    },
    "scheme",
)
TARGET_REGION: Final = Form(
    "a target region",
    {
        "name": _REGION,
        "replicaCount": Number("a whole number from 1", 1),
        "storageAccountType": _STORAGE,
    },
    ("name",),
)
GALLERY_EXAMPLE: Final = ".../providers/Microsoft.Compute/galleries/images/images/windows-2022"
DISTRIBUTOR: Final = Union(
    "distributor",
    {
        "VHD": Form(
            "a VHD distributor",
            {
                **_TARGET,
                "uri": Text(
                    "a container or a blob: https://ACCOUNT.blob.core.windows.net/CONTAINER[/NAME.vhd]",
                    r"https://[a-z0-9]{3,24}\.[^\s/?#]+/[^\s/?#]+(/[^\s?#]*)?(\?\S*)?",
                    or_empty=True,
                    rule="address",
                ),
            },
            ("runOutputName",),
        ),
        "SharedImage": Form(
            "a SharedImage distributor",
            {
                **_TARGET,
                "galleryImageId": Text(
                    f"the id of an image definition in a gallery, such as {GALLERY_EXAMPLE}",
                    ".+",
                    rule="resource-id",
                ),
                "targetRegions": Many(TARGET_REGION, 'a list of regions: [{"name": "westeurope"}]'),
                "replicationRegions": Many(_REGION, "a list of regions"),
                "storageAccountType": _STORAGE,
                "excludeFromLatest": Flag(),
                "versioning": VERSIONING,
                "replicationMode": Text("Full or Shallow", choices=("Full", "Shallow")),
            },
            ("runOutputName", "galleryImageId"),
        ),
        "ManagedImage": Form(
            "a ManagedImage distributor",
            {**_TARGET, "imageId": _MANAGED_IMAGE, "location": _REGION},
            ("runOutputName", "imageId", "location"),
        ),
    },
)

_ON_ERROR: Final = Text("cleanup or abort", choices=("cleanup", "abort"))
_STATE: Final[Mapping[str, Kind]] = {"state": _SWITCH}
VNET: Final = Form(
    "vnetConfig", {"subnetId": _SUBNET, "containerInstanceSubnetId": _SUBNET, "proxyVmSize": _VM_SIZE}
)
VM_PROFILE: Final = Form(
    "vmProfile",
    {
        "vmSize": _VM_SIZE,
        "osDiskSizeGB": Number("a whole number of GB, or 0 for the size of the source", 0),
        "userAssignedIdentities": Many(_IDENTITY, "a list of identities by their ids"),
        "vnetConfig": VNET,
    },
)
PROPERTIES: Final = Form(
    "properties",
    {
        "source": SOURCE,
        "customize": Many(CUSTOMIZER, "a list of customizers"),
        "optimize": Form(
            "optimize",
            {
                "vmBoot": Form("vmBoot", _STATE),
                "workload": Form(
                    "workload", {**_STATE, "scriptUri": _SCRIPT_URI, "sha256Checksum": _CHECKSUM}
                ),
            },
        ),
        "validate": Form(
            "validate",
            {
                "continueDistributeOnFailure": Flag(),
                "sourceValidationOnly": Flag(),
                "inVMValidations": Many(VALIDATOR, "a list of validators"),
            },
        ),
        "distribute": Many(DISTRIBUTOR, "a list of distributors", least=1),
        "errorHandling": Form(
            "errorHandling", {"onCustomizerError": _ON_ERROR, "onValidationError": _ON_ERROR}
        ),
        "buildTimeoutInMinutes": Number("minutes from 6 to 960, or 0 for 240", 0, 960),
        "vmProfile": VM_PROFILE,
        "additionalDataDisks": Many(
            Form("a data disk", {"sizeGB": Number("a whole number of GB from 1", 1)}, ("sizeGB",)),
            'a list of disks: [{"sizeGB": 64}]',
        ),
        "stagingResourceGroup": Text(
            "the id of a resource group: /subscriptions/ID/resourceGroups/NAME",
            of=GROUP,
            or_empty=True,
            rule="resource-id",
        ),
        "autoRun": Form("autoRun", _STATE),
        "managedResourceTags": Tags(),
    },
    ("source", "distribute"),
)
TEMPLATE: Final = Form(
    "an image template",
    {
        "location": _REGION,
        "tags": Tags(),
        "identity": Form(
            "identity",
            {
                "type": Text("UserAssigned", choices=("UserAssigned",)),
                "userAssignedIdentities": Ids(_IDENTITY, "an object with the id of one identity"),
            },
            ("type", "userAssignedIdentities"),
            '{"type": "UserAssigned", "userAssignedIdentities": {ID: {}}}',
        ),
        "properties": PROPERTIES,
    },
    ("location", "identity", "properties"),
)
