"""What recordings leave out: all that was there before the first request.

A recording of one provider's requests starts after its set-up. Where it shows that a request succeeded,
whatever the request refers to was there: a template's networks and images, with the roles of its identity; an
image's machine; a version's VHD. The world of a replay is given the same beginning; what it then answers
depends on its rules alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.arm import ids
from sandbox.arm.compute.seeds import MachineSeed
from sandbox.arm.imagebuilder.schema import TYPE
from sandbox.arm.inventory import IDENTITIES, SUBNETS
from sandbox.arm.marketplace import Sku
from sandbox.arm.roles import IMAGE_BUILDER
from sandbox.beforehand import Beforehand, group_of
from sandbox.recording import Interaction, Recording, Write

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sandbox.azure import LocalAzure


def prepare(
    azure: LocalAzure, interactions: Iterable[Interaction], played: Collection[str] = (TYPE,)
) -> list[str]:
    """Give the world what the recording's successful requests need; one line for each thing."""
    recording, said = Recording(interactions), dict[str, None]()
    past = Beforehand(azure, recording, frozenset(kind.strip().lower() for kind in played))
    for write in filter(lambda each: past.plays(each.kind), recording.writes()):
        template = write.kind.lower() == TYPE.lower()
        lines = _before_template(azure, past, write) if template else past.before(write)
        said |= dict.fromkeys(lines)
    return list(said)


def _before_template(azure: LocalAzure, past: Beforehand, write: Write) -> Iterator[str]:
    properties = write.body.get("properties") or {}
    identities = list((write.body.get("identity") or {}).get("userAssignedIdentities") or ())
    network = (properties.get("vmProfile") or {}).get("vnetConfig") or {}
    for name in ("subnetId", "containerInstanceSubnetId"):
        if network.get(name):
            yield from _subnet(azure, network[name], identities, write.location)
    source = properties.get("source") or {}
    images = [str(source.get(member) or "") for member in ("imageId", "imageVersionId")]
    definitions = []
    for target in properties.get("distribute") or ():
        if target.get("galleryImageId"):
            definitions.append(target["galleryImageId"].split("/versions/")[0])
            yield from past.needed(definitions[-1], write)
        if target.get("imageId"):
            images.append(target["imageId"])
            group_of(azure, target["imageId"], write.location)
    yield from _source(azure, past, source, write, definitions)
    named = [found for each in (*images, *definitions) if (found := ids.parse(each))]
    for identity in identities:
        group_of(azure, identity, write.location)
        for group in sorted({each.group_id for each in named}):
            azure.roles.assign(identity, IMAGE_BUILDER.name, group)
            yield f"{IMAGE_BUILDER.name} on {group.rsplit('/', 1)[1]} for {identity.rsplit('/', 1)[1]}"


def _subnet(azure: LocalAzure, subnet: str, identities: list[str], location: str) -> Iterator[str]:
    if azure.fabric.records.get(subnet) is None:
        parsed = group_of(azure, subnet, location)
        azure.inventory.add_subnet(parsed.group_id, *parsed.names)
        yield f"{SUBNETS} {'/'.join(parsed.names)}"
    for identity in identities:
        azure.roles.assign(identity, "Network Contributor", subnet.rsplit("/", 2)[0])
        yield f"Network Contributor on it for {IDENTITIES.rsplit('/', 1)[1]} {identity.rsplit('/', 1)[1]}"


def _source(
    azure: LocalAzure, past: Beforehand, source: Mapping[str, Any], write: Write, definitions: list[str]
) -> Iterator[str]:
    if source.get("type") == "PlatformImage":
        shapes = [*(past.shape(each, write) for each in definitions), MachineSeed(generation="V1")]
        yield from _offered(azure, source, write.location, shapes[0])
    for member in ("imageId", "imageVersionId"):
        wanted = str(source.get(member) or "")
        if wanted:
            newest = wanted.lower().endswith("/versions/latest")
            yield from past.needed(f"{wanted.rsplit('/', 1)[0]}/1.0.0" if newest else wanted, write)


def _offered(
    azure: LocalAzure, source: Mapping[str, Any], location: str, shape: MachineSeed
) -> Iterator[str]:
    """A platform image that the catalogue does not have is of the kind of what was made of it."""
    publisher, offer, sku = (str(source.get(part, "")) for part in ("publisher", "offer", "sku"))
    names = (publisher, offer, sku)
    version = str(source.get("version") or "latest")
    if azure.catalogue.find(*names) is None:
        azure.catalogue.add_sku(
            Sku(
                *names,
                "Windows" if shape.os_type == "Windows" else "Linux",
                "V2" if shape.generation == "V2" else "V1",
            )
        )
        azure.catalogue.add_version(*names, "1.0.0" if version.lower() == "latest" else version)
        yield f"platform image {':'.join(names)}"
    elif version.lower() != "latest" and not azure.catalogue.has(*names, version, location):
        azure.catalogue.add_version(*names, version)
        yield f"version {version} of {':'.join(names)}"
