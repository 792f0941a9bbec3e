"""The bodies that the control endpoint takes; unknown keys are refused, so a typo is never a silent no."""

from typing import Annotated, Any, Literal

import msgspec

from sandbox.arm.imagebuilder.outcomes import Outcome
from sandbox.arm.marketplace import State
from sandbox.identity.tokens import OPERATOR

ARM = "https://management.azure.com"


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class NewVersion(Order, frozen=True):
    publisher: str
    offer: str
    sku: str
    version: str
    regions: tuple[str, ...] | None = None


class Deprecate(Order, frozen=True):
    publisher: str
    offer: str
    sku: str
    version: str
    state: State = "Deprecated"
    at: str | None = None
    alternative: str | None = None


class NewFault(Order, frozen=True):
    """As in sandbox/faults.py."""

    service: str
    action: Literal["status", "drop", "delay", "kill_host"]
    when: Literal["before", "after"] = "before"
    method: str | None = None
    path: str = ""
    nth: int = 1
    count: int = 1
    status: int = 503
    code: str = "ServiceUnavailable"
    retry_after: int | None = None
    seconds: float = 0.0
    id: str = ""


class Plan(Order, frozen=True):
    """How the next runs of a template end; `template` is its resource id or its name."""

    template: str
    outcomes: tuple[Outcome, ...]


class Replication(Order, frozen=True):
    """What happens to replications to come: `version` and `region` are patterns (`windows-2022/1.*`).

    The first `fails` of them fail, saying `details`; one that hangs never ends by itself.
    """

    version: str = "*"
    region: str = "*"
    fails: Annotated[int, msgspec.Meta(ge=0)] = 0
    hangs: bool = False
    seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    details: str = "Failed with internal server error."


class TokenOrder(Order, frozen=True):
    principal: str = OPERATOR
    audience: str = ARM
    lifetime_seconds: Annotated[float, msgspec.Meta(gt=-86400 * 365)] = 3600


class Assignment(Order, frozen=True):
    principal: str
    role: str
    scope: str


class HostOrder(Order, frozen=True):
    restart: bool


class Disturb(Order, frozen=True):
    copies: int = 1
    shuffle_seed: int | None = None
    spread: float = 5.0
    drop: str | None = None


class Refused(Exception):
    """The order cannot be carried out; the message says why and what would do."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def decode(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        names = ", ".join(kind.__struct_fields__)
        raise Refused(f"{error}. The keys are: {names}.") from error
    except msgspec.DecodeError as error:
        raise Refused(f"The body is not JSON: {error}.") from error
