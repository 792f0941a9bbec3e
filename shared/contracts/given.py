"""What a part of `factory.yaml` says itself, and what it takes over from what stands around it."""

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from .faults import Finding

T = TypeVar("T")
U = TypeVar("U")


def given(part: msgspec.Struct | UnsetType) -> dict[str, Any]:
    """What is written down; the rest is the domain's defaults."""
    if isinstance(part, UnsetType):
        return {}
    values = msgspec.structs.asdict(part)
    return {name: value for name, value in values.items() if value is not UNSET}


def either(value: T | UnsetType, otherwise: U) -> T | U:
    return otherwise if isinstance(value, UnsetType) else value


def inherited(
    name: str,
    own: str | UnsetType,
    shared: str | UnsetType,
    path: tuple[str | int, ...],
    findings: list[Finding],
) -> str:
    """Empty where neither says it, which is a fault."""
    value = either(own, shared)
    if isinstance(value, str):
        return value
    findings.append(Finding(path, f"no {name}; expected one here or at the top of the file"))
    return ""
