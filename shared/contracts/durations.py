"""Durations as people write them: a whole number and a unit, such as 30m."""

import re
from datetime import timedelta
from typing import Final

PATTERN: Final = "^[1-9][0-9]{0,5}[smhd]$"
_FORM: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


def parse(text: str) -> timedelta | None:
    """None if it is not a duration."""
    found = _FORM.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else None


def say(duration: timedelta) -> str:
    """In the largest unit that divides it: 120 s is 2m."""
    for unit, length in _UNITS.items():
        if duration >= length and not duration % length:
            return f"{duration // length}{unit}"
    return f"{duration.total_seconds():g}s"
