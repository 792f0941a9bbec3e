"""What may be published to a custom topic, and how Event Grid says that something may not."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

MAX_REQUEST: Final = 1024 * 1024
MAX_EVENT: Final = 1024 * 1024

InputSchema = Literal["EventGridSchema", "CloudEventSchemaV1_0"]
Event = Mapping[str, object]

_TEXT: Final = ("id", "subject", "eventType", "eventTime")
_GRID_FIELDS: Final = frozenset(
    {"id", "topic", "subject", "eventType", "eventTime", "data", "dataVersion", "metadataVersion"}
)
_CLOUD_FIELDS: Final = ("id", "source", "type", "specversion")


class PublishRefused(Exception):
    def __init__(self, status: int, code: str, message: str, detail: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail


def parse_events(body: bytes, content_type: str, schema: InputSchema, topic: str) -> tuple[Event, ...]:
    """Return the events as subscribers get them, or raise `PublishRefused`."""
    if len(body) > MAX_REQUEST:
        raise PublishRefused(
            413,
            "RequestEntityTooLarge",
            f"The maximum size for the JSON content of the request is {MAX_REQUEST} bytes; "
            f"this one has {len(body)}.",
        )
    events = _decode_array(body, content_type, schema)
    for event in events:
        for fault in _faults(event, schema, topic):
            raise _invalid(fault)
        if len(msgspec.json.encode(event)) > MAX_EVENT:
            raise PublishRefused(
                413, "RequestEntityTooLarge", f"The maximum size of one event is {MAX_EVENT} bytes."
            )
    if schema == "CloudEventSchemaV1_0":
        return events
    return tuple({**event, "topic": topic, "metadataVersion": "1"} for event in events)


def _invalid(message: str) -> PublishRefused:
    return PublishRefused(400, "BadRequest", message, detail="InputJsonInvalid")


def _decode_array(body: bytes, content_type: str, schema: InputSchema) -> tuple[Event, ...]:
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _invalid(f"The request body is not valid JSON: {error}.") from error
    single = content_type.partition(";")[0].strip().lower() == "application/cloudevents+json"
    if single and schema == "CloudEventSchemaV1_0" and isinstance(decoded, dict):
        decoded = [decoded]
    if not isinstance(decoded, list):
        actual = "StartObject" if isinstance(decoded, dict) else type(decoded).__name__
        raise _invalid(f"Unexpected token when reading JSON. Expected: StartArray, actual: {actual}.")
    if not all(isinstance(event, dict) for event in decoded):
        raise _invalid("Unexpected token when reading JSON. Expected: StartObject within the array.")
    return tuple(decoded)


def _faults(event: Event, schema: InputSchema, topic: str) -> Iterator[str]:
    return _cloud_faults(event) if schema == "CloudEventSchemaV1_0" else _grid_faults(event, topic)


def _cloud_faults(event: Event) -> Iterator[str]:
    for name in _CLOUD_FIELDS:
        if not isinstance(event.get(name), str) or not event[name]:
            yield (
                "This resource is configured for 'CloudEventV10' schema and requires a value for the "
                f"property '{name}'."
            )
    if event.get("specversion") != "1.0":
        yield f"The property 'specversion' must be '1.0', it is {event.get('specversion')!r}."


def _grid_faults(event: Event, topic: str) -> Iterator[str]:
    for name in event:
        if name not in _GRID_FIELDS:
            yield (
                "This resource is configured for 'EventGridEvent' schema. Received unexpected property "
                f"'{name}' in JSON which does not conform to the expected schema."
            )
    for name in _TEXT:
        if not isinstance(event.get(name), str) or not event[name]:
            yield f"The property '{name}' of an event is required and must be a non-empty string."
    if "data" not in event:
        yield "The property 'data' of an event is required."
    if not _is_time(event.get("eventTime")):
        yield f"The property 'eventTime' must be a time in ISO 8601, it is {event.get('eventTime')!r}."
    if not isinstance(event.get("dataVersion", ""), str):
        yield "The property 'dataVersion' must be a string."
    if event.get("topic") and str(event["topic"]).lower() != topic.lower():
        yield f"The property 'topic' must be left out or be the topic that receives the event, {topic}."
    if event.get("metadataVersion") not in (None, "", "1"):
        yield f"The property 'metadataVersion' must be '1' or be left out, not {event['metadataVersion']!r}."


def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
