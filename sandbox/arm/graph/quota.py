"""How many queries one caller may send: so many in each window, which begins with the first one in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

ALLOWED, WINDOW = 15, timedelta(seconds=5)
RETRY_AFTER = "2"
"""As recorded (February 2023), together with a quota that is reset only in 5 seconds."""


@dataclass(slots=True)
class _Window:
    began: datetime
    used: int = 0


@dataclass(slots=True)
class Quotas:
    _windows: dict[str, _Window] = field(default_factory=dict)

    def take(self, caller: str, now: datetime) -> tuple[bool, dict[str, str]]:
        """Whether one more query goes, and the headers that tell what is left."""
        window = self._windows.get(caller)
        if window is None or now - window.began >= WINDOW:
            window = self._windows[caller] = _Window(now)
        goes = window.used < ALLOWED
        window.used += goes
        seconds = -(-(WINDOW - (now - window.began)) // timedelta(seconds=1))
        return goes, {
            "x-ms-user-quota-remaining": str(ALLOWED - window.used),
            "x-ms-user-quota-resets-after": f"00:00:{seconds:02d}",
        }
