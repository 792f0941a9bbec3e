"""Which values members may have: the choices and bounds of the specification, and what goes only together.

`Field '...' has a bad value: '...'` is how Image Builder answered a type in another case, in 2020; that it
says so of every choice and bound is inferred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm.imagebuilder.schema import strict
from sandbox.arm.imagebuilder.validation import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STATE = ("Enabled", "Disabled")
_STORAGE = ("Standard_LRS", "Standard_ZRS", "Premium_LRS")
_ON_ERROR = ("cleanup", "abort")
_SCRIPTED = ("customize[]", "validate.inVMValidations[]")

CHOICES: Mapping[str, tuple[str, ...]] = {
    "optimize.vmBoot.state": _STATE,
    "optimize.workload.state": _STATE,
    "autoRun.state": _STATE,
    "errorHandling.onCustomizerError": _ON_ERROR,
    "errorHandling.onValidationError": _ON_ERROR,
    "distribute[].replicationMode": ("Full", "Shallow"),
    "distribute[].storageAccountType": _STORAGE,
    "distribute[].targetRegions[].storageAccountType": _STORAGE,
    "distribute[].versioning.scheme": ("Latest", "Source"),
}
LEAST: Mapping[str, int] = {
    "vmProfile.osDiskSizeGB": 0,
    "additionalDataDisks[].sizeGB": 1,
    "customize[].updateLimit": 0,
    "distribute[].targetRegions[].replicaCount": 1,
    "distribute[].versioning.major": -1,
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "source.planInfo": ("planName", "planProduct", "planPublisher"),
    "distribute[].targetRegions[]": ("name",),
    "distribute[].versioning": ("scheme",),
    "additionalDataDisks[]": ("sizeGB",),
}


def check(properties: dict[str, Any], version: str) -> None:
    """Raises ArmError for the first value that cannot be. Since 2024-02-01 case counts in choices."""
    for path, choices in CHOICES.items():
        known = choices if strict(version) else [each.lower() for each in choices]
        for where, value in _at(properties, path):
            if (value if strict(version) else value.lower()) not in known:
                raise _bad(where, value)
    for path, least in LEAST.items():
        for where, value in _at(properties, path):
            if value < least:
                raise _bad(where, value)
    _required(properties)
    _together(properties)


def _required(properties: dict[str, Any]) -> None:
    for path, names in REQUIRED.items():
        for where, value in _at(properties, path):
            missing = next((name for name in names if not value.get(name)), "")
            if missing:
                raise _bad(f"{where}.{missing}", "")


def _together(properties: dict[str, Any]) -> None:
    for path in _SCRIPTED:
        for where, step in _at(properties, path):
            if step.get("runAsSystem") and not step.get("runElevated"):
                raise invalid(f"{where}: runAsSystem can only be true when runElevated is.")
    for where, target in _at(properties, "distribute[]"):
        if target.get("storageAccountType") and not target.get("replicationRegions"):
            raise invalid(f"{where}: storageAccountType can be specified only with replicationRegions.")


def _at(of: Any, path: str, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every value at the path, with its place."""
    if not path:
        yield where, of
        return
    step, _, rest = path.partition(".")
    name, many = step.removesuffix("[]"), step.endswith("[]")
    value = of.get(name)
    here = f"{where}.{name}".lstrip(".")
    if value is not None and not many:
        yield from _at(value, rest, here)
    for index, each in enumerate(value or () if many else ()):
        yield from _at(each, rest, f"{here}[{index}]")


def _bad(where: str, value: object) -> Exception:
    return invalid(f"'ImageTemplate.properties': Field '{where}' has a bad value: '{value}'.")
