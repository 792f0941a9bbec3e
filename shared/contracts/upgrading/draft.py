"""A template on its way to the current form, which remembers where each part of it had been written."""

from collections.abc import Iterator
from typing import Any, Final

from shared.contracts.positions import Path

from .parts import DEEPEST, Change, Refusal, Upgraded, origin

_NOWHERE: Final = 1_000_000


class Draft:
    """Works on a copy: what was read stays as it is. Paths are those of the content as it is now."""

    def __init__(self, written: dict[str, Any]) -> None:
        self.content: dict[str, Any] = _copied(written)
        self.wrapped = False
        self._written = written
        self._changes: list[Change] = []
        self._refused: list[Refusal] = []
        self._moved: dict[Path, tuple[Path, bool]] = {}

    def tell(self, path: Path, said: str) -> None:
        self._changes.append(Change(self.origin(path), said))

    def refuse(self, path: Path, message: str, rule: str) -> None:
        self._refused.append(Refusal(self.origin(path), message, rule))

    def origin(self, path: Path) -> Path:
        return origin(self._moved, path)[0]

    def at(self, path: Path) -> Any:
        found: Any = self.content
        for step in path:
            found = found[step]
        return found

    def narrow(self, path: Path) -> None:
        """From here on the part at `path` is the whole."""
        self.content = self.at(path)
        self._moved = {(): (path, False)}

    def put(self, path: Path, value: Any, written: Path | None = None) -> None:
        """With `written` all of the value comes from that one place of the file.

        It is a copy: the value of a variable may stand in several places.
        """
        self.at(path[:-1])[path[-1]] = _copied(value)
        if written is not None:
            self._forget(path)
            self._moved[path] = (written, True)

    def drop(self, path: Path) -> None:
        del self.at(path[:-1])[path[-1]]
        self._forget(path)

    def rename(self, path: Path, name: str) -> None:
        """The member keeps its place among the others."""
        of, old, new = self.at(path[:-1]), path[-1], (*path[:-1], name)
        written = origin(self._moved, path)
        members = [(name if key == old else key, value) for key, value in of.items()]
        of.clear()
        of.update(members)
        within = {at: to for at, to in self._moved.items() if at[: len(path)] == path}
        self._forget(path)
        self._moved[new] = written
        self._moved.update({(*new, *at[len(path) :]): to for at, to in within.items()})

    def finished(self) -> Upgraded:
        """In the order of the file. Of what is refused as a whole nothing within is told as well."""
        if not self._changes and not self._refused:
            return Upgraded(self.content, moved=self._moved, wrapped=self.wrapped)
        order = {path: at for at, path in enumerate(_paths(self._written))}
        whole = {each.path for each in self._refused if each.path}
        refused = [each for each in self._refused if not _above(each.path) & whole]
        return Upgraded(
            self.content,
            tuple(sorted(self._changes, key=lambda change: order.get(change.path, _NOWHERE))),
            tuple(sorted(refused, key=lambda refusal: order.get(refusal.path, _NOWHERE))),
            self._moved,
            self.wrapped,
        )

    def _forget(self, path: Path) -> None:
        for at in [at for at in self._moved if at[: len(path)] == path]:
            del self._moved[at]


def too_deep(value: object, most: int = DEEPEST) -> bool:
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return most == 0 or any(too_deep(each, most - 1) for each in within)


def _above(path: Path) -> set[Path]:
    return {path[:length] for length in range(len(path))}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _paths(value: object, path: Path = ()) -> Iterator[Path]:
    """In the order of the file."""
    yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, each in members:
        yield from _paths(each, (*path, step))
