"""What exists in every subscription: groups and the resources in them, found without regard to case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sandbox.arm import ids


class Record(Protocol):
    """Anything that has a resource id and shows up in the list of its group."""

    @property
    def id(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def location(self) -> str: ...

    tags: dict[str, str]


@dataclass(slots=True)
class Resource:
    """A simple record: what was put is what is read. `extra` are members beside `properties`."""

    id: str
    kind: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    def document(self) -> dict[str, Any]:
        head = {
            "name": self.name,
            "id": self.id,
            "type": self.kind,
            "location": self.location,
            "tags": self.tags,
        }
        return {**head, **self.extra, "properties": self.properties}


@dataclass(slots=True)
class Group:
    subscription: str
    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)
    managed_by: str | None = None
    state: str = "Succeeded"

    @property
    def id(self) -> str:
        return ids.group_id(self.subscription, self.name)


Reaper = Callable[[Any, datetime], None]


class Records:
    """Groups and resources. A `reaper` of a type cleans up behind a resource that goes with its group."""

    def __init__(self) -> None:
        self.subscriptions: dict[str, str] = {}
        self.subscription_tags: dict[str, dict[str, str]] = {}
        self._groups: dict[str, Group] = {}
        self._resources: dict[str, dict[str, Record]] = {}
        self._kinds: dict[str, dict[str, Record]] = {}
        self._reapers: dict[str, Reaper] = {}

    def reap_with(self, kind: str, reaper: Reaper) -> None:
        self._reapers[kind.lower()] = reaper

    def add_group(self, group: Group) -> Group:
        self.subscriptions.setdefault(group.subscription.lower(), group.subscription)
        self._resources.setdefault(group.id.lower(), {})
        self._groups[group.id.lower()] = group
        return group

    def group(self, subscription: str, name: str) -> Group | None:
        return self._groups.get(ids.group_id(subscription, name).lower())

    def groups(self, subscription: str) -> list[Group]:
        return [
            group for group in self._groups.values() if group.subscription.lower() == subscription.lower()
        ]

    def remove_group(self, group: Group, now: datetime) -> None:
        for record in list(self.in_group(group)):
            self.remove(record.id)
            reaper = self._reapers.get(record.kind.lower())
            if reaper is not None:
                reaper(record, now)
        self._groups.pop(group.id.lower(), None)
        self._resources.pop(group.id.lower(), None)

    def put(self, record: Record) -> None:
        """Raises KeyError where its resource group does not exist."""
        key = record.id.lower()
        self._resources[_group_of(key)][key] = record
        self._kinds.setdefault(record.kind.lower(), {})[key] = record

    def get(self, resource_id: str) -> Record | None:
        return self._resources.get(_group_of(resource_id), {}).get(resource_id.lower())

    def remove(self, resource_id: str) -> Record | None:
        key = resource_id.lower()
        found = self._resources.get(_group_of(key), {}).pop(key, None)
        if found is not None:
            self._kinds[found.kind.lower()].pop(key)
        return found

    def in_group(self, group: Group) -> Iterator[Record]:
        yield from self._resources.get(group.id.lower(), {}).values()

    def of_kind(self, kind: str, scope: str) -> list[Record]:
        """Every resource of a type at or below a subscription, a group or a parent resource.

        It looks at a copy, since slow work reads records while others write them.
        """
        below = scope.lower().rstrip("/") + "/"
        return [
            record for key, record in list(self._kinds.get(kind.lower(), {}).items()) if key.startswith(below)
        ]


def _group_of(resource_id: str) -> str:
    return "/".join(resource_id.lower().split("/", 5)[:5])
