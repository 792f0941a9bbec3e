"""The machine that builds, who it acts as, and for how long: what has to fit together around the steps."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .kinds import Remark
from .parts import child, text

_IDENTITIES: Final = ("identity", "userAssignedIdentities")
_TIMEOUT: Final = ("properties", "buildTimeoutInMinutes")
_NETWORK: Final = ("properties", "vmProfile", "vnetConfig")
_LEAST: Final = 6
"""Minutes. The specification begins at 0; 1 to 5 are refused in practice."""


def check(content: Mapping[str, Any], found: list[Remark], _subscription: str) -> None:
    found.extend(_identity(content))
    found.extend(_timeout(content))
    found.extend(_network(child(content, *_NETWORK)))


def _identity(content: Mapping[str, Any]) -> Iterator[Remark]:
    assigned = child(content, "identity").get("userAssignedIdentities")
    if isinstance(assigned, dict) and len(assigned) != 1:
        said = f"{len(assigned)} identities; expected exactly one: Image Builder acts as a single identity"
        yield Remark(_IDENTITIES, said, "identity")


def _timeout(content: Mapping[str, Any]) -> Iterator[Remark]:
    minutes = child(content, "properties").get("buildTimeoutInMinutes")
    if type(minutes) is int and 0 < minutes < _LEAST:
        yield Remark(_TIMEOUT, f"{minutes}; expected minutes from {_LEAST} to 960, or 0 for 240", "bounds")


def _network(network: Mapping[str, Any]) -> Iterator[Remark]:
    containers = text(network, "containerInstanceSubnetId")
    if not containers:
        return
    here = (*_NETWORK, "containerInstanceSubnetId")
    subnet = text(network, "subnetId")
    if not subnet:
        yield Remark(here, "without subnetId; expected both, in the same virtual network", "network")
    elif subnet.lower() == containers.lower():
        yield Remark(
            here, "the same as subnetId; expected another subnet, delegated to containers", "network"
        )
    elif _vnet(subnet) != _vnet(containers):
        said = "in another virtual network than subnetId; expected another subnet of the same"
        yield Remark(here, said, "network")
    if text(network, "proxyVmSize"):
        said = "beside containerInstanceSubnetId, which makes do without a proxy; expected one of them"
        yield Remark((*_NETWORK, "proxyVmSize"), said, "network")


def _vnet(subnet: str) -> str:
    return subnet.lower().rpartition("/subnets/")[0]
