"""What a trigger knows becomes the argument of the function, by Microsoft's own converters."""

import json
from collections.abc import Mapping
from typing import Any

from azure.functions.meta import Datum

from sandbox.host.functions import Function, converter


def from_text(function: Function, text: str, metadata: Mapping[str, object]) -> Any:
    """A queue message's argument, or that of any trigger whose data is plain text."""
    if function.annotation is str:
        return text
    if function.annotation is bytes:
        return text.encode()
    return _decode(function, Datum(text, "string"), metadata)


def from_document(function: Function, document: object) -> Any:
    """An event's argument, or a timer's."""
    text = json.dumps(document)
    if function.annotation in (str, bytes):
        return from_text(function, text, {})
    return _decode(function, Datum(text, "json"), {})


def _decode(function: Function, datum: Datum, metadata: Mapping[str, object]) -> Any:
    kinds = {int: "int", str: "string"}
    described = {name: Datum(value, kinds[type(value)]) for name, value in metadata.items()}
    return converter(function.trigger).decode(datum, trigger_metadata=described)
