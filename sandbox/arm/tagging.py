"""Tags at any scope: changed one by one, whatever their resource is doing, and nothing else of it with them.

What names may hold, and how long names and values may be, is from Azure's page on tags, as is that names are
compared without case. How a set changes is from the reference of Tags - Update At Scope.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.arm import events
from sandbox.arm.errors import ArmError, bad_request, conflict, resource_not_found
from sandbox.arm.records import Group
from sandbox.arm.router import Route
from sandbox.http import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.records import Record

    Change = Callable[[Mapping[str, str], Mapping[str, str]], dict[str, str]]

API_VERSIONS = (
    "2019-10-01",
    "2020-06-01",
    "2020-10-01",
    "2021-01-01",
    "2021-04-01",
    "2022-09-01",
    "2024-07-01",
    "2024-11-01",
    "2025-04-01",
)
TYPE = "Microsoft.Resources/tags"
MOST_TAGS, LONGEST_NAME, LONGEST_VALUE = 50, 512, 256
LONGEST_ACCOUNT_TAG = 128
_ACCOUNTS = "microsoft.storage/storageaccounts"
_SUFFIX = f"/providers/{TYPE}/default"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_RESERVED = re.compile(r"[<>%&\\?/\x00-\x1f\x7f]")


class Tagging:
    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric

    def routes(self) -> list[Route]:
        one = f"{_GROUP}/providers/{{namespace}}/{{type0}}/{{name0}}"
        two, three = (
            one + "".join(f"/{{type{level}}}/{{name{level}}}" for level in range(1, levels))
            for levels in (2, 3)
        )
        table: tuple[tuple[str, Callable[[Context], Response], str], ...] = (
            ("GET", self._get, "read"),
            ("PUT", self._put, "write"),
            ("PATCH", self._patch, "write"),
            ("DELETE", self._delete, "delete"),
        )
        return [
            Route(method, f"{scope}{_SUFFIX}", handler, f"{TYPE}/{verb}", API_VERSIONS)
            for scope in ("/subscriptions/{subscription}", _GROUP, one, two, three)
            for method, handler, verb in table
        ]

    def _get(self, context: Context) -> Response:
        scope, tags = self._read(context)
        return Response.of(200, _document(scope, tags))

    def _put(self, context: Context) -> Response:
        return self._write(context, replaced, _sent(context.body()))

    def _patch(self, context: Context) -> Response:
        body = context.body()
        operation = body.get("operation")
        change = CHANGES.get(operation.lower()) if isinstance(operation, str) else None
        if change is None:
            raise bad_request(
                "InvalidRequestContent",
                "The request content was invalid: 'operation' must be one of 'Replace', 'Merge', 'Delete', "
                f"not '{operation}'.",
            )
        return self._write(context, change, _sent(body))

    def _delete(self, context: Context) -> Response:
        answer = self._write(context, replaced, {}, verb="delete")
        return Response(answer.status)

    def _write(
        self, context: Context, change: Change, sent: Mapping[str, str], verb: str = "write"
    ) -> Response:
        scope, tags = self._read(context)
        target = self._target(context)
        _check_not_going(target)
        wanted = change(tags, sent)
        _check(wanted, target)
        if target is None:
            self._fabric.records.subscription_tags[context.params["subscription"].lower()] = wanted
        else:
            target.tags = wanted
        operation = f"{TYPE}/{verb}"
        events.publish(self._fabric, context.origin, f"{scope}{_SUFFIX}", operation, "Success", context.now)
        return Response.of(200, _document(scope, wanted))

    def _read(self, context: Context) -> tuple[str, dict[str, str]]:
        """The scope in its own spelling, and what it is tagged with."""
        target = self._target(context)
        if target is not None:
            return target.id, dict(target.tags)
        records = self._fabric.records
        key = context.params["subscription"].lower()
        return f"/subscriptions/{records.subscriptions[key]}", dict(records.subscription_tags.get(key, {}))

    def _target(self, context: Context) -> Group | Record | None:
        """None is the subscription itself. Raises ArmError 404."""
        params, records = context.params, self._fabric.records
        if "group" not in params:
            return None
        if "namespace" not in params:
            return records.group(params["subscription"], params["group"])
        path = context.request.path[: -len(_SUFFIX)]
        found = records.get(path)
        if found is None:
            segments = path.split("/")
            kind, names = "/".join((segments[6], *segments[7::2])), "/".join(segments[8::2])
            raise resource_not_found(kind, names, params["group"])
        return found


def replaced(_tags: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str]:
    return dict(sent)


def merged(tags: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str]:
    """A name that is there keeps its spelling, and gets the new value."""
    spelt = {name.lower(): name for name in tags}
    return {**tags, **{spelt.get(name.lower(), name): value for name, value in sent.items()}}


def without(tags: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str]:
    """By name where no value is given; by name and value otherwise, and values have case."""
    going = {name.lower(): value for name, value in sent.items()}
    return {name: value for name, value in tags.items() if going.get(name.lower()) not in ("", value)}


CHANGES: dict[str, Change] = {"replace": replaced, "merge": merged, "delete": without}


def _sent(body: Mapping[str, Any]) -> dict[str, str]:
    properties = body.get("properties")
    tags = properties.get("tags") if isinstance(properties, dict) else None
    if not isinstance(tags, dict):
        raise bad_request(
            "InvalidRequestContent",
            "The request content was invalid: expected an object of tags at 'properties.tags'.",
        )
    wrong = [name for name, value in tags.items() if not isinstance(value, str | None)]
    if wrong:
        raise bad_request(
            "InvalidRequestContent",
            f"The request content was invalid: the value of the tag '{wrong[0]}' is not a string.",
        )
    lowered = [name.lower() for name in tags]
    twice = sorted({name for name in lowered if lowered.count(name) > 1})
    if twice:
        raise bad_request(
            "DuplicateTagNames", f"The tag names '{', '.join(twice)}' stand there more than once."
        )
    return {name: value or "" for name, value in tags.items()}


def _check(tags: Mapping[str, str], target: Group | Record | None) -> None:
    """What the set may be afterwards. Raises ArmError 400."""
    account = target is not None and not isinstance(target, Group) and target.kind.lower() == _ACCOUNTS
    longest = LONGEST_ACCOUNT_TAG if account else LONGEST_NAME
    if len(tags) > MOST_TAGS:
        raise bad_request(
            "TagCountLimitExceeded",
            f"There would be {len(tags)} tags. The maximum number of tags is {MOST_TAGS}.",
        )
    bad = [name for name in tags if not name.strip() or _RESERVED.search(name)]
    if bad:
        raise bad_request(
            "InvalidTagNameCharacters",
            f"The tag names '{', '.join(bad)}' have reserved characters '<,>,%,&,\\,?,/' or control "
            "characters, or are empty.",
        )
    for name, value in tags.items():
        if len(name) > longest:
            raise bad_request(
                "InvalidTagName",
                f"Tag key too large. Following tag name '{name}' exceeded the maximum length. Maximum "
                f"allowed length for tag key - '{longest}' characters.",
            )
        if len(value) > LONGEST_VALUE:
            raise bad_request(
                "InvalidTagValueLength",
                f"Tag value too large. The value of the tag '{name}' exceeded the maximum length. Maximum "
                f"allowed length for tag value - '{LONGEST_VALUE}' characters.",
            )


def _check_not_going(target: Group | Record | None) -> None:
    """Groups on their way out are refused before a handler runs, but for DELETE."""
    state = getattr(target, "state", None) or getattr(target, "properties", {}).get("provisioningState")
    if target is not None and state == "Deleting":
        raise _going(target)


def _going(target: Group | Record) -> ArmError:
    return conflict(
        f"The tags of '{target.id}' cannot be changed, since it is being deleted.", "OperationNotAllowed"
    )


def _document(scope: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": f"{scope}{_SUFFIX}",
        "name": "default",
        "type": TYPE,
        "properties": {"tags": dict(tags)},
    }
