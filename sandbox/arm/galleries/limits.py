"""Compute's own limits on galleries: so many calls of a kind in three minutes and in thirty.

The numbers are those of recorded `x-ms-ratelimit-remaining-resource` headers, plus the call itself (that of
deletions: Azure/azure-rest-api-specs 11559). Lists were not recorded with one. The refusal is Compute's: 429
with the code OperationNotAllowed, the real one in its details.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.arm.errors import ArmError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.arm.context import Context

WINDOWS = (("3Min", timedelta(minutes=3)), ("30Min", timedelta(minutes=30)))
LIMITS: Mapping[str, tuple[int, int]] = {
    "CreateUpdateGallery": (50, 300),
    "GetGallery": (350, 2500),
    "CreateUpdateGalleryImage": (150, 750),
    "GetGalleryImage": (600, 3000),
    "CreateUpdateGalleryImageVersion": (375, 1200),
    "DeleteGalleryImageVersion": (150, 1000),
    "GetGalleryImageVersion": (2000, 10000),
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
            left.append((window, calls, limit))
        for _, calls, _ in left:
            calls.append(context.now)
        words = (f"Microsoft.Compute/{name}{window};{limit - len(calls)}" for window, calls, limit in left)
        return {"x-ms-ratelimit-remaining-resource": ",".join(words)}


def _exceeded(group: str) -> ArmError:
    return ArmError(
        429,
        "OperationNotAllowed",
        "The server rejected the request because too many requests have been received for this subscription.",
        headers={"Retry-After": RETRY_AFTER},
        details=[{"code": "TooManyRequests", "target": group, "message": f"Too many requests of {group}."}],
    )
