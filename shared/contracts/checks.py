"""All that is wrong with a `factory.yaml` that does not fit its schema.

Only a faulty file comes here, and pays for jsonschema. What does fit is salvaged, so that wrong references,
expressions and ids are told in the same breath.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import UNSET

from . import schema
from .document import DefinitionPart, Document, ImagePart
from .faults import Finding, nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

P = TypeVar("P", bound=msgspec.Struct)

_SCHEMA: Final = schema.generate()

_TEXTS: Final = (
    "template",
    "template_name",
    "subscription",
    "resource_group",
    "cron",
    "account",
    "container",
    "gallery",
    "location",
)
_KINDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a mapping (lines of key: value)",
    "array": "a list",
}


def against_schema(data: object) -> Iterator[Finding]:
    """Every deviation from the schema, in our words."""
    import jsonschema

    kind = jsonschema.Draft202012Validator
    types = kind.TYPE_CHECKER.redefine("integer", _whole)
    extended = jsonschema.validators.extend(kind, type_checker=types)  # type: ignore[no-untyped-call] # theirs
    for error in extended(_SCHEMA).iter_errors(data):
        yield from _tell(error)


def salvage(data: object) -> Document:
    """What fits of a document, field by field. Broken or missing texts are empty, the rest is left out."""
    document = _salvage(Document, data)
    images = data.get("images") if isinstance(data, dict) else None
    parts = (
        {key: _salvage(ImagePart, part) for key, part in images.items()} if isinstance(images, dict) else {}
    )
    given = data.get("definitions") if isinstance(data, dict) else None
    definitions = (
        {key: _salvage(DefinitionPart, part) for key, part in given.items()}
        if isinstance(given, dict)
        else UNSET
    )
    return msgspec.structs.replace(document, images=parts, definitions=definitions)


def _salvage(kind: type[P], data: object) -> P:
    given = data if isinstance(data, dict) else {}
    return kind(**{field.name: _field(field, given) for field in msgspec.structs.fields(kind)})


def _field(field: msgspec.structs.FieldInfo, given: Mapping[str, object]) -> object:
    there = field.name in given
    if not there and not field.required:
        return UNSET
    try:
        return msgspec.convert(given.get(field.name), field.type)
    except msgspec.ValidationError:
        part = _part(field.type)
        if part is not None:
            return _salvage(part, given.get(field.name))
        return "" if _is_text(field) else UNSET


def _part(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a field holds, if it holds one."""
    candidates = (kind, *getattr(kind, "__args__", ()))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, msgspec.Struct)), None)


def _is_text(field: msgspec.structs.FieldInfo) -> bool:
    # An empty text says: there was one, and its fault is known. Durations are better left to their defaults.
    return field.name in _TEXTS


def _whole(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _tell(error: "ValidationError") -> Iterator[Finding]:
    path = tuple(error.absolute_path)
    part: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    instance: Any = error.instance
    expected = _expected(part)
    if "propertyNames" in error.absolute_schema_path:
        name = str(instance)
        yield Finding((*path, name), f"{name!r}; expected {expected}", _as_name(name))
    elif error.validator == "additionalProperties":
        known = sorted(part["properties"])
        for name in sorted(instance.keys() - set(known)):
            yield Finding((*path, name), f"unknown key; known are {', '.join(known)}", nearest(name, known))
    elif error.validator == "required":
        for name in sorted(set(part["required"]) - instance.keys()):
            of = _expected(part["properties"][name])
            yield Finding(path, f"{name} is missing; expected {of}")
    else:
        suggestion = nearest(instance, part.get("enum", ())) if isinstance(instance, str) else ""
        yield Finding(path, f"{_show(instance, part)}; expected {expected}", suggestion)


def _expected(part: Mapping[str, Any]) -> str:
    while "$ref" in part:
        part = _SCHEMA["$defs"][part["$ref"].rpartition("/")[2]]
    if "enum" in part:
        return " or ".join(part["enum"])
    if "minimum" in part:
        return f"a whole number from {part['minimum']} to {part['maximum']}"
    if "description" in part and part.get("type") != "object":
        return f"{part['description']}, such as {_example(part['examples'][0])}"
    return _KINDS[part["type"]]


def _example(value: object) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)


def _show(value: object, part: Mapping[str, Any]) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float() if part.get("type") == "string":
            fits = re.search(part.get("pattern", ""), str(value))
            return f"the number {value}{' (in quotes it would be text)' if fits else ''}"
        case str():
            return repr(value[:80])
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return str(value)[:80]


def _as_name(text: str) -> str:
    """An image name that resembles the text."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64]
