"""`upgrade`: older template files, written in the current form. Needs no Azure.

What is changed goes to standard error, as a compiler tells it; the template itself to standard output, unless
it is to be written. Where something cannot be upgraded, nothing is written.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shared.contracts.faults import Fault, dotted
from shared.contracts.upgrading import Change, Context, Refusal, reading

OK, FAULTS = 0, 1


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    said = "write older template files in the current form; needs no Azure"
    parser = commands.add_parser("upgrade", help=said, description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--write", action="store_true", help="in place of what is there")
    kept.add_argument("--output", type=Path, metavar="DIR", help="there, under the same name")
    parser.add_argument(
        "--parameters",
        type=Path,
        metavar="FILE",
        help="values for a deployment template (default: those beside it)",
    )
    parser.add_argument("--subscription", default="", metavar="ID", help="what subscription() is")
    parser.add_argument("--resource-group", default="", metavar="NAME", help="what resourceGroup() is")
    parser.add_argument("--location", default="", metavar="REGION", help="what resourceGroup().location is")
    parser.set_defaults(command=_upgrade, refuse=parser.error)


def _upgrade(options: argparse.Namespace) -> int:
    several = len(options.files) > 1
    if several and not (options.write or options.output):
        options.refuse("several files need --write, or --output DIR")
    if several and options.parameters:
        options.refuse("--parameters belongs to a single FILE")
    if options.output and not options.output.is_dir():
        options.refuse(f"--output {options.output}: no such directory")
    return max([_one(file, options) for file in options.files])


def _one(file: Path, options: argparse.Namespace) -> int:
    place = Context(options.subscription, options.resource_group, options.location)
    try:
        written = reading.read(file, place, options.parameters)
        upgraded = written.upgraded
        _tell(file, written.text, upgraded.changes)
        _tell(file, written.text, upgraded.refused)
        if upgraded.refused:
            print(f"{file}: {len(upgraded.refused)} part(s) cannot be upgraded", file=sys.stderr)
            return FAULTS
        if options.output:
            (options.output / file.name).write_bytes(_bytes(upgraded.content))
        elif not options.write:
            print(_bytes(upgraded.content).decode(), end="")
        elif upgraded.changes:
            _replace(file, _bytes(upgraded.content))
    except reading.Unreadable as fault:
        print(Fault(str(fault.file), fault.line, "", fault.said), file=sys.stderr)
        return FAULTS
    except OSError as error:
        print(f"{error.filename or file}: {error.strerror or error}", file=sys.stderr)
        return FAULTS
    print(f"{file}: {_summary(len(upgraded.changes), options)}", file=sys.stderr)
    beside = reading.parameter_file(file)
    if options.write and upgraded.wrapped and beside.is_file():
        print(f"{beside}: no longer read; its values are in {file.name}", file=sys.stderr)
    return OK


def _tell(file: Path, text: str, said: Iterable[Change | Refusal]) -> None:
    from shared.contracts.positions import parse  # and with it PyYAML, for files with something to tell

    lines = None
    for each in said:
        lines = lines or parse(text)
        message = each.said if isinstance(each, Change) else each.message
        print(Fault(str(file), lines.line(each.path), dotted(each.path), message), file=sys.stderr)


def _summary(changes: int, options: argparse.Namespace) -> str:
    if not changes:
        return "in the current form already"
    return f"{changes} change(s){', written' if options.write or options.output else ''}"


def _bytes(content: Mapping[str, Any]) -> bytes:
    try:
        return f"{json.dumps(content, indent=2, ensure_ascii=False)}\n".encode()
    except UnicodeEncodeError:  # half a character, which JSON can write down and UTF-8 cannot
        return f"{json.dumps(content, indent=2)}\n".encode()


def _replace(file: Path, content: bytes) -> None:
    """All at once: the app may be reading it."""
    file = file.resolve()
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(content)
    shutil.copymode(file, new)
    new.replace(file)
