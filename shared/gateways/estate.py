"""Resource Graph, and resources by their id: what there is, who uses it, what is to be deleted.

Resource Graph leaves out, without a word, what the identity may not read. So what it says is believed only
after `readable` has proven for a subscription that lists of it are not refused.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from shared.domain.errors import Invalid, Missing, RetryableError, Throttled, WrongState
from shared.domain.estate import Content, Seen

from .arm import arm_call, at, text_at
from .connection import Connection
from .errors import Call, Meaning, Need, missing, never, saying
from .estate_documents import content, instances, resources, row_of, seen
from .resource_manager import ResourceManager

_GRAPH = "/providers/Microsoft.ResourceGraph/resources"
_GRAPH_VERSION = "2022-10-01"
_PAGE = 1000
"""Rows; the most that Resource Graph gives at once."""
_WINDOW = timedelta(seconds=5)
"""Of the quota of queries."""
_PATIENCE = 6
"""How often one page is waited for: less than a minute in all."""
_VERSIONS = {
    "microsoft.compute/galleries/images/versions": "2024-03-03",
    "microsoft.compute/images": "2024-07-01",
    "microsoft.virtualmachineimages/imagetemplates": "2024-02-01",
    "": "2021-04-01",
}
"""The API version by the type of a resource; the last is that of resource groups and of tags."""
_PROOFS = (
    ("Microsoft.Compute/virtualMachines", "2024-07-01"),
    ("Microsoft.Compute/virtualMachineScaleSets", "2024-07-01"),
    ("Microsoft.VirtualMachineImages/imageTemplates", "2024-02-01"),
    ("Microsoft.LabServices/labs", "2023-06-07"),
)
"""A list over a whole subscription is refused to a role that does not reach that far.

A subscription in which a provider is not registered has none of its resources.
"""
_NOT_NOW: Mapping[int | tuple[int, str], Meaning] = {
    (409, "DeleteGalleryImageVersionBlockedBeforeEndOfLife"): never,
    409: saying(WrongState, "its state does not allow that now"),
    (400, "OperationNotAllowed"): saying(WrongState, "its state does not allow that now"),
}


class ArmEstate:
    """`ports.Estate`. Each call is one request, or one a page; none is ever re-sent."""

    def __init__(
        self, endpoint: str, connection: Connection, pause: Callable[[float], None], *, page: int = _PAGE
    ) -> None:
        self._arm = ResourceManager(endpoint, connection)
        self._pause = pause
        self._page = page

    def resources(self, scope: tuple[str, ...], near: tuple[str, ...] = ()) -> Iterator[Seen]:
        return self._query(resources(near), scope, patient=not near)

    def instances(self, scope: tuple[str, ...], near: tuple[str, ...] = ()) -> Iterator[Seen]:
        return self._query(instances(near), scope, patient=not near)

    def readable(self, subscription: str) -> None:
        for kind, version in _PROOFS:
            scope = f"/subscriptions/{subscription}"
            need = Need(f"{kind}/read", "Reader", scope)
            doing = f"listing {kind.split('/')[1]} of subscription {subscription}"
            call = arm_call(doing, need, {(409, "MissingSubscriptionRegistration"): missing})
            with contextlib.suppress(Missing):
                self._arm.send(call, "GET", f"{scope}/providers/{kind}", version)

    def read(self, id: str) -> Seen | None:
        call = arm_call(f"reading {id}", _need(id, "read", "Reader"))
        try:
            return seen(row_of(self._arm.send(call, "GET", id, _version(id))))
        except Missing:
            return None

    def contents(self, group: str) -> tuple[Content, ...]:
        kind = "Microsoft.Resources/subscriptions/resourceGroups/resources"
        call = arm_call(f"listing what is in {group}", Need(f"{kind}/read", "Reader", group))
        page = self._arm.send(call, "GET", f"{group}/resources", _VERSIONS[""])
        found, more = at(page, "value"), text_at(page, "nextLink")
        if not isinstance(found, list) or more:  # a staging group holds a handful
            raise RetryableError(f"{group} holds more than one page tells, or what it holds cannot be read")
        return tuple(content(each) for each in found)

    def delete(self, id: str) -> None:
        call = arm_call(f"deleting {id}", _need(id, "delete", "Contributor"), _NOT_NOW)
        self._arm.send(call, "DELETE", id, _version(id))

    def cancel(self, id: str) -> None:
        call = arm_call(f"cancelling {id}", _need(id, "cancel/action", "Contributor"), _NOT_NOW)
        self._arm.send(call, "POST", f"{id}/cancel", _version(id))

    def restore(self, id: str, location: str) -> None:
        call = arm_call(f"restoring {id}", _need(id, "write", "Contributor"), _NOT_NOW)
        body = {"location": location, "properties": {"restore": True}}
        self._arm.send(call, "PUT", id, _version(id), body)

    def merge_tags(self, id: str, tags: Mapping[str, str]) -> None:
        self._tag(id, "Merge", tags)

    def remove_tags(self, id: str, tags: Mapping[str, str]) -> None:
        self._tag(id, "Delete", tags)

    def _tag(self, id: str, operation: str, tags: Mapping[str, str]) -> None:
        need = Need("Microsoft.Resources/tags/write", "Tag Contributor", id)
        call = arm_call(f"tagging {id}", need, _NOT_NOW)
        body = {"operation": operation, "properties": {"tags": dict(tags)}}
        self._arm.send(call, "PATCH", f"{id}/providers/Microsoft.Resources/tags/default", _VERSIONS[""], body)

    def _query(self, query: str, scope: tuple[str, ...], *, patient: bool) -> Iterator[Seen]:
        """One request a page, in the order of ids.

        Resources that come or go between two pages shift the rest: rows are missed, or come twice. So if the
        total changes, or the order breaks, that is a listing that failed half-way, and RetryableError.
        """
        need = Need("Microsoft.Resources/subscriptions/read", "Reader", f"/subscriptions/{scope[0]}")
        call = arm_call("asking Resource Graph", need)
        options: dict[str, Any] = {"$top": self._page, "resultFormat": "objectArray"}
        body = {"subscriptions": list(scope), "query": query, "options": options}
        ids, totals = list[str](), set[int]()
        while True:
            page = self._page_of(call, body, patient=patient)
            found, after, total = at(page, "data"), text_at(page, "$skipToken"), at(page, "totalRecords")
            if not isinstance(found, list) or not isinstance(total, int):
                raise RetryableError("Resource Graph has answered something else than a list of rows")
            ids += [text_at(row, "id").lower() for row in found]
            totals.add(total)
            yield from map(seen, found)
            if not after:
                break
            body = {**body, "options": {**options, "$skipToken": after}}
        if totals != {len(ids)} or len(set(ids)) != len(ids):
            raise RetryableError(
                "something came or went while Resource Graph was listing it; asked again later"
            )

    def _page_of(self, call: Call, body: dict[str, Any], *, patient: bool) -> Any:
        """A long listing takes more queries than the quota has, 15 in 5 seconds: it waits for the rest."""
        for _ in range(_PATIENCE if patient else 0):
            try:
                return self._arm.send(call, "POST", _GRAPH, _GRAPH_VERSION, body)
            except Throttled as error:
                self._pause(min((error.delay or _WINDOW).total_seconds(), 2 * _WINDOW.total_seconds()))
        return self._arm.send(call, "POST", _GRAPH, _GRAPH_VERSION, body)


def _type(id: str) -> str:
    _, slash, tail = id.lower().rpartition("/providers/")
    parts = tail.split("/")
    return "/".join((parts[0], *parts[1::2])) if slash else ""


def _version(id: str) -> str:
    try:
        return _VERSIONS[_type(id)]
    except KeyError:
        raise Invalid(f"{id[:200]!r} is none of what retention deals with") from None


def _need(id: str, verb: str, role: str) -> Need:
    kind = _type(id) or "Microsoft.Resources/subscriptions/resourceGroups"
    return Need(f"{kind}/{verb}", role, id.rsplit("/providers/", 1)[0])
