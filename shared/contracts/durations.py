"""Durations as people write them: a whole number and a unit, such as 30m."""

import re
from datetime import timedelta
from typing import Final

import msgspec

from .faults import Finding

PATTERN: Final = "^[1-9][0-9]{0,5}[smhd]$"
OR_NONE: Final = "^(0s|[1-9][0-9]{0,5}[smhd])$"
SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)
_FORM: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS: Final = {"d": DAY, "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": SECOND}


class Range(msgspec.Struct, frozen=True):
    """Within which a duration makes sense."""

    least: timedelta
    most: timedelta
    why: str = ""

    def __str__(self) -> str:
        because = f", {self.why}" if self.why else ""
        return f"{say(self.least)} to {say(self.most)}{because}"


def parse(text: str) -> timedelta | None:
    """None if it is not a duration."""
    found = _FORM.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else None


def read(text: str, within: Range, path: tuple[str | int, ...], findings: list[Finding]) -> timedelta:
    """The least of what is possible in place of a text that its form has been refused for."""
    length = timedelta(0) if text == "0s" else parse(text)
    if length is None:
        return within.least
    if not within.least <= length <= within.most:
        findings.append(Finding(path, f"{text} is out of range; expected {within}"))
    return length


def say(duration: timedelta) -> str:
    """In the largest unit that divides it: 120 s is 2m."""
    for unit, length in _UNITS.items():
        if duration >= length and not duration % length:
            return f"{duration // length}{unit}"
    return f"{duration.total_seconds():g}s"
