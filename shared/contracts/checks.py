"""All that is wrong with a `factory.yaml` that does not fit its schema.

Only a faulty file comes here, and pays for jsonschema. What does fit is salvaged, so that wrong references,
expressions and ids are told in the same breath.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import UNSET, inspect

from . import schema
from .document import Document
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
    "definition",
    "location",
    "name",
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
    return _salvage(Document, data)


def _salvage(kind: type[P], data: object) -> P:
    given = data if isinstance(data, dict) else {}
    told = inspect.type_info(kind)
    typed = {f.name: f.type for f in told.fields} if isinstance(told, inspect.StructType) else {}
    fields = msgspec.structs.fields(kind)
    return kind(**{field.name: _field(field, typed[field.name], given) for field in fields})


def _field(field: msgspec.structs.FieldInfo, kind: inspect.Type, given: Mapping[str, object]) -> object:
    value = given.get(field.name)
    if field.name not in given and not field.required:
        return UNSET
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        # An empty text says: there was one, and its fault is known. Durations are better left to defaults.
        return "" if field.name in _TEXTS else _parts(kind, value)


def _parts(kind: inspect.Type, value: object) -> object:
    """What fits of a value that as a whole does not; each thing in it keeps its place."""
    match kind, value:
        case inspect.Metadata(type=inner), _:
            return _parts(inner, value)
        case inspect.StructType(cls=struct), _:
            return _salvage(struct, value)
        case inspect.DictType(value_type=of), dict():
            return {key: _parts(of, each) for key, each in value.items()}
        case inspect.ListType(item_type=inspect.StructType(cls=struct)), list():
            return [_salvage(struct, each) for each in value]
        case inspect.ListType(), list():  # of texts, as all others are
            return [each if isinstance(each, str) else "" for each in value]
    return UNSET


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
    return "a list of at least one" if "minItems" in part else _KINDS[part["type"]]


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
            return "a list" if value else "an empty list"
        case dict():
            return "a mapping"
    return str(value)[:80]


def _as_name(text: str) -> str:
    """An image name that resembles the text."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64]
