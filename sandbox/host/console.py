"""One JSON object per line on standard output; what the app writes as JSON itself goes through untouched."""

import json
import logging
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, TextIO

INVOCATION: Final[ContextVar[tuple[str, str]]] = ContextVar("invocation", default=("", ""))


class Console:
    def __init__(self, now: Callable[[], datetime], out: TextIO | None = None) -> None:
        self._now = now
        self._out = out or sys.stdout
        self._lock = threading.Lock()

    def info(self, category: str, message: str, **fields: object) -> None:
        self.entry("Information", category, message, fields)

    def warning(self, category: str, message: str, **fields: object) -> None:
        self.entry("Warning", category, message, fields)

    def error(self, category: str, message: str, **fields: object) -> None:
        self.entry("Error", category, message, fields)

    def line(self, text: str) -> None:
        with self._lock:
            self._out.write(text + "\n")
            self._out.flush()

    def entry(self, level: str, category: str, message: str, fields: dict[str, object]) -> None:
        time = self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = {"time": time, "level": level, "category": category, "message": message, **fields}
        self.line(json.dumps(entry, default=str, ensure_ascii=False))


class AppLogs(logging.Handler):
    """Brings the app's logging to the console, with the invocation that it belongs to."""

    _NAMES: Final = {"DEBUG": "Debug", "INFO": "Information", "WARNING": "Warning", "ERROR": "Error"}

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if text.startswith("{") and text.endswith("}"):
            self._console.line(text)
            return
        function, invocation = INVOCATION.get()
        fields = (
            {"invocationId": invocation, "logger": record.name} if invocation else {"logger": record.name}
        )
        category = f"Function.{function}.User" if function else "Worker"
        level = self._NAMES.get(record.levelname, "Critical")
        self._console.entry(level, category, text, dict(fields))
