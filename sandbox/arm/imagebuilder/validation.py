"""What is refused at once, before a template comes into being."""

from __future__ import annotations

import re
from typing import Any

from sandbox.arm import ids
from sandbox.arm.errors import ArmError, bad_request

NAME = re.compile(r"[A-Za-z0-9-_.]{1,64}")
_SUBNET_FIELDS = ("subnetId", "containerInstanceSubnetId")


def check_name(kind: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise invalid(f"The {kind} name '{name}' is invalid: it must match ^[A-Za-z0-9-_.]{{1,64}}$.")


def check_template(body: dict[str, Any]) -> None:
    """Raises ArmError for the first thing that is missing or contradicts itself."""
    if not body.get("location"):
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    check_identity(body.get("identity"), may_be_none=False)
    properties = body.get("properties")
    if properties is None:
        raise invalid("The property 'properties' is required.")
    if not properties.get("source"):
        raise invalid("The property 'properties.source' is required.")
    check_distribute(properties.get("distribute"))
    _check_timeout(properties.get("buildTimeoutInMinutes", 0))
    check_vm_profile(properties.get("vmProfile") or {})
    staging = properties.get("stagingResourceGroup")
    if staging and ids.parse_group(staging) is None:
        raise invalid(
            f"The property 'properties.stagingResourceGroup' is not a resource group id: '{staging}'."
        )


def check_identity(identity: dict[str, Any] | None, *, may_be_none: bool) -> None:
    kind = (identity or {}).get("type", "")
    if may_be_none and kind.lower() == "none":
        return
    assigned = (identity or {}).get("userAssignedIdentities")
    if kind.lower() != "userassigned" or not isinstance(assigned, dict) or len(assigned) != 1:
        raise invalid(
            "The property 'identity' must be of type UserAssigned with exactly one user assigned identity."
        )
    for each in assigned:
        parsed = ids.parse(each)
        if not isinstance(assigned[each], dict | None):
            raise invalid(f"The identity '{each}' must have an object as its value.")
        if parsed is None or parsed.kind.lower() != "microsoft.managedidentity/userassignedidentities":
            raise invalid(f"The identity '{each}' is not the id of a user assigned identity.")


def check_distribute(distribute: list[dict[str, Any]] | None) -> None:
    if not distribute:
        raise invalid("The property 'properties.distribute' must have at least one entry.")
    seen: set[str] = set()
    for each in distribute:
        name = each.get("runOutputName", "")
        check_name("runOutput", name)
        if name.lower() in seen:
            raise invalid(f"The runOutputName '{name}' is used twice; it must be unique in a template.")
        seen.add(name.lower())


def check_vm_profile(profile: dict[str, Any]) -> None:
    network = profile.get("vnetConfig") or {}
    if network.get("containerInstanceSubnetId") and network.get("proxyVmSize"):
        raise invalid("vnetConfig: containerInstanceSubnetId and proxyVmSize exclude one another.")
    if network.get("containerInstanceSubnetId") and not network.get("subnetId"):
        raise invalid("vnetConfig: containerInstanceSubnetId needs subnetId.")
    _check_subnets(*(str(network.get(name) or "") for name in _SUBNET_FIELDS))
    for name in _SUBNET_FIELDS:
        given = network.get(name)
        parsed = ids.parse(given) if given else None
        if given and (parsed is None or parsed.kind.lower() != "microsoft.network/virtualnetworks/subnets"):
            raise invalid(f"vnetConfig: {name} is not the id of a subnet: '{given}'.")


def _check_subnets(builds: str, containers: str) -> None:
    if containers and builds.lower() == containers.lower():
        raise invalid("vnetConfig: containerInstanceSubnetId must be another subnet than subnetId.")
    if containers and _network(builds) != _network(containers):
        raise invalid("vnetConfig: containerInstanceSubnetId must be in the virtual network of subnetId.")


def _network(subnet: str) -> str:
    return subnet.lower().rpartition("/subnets/")[0]


def check_patch(body: dict[str, Any], existing: list[dict[str, Any]]) -> None:
    if "identity" in body:
        check_identity(body["identity"], may_be_none=True)
    properties = body.get("properties") or {}
    check_vm_profile(properties.get("vmProfile") or {})
    if "distribute" not in properties:
        return
    check_distribute(properties["distribute"])
    offered = {each["runOutputName"].lower() for each in properties["distribute"]}
    missing = [each["runOutputName"] for each in existing if each["runOutputName"].lower() not in offered]
    if missing:
        raise invalid(
            f"The distribute targets '{', '.join(missing)}' are missing: existing ones cannot be removed by "
            "an update, so the patched list must name all of them."
        )


def _check_timeout(minutes: int) -> None:
    if not 0 <= minutes <= 960 or 1 <= minutes <= 5:
        raise invalid(
            f"The property 'properties.buildTimeoutInMinutes' is {minutes}: expected 0 (for 240) or 6 to 960."
        )


def invalid(message: str) -> ArmError:
    return bad_request("ValidationFailed", f"Validation failed: {message}")
