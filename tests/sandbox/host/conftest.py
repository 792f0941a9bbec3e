"""The small app, loaded by a host that listens on no port."""

import io
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp.test_utils import TestClient, TestServer

from sandbox.host.console import AppLogs, Console
from sandbox.host.program import Host, Options, now
from sandbox.host.settings import AppSettings

APP: Final = Path(__file__).parent / "app"
SETTINGS: Final = {
    "HOST_TEST_SCHEDULE": "0 0 0 1 1 *",
    "TestStorage__queueServiceUri": "https://127.0.0.1:1/factory",
}


class Running:
    """A host, what it printed, and what its app noted down."""

    def __init__(self, host: Host, out: io.StringIO, notes: Path) -> None:
        self.host = host
        self._out = out
        self._notes = notes

    def notes(self) -> list[dict[str, Any]]:
        if not self._notes.exists():
            return []
        return [json.loads(line) for line in self._notes.read_text().splitlines()]

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._out.getvalue().splitlines()]

    async def talk(self, story: Callable[[TestClient[Any, Any]], Awaitable[None]]) -> None:
        async with TestClient(TestServer(self.host.application())) as client:
            await story(client)
            await self.host.worker.drain(timedelta(seconds=5))


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    notes = tmp_path / "notes"
    monkeypatch.setenv("HOST_TEST_NOTES", str(notes))
    out = io.StringIO()
    console = Console(now, out)
    options = Options(APP, tmp_path / "state", 0, timedelta(minutes=10), timedelta(seconds=1))
    path, entry = list(sys.path), sys.modules.get("function_app")
    collector = AppLogs(console)
    logging.getLogger().addHandler(collector)
    try:
        running = Running(Host(options, AppSettings(SETTINGS), console), out, notes)
        yield running
        running.host.worker.close()
    finally:  # the product's own function_app must be what other tests import
        logging.getLogger().removeHandler(collector)
        sys.path[:] = path
        del sys.modules["function_app"]
        if entry is not None:
            sys.modules["function_app"] = entry
