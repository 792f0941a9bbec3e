"""What the app says of itself: events with a stable name and fields, one JSON object per line.

The standard logging alone: the Functions host collects it, and an exporter would cost every cold start.
Fields that hold for a piece of work (correlation, image, thing) are bound once, at the boundary. Nothing that
is logged, ours or a library's, leaves with a credential or with the claims of a person in it.
"""

import contextlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TextIO

from .redaction import clean, redact

LOGGER = "image_factory"

_log = logging.getLogger(LOGGER)
_NOTHING: Mapping[str, object] = MappingProxyType({})
_bound: ContextVar[Mapping[str, object]] = ContextVar("bound fields", default=_NOTHING)


@contextlib.contextmanager
def bind(**fields: object) -> Iterator[None]:
    """Adds fields to everything said within, in this thread or task and in the work it hands to others."""
    token = _bound.set({**_bound.get(), **_given(fields)})
    try:
        yield
    finally:
        _bound.reset(token)


def bound() -> Mapping[str, object]:
    """The fields that hold here."""
    return MappingProxyType(dict(_bound.get()))


def correlation() -> str:
    """The correlation id of the work under way, or nothing."""
    return str(_bound.get().get("correlation", ""))


def event(
    name: str, /, *, level: int = logging.INFO, error: BaseException | None = None, **fields: object
) -> None:
    """Says that something happened; `error` adds its text, and its trace at level ERROR and above."""
    if not _log.isEnabledFor(level):
        return
    told = {"event": name, **_bound.get(), **_given(fields)}
    if error is not None:
        told |= {"error": type(error).__name__, "message": str(error)}
        if level >= logging.ERROR:
            told["trace"] = _trace(error)
    _say(level, told)


def metric(name: str, value: float, unit: str, /, **fields: object) -> None:
    """One measurement, as a line of its own: `metric`, `value`, `unit` and what it belongs to."""
    if _log.isEnabledFor(logging.INFO):
        told = {"event": "metric", "metric": name, "value": value, "unit": unit}
        _say(logging.INFO, {**told, **_bound.get(), **_given(fields)})


def configure(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Once per worker, and harmless when repeated.

    Under the Functions host the root logger has the host's handler already and keeps it; elsewhere a handler
    that writes JSON lines is added.
    """
    if logging.getLogRecordFactory() is not _redacted_record:
        logging.setLogRecordFactory(_redacted_record)
    _log.setLevel(level)
    # The SDKs log every request at INFO, several lines each: a copy would drown everything else.
    logging.getLogger("azure").setLevel(logging.WARNING)
    root = logging.getLogger()
    if stream is not None or not root.handlers:
        handler = logging.StreamHandler(stream or sys.stderr)
        handler.setFormatter(JsonLines())
        handler.set_name(LOGGER)
        for old in [h for h in root.handlers if h.get_name() == LOGGER]:
            root.removeHandler(old)
        root.addHandler(handler)


class JsonLines(logging.Formatter):
    """One JSON object per record, with time and level first."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"at": moment.replace("+00:00", "Z"), "level": record.levelname.lower()}
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            return _json({**line, **fields})
        line |= {"event": "log", "logger": record.name, "message": redact(record.getMessage())}
        if record.exc_info:
            line["trace"] = redact(record.exc_text or self.formatException(record.exc_info))
        return _json({**line, **clean(dict(_bound.get()))})


def _say(level: int, told: Mapping[str, object]) -> None:
    fields = clean(told)
    # The line itself is the message, so that it stays JSON whatever handler the host has put in place.
    _log.log(level, "%s", _Line(fields), extra={"fields": fields})


class _Line:
    """Rendered when a handler wants it."""

    def __init__(self, fields: dict[str, object]) -> None:
        self._fields = fields

    def __str__(self) -> str:
        return _json(self._fields)


_plain_record = logging.LogRecord


def _redacted_record(*args: object, **kwargs: object) -> logging.LogRecord:
    """A record from which secrets are gone before any handler sees it, the host's own included."""
    record = _plain_record(*args, **kwargs)  # type: ignore[arg-type]  # passed through as logging calls it
    if record.name == LOGGER:
        return record
    try:
        record.msg, record.args = redact(record.getMessage()), ()
    except (TypeError, ValueError):
        record.msg, record.args = (
            redact(f"{record.msg} {record.args!r}"),
            (),
        )  # a library's wrong format string
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text = redact(_trace(record.exc_info[1]))  # what every formatter uses when it is there
    return record


def _trace(error: BaseException) -> str:
    import traceback  # here: only failures pay for it

    return "".join(traceback.format_exception(error)).rstrip()


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _json(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, default=str, ensure_ascii=False, separators=(",", ":"))
