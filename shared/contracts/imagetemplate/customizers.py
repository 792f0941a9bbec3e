"""What changes an image, step by step, on one operating system."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.contracts.faults import dotted
from shared.contracts.positions import Path

from .kinds import Remark
from .parts import child, rows, text
from .system import LINUX, OF_STEPS, System, of

Step = Mapping[str, Any]
_ONE: Final = "expected exactly one of them"


def check(content: Mapping[str, Any], found: list[Remark], _subscription: str) -> None:
    system = of(content)
    named: dict[str, Path] = {}
    for path, step in rows(child(content, "properties"), "customize", ("properties",)):
        name = text(step, "name")
        first = named.setdefault(name, path)
        if name and first != path:
            said = f"{name!r} is the name of {dotted(first)} too; expected another for each customizer"
            found.append(Remark((*path, "name"), said, "step-names"))
        check_step(path, step, system, found)


def check_step(path: Path, step: Step, system: System, found: list[Remark]) -> None:
    """What holds for validators too."""
    kind = text(step, "type")
    needed = OF_STEPS.get(kind)
    if needed and system.name and needed != system.name:
        said = f"{kind} is for {needed}; expected steps for {system.name}: {system.reason}"
        found.append(Remark((*path, "type"), said, "operating-system"))
    if rule := _RULES.get(kind):
        rule(path, step, system, found)


def _script(path: Path, step: Step, _system: System, found: list[Remark]) -> None:
    given = [name for name in ("scriptUri", "inline") if step.get(name)]
    if len(given) > 1:
        found.append(Remark((*path, "inline"), f"both scriptUri and inline; {_ONE}", "script-or-inline"))
    elif not given and not _misspelt(path, found):
        found.append(Remark(path, f"neither scriptUri nor inline; {_ONE}", "script-or-inline"))


def _misspelt(path: Path, found: list[Remark]) -> bool:
    """Under another name one of them is there, and told."""
    return any(each.path[:-1] == path and each.suggestion in ("scriptUri", "inline") for each in found)


def _powershell(path: Path, step: Step, system: System, found: list[Remark]) -> None:
    _script(path, step, system, found)
    if step.get("runAsSystem") is True and step.get("runElevated") is not True:
        said = 'without runElevated; expected "runElevated": true beside it'
        found.append(Remark((*path, "runAsSystem"), said, "run-as-system"))


def _file(path: Path, step: Step, system: System, found: list[Remark]) -> None:
    destination = text(step, "destination")
    if not destination or system.name != LINUX:
        return
    within = destination.split("/")
    if within[:2] != ["", "tmp"] or len(within) < 3 or ".." in within:
        said = f"{destination[:200]!r}; expected a path in /tmp, where alone Image Builder can write on Linux"
        found.append(Remark((*path, "destination"), f"{said} (move it in a Shell step)", "file-in-tmp"))


_RULES: Final[Mapping[str, Callable[[Path, Step, System, list[Remark]], None]]] = {
    "Shell": _script,
    "PowerShell": _powershell,
    "File": _file,
}
