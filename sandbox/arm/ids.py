"""Resource ids: compared without case, shown in the spelling that somebody once used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceId:
    """`/subscriptions/s/resourceGroups/g/providers/N/t1/n1/t2/n2`, taken apart."""

    subscription: str
    group: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def kind(self) -> str:
        return "/".join((self.namespace, *self.types))

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def group_id(self) -> str:
        return group_id(self.subscription, self.group)

    def __str__(self) -> str:
        tail = "/".join(part for pair in zip(self.types, self.names, strict=True) for part in pair)
        return f"{self.group_id}/providers/{self.namespace}/{tail}"


def group_id(subscription: str, group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}"


def parse(text: str) -> ResourceId | None:
    """None for whatever is not the id of a resource in a resource group."""
    parts = text.split("/")
    if len(parts) < 9 or len(parts) % 2 == 0 or parts[0] or not all(parts[1:]):
        return None
    if [parts[1].lower(), parts[3].lower(), parts[5].lower()] != [
        "subscriptions",
        "resourcegroups",
        "providers",
    ]:
        return None
    return ResourceId(parts[2], parts[4], parts[6], tuple(parts[7::2]), tuple(parts[8::2]))


def parse_group(text: str) -> tuple[str, str] | None:
    """Subscription and group of a resource group's id."""
    parts = text.split("/")
    if len(parts) != 5 or parts[1].lower() != "subscriptions" or parts[3].lower() != "resourcegroups":
        return None
    return (parts[2], parts[4]) if parts[2] and parts[4] else None
