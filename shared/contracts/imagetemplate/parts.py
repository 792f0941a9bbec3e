"""Ways into a template that may be faulty anywhere: what is not of the expected kind is not there."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.contracts.positions import Path

NOTHING: Final[Mapping[str, Any]] = {}


def child(of: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The object there; an empty one if there is none."""
    found: Any = of
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else NOTHING


def rows(of: Mapping[str, Any], name: str, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The objects of a list, each with its path."""
    listed = of.get(name)
    for at, each in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(each, dict):
            yield (*path, name, at), each


def text(of: Mapping[str, Any], name: str) -> str:
    """Empty if there is none."""
    found = of.get(name)
    return found if isinstance(found, str) else ""
