"""What host.json says, with the defaults of the real host for what it does not say."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

_TIME_SPAN: Final = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?")
_LEVELS: Final = {
    "trace": "DEBUG",
    "debug": "DEBUG",
    "information": "INFO",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "CRITICAL",
    "none": "CRITICAL",
}
_MIN_POLL: Final = timedelta(milliseconds=100)
_OVERRIDE: Final = "azurefunctionsjobhost__"
_NO_SETTINGS: Final[Mapping[str, str]] = {}


class HostConfigFault(ValueError):
    """host.json says something that the real host would not start with."""


class QueueOptions(msgspec.Struct, frozen=True):
    """`extensions.queues`. They hold for the whole app, not for one queue."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    visibility_timeout: timedelta = timedelta(0)
    max_dequeue_count: int = 5
    max_polling_interval: timedelta = timedelta(minutes=1)
    message_encoding: Literal["base64", "none"] = "base64"


class HostConfig(msgspec.Struct, frozen=True):
    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)
    queues: QueueOptions = QueueOptions()
    log_level: str = "INFO"


def load_config(path: Path, settings: Mapping[str, str] = _NO_SETTINGS) -> HostConfig:
    """Read host.json; raise `HostConfigFault` if the app could not run with it.

    Settings named `AzureFunctionsJobHost__path__to__value` go before what the file says.
    """
    try:
        document = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        document = {"version": "2.0"}
    except msgspec.DecodeError as error:
        raise HostConfigFault(f"{path}: {error}") from error
    try:
        return _config(_overridden(document, settings))
    except (ValueError, TypeError, AttributeError) as error:
        raise HostConfigFault(f"{path}: {error}") from error


def _overridden(document: Mapping[str, Any], settings: Mapping[str, str]) -> Mapping[str, Any]:
    """Names are compared without case, as the host compares them; a value is text, as settings are."""
    for name, value in settings.items():
        if name.lower().startswith(_OVERRIDE):
            document = _with(document, name[len(_OVERRIDE) :].split("__"), value)
    return document


def _with(document: Mapping[str, Any], path: Sequence[str], value: str) -> Mapping[str, Any]:
    key = next((each for each in document if each.lower() == path[0].lower()), path[0])
    if len(path) == 1:
        return {**document, key: int(value) if value.isdecimal() else value}
    return {**document, key: _with(document.get(key, {}), path[1:], value)}


def _config(document: Mapping[str, Any]) -> HostConfig:
    if document.get("version") != "2.0":
        raise ValueError(f'"version" must be "2.0", it is {document.get("version")!r}')
    extensions = document.get("extensions", {})
    level = str(document.get("logging", {}).get("logLevel", {}).get("default", "Information")).lower()
    if level not in _LEVELS:
        raise ValueError(f"logging.logLevel.default is {level!r}, expected one of {', '.join(_LEVELS)}")
    return HostConfig(
        route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
        function_timeout=_timeout(document.get("functionTimeout", "00:30:00")),
        queues=_queues(extensions.get("queues", {})),
        log_level=_LEVELS[level],
    )


def _timeout(value: object) -> timedelta | None:
    return None if value in ("-1", "-00:00:00.0010000") else time_span(value, "functionTimeout")


def _queues(given: Mapping[str, Any]) -> QueueOptions:
    where = "extensions.queues"
    batch = _between(given.get("batchSize", 16), 1, 32, f"{where}.batchSize")
    poll = time_span(given.get("maxPollingInterval", "00:01:00"), f"{where}.maxPollingInterval")
    if poll < _MIN_POLL:
        raise ValueError(f"{where}.maxPollingInterval is {poll}, the least is 100 ms")
    encoding = str(given.get("messageEncoding", "base64")).lower()
    if encoding not in ("base64", "none"):
        raise ValueError(f"{where}.messageEncoding is {encoding!r}, expected 'base64' or 'none'")
    return QueueOptions(
        batch_size=batch,
        new_batch_threshold=_between(
            given.get("newBatchThreshold", batch // 2), 0, 1000, f"{where}.newBatchThreshold"
        ),
        visibility_timeout=time_span(
            given.get("visibilityTimeout", "00:00:00"), f"{where}.visibilityTimeout"
        ),
        max_dequeue_count=_between(given.get("maxDequeueCount", 5), 1, 1000, f"{where}.maxDequeueCount"),
        max_polling_interval=poll,
        message_encoding="base64" if encoding == "base64" else "none",
    )


def _between(value: object, least: int, most: int, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{where} is {value!r}, expected a whole number from {least} to {most}")
    return value


def time_span(value: object, where: str) -> timedelta:
    """Read a .NET TimeSpan such as "00:05:00" or "1.00:00:00"."""
    match = _TIME_SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[2]) > 23 or int(match[3]) > 59 or int(match[4]) > 59:
        raise ValueError(f'{where} is {value!r}, expected a time span such as "00:05:00"')
    days, hours, minutes, seconds, fraction = match.groups(default="0")
    return timedelta(
        days=int(days),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        microseconds=int(fraction.ljust(7, "0")) // 10,
    )
