"""The JSON Schema of `factory.yaml`, for editors and for telling all faults at once.

`python -m shared.contracts.schema FILE` writes it; without FILE it is printed.
"""

import json
import sys
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from shared.domain.factory import AfterArchive, Limits, Mode, Timing, Verification
from shared.domain.releases import Definition, Ring, RingRegion
from shared.domain.schedules import Start

from . import durations
from .document import Document


def generate() -> dict[str, Any]:
    """As msgspec derives it from the types, with the defaults of the domain."""
    schema = msgspec.json.schema(Document)
    parts = schema["$defs"]
    for part, defaults in _defaults().items():
        for name, default in defaults.items():
            entry = parts[part]["properties"][name]
            parts[part]["properties"][name] = {**entry, "default": default}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Image Factory",
        **schema,
    }


def text() -> str:
    return json.dumps(generate(), indent=2, ensure_ascii=False) + "\n"


def _defaults() -> dict[str, dict[str, Any]]:
    options = {
        "after_archive": AfterArchive.KEEP_TEMPLATE.value,
        "verification": Verification.SAMPLE.value,
        "build_at_first_sight": False,
    }
    return {
        "Document": {"mode": Mode.OBSERVE.value},
        "Options": options,
        "SchedulePart": {"time_zone": "UTC", "start": Start.ALWAYS.value},
        "WindowPart": {"time_zone": "UTC"},
        "RegionPart": _of(RingRegion, "replicas", "storage"),
        "RingPart": _of(Ring, "soak", "promotion"),
        "DefinitionPart": _of(Definition, "replication", "in_flight", "deadline", "withdraw_with_source"),
        "LimitsPart": msgspec.structs.asdict(Limits()),
        "TimingPart": {name: _say(value) for name, value in msgspec.structs.asdict(Timing()).items()},
    }


def _of(kind: type[msgspec.Struct], *names: str) -> dict[str, Any]:
    return {field.name: _say(field.default) for field in msgspec.structs.fields(kind) if field.name in names}


def _say(value: object) -> object:
    match value:
        case timedelta():
            return durations.say(value)
        case Enum():
            return value.value
        case tuple():
            return [_say(each) for each in value]
    return value


def main(arguments: list[str]) -> None:
    if arguments:
        Path(arguments[0]).write_text(text(), encoding="utf-8")
    else:
        sys.stdout.write(text())


if __name__ == "__main__":
    main(sys.argv[1:])
