"""The JSON Schema of image templates, for editors: what the tables of their form say, and no more."""

import json
from typing import Any

from .form import TEMPLATE
from .kinds import Flag, Form, Ids, Kind, Many, Number, Tags, Text, Union


def text() -> str:
    return json.dumps(generate(), indent=2, ensure_ascii=False) + "\n"


def generate() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Image Builder template",
        **_of(TEMPLATE),
    }


def _of(kind: Kind) -> dict[str, Any]:
    match kind:
        case Text():
            return _text(kind)
        case Flag():
            return {"type": "boolean"}
        case Number():
            return {"type": "integer", "minimum": kind.least, "maximum": kind.most, **_said(kind.expected)}
        case Tags():
            return {"type": "object", "additionalProperties": {"type": "string"}}
        case Many():
            return {"type": "array", "items": _of(kind.of), "minItems": kind.least, **_said(kind.expected)}
        case Ids():
            names = {"propertyNames": _of(kind.of), "additionalProperties": {"type": "object"}}
            return {"type": "object", **names, "minProperties": 1, "maxProperties": 1, **_said(kind.expected)}
        case Form():
            return _form(kind)
        case Union():
            return {"type": "object", "required": [kind.by], "oneOf": _variants(kind)}


def _text(kind: Text) -> dict[str, Any]:
    if kind.choices:
        return {"enum": list(kind.choices)}
    form = "/.*" if kind.of else kind.pattern
    pattern = f"^(?:{form}){'?' if kind.or_empty else ''}$"
    return {"type": "string", **({"pattern": pattern} if form else {}), **_said(kind.expected)}


def _form(kind: Form) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: _of(each) for name, each in kind.members.items()},
        "required": list(kind.required),
        "additionalProperties": False,
    }


def _variants(kind: Union) -> list[dict[str, Any]]:
    forms = {name: _form(form) for name, form in kind.variants.items()}
    for name, form in forms.items():
        form["properties"] = {**form["properties"], kind.by: {"const": name}}
    return list(forms.values())


def _said(expected: str) -> dict[str, str]:
    return {"description": expected[0].upper() + expected[1:]}
