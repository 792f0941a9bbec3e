"""Event Grid events, both ways.

What comes in is untrusted: whoever has the subscription's key can post anything. So an event yields nothing
but the identity of a configured thing to look at; every other word of it, `claims` above all, ends here.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC
from typing import Annotated, Any, Final, Protocol, TypeVar

import msgspec

from shared.domain.errors import Invalid
from shared.domain.events import EventType, FactoryEvent
from shared.domain.factory import Factory
from shared.domain.galleries import VersionId
from shared.domain.ids import ImageName, ResourceId, TemplateId
from shared.domain.releases import DefinitionName
from shared.domain.versions import Version

LARGEST: Final = 256 * 1024
"""Bytes of data. Resource Manager's events have a few KiB, at most some tens with many groups in `claims`."""

DATA_VERSION: Final = "1"

_CORRELATION: Final = re.compile(r"[A-Za-z0-9_.:\-]{8,64}")
S = TypeVar("S")
_Text = Annotated[str, msgspec.Meta(max_length=1024)]


class NotOurs(Invalid):
    """A sound event of somebody else's thing: a subscription's topic tells of everything in it."""


class SourceFound(msgspec.Struct, frozen=True):
    """A watched source may have a new version. `key` is a configured source's."""

    key: str
    correlation: str


class TemplateTouched(msgspec.Struct, frozen=True):
    """Something was done to a configured image's template, such as a run that ended."""

    template: TemplateId
    image: ImageName
    correlation: str


class VersionTouched(msgspec.Struct, frozen=True):
    """Something was done to a version of a configured definition, such as a replication that ended."""

    definition: DefinitionName
    version: Version
    correlation: str


class Event(Protocol):
    """As `azure.functions.EventGridEvent` has it; its values are whatever was posted."""

    @property
    def id(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def event_type(self) -> str: ...
    def get_json(self) -> object: ...


class _Envelope(msgspec.Struct, frozen=True):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    topic: _Text
    subject: _Text
    type: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class _SourceData(msgspec.Struct, frozen=True):
    correlation: _Text = ""


class _ResourceData(msgspec.Struct, frozen=True, rename="camel"):
    """`claims`, `authorization` and `httpRequest` are objects or strings, and never read."""

    operation_name: _Text
    resource_uri: _Text | None = None
    subscription_id: _Text | None = None
    correlation_id: _Text | None = None


def parse(event: Event, factory: Factory) -> SourceFound | TemplateTouched | VersionTouched:
    """What an event asks to be looked at. Raises Invalid for anything that is not a configured thing's."""
    envelope = _convert(
        "the event",
        {
            "id": getattr(event, "id", None),
            "topic": getattr(event, "topic", None),
            "subject": getattr(event, "subject", None),
            "type": getattr(event, "event_type", None),
        },
        _Envelope,
    )
    known = _READERS.get(envelope.type.lower()) if envelope.type.isascii() else None
    if known is None:
        raise Invalid(f"events of type {envelope.type[:80]!r} are not for the factory")
    data = event.get_json()
    _limit(data)
    return known(envelope, data, factory)


def encode(event: FactoryEvent) -> dict[str, object]:
    """The event in Event Grid's schema. The topic and the time of publishing are Event Grid's to add."""
    return {
        "id": event.id,
        "subject": event.subject,
        "eventType": event.type.value,
        "eventTime": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {**event.data, "correlation": event.correlation},
        "dataVersion": DATA_VERSION,
    }


def _source_found(envelope: _Envelope, data: object, factory: Factory) -> SourceFound:
    told = _convert("the event's data", data, _SourceData)
    key = envelope.subject.lower()
    if not envelope.subject.isascii() or key not in factory.sources:
        raise Invalid(f"{envelope.subject[:200]!r} is not a source of the configured images")
    return SourceFound(key, _correlation(told.correlation, envelope.id))


def _resource_touched(
    envelope: _Envelope, data: object, factory: Factory
) -> TemplateTouched | VersionTouched:
    """What Resource Manager tells of. The operation says what kind of thing it is about."""
    told = _convert("the event's data", data, _ResourceData)
    operation = told.operation_name.lower()
    kind = next((kind for start, kind in _OPERATIONS.items() if operation.startswith(start)), None)
    if kind is None:
        raise Invalid(
            f"the operation {told.operation_name[:120]!r} is not one on image templates or gallery versions"
        )
    parse_id, touched = kind
    subject, id = ResourceId.parse(envelope.subject), parse_id(envelope.subject)
    if told.resource_uri is not None and parse_id(told.resource_uri) != id:
        raise Invalid(
            f"subject {envelope.subject[:200]!r} and resourceUri {told.resource_uri[:200]!r} differ"
        )
    if told.subscription_id is not None and told.subscription_id.lower() != subject.subscription:
        raise Invalid(f"{envelope.subject[:200]!r} is not in subscription {told.subscription_id[:80]!r}")
    if not f"{envelope.topic.lower()}/".startswith(f"/subscriptions/{subject.subscription}/"):
        raise Invalid(f"topic {envelope.topic[:200]!r} cannot tell of {envelope.subject[:200]!r}")
    return touched(id, _correlation(told.correlation_id or "", envelope.id), factory)


def _template_touched(template: TemplateId, correlation: str, factory: Factory) -> TemplateTouched:
    image = factory.built_in(template)
    if image is None:
        raise NotOurs(f"{str(template)[:250]!r} is not the template of a configured image")
    return TemplateTouched(template, image.name, correlation)


def _version_touched(id: VersionId, correlation: str, factory: Factory) -> VersionTouched:
    version = Version.parse(id.version)
    if not version.canonical:  # another name of the same rank would be taken for the version itself
        raise Invalid(f"{id.version!r} is not a gallery version; expected three numbers such as 1.0.3")
    definition = factory.defined(id.definition)
    if definition is None:
        raise NotOurs(f"{str(id.definition)[:250]!r} is not a configured definition")
    return VersionTouched(definition.name, version, correlation)


_Kind = tuple[Callable[[str], Any], Callable[[Any, str, Factory], TemplateTouched | VersionTouched]]
_OPERATIONS: Final[dict[str, _Kind]] = {
    "microsoft.virtualmachineimages/imagetemplates/": (TemplateId.parse, _template_touched),
    "microsoft.compute/galleries/images/versions/": (VersionId.parse, _version_touched),
}
_Reader = Callable[[_Envelope, object, Factory], SourceFound | TemplateTouched | VersionTouched]
_READERS: Final[dict[str, _Reader]] = {
    EventType.SOURCE_VERSION_FOUND.value.lower(): _source_found,
    # Which of these Image Builder's runs raise is not documented; to a look they are all the same.
    **{
        f"microsoft.resources.resource{done}{how}": _resource_touched
        for done in ("write", "delete", "action")
        for how in ("success", "failure", "cancel")
    },
}


def _limit(data: object) -> None:
    try:
        size = len(msgspec.json.encode(data))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise Invalid(f"the event's data is not JSON: {str(error)[:200]}") from error
    if size > LARGEST:
        raise Invalid(f"the event's data has {size} bytes; at most {LARGEST} are read")


def _convert(what: str, content: object, kind: type[S]) -> S:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"{what} does not fit its schema: {str(error)[:200]}") from error


def _correlation(told: str, event_id: str) -> str:
    """What everything that follows is known by: as told if it is fit for logs, else derived."""
    for candidate in (told, event_id):
        if _CORRELATION.fullmatch(candidate):
            return candidate
    return hashlib.sha256(event_id.encode("utf-8", "replace")).hexdigest()[:32]
