"""From the form of each older api-version to the current one: small steps, each of which may find nothing.

`script` became `scriptUri`, types and members got the one spelling that counts, a subnet is named by its id,
regions carry their replicas and storage, and what Azure or a deployment adds to a template is taken off.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from shared.contracts.positions import Path
from shared.domain.ids import TEMPLATE_TYPE

from .draft import Draft
from .names import MEMBERS, OLD_NAMES, TYPES, lower_camel
from .parts import Context, show
from .syntax import is_expression
from .wrapper import PROVIDER, looks_cut_out

_STRICT_SINCE: Final = "2024-02-01"
_OF_DEPLOYMENTS: Final = "taken off: a member of deployments"
_READ_ONLY: Final = "taken off: read-only, as Azure exports it"
_AROUND: Final[Mapping[str, str]] = {
    "type": "taken off: every template file is of this type",
    "apiVersion": "taken off: a request names the api-version, its body does not",
    "name": "taken off: factory.yaml names the template (template_name)",
    "dependsOn": _OF_DEPLOYMENTS,
    "comments": _OF_DEPLOYMENTS,
    "condition": _OF_DEPLOYMENTS,
    "metadata": _OF_DEPLOYMENTS,
    "scope": _OF_DEPLOYMENTS,
    "asserts": _OF_DEPLOYMENTS,
    "$schema": _OF_DEPLOYMENTS,
    "id": _READ_ONLY,
    "systemData": _READ_ONLY,
    "resourceGroup": _READ_ONLY,
    "etag": _READ_ONLY,
    "kind": _READ_ONLY,
    "managedBy": _READ_ONLY,
    "extendedLocation": _READ_ONLY,
    "plan": _READ_ONLY,
    "sku": _READ_ONLY,
    "zones": _READ_ONLY,
}
_EXPORTED: Final[Mapping[Path, tuple[str, ...]]] = {
    ("properties",): ("provisioningState", "provisioningError", "lastRunStatus", "exactStagingResourceGroup"),
    ("properties", "source"): ("exactVersion",),
    ("identity",): ("principalId", "tenantId"),
}
_NETWORK: Final = ("properties", "vmProfile", "vnetConfig")
_BY_NAME: Final = ("name", "subnetName", "resourceGroupName")
_ISO: Final = (
    "Image Builder takes no ISO sources since 31 March 2020; expected a source of type PlatformImage"
    " (RHEL with your own subscription is in the marketplace as BYOS), ManagedImage or SharedImageVersion"
)


class Age:
    """What an api-version says of the file: it knows the rules that its author had to follow."""

    def __init__(self, version: str, *, wrapped: bool) -> None:
        dated = version[:4].isdecimal() and version[4:5] == "-"
        self.strict = dated and version >= _STRICT_SINCE
        """Azure would have told of a name that it does not know."""
        self.lenient = not self.strict and (dated or wrapped)
        """Names counted in any case."""


def modernise(draft: Draft, age: Age, context: Context) -> None:
    for step in _STEPS:
        step(draft, age, context)


def _cut_out(draft: Draft, _age: Age, _context: Context) -> None:
    """A resource that was cut out of a deployment template, with expressions that nothing explains."""
    if draft.wrapped or not {"type", "apiVersion", "dependsOn"} & draft.content.keys():
        return
    for name in MEMBERS["template"]:
        for path, text in _texts(draft.content.get(name), (name,)):
            if is_expression(text) and looks_cut_out(text):
                said = (
                    "an expression without its deployment template; expected the value, or the whole template"
                )
                draft.refuse(path, f"{show(text)} is {said}", "expression")


def _take_off(draft: Draft, _age: Age, _context: Context) -> None:
    kind = draft.content.get("type", TEMPLATE_TYPE)
    if str(kind).lower() not in (TEMPLATE_TYPE, PROVIDER):
        said = "another type of resource; expected Microsoft.VirtualMachineImages/imageTemplates"
        draft.refuse(("type",), said, "resource-type")
    for name, said in _AROUND.items():
        if name in draft.content:
            draft.tell((name,), said)
            draft.drop((name,))


def _spell(draft: Draft, age: Age, _context: Context) -> None:
    if not age.strict:
        _spell_within(draft, (), "template", age)


def _spell_within(draft: Draft, path: Path, place: str, age: Age) -> None:
    value = draft.at(path)
    if isinstance(value, list):
        for at in range(len(value)):
            _spell_within(draft, (*path, at), place, age)
    if not isinstance(value, dict):
        return
    for written in list(value):
        name, of = _spell_member(draft, (*path, written), place, age)
        if name == "type":
            _spell_type(draft, (*path, name), TYPES.get(place, ()), age)
        elif of:
            _spell_within(draft, (*path, name), of, age)


def _spell_member(draft: Draft, path: Path, place: str, age: Age) -> tuple[str, str]:
    """What it is called from now on, and the place that its value is, if it has members that are known."""
    name = str(path[-1])
    spelled, of = MEMBERS[place].get(name.lower(), (name, ""))
    renamed = OLD_NAMES.get(place, {}).get(name) or (spelled if age.lenient else name)
    if renamed != name and renamed not in draft.at(path[:-1]):
        draft.tell(path, f"{name} is now {renamed}")
        draft.rename(path, renamed)
        name = renamed
    return name, of if name == spelled else ""


def _spell_type(draft: Draft, path: Path, types: tuple[str, ...], age: Age) -> None:
    written = draft.at(path)
    for each in types if isinstance(written, str) else ():
        same = written.lower() == each.lower() if age.lenient else written == lower_camel(each)
        if same and written != each:
            draft.tell(path, f"type {written} is now {each}")
            draft.put(path, each)


def _read_only(draft: Draft, _age: Age, _context: Context) -> None:
    for path, names in _EXPORTED.items():
        of = _object(draft, path)
        for name in [each for each in names if each in of]:
            draft.tell((*path, name), _READ_ONLY)
            draft.drop((*path, name))
    assigned = ("identity", "userAssignedIdentities")
    for id, value in _object(draft, assigned).items():
        if isinstance(value, dict) and value and value.keys() <= {"principalId", "clientId"}:
            draft.tell((*assigned, id), _READ_ONLY)
            value.clear()


def _network(draft: Draft, _age: Age, context: Context) -> None:
    network = _object(draft, _NETWORK)
    named = [name for name in _BY_NAME if name in network]
    if not named:
        return
    if network.get("subnetId"):
        draft.tell(_NETWORK, f"{', '.join(named)} taken off: subnetId names the subnet")
    else:
        parts = {name: network.get(name) for name in _BY_NAME}
        missing = [name for name, part in parts.items() if not isinstance(part, str) or not part]
        subscription = context.subscription or _subscription(draft.content)
        expected = "subnetId: /subscriptions/.../virtualNetworks/NAME/subnets/NAME"
        if missing or not subscription:
            lacks = f"without {' and '.join(missing)}" if missing else "in a subscription that is not known"
            hint = "" if missing else " (`upgrade` takes --subscription)"
            draft.refuse(_NETWORK, f"a subnet by name {lacks}; expected {expected}{hint}", "vnet-by-name")
            return
        group, vnet, subnet = parts["resourceGroupName"], parts["name"], parts["subnetName"]
        network_id = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network"
        id = f"{network_id}/virtualNetworks/{vnet}/subnets/{subnet}"
        draft.tell(_NETWORK, f"the subnet is named by its id: subnetId is {show(id, 400)}")
        draft.rename((*_NETWORK, "subnetName"), "subnetId")
        draft.put((*_NETWORK, "subnetId"), id)
    for name in [each for each in _BY_NAME if each in network]:
        draft.drop((*_NETWORK, name))


def _regions(draft: Draft, _age: Age, _context: Context) -> None:
    for path in _distributors(draft):
        target = draft.at(path)
        names, listed = target.get("replicationRegions"), (*path, "replicationRegions")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            continue
        if target.get("targetRegions"):
            said = "both replicationRegions and targetRegions; expected targetRegions alone"
            draft.refuse(listed, said, "replication-regions")
            continue
        target.pop("targetRegions", None)
        storage = target.get("storageAccountType")
        more = {} if storage is None else {"storageAccountType": storage}
        draft.tell(listed, f"replicationRegions is now targetRegions{_with(more)}")
        draft.rename(listed, "targetRegions")
        for at, name in enumerate(names):
            here = (*path, "targetRegions", at)
            draft.put(here, {"name": name, **more}, draft.origin(here))
        if more:
            draft.drop((*path, "storageAccountType"))


def _with(more: Mapping[str, object]) -> str:
    return f", each with {', '.join(f'{name} {show(value)}' for name, value in more.items())}" if more else ""


def _sources(draft: Draft, _age: Age, _context: Context) -> None:
    source = _object(draft, ("properties", "source"))
    if str(source.get("type", "")).lower() == "iso":
        draft.refuse(("properties", "source"), _ISO, "iso-source")


_STEPS: Final[tuple[Callable[[Draft, Age, Context], None], ...]] = (
    _cut_out,
    _take_off,
    _spell,
    _read_only,
    _network,
    _regions,
    _sources,
)


def _distributors(draft: Draft) -> Iterator[Path]:
    listed = _object(draft, ("properties",)).get("distribute")
    for at, each in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(each, dict):
            yield ("properties", "distribute", at)


def _object(draft: Draft, path: Path) -> dict[str, Any]:
    """The object at the path; an empty one if something else is there, or nothing."""
    found: Any = draft.content
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _subscription(content: object) -> str:
    """That of every id in the template, if it is the same in all."""
    texts = [text for _, text in _texts(content, ())]
    found = {text.split("/")[2] for text in texts if text.lower().startswith("/subscriptions/")}
    return found.pop() if len({each.lower() for each in found}) == 1 else ""


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Names of members too: an identity is named by its id."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield (*path, name), name
            yield from _texts(each, (*path, name))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _texts(each, (*path, at))
