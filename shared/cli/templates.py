"""`validate` and `schema`: factory.yaml and image templates, checked and described without Azure.

What is wrong goes to standard error, as a compiler tells it; after it what older templates are read as, and
what is better done in another way. Faults alone make anything faulty.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from shared.contracts import factory as configuration
from shared.contracts import templatefiles
from shared.contracts.faults import Fault, FaultyConfiguration, Finding, placed

OK, FAULTS = 0, 1
_YAML: Final = (".yaml", ".yml")


class Report(msgspec.Struct, frozen=True):
    """What there is to say of one path."""

    what: str
    """Of a sound one."""
    faults: tuple[Fault, ...] = ()
    upgraded: tuple[Fault, ...] = ()
    """What an older template is read as."""
    advice: tuple[Fault, ...] = ()


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    said = "check factory.yaml with its templates, or single template files; needs no Azure"
    validate = commands.add_parser("validate", help=said, description=__doc__)
    default = [Path("config/factory.yaml")]
    validate.add_argument("files", type=Path, nargs="*", default=default, metavar="FILE")
    validate.set_defaults(command=_validate, refuse=validate.error)

    schema = commands.add_parser("schema", help="print a JSON Schema, for editors; needs no Azure")
    schema.add_argument(
        "of", choices=tuple(_SCHEMAS), nargs="?", default="factory", metavar="factory|template"
    )
    schema.set_defaults(command=_schema)


def _validate(options: argparse.Namespace) -> int:
    for file in options.files:
        if not file.is_file():
            options.refuse(f"{file}: {'a directory; expected a file' if file.is_dir() else 'no such file'}")
    reports = [_factory(file) if file.suffix in _YAML else _template(file) for file in options.files]
    faults = _tell(line for report in reports for line in report.faults)
    _tell(line for report in reports for line in report.upgraded)
    advice = _tell(line for report in reports for line in report.advice)
    counts = _counted(faults, "fault") + (f", {_counted(advice, 'piece')} of advice" if advice else "")
    one = len(reports) == 1
    what = f"{options.files[0]}" if one else f"{len(reports)} files"
    if faults:
        print(f"{what}: {counts}", file=sys.stderr)
        return FAULTS
    print(f"{what}: {reports[0].what}, {counts}" if one else f"{what}: {counts}")
    return OK


def _tell(lines: Iterable[Fault]) -> int:
    """Each once: a template may be named beside the factory that uses it."""
    known = dict.fromkeys(lines)
    for line in known:
        print(line, file=sys.stderr)
    return len(known)


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _factory(file: Path) -> Report:
    try:
        reading = configuration.read(file)
    except FaultyConfiguration as error:
        templates = [each for each in error.files if each.suffix not in _YAML and each.is_file()]
        return Report("", error.faults, advice=_all(_template(each).advice for each in templates))
    known = reading.factory
    counts = f"{len(known.images)} image(s), {len(known.sources)} source(s)"
    what = f"{counts}, {len(known.definitions)} definition(s)"
    told = [_told(each, template, ()) for each, template in reading.templates]
    return Report(what, (), _all(each.upgraded for each in told), _all(each.advice for each in told))


def _all(parts: Iterable[tuple[Fault, ...]]) -> tuple[Fault, ...]:
    return tuple(line for part in parts for line in part)


def _template(file: Path) -> Report:
    try:
        template, found = templatefiles.read(file)
    except OSError as error:
        said = f"cannot be read: {error.strerror or error}"
        return Report("", (Fault(str(file), 1, "", said),))
    return _told(file, template, found) if template else Report("", tuple(sorted(map(placed, found))))


def _told(file: Path, template: templatefiles.TemplateFile, found: tuple[Finding, ...]) -> Report:
    faulty = {each.path for each in found}
    advice = [each for each in templatefiles.advice(file, template) if each.path not in faulty]
    return Report(
        "an image template",
        tuple(sorted(map(placed, found))),
        _marked("upgraded", templatefiles.changes(file, template)),
        _marked("advice", advice),
    )


def _marked(mark: str, found: Iterable[Finding]) -> tuple[Fault, ...]:
    lines = (msgspec.structs.replace(each, message=f"{mark}: {each.message}") for each in found)
    return tuple(map(placed, lines))


def _schema(options: argparse.Namespace) -> int:
    print(_SCHEMAS[options.of](), end="")
    return OK


def _of_factory() -> str:
    from shared.contracts import schema

    return schema.text()


def _of_template() -> str:
    from shared.contracts.imagetemplate import schema

    return schema.text()


_SCHEMAS: Final[Mapping[str, Callable[[], str]]] = {"factory": _of_factory, "template": _of_template}
