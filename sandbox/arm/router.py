"""One table of routes, matched by method and path without regard to case; what is not in it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.arm.context import Context
from sandbox.arm.errors import ArmError, bad_request
from sandbox.http import Request, Response

Handler = Callable[[Context], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """`{name}` in the template binds one segment. `action` None is open to everybody with a token.

    The scope of a role check is the path, less the last segment of an action, or `/providers/N/t` of a list.
    """

    method: str
    template: str
    handler: Handler
    action: str | None = None
    versions: tuple[str, ...] = ()
    anonymous: bool = False
    segments: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(self.template.strip("/").split("/")))

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        found: dict[str, str] = {}
        for expected, given in zip(self.segments, segments, strict=True):
            if expected[0] == "{":
                found[expected[1:-1]] = given
            elif expected.lower() != given.lower():
                return None
        return found


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_length: dict[int, list[Route]] = {}
        for route in routes:
            self._by_length.setdefault(len(route.segments), []).append(route)

    def find(self, request: Request) -> tuple[Route, Mapping[str, str]]:
        """Raises ArmError for a path that leads nowhere, a method that it has not, or no api-version."""
        segments = tuple(request.path.strip("/").split("/"))
        allowed = []
        for route in self._by_length.get(len(segments), ()):
            params = route.match(segments)
            if params is None:
                continue
            if route.method == request.method:
                _check_segments(request.path, segments)
                _check_version(route, request, params)
                return route, params
            allowed.append(route.method)
        if allowed:
            raise ArmError(
                405,
                "MethodNotAllowed",
                f"The requested resource does not support http method '{request.method}'.",
                headers={"Allow": ", ".join(sorted(allowed))},
            )
        raise _nowhere(request.path, segments)


def scope_of(method: str, segments: tuple[str, ...]) -> str:
    """The id that a role has to reach for a call on this path."""
    parts = list(segments)
    if len(parts) % 2 and method == "POST":
        parts = parts[:-1]
    elif len(parts) % 2:
        parts = parts[:-1]
        if len(parts) >= 2 and parts[-2].lower() == "providers":
            parts = parts[:-2]
    return "/" + "/".join(parts)


def _check_segments(path: str, segments: tuple[str, ...]) -> None:
    if any(segment in ("", ".", "..") or "\\" in segment or "%" in segment for segment in segments):
        raise bad_request("InvalidRequestUri", f"The request path '{path}' has an empty or relative segment.")


def _check_version(route: Route, request: Request, params: Mapping[str, str]) -> None:
    version = request.param("api-version")
    if route.anonymous and version is None:
        return
    if not version:
        raise bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if route.versions and version not in route.versions:
        namespace, *types = route.segments[_last_provider(route.segments) + 1 :]
        kind = types[0::2][-1] if types else ""
        raise bad_request(
            "InvalidResourceType" if "group" in params else "NoRegisteredProviderFound",
            f"The resource type '{kind}' could not be found in the namespace '{namespace}' for api version "
            f"'{version}'. The supported api-versions are '{','.join(route.versions)}'.",
        )


def _last_provider(segments: tuple[str, ...]) -> int:
    """An extension such as tags has two: its own stands behind that of the resource."""
    return max(at for at, segment in enumerate(segments) if segment.lower() == "providers")


def _nowhere(path: str, segments: tuple[str, ...]) -> ArmError:
    lowered = [segment.lower() for segment in segments]
    if "providers" in lowered and lowered.index("providers") + 1 < len(segments):
        namespace = segments[lowered.index("providers") + 1]
        return ArmError(
            404,
            "InvalidResourceType",
            f"The resource type of '{path}' could not be found in the namespace '{namespace}'.",
        )
    return ArmError(404, "NotFound", f"No resource or operation is at '{path}'.")
