"""What a recording of Resource Manager's traffic says about the world that it was made in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.arm import ids

if TYPE_CHECKING:
    from collections.abc import Iterable

Interaction = Mapping[str, Any]
_SIZES = ("sizeInGB", "diskSizeGB")


@dataclass(frozen=True, slots=True)
class Write:
    """A PUT that was accepted and, as far as was looked, succeeded. `created` if it made the resource."""

    path: str
    kind: str
    body: Mapping[str, Any]
    created: bool

    @property
    def location(self) -> str:
        return str(self.body.get("location") or "").replace(" ", "").lower()


class Recording:
    def __init__(self, interactions: Iterable[Interaction]) -> None:
        self._interactions = list(interactions)
        self._writes = list(self._read_writes())
        self._created = {write.path.lower() for write in self._writes if write.created}

    def writes(self) -> list[Write]:
        """The first of each resource, in their order."""
        return self._writes

    def makes(self, resource_id: str) -> bool:
        """Whether the recording itself makes the resource; then it was not there before."""
        return resource_id.lower() in self._created

    def first_read(self, resource_id: str) -> dict[str, Any] | None:
        """The resource as it was read first; where nobody read it, as its first update answered."""
        wanted = resource_id.lower()
        found = [
            (request["method"] != "GET", response["body"])
            for request, response in self._exchanges()
            if _path(request).lower() == wanted
            and response["status"] == 200
            and isinstance(response["body"], dict)
        ]
        return min(found, key=lambda each: each[0])[1] if found else None

    def actions(self, resource_id: str) -> list[str]:
        """The accepted actions on a resource, in their order."""
        prefix = resource_id.lower() + "/"
        return [
            _path(request).rsplit("/", 1)[1]
            for request, response in self._exchanges()
            if request["method"] == "POST"
            and _path(request).lower().startswith(prefix)
            and response["status"] < 300
        ]

    def size_gb(self, reference: str) -> int | None:
        """How large any answer says the disk is that refers to an id or an address."""
        return next((size for body in self._answers() for size in _sizes(body, reference.lower())), None)

    def told(self, resource_id: str, name: str) -> Any:
        """The first value that any answer about a resource gives to a member, however deep it stands."""
        wanted = resource_id.lower()
        for request, response in self._exchanges():
            if _path(request).lower() == wanted and isinstance(response["body"], dict):
                found = next(_members(response["body"], name), None)
                if found is not None:
                    return found
        return None

    def _exchanges(self) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        for interaction in self._interactions:
            yield interaction["request"], interaction["response"]

    def _answers(self) -> Iterator[dict[str, Any]]:
        yield from (
            response["body"] for _, response in self._exchanges() if isinstance(response["body"], dict)
        )

    def _read_writes(self) -> Iterator[Write]:
        states, known, written = self._states(), set[str](), set[str]()
        for request, response in self._exchanges():
            path, status, body = _path(request), response["status"], request["body"]
            key, parsed = path.lower(), ids.parse(path)
            if request["method"] == "GET" and status == 200:
                known.add(key)
            if request["method"] != "PUT" or parsed is None or key in written or not isinstance(body, dict):
                continue
            written.add(key)
            seen = states.get(key, [])
            if status < 300 and (not seen or "Succeeded" in seen):
                yield Write(path, parsed.kind, body, created=status != 200 and key not in known)

    def _states(self) -> dict[str, list[str]]:
        """What each resource was read to be, over time."""
        found: dict[str, list[str]] = {}
        for request, response in self._exchanges():
            body = response["body"]
            if request["method"] == "GET" and isinstance(body, dict):
                properties = body.get("properties")
                state = properties.get("provisioningState") if isinstance(properties, dict) else None
                if isinstance(state, str):
                    found.setdefault(_path(request).lower(), []).append(state)
        return found


def references(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a body that is the id of a resource or an address, with the member that it stands in."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from references(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner, name)
    elif isinstance(value, str) and (ids.parse(value) is not None or value.startswith("https://")):
        yield name, value


def _sizes(value: Any, reference: str) -> Iterator[int]:
    if isinstance(value, list):
        for inner in value:
            yield from _sizes(inner, reference)
    if not isinstance(value, dict):
        return
    for inner in value.values():
        yield from _sizes(inner, reference)
    size = next((value[name] for name in _SIZES if isinstance(value.get(name), int)), None)
    if size and any(text.lower() == reference for _, text in references(value)):
        yield size


def _members(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, dict):
        if name in value:
            yield value[name]
        for inner in value.values():
            yield from _members(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _members(inner, name)


def _path(request: Mapping[str, Any]) -> str:
    return str(request["path"]).split("?")[0]
