"""One call on its way through a provider: what was asked, by whom, and which rights it needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.arm import ids
from sandbox.arm.errors import ArmError, bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sandbox.arm.access import Caller
    from sandbox.arm.fabric import Fabric
    from sandbox.http import Request


@dataclass(frozen=True, slots=True)
class Origin:
    """What an event tells about the request behind it; `caller` None is Azure itself."""

    caller: Caller | None
    correlation: str
    client_request: str | None
    method: str
    url: str


@dataclass(slots=True)
class Context:
    fabric: Fabric
    request: Request
    params: Mapping[str, str]
    caller: Caller
    now: datetime
    correlation: str
    action: str | None
    scope: str
    linked: list[str] = field(default_factory=list)

    @property
    def version(self) -> str:
        return self.request.param("api-version") or ""

    @property
    def origin(self) -> Origin:
        return Origin(
            self.caller,
            self.correlation,
            self.request.headers.get("x-ms-client-request-id"),
            self.request.method,
            f"{self.request.base}{self.request.target}",
        )

    @property
    def group_id(self) -> str:
        return ids.group_id(self.params["subscription"], self.params["group"])

    def body(self) -> dict[str, Any]:
        """The JSON object in the body. Raises ArmError where there is none."""
        try:
            found = self.request.json()
        except ValueError as error:
            raise bad_request(
                "InvalidRequestContent",
                f"The request content was invalid and could not be deserialized: '{error}'.",
            ) from error
        if not isinstance(found, dict):
            raise bad_request(
                "InvalidRequestContent", "The request content was invalid: expected a JSON object."
            )
        return found

    def permit(self) -> None:
        """Raises ArmError 403 where no role allows the call itself."""
        if self.action and not self.fabric.roles.allows(self.caller.name, self.action, self.scope):
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{self.caller.name}' with object id '{self.caller.object_id}' does not have "
                f"authorization to perform action '{self.action}' over scope '{self.scope}' or the scope is "
                "invalid. If access was recently granted, please refresh your credentials.",
            )

    def permit_linked(self, action: str, scope: str) -> None:
        """Raises ArmError 403 where the caller may not use a resource that the request refers to."""
        self.linked.append(action)
        if not self.fabric.roles.allows(self.caller.name, action, scope):
            raise ArmError(
                403,
                "LinkedAuthorizationFailed",
                f"The client '{self.caller.name}' with object id '{self.caller.object_id}' has permission "
                f"to perform action '{self.action}' on scope '{self.scope}'; however, it does not have "
                f"permission to perform action(s) '{action}' on the linked scope(s) '{scope}' (respectively) "
                "or the linked scope(s) are invalid.",
            )
