"""What recordings leave out: the networks, identities and images that were there before the first request.

A recording of one provider's requests starts after its set-up. Where it shows that a template could be
provisioned, whatever the template refers to was there, and its identity had its roles. The world of a replay
is given the same beginning; what it then answers depends on its rules alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.arm import ids
from sandbox.arm.imagebuilder.schema import TYPE
from sandbox.arm.inventory import DEFINITIONS, GALLERIES, IDENTITIES, IMAGES, SUBNETS, VERSIONS
from sandbox.arm.marketplace import Sku
from sandbox.arm.records import Group, Resource

if TYPE_CHECKING:
    from sandbox.azure import LocalAzure

Interaction = Mapping[str, Any]


def prepare(azure: LocalAzure, interactions: Iterable[Interaction]) -> list[str]:
    """Give the world what the recording's successful templates need; one line for each thing."""
    listed = list(interactions)
    succeeded = {path for path, state in _states(listed) if state == "Succeeded"}
    said: dict[str, None] = {}
    for interaction in listed:
        request = interaction["request"]
        path = _path(request)
        if request["method"] == "PUT" and path in succeeded:
            said |= dict.fromkeys(_prepare_template(azure, request["body"]))
    return list(said)


def _states(interactions: list[Interaction]) -> Iterator[tuple[str, str]]:
    """What each template was seen to become, first or last."""
    for interaction in interactions:
        body = interaction["response"]["body"]
        if interaction["request"]["method"] == "GET" and isinstance(body, dict):
            state = (body.get("properties") or {}).get("provisioningState", "")
            if body.get("type") == TYPE:
                yield _path(interaction["request"]), state


def _path(request: Mapping[str, Any]) -> str:
    return str(request["path"]).split("?")[0].lower()


def _prepare_template(azure: LocalAzure, body: Mapping[str, Any]) -> Iterator[str]:
    properties, location = body.get("properties") or {}, str(body.get("location", ""))
    identities = list((body.get("identity") or {}).get("userAssignedIdentities") or ())
    network = (properties.get("vmProfile") or {}).get("vnetConfig") or {}
    for name in ("subnetId", "containerInstanceSubnetId"):
        if network.get(name):
            yield from _subnet(azure, network[name], identities, location)
    yield from _source(azure, properties.get("source") or {}, location)
    for target in properties.get("distribute") or ():
        if target.get("galleryImageId"):
            yield from _definition(azure, target["galleryImageId"], location)
        if target.get("imageId"):
            _group(azure, target["imageId"], location)
    for identity in identities:
        _group(azure, identity, location)


def _subnet(azure: LocalAzure, subnet: str, identities: list[str], location: str) -> Iterator[str]:
    if azure.fabric.records.get(subnet) is None:
        parsed = _group(azure, subnet, location)
        azure.inventory.add_subnet(parsed.group_id, *parsed.names)
        yield f"{SUBNETS} {'/'.join(parsed.names)}"
    for identity in identities:
        azure.roles.assign(identity, "Network Contributor", subnet.rsplit("/", 2)[0])
        yield f"Network Contributor on it for {IDENTITIES.rsplit('/', 1)[1]} {identity.rsplit('/', 1)[1]}"


def _source(azure: LocalAzure, source: Mapping[str, Any], location: str) -> Iterator[str]:
    if source.get("type") == "PlatformImage":
        publisher, offer, sku = (str(source.get(part, "")) for part in ("publisher", "offer", "sku"))
        names = (publisher, offer, sku)
        version = str(source.get("version") or "latest")
        if azure.catalogue.find(*names) is None:
            azure.catalogue.add_sku(Sku(*names))
            azure.catalogue.add_version(*names, "1.0.0" if version.lower() == "latest" else version)
            yield f"platform image {':'.join(names)}"
        elif version.lower() != "latest" and not azure.catalogue.has(*names, version, location):
            azure.catalogue.add_version(*names, version)
            yield f"version {version} of {':'.join(names)}"
    for member, kind in (("imageId", IMAGES), ("imageVersionId", VERSIONS)):
        wanted = str(source.get(member) or "")
        if wanted and azure.fabric.records.get(wanted) is None:
            yield from _image(azure, wanted, kind, location)


def _image(azure: LocalAzure, wanted: str, kind: str, location: str) -> Iterator[str]:
    parsed = _group(azure, wanted, location)
    if kind == VERSIONS:
        yield from _definition(azure, wanted, location)
        wanted = wanted if parsed.name.lower() != "latest" else f"{wanted.rsplit('/', 1)[0]}/1.0.0"
    azure.fabric.records.put(Resource(wanted, kind, location, properties={"provisioningState": "Succeeded"}))
    yield f"{kind} {'/'.join(parsed.names)}"


def _definition(azure: LocalAzure, wanted: str, location: str) -> Iterator[str]:
    parsed = _group(azure, wanted, location)
    gallery = f"{parsed.group_id}/providers/{GALLERIES}/{parsed.names[0]}"
    for resource_id, kind in ((gallery, GALLERIES), (f"{gallery}/images/{parsed.names[1]}", DEFINITIONS)):
        if azure.fabric.records.get(resource_id) is None:
            state = {"provisioningState": "Succeeded"}
            azure.fabric.records.put(Resource(resource_id, kind, location, properties=state))
            yield f"{kind} {'/'.join(parsed.names[: kind.count('/')])}"


def _group(azure: LocalAzure, resource_id: str, location: str) -> ids.ResourceId:
    """The id, taken apart, with its resource group in place. Raises ValueError for what is no id."""
    parsed = ids.parse(resource_id)
    if parsed is None:
        raise ValueError(f"{resource_id!r} in the recording is not a resource id")
    if azure.fabric.records.group(parsed.subscription, parsed.group) is None:
        azure.fabric.records.add_group(Group(parsed.subscription, parsed.group, location))
    return parsed
