"""Made-up image templates: sound ones of every form, and ways to break them in one place."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from sandbox.azure import SUBSCRIPTION

Template = dict[str, Any]
Path = tuple[str | int, ...]
Strategy = st.SearchStrategy[Any]

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/image-factory"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
DEFINITION = f"{COMPUTE}/galleries/images/images/ubuntu"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/build"
ADDRESS = "https://scripts.blob.core.windows.net/scripts/patch"
UBUNTU = {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2"}
WINDOWS = {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2"}
PLAN = {"planName": "pro", "planProduct": "ubuntu-pro", "planPublisher": "canonical"}

one_of = st.sampled_from
flags = st.booleans()
tags = one_of([{}, {"owner": "platform"}, {"owner": "platform", "costCentre": "7"}])
checksums = one_of(["", "0" * 64, "aB" * 32])
switches = one_of(["Enabled", "Disabled"])
storage = one_of(["Standard_LRS", "Standard_ZRS", "Premium_LRS"])


def form(required: dict[str, Any], **optional: Strategy) -> Strategy:
    """An object with fixed members, or strategies for them, and some of the others."""
    fixed = {
        name: each if isinstance(each, st.SearchStrategy) else st.just(each)
        for name, each in required.items()
    }
    return st.fixed_dictionaries(fixed, optional=optional)


def sources(system: str) -> Strategy:
    known = {"Linux": UBUNTU, "Windows": WINDOWS}[system]
    versions = one_of([f"{DEFINITION}/versions/latest", f"{DEFINITION}/versions/1.0.3"])
    return st.one_of(
        form({"type": "PlatformImage", **known, "version": "latest"}, planInfo=st.just(PLAN)),
        form({"type": "ManagedImage", "imageId": f"{COMPUTE}/images/base"}),
        form({"type": "SharedImageVersion", "imageVersionId": versions}),
    )


def scripted(kind: str, **more: Strategy) -> Strategy:
    inline = one_of([["true"], ["echo 1", "echo 2"]])
    return st.one_of(
        form({"type": kind, "inline": inline}, scriptUri=st.just(""), **more),
        form({"type": kind, "scriptUri": ADDRESS}, sha256Checksum=checksums, inline=st.just([]), **more),
    )


def powershell() -> Strategy:
    codes = one_of([[], [0], [0, 3010]])
    return st.one_of(
        scripted("PowerShell", runElevated=flags, validExitCodes=codes),
        scripted("PowerShell", validExitCodes=codes).map(
            lambda step: {**step, "runElevated": True, "runAsSystem": True}
        ),
    )


def tried(system: str) -> list[Strategy]:
    """Steps that validators know too."""
    place = {"Linux": "/tmp/app.conf", "Windows": r"C:\app\app.conf"}[system]
    file = form({"type": "File", "sourceUri": ADDRESS, "destination": place}, sha256Checksum=checksums)
    return [scripted("Shell") if system == "Linux" else powershell(), file]


def steps(system: str) -> Strategy:
    of_windows = [
        form(
            {"type": "WindowsRestart"}, restartTimeout=one_of(["5m", "2h"]), restartCommand=one_of(["", "x"])
        ),
        form({"type": "WindowsUpdate"}, updateLimit=one_of([0, 20]), filters=one_of([[], ["include:$true"]])),
    ]
    return st.one_of(*tried(system), *(of_windows if system == "Windows" else ()))


def distributors() -> Strategy:
    regions = st.lists(
        form({"name": one_of(["westeurope", "North Europe", "uksouth"])}, replicaCount=one_of([1, 5]),
             storageAccountType=storage),
        max_size=3, unique_by=lambda region: region["name"],
    )  # fmt: skip
    versioning = one_of([{"scheme": "Source"}, {"scheme": "Latest"}, {"scheme": "Latest", "major": -1}])
    ids = one_of([DEFINITION, f"{DEFINITION}/versions/1.0.3"])
    older = one_of([[], ["westeurope"], ["westeurope", "uksouth"]])
    more = {
        "artifactTags": tags,
        "excludeFromLatest": flags,
        "replicationMode": one_of(["Full", "Shallow"]),
        "targetRegions": regions,
        "versioning": versioning,
    }
    return st.one_of(
        form({"type": "VHD"}, artifactTags=tags, uri=one_of(["", "https://archive.blob.core.windows.net/images/x.vhd"])),
        form({"type": "ManagedImage", "imageId": f"{COMPUTE}/images/made", "location": "westeurope"}),
        form({"type": "SharedImage", "galleryImageId": ids}, **more),
        form({"type": "SharedImage", "galleryImageId": ids}, replicationRegions=older),
        form({"type": "SharedImage", "galleryImageId": ids, "replicationRegions": ["westeurope"],
              "storageAccountType": storage}),
    )  # fmt: skip


def machines(identity: str) -> Strategy:
    builds, containers = f"{VNET}/subnets/build", f"{VNET}/subnets/containers"
    networks = [
        {},
        {"subnetId": ""},
        {"subnetId": builds, "proxyVmSize": "Standard_A1_v2"},
        {"subnetId": builds, "containerInstanceSubnetId": containers},
    ]
    return form(
        {},
        vmSize=one_of(["", "Standard_D2ds_v5"]),
        osDiskSizeGB=one_of([0, 64]),
        userAssignedIdentities=one_of([[], [identity]]),
        vnetConfig=one_of(networks),
    )


def numbered(rows: list[Template], member: str) -> list[Template]:
    return [{**row, member: f"{member}-{at}"} for at, row in enumerate(rows)]


def templates(location: str, identity: str) -> Strategy:
    """Sound ones."""

    def of(system: str) -> Strategy:
        properties = form(
            {
                "source": sources(system),
                "distribute": st.lists(distributors(), min_size=1, max_size=3).map(
                    lambda rows: numbered(rows, "runOutputName")
                ),
            },
            customize=st.lists(steps(system), max_size=3).map(lambda rows: numbered(rows, "name")),
            validate=form(
                {},
                inVMValidations=st.lists(st.one_of(tried(system)), max_size=2),
                continueDistributeOnFailure=flags,
                sourceValidationOnly=flags,
            ),
            optimize=form({}, vmBoot=form({}, state=switches), workload=form({}, state=switches)),
            errorHandling=form({}, onCustomizerError=one_of(["cleanup", "abort"])),
            buildTimeoutInMinutes=one_of([0, 6, 240, 960]),
            vmProfile=machines(identity),
            additionalDataDisks=one_of([[], [{"sizeGB": 1}]]),
            stagingResourceGroup=one_of(["", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/staging"]),
            autoRun=form({}, state=switches),
            managedResourceTags=tags,
        )
        assigned = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
        return form({"location": location, "identity": assigned, "properties": properties}, tags=tags)

    return st.one_of(of("Linux"), of("Windows"))


WORDS = [
    "apiVersion", "artifactTags", "containerInstanceSubnetId", "destination", "imageId", "inline", "location",
    "lun", "major", "planInfo", "proxyVmSize", "replicationRegions", "runAsSystem", "runElevated",
    "scriptUri", "sizeGB", "sourceUri", "storageAccountType", "subnetName", "tags", "targetRegions", "uri",
    "vnetConfig", "x",
]  # fmt: skip
VALUES = [
    "", "x", "Enabled", "enabled", "latest", ADDRESS, "/tmp/x", "a b", DEFINITION, VNET,
    0, 1, 3, 961, -2, 2**31, True, False, None, 1.5, [], ["x"], [None], {}, {"a": 1}, {"x": "y"},
]  # fmt: skip


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, each in members:
        yield from places(each, (*path, step))


def at(template: Template, path: Path) -> Any:
    found: Any = template
    for step in path:
        found = found[step]
    return found


def _remove(of: Any, step: Any, _word: str, _value: object) -> None:
    del of[step]


def _replace(of: Any, step: Any, _word: str, value: object) -> None:
    of[step] = value


def _rename(of: Any, step: Any, word: str, _value: object) -> None:
    spelled = {"x": str(step).lower(), "lun": str(step).upper(), "uri": str(step)[:-1]}.get(word, word)
    if isinstance(of, dict):
        of[spelled] = of.pop(step)


def _add(of: Any, _step: Any, word: str, value: object) -> None:
    if isinstance(of, dict):
        of[word] = value
    else:
        of.append(value)


def _repeat(of: Any, step: Any, _word: str, _value: object) -> None:
    if isinstance(of, list):
        of.append(copy.deepcopy(of[step]))


BREAKS: list[Callable[[Any, Any, str, object], None]] = [_remove, _replace, _rename, _add, _repeat]


@st.composite
def broken(draw: st.DrawFn, sound: Strategy) -> Template:
    """Broken in one place; now and then it is sound all the same."""
    template: Template = copy.deepcopy(draw(sound))
    path = draw(one_of([path for path in places(template) if path]))
    draw(one_of(BREAKS))(at(template, path[:-1]), path[-1], draw(one_of(WORDS)), draw(one_of(VALUES)))
    return template
