"""Compute's own limits on galleries: so many calls of a kind in three minutes and in thirty.

The numbers are those of recorded `x-ms-ratelimit-remaining-resource` headers, plus the call itself.
The refusal is Compute's: 429 with the code OperationNotAllowed, the real one in its details.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.arm.errors import ArmError

if TYPE_CHECKING:
    from sandbox.arm.context import Context

WINDOWS = (("3Min", timedelta(minutes=3)), ("30Min", timedelta(minutes=30)))
LIMITS = {
    "CreateUpdateGalleryImageVersion": (375, 1200),
    "DeleteGalleryImageVersion": (375, 1200),
    "GetGalleryImageVersion": (2000, 10000),
    "ListGalleryImageVersions": (2000, 10000),
}
RETRY_AFTER = "180"


class ResourceLimits:
    def __init__(self) -> None:
        self._calls: dict[tuple[str, str, str], deque[datetime]] = {}

    def take(self, name: str, context: Context) -> dict[str, str]:
        """Count one call; the header that says what is left. Raises ArmError 429 where nothing is."""
        left = []
        for (window, length), limit in zip(WINDOWS, LIMITS[name], strict=True):
            calls = self._calls.setdefault((context.params["subscription"].lower(), name, window), deque())
            while calls and calls[0] <= context.now - length:
                calls.popleft()
            if len(calls) >= limit:
                raise _exceeded(f"{name}{window}")
            calls.append(context.now)
            left.append(f"Microsoft.Compute/{name}{window};{limit - len(calls)}")
        return {"x-ms-ratelimit-remaining-resource": ",".join(left)}


def _exceeded(group: str) -> ArmError:
    return ArmError(
        429,
        "OperationNotAllowed",
        "The server rejected the request because too many requests have been received for this subscription.",
        headers={"Retry-After": RETRY_AFTER},
        details=[{"code": "TooManyRequests", "target": group, "message": f"Too many requests of {group}."}],
    )
