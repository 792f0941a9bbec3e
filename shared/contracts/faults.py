"""What is wrong with a configuration: every fault at once, each with where it is and what was expected."""

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from shared.domain.errors import RetryableError

RELOAD = timedelta(minutes=5)
"""How soon a look that met a faulty configuration comes back: somebody may have mended it."""
_SIGNATURE: Final = re.compile(r"(?<=[?&]sig=)[^&\s'\"]+", re.IGNORECASE)
"""Of a shared access signature, in a text that is quoted: faults go to logs, and to whoever may read."""


class Fault(msgspec.Struct, frozen=True, order=True):
    """One thing to mend. `path` leads to it within the file, as in `images.ubuntu-22.schedule.cron`."""

    file: str
    line: int
    path: str
    message: str
    suggestion: str = ""
    """The nearest valid choice, if there is one."""
    rule: str = ""
    """Of image templates: which of docs/templates.md is broken."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: {self.path}: " if self.path else f"{self.file}:{self.line}: "
        hint = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        rule = f" [{self.rule}]" if self.rule else ""
        return f"{where}{self.message}{hint}{rule}"


class Finding(msgspec.Struct, frozen=True):
    """A fault before its line is known."""

    path: tuple[str | int, ...]
    message: str
    suggestion: str = ""
    file: Path | None = None
    """A template file; None for `factory.yaml` itself."""
    line: int | None = None
    rule: str = ""


def placed(finding: Finding, file: Path | None = None, line: int = 1) -> Fault:
    """`file` and `line` are those of a finding in `factory.yaml`, which does not know them itself."""
    return Fault(
        file=str(finding.file or file),
        line=finding.line or line,
        path=dotted(finding.path),
        message=_SIGNATURE.sub("...", finding.message),
        suggestion=finding.suggestion,
        rule=finding.rule,
    )


class FaultyConfiguration(RetryableError):
    """The configuration cannot be acted upon, not even in part. Mended files are read again by themselves."""

    def __init__(self, faults: tuple[Fault, ...], files: tuple[Path, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults), RELOAD)
        self.faults = faults
        self.files = files
        """What was read, or should have been: what to watch for a change."""


def dotted(path: tuple[str | int, ...]) -> str:
    """As a `Fault` has it."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def nearest(text: str, choices: Iterable[str]) -> str:
    """The choice that was probably meant; empty if none is near."""
    import difflib  # here: only faults need it

    by_lower = {choice.lower(): choice for choice in sorted(choices, reverse=True)}
    found = difflib.get_close_matches(text[:100].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""
