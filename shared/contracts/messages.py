"""Queue messages: small, versioned, and each names one thing to look at.

A message is input like any other: whoever may write to the queue may have written it, and after a rollback
it may be newer than the code that reads it. What does not fit exactly is refused with a reason, since the
message then is recorded rather than tried again.

On the queue a message is base64, as senders and hosts expect by default. It is decoded here and not by the
host (`messageEncoding: none`): what the host cannot decode it moves to the poison queue, where no function
can read it either, so that nobody would ever hear of it.
"""

import base64
import re
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from shared.domain.errors import Invalid
from shared.domain.ids import IMAGE_NAME, TEMPLATE_NAME
from shared.domain.looks import Lane, Look, Thing
from shared.domain.retention import Kind

VERSION: Final = 1
LONGEST: Final = 8192
"""Characters. Ours are a few hundred long; a queue would carry 64 KiB."""

_SOURCE: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[a-z0-9]{1,64}(?::[a-z0-9_.\-]{1,128}){3}"
_GALLERY: Final = (
    r"gallery:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[a-z0-9]{1,64}"
    r":[a-z0-9_().\-]{1,90}(?::[a-z0-9_.\-]{1,80}){2}"
)
_NUMBER: Final = r"(?:0|[1-9][0-9]{0,9})"
_VERSION: Final = rf"(?:{IMAGE_NAME.pattern})/{_NUMBER}(?:\.{_NUMBER}){{2}}"
_OUTPUT: Final = rf"(?:{IMAGE_NAME.pattern})/[0-9A-Za-z:.+\-]{{1,64}}/{TEMPLATE_NAME.pattern}"
_RETIRING: Final = rf"(?:{'|'.join(kind.value for kind in Kind)}):[!-~]{{1,900}}"
_IDS: Final = {
    Thing.SOURCE: (
        re.compile(f"{_SOURCE}|{_GALLERY}"),
        "subscription:location:publisher:offer:sku in lower case, or the same of a gallery definition",
    ),
    Thing.IMAGE: (IMAGE_NAME, "the name of an image: lower case letters, digits and hyphens"),
    Thing.OUTPUT: (re.compile(_OUTPUT), "image/run/output"),
    Thing.RETIRING: (re.compile(_RETIRING), "kind:id of something that is going"),
    Thing.VERSION: (re.compile(_VERSION), "definition/version such as windows-2022/1.0.3"),
}

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    v: Annotated[int, msgspec.Meta(ge=1)]
    look: Thing
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    correlation: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_.:\-]{1,128}\Z")]
    attempt: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    due: _Moment | None = None
    first: _Moment | None = None


class _Versioned(msgspec.Struct, frozen=True):
    """What every message of every version has; read first, since all else may differ."""

    v: Annotated[int, msgspec.Meta(ge=1)]


_decode_message = msgspec.json.Decoder(_Message).decode
_decode_version = msgspec.json.Decoder(_Versioned).decode


def encode(look: Look) -> str:
    """The look as compact JSON. Its lane is not in it: that is the queue.

    Raises Invalid for what could not be read back, so that nothing unreadable is ever sent.
    """
    message = _Message(VERSION, look.thing, look.id, look.correlation, look.attempt, look.due, look.first)
    text = msgspec.json.encode(message).decode()
    decode(look.lane, text)
    return text


def unwrap(body: bytes) -> str:
    """The text of a message out of the queue. Raises Invalid for what is not base64 of UTF-8."""
    try:
        return base64.b64decode(body, validate=True).decode()
    except ValueError as error:
        raise Invalid(f"the message {body[:80]!r} is not base64 of UTF-8 text: {error}") from error


def decode(lane: Lane, text: str) -> Look:
    """The look that a message asks for. Raises Invalid with the reason."""
    if len(text) > LONGEST:
        raise Invalid(f"the message is {len(text)} characters long; the longest has {LONGEST}")
    try:
        content = text.encode()
        version = _decode_version(content).v
        if version > VERSION:
            raise Invalid(
                f"the message has version {version}, this factory knows {VERSION}: "
                "deploy the newer factory again, then send the message again"
            )
        message = _decode_message(content)
        due, first = _utc(message.due), _utc(message.first)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise Invalid(f"the message {text[:200]!r} is not one of the factory: {_reason(error)}") from error
    form, expected = _IDS[message.look]
    if not form.fullmatch(message.id):
        raise Invalid(f"the message names the {message.look.value} {message.id[:200]!r}; expected {expected}")
    return Look(
        lane=lane,
        thing=message.look,
        id=message.id,
        correlation=message.correlation,
        due=due,
        attempt=message.attempt,
        first=first,
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _reason(error: Exception) -> str:
    text = str(error)
    return text[:1].lower() + text[1:200]
