"""Errors in the form of the three storage services: XML for blobs and queues, OData JSON for tables."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from xml.sax.saxutils import escape

import msgspec

SERVER_BUSY: Final = "The server is currently unable to receive requests. Please retry your request."
_JSON: Final = "application/json;odata=minimalmetadata;streaming=true;charset=utf-8"


class Refusal(msgspec.Struct, frozen=True):
    """An answer that is an error; `detail` are further elements of the XML body."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = {}
    detail: Mapping[str, str] = {}


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


def answer(refusal: Refusal, service: str, now: datetime, version: str) -> Answer:
    """Return the refusal as the service would put it."""
    request_id = str(uuid.uuid4())
    headers = {
        "x-ms-error-code": refusal.code,
        "x-ms-request-id": request_id,
        "x-ms-version": version,
        "Date": format_datetime(now, usegmt=True),
        **refusal.headers,
    }
    text = f"{refusal.message}\nRequestId:{request_id}\nTime:{now.isoformat().replace('+00:00', 'Z')}"
    if service == "table":
        error = {"odata.error": {"code": refusal.code, "message": {"lang": "en-US", "value": text}}}
        return Answer(refusal.status, headers | {"Content-Type": _JSON}, json.dumps(error).encode())
    detail = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in refusal.detail.items())
    xml = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<Error><Code>{refusal.code}</Code><Message>{escape(text)}</Message>{detail}</Error>"
    )
    return Answer(refusal.status, headers | {"Content-Type": "application/xml"}, xml.encode())
