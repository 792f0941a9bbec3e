"""YAML as plain data, with the line of every part of it.

PyYAML silently keeps the last of two equal keys, turns unquoted `on` or `2022` into keys that are no text,
and would expand a nest of aliases without end. So the nodes are looked through before they become data.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    import yaml

Path = tuple[str | int, ...]

MOST: Final = 100_000
"""Values in a file, aliases expanded. A factory of 1,000 images has about 10,000."""

_STR: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"


class Flaw(msgspec.Struct, frozen=True):
    """A fault of the text itself, whatever it is meant to say."""

    path: Path
    line: int
    message: str


class Parsed(msgspec.Struct, frozen=True):
    """A text as data."""

    data: Any
    lines: dict[Path, int]
    flaws: tuple[Flaw, ...]
    readable: bool = True
    """False if there is no data at all, since the text is no YAML."""

    def line(self, path: Path) -> int:
        """Of the part itself, or of the nearest part around it that is written down."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


class _TooMuch(Exception):
    pass


def parse(text: str) -> Parsed:
    import yaml  # here: only who reads a configuration pays for it

    loader = yaml.CSafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return _unreadable(1, "the file is empty")
        lines: dict[Path, int] = {}
        flaws = tuple(_walk(node, (), lines, ()))
        return Parsed(loader.construct_document(node), lines, flaws)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _unreadable(mark.line + 1 if mark else 1, f"this is not YAML: {_problem(error)}")
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        return _unreadable(1, f"this is not YAML: {str(error)[:200]}")
    except _TooMuch:
        return _unreadable(1, f"the file holds more than {MOST:,} values, or aliases without end")
    finally:
        loader.dispose()


def _unreadable(line: int, message: str) -> Parsed:
    return Parsed(None, {}, (Flaw((), line, message),), readable=False)


def _problem(error: "yaml.MarkedYAMLError") -> str:
    column = error.problem_mark.column + 1 if error.problem_mark else 1
    said = ", ".join(part for part in (error.context, error.problem) if part)
    return f"{said} (column {column})"


def _walk(node: "yaml.Node", path: Path, lines: dict[Path, int], above: tuple[int, ...]) -> Iterator[Flaw]:
    """Fills `lines` and mends keys on the way, so that all else that is wrong can be found too."""
    if len(lines) > MOST or id(node) in above:
        raise _TooMuch
    import yaml

    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        yield from _walk_mapping(node, path, lines, (*above, id(node)))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*path, index), lines, (*above, id(node)))
    elif node.tag == _STR and not node.value.isprintable():
        yield Flaw(path, node.start_mark.line + 1, "a text with line breaks or control characters")


def _walk_mapping(
    node: "yaml.MappingNode", path: Path, lines: dict[Path, int], above: tuple[int, ...]
) -> Iterator[Flaw]:
    first: dict[str, int] = {}
    for key, value in list(node.value):
        line = key.start_mark.line + 1
        if not isinstance(key.value, str):
            yield Flaw(path, line, "a key that is a list or a mapping; expected text")
            node.value.remove((key, value))
            continue
        if key.tag == _MERGE:
            yield from _walk(value, (*path, "<<"), lines, above)
            continue
        here = (*path, key.value)
        if key.tag != _STR:
            yield Flaw(
                here, line, f"the key {key.value} is read as {_kind(key)}; put it in quotes: '{key.value}'"
            )
            key.tag = _STR
        if key.value in first:
            yield Flaw(here, line, f"{key.value!r} is there twice, first in line {first[key.value]}")
            for old in [place for place in lines if place[: len(here)] == here]:
                del lines[old]  # the last one is what the data will hold
        first.setdefault(key.value, line)
        lines.setdefault(here, line)
        yield from _walk(value, here, lines, above)


def _kind(node: "yaml.ScalarNode") -> str:
    name = node.tag.rpartition(":")[2]
    return {"int": "a number", "float": "a number", "bool": "true or false", "null": "nothing"}.get(
        name, name
    )
