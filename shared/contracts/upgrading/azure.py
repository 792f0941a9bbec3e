"""Where a deployment template would be deployed, as far as it is known, and the ids of resources there."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from .parts import Context, Unevaluable

_OPTIONS: Final = {"subscription": "--subscription", "resourceGroup": "--resource-group and --location"}
_BEFORE: Final = {
    "resourceid": 2,
    "subscriptionresourceid": 1,
    "tenantresourceid": 0,
    "extensionresourceid": 0,
}
"""How many of subscription and group may come before the type."""

RESOURCE_IDS: Final = frozenset(_BEFORE)


class Place(msgspec.Struct, frozen=True):
    """What `subscription()` and its like give: no value by itself, but with members, some of them known."""

    name: str
    known: Mapping[str, str]

    def member(self, key: str) -> str:
        """Raises Unevaluable for what is not known."""
        by_lower = {name.lower(): value for name, value in self.known.items()}
        if key.lower() not in by_lower:
            hint = f" (`upgrade` takes {_OPTIONS[self.name]})" if self.name in _OPTIONS else ""
            raise Unevaluable(f"{self.name}().{key} is not known here; write the value in its place{hint}")
        return by_lower[key.lower()]


def _subscription(here: Context) -> Place:
    id = here.subscription
    return Place("subscription", {"id": f"/subscriptions/{id}", "subscriptionId": id} if id else {})


def _group(here: Context) -> Place:
    known = {"name": here.group, "location": here.location}
    if here.group and here.subscription:
        known["id"] = f"/subscriptions/{here.subscription}/resourceGroups/{here.group}"
    return Place("resourceGroup", {name: value for name, value in known.items() if value})


def _tenant(_here: Context) -> Place:
    return Place("tenant", {})


PLACES: Final[Mapping[str, Callable[[Context], Place]]] = {
    "subscription": _subscription,
    "resourcegroup": _group,
    "tenant": _tenant,
}


def resource_id(function: str, parts: list[str], here: Context) -> str:
    """Of a resource in this group, in another, or outside of any: as `resourceId()` and its like say it."""
    name, scope = function.lower(), ""
    if name == "extensionresourceid":
        scope, parts = parts[0].rstrip("/"), parts[1:]
    at = next((at for at, part in enumerate(parts) if "/" in part), len(parts))
    before, (kinds, *names) = parts[:at], parts[at:] or [""]
    provider, *types = kinds.split("/")
    if at > _BEFORE[name] or not types or len(types) != len(names) or not all((provider, *types, *names)):
        expected = (
            "expected a type such as Microsoft.Compute/images, and a name for each part after its first"
        )
        raise Unevaluable(f"{function}(): {', '.join(parts)[:120]}; {expected}")
    if _BEFORE[name]:
        own = at < _BEFORE[name]
        scope = f"/subscriptions/{_subscription(here).member('subscriptionId') if own else before[0]}"
    if name == "resourceid":
        scope += f"/resourceGroups/{before[-1] if before else _group(here).member('name')}"
    way = "".join(f"/{each}/{called}" for each, called in zip(types, names, strict=True))
    return f"{scope}/providers/{provider}{way}"
