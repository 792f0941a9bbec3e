"""Build windows as `factory.yaml` has them: hours of days, such as MON-FRI 07:00-19:00."""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from shared.domain.windows import DAY, WEEK, Hours, Window

from .document import WindowPart
from .faults import Finding, nearest
from .given import either
from .schedules import time_zone

Path = tuple[str | int, ...]

_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_EXPECTED: Final = "expected days, hours or both, such as MON-FRI 07:00-19:00, SAT,SUN or 22:00-06:00"
_FORM: Final = re.compile(
    r"(?P<days>[A-Za-z]+(?:-[A-Za-z]+)?(?:,[A-Za-z]+(?:-[A-Za-z]+)?)*)?"
    r"(?:(?:^|\s+)(?P<start>[0-9:]+)-(?P<end>[0-9:]+))?"
)
_TIME: Final = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")


def read(
    part: WindowPart | msgspec.UnsetType,
    defaults: WindowPart | msgspec.UnsetType,
    path: Path,
    findings: list[Finding],
) -> Window | None:
    """The image's own, or else that of the defaults; None if it is always open."""
    own = either(part, defaults)
    if not isinstance(own, WindowPart):
        return None
    if own is not part:
        path = ("defaults", path[-1])
    allow = _every(either(own.allow, []), (*path, "allow"), findings)
    forbid = _every(either(own.forbid, []), (*path, "forbid"), findings)
    zone = time_zone(own.time_zone, path, findings)
    if allow is None or forbid is None:
        return None
    window = Window(allow, forbid, zone)
    if window.never_opens:
        said = "never opens; expected some hours of the week that are allowed and not forbidden"
        findings.append(Finding(path, said))
        return None
    return window if allow or forbid else None


def _every(texts: list[str], path: Path, findings: list[Finding]) -> tuple[Hours, ...] | None:
    """None if one of them is at fault: nothing is concluded from the others."""
    read = [_hours(text, (*path, at), findings) for at, text in enumerate(texts)]
    sound = tuple(each for each in read if each is not None)
    return sound if len(sound) == len(read) else None


def _hours(text: str, path: Path, findings: list[Finding]) -> Hours | None:
    def fault(message: str, suggestion: str = "") -> None:
        findings.append(Finding(path, message, suggestion))

    found = _FORM.fullmatch(text.strip())
    if not found or not found[0]:
        if text:  # an empty one stands for a fault of the schema, which is reported as one
            fault(f"{text[:80]!r} is not a part of the week; {_EXPECTED}")
        return None
    days = _days(found["days"], fault) if found["days"] else tuple(range(WEEK))
    if found["start"] is None:
        return Hours(days) if days else None
    start = _minutes(found["start"], "23:59", fault)
    end = _minutes(found["end"], "24:00", fault) if start is not None else None
    if start is None or end is None or not days:
        return None
    if start == end % DAY:
        fault(f"{text[:80]!r} ends when it begins; leave the hours out for whole days")
        return None
    return Hours(days, start, end)


def _days(text: str, fault: Callable[..., None]) -> tuple[int, ...]:
    """Empty if one of them is none."""
    names = re.split(r"[-,]", text.upper())
    for name in names:
        if name not in _DAYS:
            fault(f"{name[:20]!r} is not a day; expected {', '.join(_DAYS)}", nearest(name, _DAYS))
            return ()
    days: set[int] = set()
    for span in text.upper().split(","):
        first, _, last = span.partition("-")
        begin, length = _DAYS.index(first), (_DAYS.index(last or first) - _DAYS.index(first)) % WEEK
        days |= {(begin + after) % WEEK for after in range(length + 1)}
    return tuple(sorted(days))


def _minutes(text: str, latest: str, fault: Callable[..., None]) -> int | None:
    found = _TIME.fullmatch(text)
    if not found or text > latest:
        fault(f"{text[:20]!r} is not a time of day here; expected 00:00 to {latest}")
        return None
    return int(found[1]) * 60 + int(found[2])
