"""Which operating system an image has, as far as its template leaves no doubt."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from shared.contracts.faults import dotted
from shared.contracts.positions import Path

from .parts import child, rows, text

LINUX: Final = "Linux"
WINDOWS: Final = "Windows"
OF_STEPS: Final[Mapping[str, str]] = {
    "Shell": LINUX,
    "PowerShell": WINDOWS,
    "WindowsRestart": WINDOWS,
    "WindowsUpdate": WINDOWS,
}
_OF_PUBLISHERS: Final[Mapping[str, str]] = {
    "microsoftwindowsserver": WINDOWS,
    "microsoftwindowsdesktop": WINDOWS,
    **dict.fromkeys(
        ("canonical", "redhat", "suse", "debian", "credativ", "openlogic", "oracle", "almalinux", "resf"),
        LINUX,
    ),
}
"""Publishers of one system alone."""


class System(msgspec.Struct, frozen=True):
    name: str
    """Empty if it is not certain."""
    reason: str


def steps(content: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Customizers, then validators."""
    properties = child(content, "properties")
    yield from rows(properties, "customize", ("properties",))
    yield from rows(child(properties, "validate"), "inVMValidations", ("properties", "validate"))


def of(content: Mapping[str, Any]) -> System:
    publisher = text(child(content, "properties", "source"), "publisher")
    if name := _OF_PUBLISHERS.get(publisher.lower()):
        return System(name, f"{publisher} publishes {name} alone")
    for path, step in steps(content):
        if name := OF_STEPS.get(text(step, "type")):
            return System(name, f"{dotted(path)} is a {step['type']} step")
    return System("", "")
