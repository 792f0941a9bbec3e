"""Does an event go to a subscription? Event Grid's matching, which is unlike a programmer's in places.

Text compares without case, a missing field fails every test except the negative ones, and an array never
matches (filtering on arrays is an option that the factory's subscriptions do not use).
"""

from collections.abc import Callable, Mapping
from typing import Final, cast

from sandbox.eventgrid.subscriptions import AdvancedFilter, EventSubscription

_MISSING: Final = object()

Test = Callable[[str, str], bool]
_TEXT: Final[Mapping[str, Test]] = {
    "In": lambda value, operand: value == operand,
    "Contains": lambda value, operand: operand in value,
    "BeginsWith": lambda value, operand: value.startswith(operand),
    "EndsWith": lambda value, operand: value.endswith(operand),
}
_NUMBER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "In": lambda value, operand: value == operand,
    "GreaterThan": lambda value, operand: value > operand,
    "GreaterThanOrEquals": lambda value, operand: value >= operand,
    "LessThan": lambda value, operand: value < operand,
    "LessThanOrEquals": lambda value, operand: value <= operand,
}


def matches(subscription: EventSubscription, event: Mapping[str, object]) -> bool:
    """All filters must agree; within one filter any of its values does."""
    types = {each.lower() for each in subscription.included_event_types}
    kind = event.get("eventType", event.get("type", ""))  # the second in a CloudEvent
    if types and "all" not in types and str(kind).lower() not in types:
        return False
    return _subject_matches(subscription, str(event.get("subject", ""))) and all(
        _passes(each, event) for each in subscription.advanced_filters
    )


def _subject_matches(subscription: EventSubscription, subject: str) -> bool:
    begin, end = subscription.subject_begins_with, subscription.subject_ends_with
    if not subscription.is_subject_case_sensitive:
        subject, begin, end = subject.lower(), begin.lower(), end.lower()
    return subject.startswith(begin) and subject.endswith(end)


def _passes(each: AdvancedFilter, event: Mapping[str, object]) -> bool:
    value = _lookup(event, each.key)
    operator = each.operator_type
    if operator == "IsNullOrUndefined":
        return value is _MISSING or value is None
    if operator == "IsNotNull":
        return value is not _MISSING and value is not None
    if operator == "BoolEquals":
        return isinstance(value, bool) and value is each.value
    kind, negative, test = _split(operator)
    if not _comparable(value, kind):
        # "not in" holds for what is not there at all; a value of another type matches nothing
        return negative and (value is _MISSING or value is None)
    hit = any(_compare(kind, test, value, operand) for operand in each.operands)
    return hit is not negative


def _split(operator: str) -> tuple[str, bool, str]:
    """Split "StringNotBeginsWith" into kind, negation and test."""
    kind = "String" if operator.startswith("String") else "Number"
    test = operator.removeprefix(kind)
    return kind, test.startswith("Not"), test.removeprefix("Not")


def _comparable(value: object, kind: str) -> bool:
    if kind == "String":
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _compare(kind: str, test: str, value: object, operand: object) -> bool:
    if kind == "String":
        return _TEXT[test](str(value).lower(), str(operand).lower())
    number = cast("float", value)
    if test == "InRange":
        low, high = cast("tuple[float, float]", operand)
        return low <= number <= high
    return _NUMBER[test](number, cast("float", operand))


def _lookup(event: Mapping[str, object], key: str) -> object:
    value: object = event
    for part in key.split("."):
        if not isinstance(value, Mapping):
            return _MISSING
        if part in value:
            value = value[part]
            continue
        folded = {str(name).lower(): name for name in value}
        if part.lower() not in folded:
            return _MISSING
        value = value[folded[part.lower()]]
    return value
