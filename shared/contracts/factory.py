"""`factory.yaml` and its template files, read whole or not at all.

A sound file is decoded in one pass. Only a faulty one is gone through for everything that is wrong with it,
since people mend all of it at once: nothing of the factory is acted upon until then.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from shared.domain.factory import Factory

from .faults import Fault, FaultyConfiguration, Finding, placed

if TYPE_CHECKING:
    from .positions import Parsed
    from .resolve import Resolved
    from .templatefiles import TemplateFile

_LARGEST: Final = 4 * 1024 * 1024

Fingerprint = tuple[tuple[str, int, int], ...]


class Reading(msgspec.Struct, frozen=True):
    """A factory, and the files that it was read from."""

    factory: Factory
    files: tuple[Path, ...]
    templates: "tuple[tuple[Path, TemplateFile], ...]" = ()
    """Each file that images are built by, as it was read."""


def load(path: Path) -> Factory:
    """Raises FaultyConfiguration with every fault."""
    return read(path).factory


def read(path: Path) -> Reading:
    """As `load`, with the files to watch for a change."""
    # Here: to import the app must stay cheap, and none of this is needed before a configuration is.
    from .document import Document
    from .positions import parse
    from .resolve import resolve

    parsed = parse(_text(path))
    if not parsed.readable:
        raise FaultyConfiguration(_placed(path, parsed, ()), (path,))
    try:
        resolved = resolve(msgspec.convert(parsed.data, Document), path.parent)
        found = resolved.findings
    except msgspec.ValidationError as error:
        resolved, found = _everything(parsed.data, path.parent, str(error))
    files = (path, *resolved.files)
    if found or parsed.flaws:
        raise FaultyConfiguration(_placed(path, parsed, found), files)
    return Reading(resolved.factory, files, resolved.templates)


def fingerprint(files: tuple[Path, ...]) -> Fingerprint:
    """Differs when a file changed, appeared or went. One stat per file."""
    return tuple(_stamp(file) for file in files)


class FactoryFile:
    """`factory.yaml` as it is now: read again when it, or a template file that it names, has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: tuple[Fingerprint, tuple[Path, ...], Factory | FaultyConfiguration] | None = None

    def current(self) -> Factory:
        """Raises FaultyConfiguration for as long as the files are faulty."""
        state = self._state
        if state is None or fingerprint(state[1]) != state[0]:
            state = self._state = self._read()
        if isinstance(state[2], FaultyConfiguration):
            raise FaultyConfiguration(state[2].faults, state[2].files)
        return state[2]

    def _read(self) -> tuple[Fingerprint, tuple[Path, ...], Factory | FaultyConfiguration]:
        # Twice if need be: the stamps must be older than what was read, and the files are known only then.
        before: Fingerprint = ()
        while True:
            outcome = self._outcome()
            files = outcome.files
            stamps = fingerprint(files)
            if stamps == before:
                return stamps, files, outcome.factory if isinstance(outcome, Reading) else outcome
            before = stamps

    def _outcome(self) -> Reading | FaultyConfiguration:
        try:
            return read(self._path)
        except FaultyConfiguration as faulty:
            return faulty


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        said = f"cannot be read: {error.strerror or error}; expected the factory's configuration"
        raise _unreadable(path, 1, f"{said} (setting IMAGE_FACTORY_CONFIG)") from error
    if len(content) > _LARGEST:
        raise _unreadable(path, 1, f"{len(content)} bytes; expected at most {_LARGEST}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        said = f"byte {content[error.start]:#04x} is not UTF-8; expected text in UTF-8"
        raise _unreadable(path, line, said) from error


def _unreadable(path: Path, line: int, message: str) -> FaultyConfiguration:
    return FaultyConfiguration((Fault(str(path), line, "", message),), (path,))


def _everything(data: object, folder: Path, told: str) -> "tuple[Resolved, tuple[Finding, ...]]":
    from . import checks  # and with it jsonschema, for faulty files alone
    from .resolve import resolve

    deviations = tuple(checks.against_schema(data)) or (Finding((), told),)
    resolved = resolve(checks.salvage(data), folder)
    return resolved, (*deviations, *resolved.findings)


def _placed(path: Path, parsed: "Parsed", found: tuple[Finding, ...]) -> tuple[Fault, ...]:
    flaws = (Finding(flaw.path, flaw.message, line=flaw.line) for flaw in parsed.flaws)
    faults = {placed(finding, path, parsed.line(finding.path)) for finding in (*flaws, *found)}
    return tuple(sorted(faults, key=lambda fault: (fault.file != str(path), fault)))


def _stamp(file: Path) -> tuple[str, int, int]:
    try:
        found = file.stat()
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return (str(file), 0, -1)
    return (str(file), found.st_mtime_ns, found.st_size)
