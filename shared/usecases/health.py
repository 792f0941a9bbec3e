"""Whether the factory is well: its configuration, its storage, Resource Manager and Event Grid.

Without a sound configuration or without storage nothing works: it is down. Without one of the others work
waits and is made up for: it is degraded. One request each, and what is wrong in a word: whoever asks may be
anybody, the details are in the logs.
"""

import enum
from collections.abc import Callable

import msgspec

from shared import telemetry
from shared.domain import keys
from shared.domain.errors import AccessDenied, FactoryError, Throttled, Unreachable
from shared.domain.factory import Factory
from shared.domain.records import FailedWork
from shared.ports import Outside


class Condition(enum.Enum):
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Part(msgspec.Struct, frozen=True):
    """One thing that the factory depends on."""

    name: str
    condition: Condition
    told: str
    """In a few words: `answers`, `access denied`, `throttled`, `no answer`."""


def examined(out: Outside, factory: Factory | None) -> tuple[Part, ...]:
    """`factory` is None if its configuration is faulty."""
    configuration = _part("configuration", "is sound" if factory else "is faulty", bad=factory is None)
    return (
        configuration,
        _asked("storage", Condition.DOWN, lambda: out.ledger.read(keys.failed_key("none"), FailedWork)),
        _asked("resource manager", Condition.DEGRADED, lambda: _ask_arm(out, factory)),
        _asked("event grid", Condition.DEGRADED, out.events.reach),
    )


def overall(parts: tuple[Part, ...]) -> Condition:
    order = list(Condition)
    return max((part.condition for part in parts), key=order.index)


def _part(name: str, told: str, *, bad: bool) -> Part:
    return Part(name, Condition.DOWN if bad else Condition.OK, told)


def _asked(name: str, otherwise: Condition, ask: Callable[[], object]) -> Part:
    try:
        ask()
    except FactoryError as error:
        telemetry.event("not-well", part=name, why=str(error))
        return Part(name, otherwise, next((w for kind, w in _WORDS if isinstance(error, kind)), "fails"))
    return Part(name, Condition.OK, "answers")


def _ask_arm(out: Outside, factory: Factory | None) -> None:
    image = next(iter(factory.images.values()), None) if factory else None
    if image:
        out.templates.get(image.template)


_WORDS: tuple[tuple[type[FactoryError], str], ...] = (
    (AccessDenied, "access denied"),
    (Throttled, "throttled"),
    (Unreachable, "no answer"),
)
