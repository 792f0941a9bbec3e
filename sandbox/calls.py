"""Every call that reached a service, refused ones too: for budgets, for roles, and to prove audiences."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Call:
    """`status` is what the client was sent, 0 where the connection was dropped in place of an answer.

    `action` is the Azure RBAC action or data action that the call needed, `linked` those on
    resources that it refers to.
    """

    service: str
    method: str
    path: str
    query: str
    status: int
    at: datetime
    audience: str | None = None
    principal: str | None = None
    action: str | None = None
    linked: tuple[str, ...] = ()
    correlation: str | None = None


_HISTORY = 500_000
"""Calls remembered: a world that is kept for days must not grow without end."""


class CallLog:
    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_HISTORY)

    def append(self, call: Call) -> None:
        self._calls.append(call)

    def list(self, service: str | None = None, principal: str | None = None) -> tuple[Call, ...]:
        return tuple(
            call
            for call in self._calls
            if (service is None or call.service == service)
            and (principal is None or call.principal == principal)
        )

    def clear(self) -> None:
        self._calls.clear()

    def counts(self) -> Counter[tuple[str, str, str | None]]:
        """How many calls of each (service, method, action)."""
        return Counter((call.service, call.method, call.action) for call in self._calls)

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(tuple(self._calls))
