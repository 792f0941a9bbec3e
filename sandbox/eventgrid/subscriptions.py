"""Event subscriptions as the customer writes them down, with the limits that Azure puts on them.

One file serves the sandbox and the deployment, so what Azure would refuse is refused here already, all
faults at once.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

MAX_FILTERS: Final = 25
MAX_VALUES: Final = 25  # over all filters of one subscription
MAX_VALUE_LENGTH: Final = 512
MAX_SUBSCRIPTIONS: Final = 500  # per topic

TopicAlias = Literal["factory", "subscription"]

Operator = Literal[
    "BoolEquals",
    "IsNotNull",
    "IsNullOrUndefined",
    "NumberGreaterThan",
    "NumberGreaterThanOrEquals",
    "NumberIn",
    "NumberInRange",
    "NumberLessThan",
    "NumberLessThanOrEquals",
    "NumberNotIn",
    "NumberNotInRange",
    "StringBeginsWith",
    "StringContains",
    "StringEndsWith",
    "StringIn",
    "StringNotBeginsWith",
    "StringNotContains",
    "StringNotEndsWith",
    "StringNotIn",
]

_TOP_LEVEL_KEYS: Final = ("id", "topic", "subject", "eventtype", "dataversion")
_ONE_VALUE: Final = frozenset(
    {
        "BoolEquals",
        "NumberGreaterThan",
        "NumberGreaterThanOrEquals",
        "NumberLessThan",
        "NumberLessThanOrEquals",
    }
)
_NO_VALUE: Final = frozenset({"IsNotNull", "IsNullOrUndefined"})


class SubscriptionFault(ValueError):
    """The file of event subscriptions is not acceptable; the message has one line per fault."""


class AdvancedFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    operator_type: Operator
    key: str
    value: bool | int | float | None = None
    values: tuple[bool | int | float | str | tuple[float, float], ...] = ()

    @property
    def operands(self) -> tuple[object, ...]:
        return (self.value,) if self.operator_type in _ONE_VALUE else self.values


class EventSubscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Which events of a topic go to which function."""

    name: str
    topic: TopicAlias
    function: str
    included_event_types: tuple[str, ...] = ()
    advanced_filters: tuple[AdvancedFilter, ...] = ()
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    is_subject_case_sensitive: bool = False
    max_delivery_attempts: int = 30
    event_time_to_live_in_minutes: int = 1440


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subscriptions: tuple[EventSubscription, ...]


def load_subscriptions(path: Path) -> tuple[EventSubscription, ...]:
    return parse_subscriptions(path.read_bytes(), str(path))


def parse_subscriptions(text: bytes, where: str) -> tuple[EventSubscription, ...]:
    """Decode the file's text; raise `SubscriptionFault` with every fault that is found."""
    try:
        subscriptions = msgspec.json.decode(text, type=_File).subscriptions
    except msgspec.DecodeError as error:
        raise SubscriptionFault(f"{where}: {error}") from error
    faults = [*_clashes(subscriptions)]
    for subscription in subscriptions:
        faults += [f"subscription {subscription.name!r}: {fault}" for fault in _faults(subscription)]
    if faults:
        raise SubscriptionFault("\n".join(f"{where}: {fault}" for fault in faults))
    return subscriptions


def _clashes(subscriptions: tuple[EventSubscription, ...]) -> Iterator[str]:
    names = Counter(subscription.name.lower() for subscription in subscriptions)
    for name, times in names.items():
        if times > 1:
            yield f"subscription {name!r} is defined {times} times; names must differ in more than case"
    for topic, count in Counter(subscription.topic for subscription in subscriptions).items():
        if count > MAX_SUBSCRIPTIONS:
            yield f"topic {topic!r} has {count} subscriptions; Event Grid allows {MAX_SUBSCRIPTIONS}"


def _faults(subscription: EventSubscription) -> Iterator[str]:
    filters = subscription.advanced_filters
    if not 3 <= len(subscription.name) <= 64 or not subscription.name.replace("-", "").isalnum():
        yield "the name must have 3 to 64 letters, digits or hyphens"
    if len(filters) > MAX_FILTERS:
        yield f"{len(filters)} advanced filters; Event Grid allows {MAX_FILTERS}"
    values = sum(len(each.operands) for each in filters)
    if values > MAX_VALUES:
        yield f"{values} filter values in all; Event Grid allows {MAX_VALUES}"
    if not 1 <= subscription.max_delivery_attempts <= 30:
        yield f"maxDeliveryAttempts is {subscription.max_delivery_attempts}; 1 to 30 is allowed"
    minutes = subscription.event_time_to_live_in_minutes
    if not 1 <= minutes <= 1440:
        yield f"eventTimeToLiveInMinutes is {minutes}; 1 to 1440 is allowed"
    for each in filters:
        yield from (f"filter on {each.key!r}: {fault}" for fault in _filter_faults(each))


def _filter_faults(each: AdvancedFilter) -> Iterator[str]:
    head, *nested = each.key.lower().split(".")
    if head == "data":
        # claims have URLs as names: their dots make them deeper than Event Grid looks
        if not 1 <= len(nested) <= 2 or not all(nested):
            yield "a key may go two levels into data, as in data.key1.key2"
    elif head not in _TOP_LEVEL_KEYS or nested:
        yield f"expected one of {', '.join(_TOP_LEVEL_KEYS)} or data.…"
    yield from _operand_faults(each)


def _operand_faults(each: AdvancedFilter) -> Iterator[str]:
    operator = each.operator_type
    if operator in _NO_VALUE:
        if each.values or each.value is not None:
            yield f"{operator} takes no value"
        return
    if operator in _ONE_VALUE:
        if each.value is None or each.values:
            yield f"{operator} takes one value, under 'value'"
    elif not each.values or each.value is not None:
        yield f"{operator} takes a list, under 'values'"
    expected = _operand_type(operator)
    for operand in each.operands:
        if operand is not None and not _fits(operand, expected):
            yield f"{operator} compares {expected} values, not {operand!r}"
        elif isinstance(operand, str) and len(operand) > MAX_VALUE_LENGTH:
            yield f"a value has {len(operand)} characters; Event Grid allows {MAX_VALUE_LENGTH}"


def _operand_type(operator: str) -> str:
    if operator.endswith("InRange"):
        return "range"
    return "text" if operator.startswith("String") else "boolean" if operator == "BoolEquals" else "number"


def _fits(operand: object, expected: str) -> bool:
    match expected:
        case "text":
            return isinstance(operand, str)
        case "boolean":
            return isinstance(operand, bool)
        case "range":
            return isinstance(operand, tuple)
        case _:
            return isinstance(operand, int | float) and not isinstance(operand, bool)
