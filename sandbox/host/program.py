"""`python -m sandbox host`: put the parts together, run them, and end as the real host ends."""

import argparse
import asyncio
import logging
import os
import random
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.queue.aio import QueueServiceClient

from sandbox.host.admin import Admin
from sandbox.host.config import HostConfig, HostConfigFault, load_config
from sandbox.host.console import AppLogs, Console
from sandbox.host.functions import QUEUE, TIMER, AppFault, Function, load_functions
from sandbox.host.invocation import Worker
from sandbox.host.keys import load_keys
from sandbox.host.queues import QueueListener
from sandbox.host.schedules import timetable
from sandbox.host.settings import AppSettings, Connection, SettingFault
from sandbox.host.timers import TimerListener
from sandbox.host.web import HttpFunctions
from sandbox.host.webhooks import PATH as EVENT_GRID_PATH
from sandbox.host.webhooks import EventGridWebhook

KEYS_FILE: Final = "host.keys.json"
EXIT_CANNOT_LOAD: Final = 3  # starting again would not help
EXIT_TIMEOUT: Final = 4  # starting again is what the real host does
_MAX_BODY: Final = 100 * 1024 * 1024
# the SDK's own first pause is 15 s: longer than it takes anybody to look why nothing happens
_PATIENCE: Final[dict[str, Any]] = {"retry_total": 2, "initial_backoff": 1, "increment_base": 1}


class Options(msgspec.Struct, frozen=True):
    app: Path
    state: Path
    port: int
    lock: timedelta
    drain: timedelta


def run(argv: Sequence[str]) -> int:
    options = _options(argv)
    console = Console(now)
    os.chdir(options.app)  # as in Azure, where the app's folder is the working directory
    collect_logs(console)
    try:
        host = Host(options, AppSettings(os.environ), console)
    except (AppFault, HostConfigFault, SettingFault) as fault:
        for line in str(fault).splitlines():
            console.error("Host.Startup", line)
        return EXIT_CANNOT_LOAD
    logging.getLogger().setLevel(host.config.log_level)
    return asyncio.run(host.run())


def _options(argv: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="sandbox host", description=__doc__)
    parser.add_argument("--app", type=Path, required=True, help="folder of function_app.py and host.json")
    parser.add_argument("--port", type=int, required=True, help="where to listen on loopback; 0 is any port")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps keys and timer status")
    parser.add_argument("--lock-seconds", type=float, default=600.0, help="how long a message is locked")
    parser.add_argument("--drain-seconds", type=float, default=5.0, help="patience with what runs at the end")
    given = parser.parse_args(argv)
    return Options(
        app=given.app.resolve(),
        state=given.state.resolve(),
        port=given.port,
        lock=timedelta(seconds=given.lock_seconds),
        drain=timedelta(seconds=given.drain_seconds),
    )


class Host:
    """One app, indexed and ready to run."""

    def __init__(self, options: Options, settings: AppSettings, console: Console) -> None:
        self._options = options
        self._settings = settings
        self._console = console
        self.config: HostConfig = load_config(options.app / "host.json", os.environ)
        self.functions = load_functions(options.app, settings)
        self.keys = load_keys(options.state / KEYS_FILE, [each.name for each in self.functions])
        self.worker = Worker(
            str(options.app), settings, console, self.config.function_timeout, abort=lambda _: _exit_now()
        )
        self._timers = [self._timer(each) for each in self.functions if each.trigger == TIMER]
        for each in self.functions:
            if each.trigger == QUEUE:
                settings.connection(
                    str(each.binding["connection"])
                )  # a missing one is told before anything runs

    def application(self) -> web.Application:
        """Return the HTTP side alone."""
        prefix = self.config.route_prefix
        admin = Admin(self.functions, self.worker, self.keys, now, host_id=self._options.app.name)
        webhook = EventGridWebhook(self.functions, self.worker, self.keys)
        functions = HttpFunctions(self.functions, prefix, self.worker, self.keys)

        async def dispatch(request: web.Request) -> web.Response:
            path = request.path.lower().rstrip("/")
            if path == EVENT_GRID_PATH:
                return await webhook.handle(request)
            if path == "/admin" or path.startswith("/admin/"):
                return await admin.handle(request)
            return await functions.handle(request)

        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:(?s:.*)}", dispatch)  # a decoded line break is no end of it
        return app

    async def run(self) -> int:
        """Serve and listen until a signal comes; then stop as gently as the patience allows."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, stop.set)
        async with AsyncExitStack() as stack:
            runner = web.AppRunner(self.application(), access_log=None)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", self._options.port)
            await site.start()
            port = runner.addresses[0][1]
            listeners = [await self._queue(each, stack) for each in self.functions if each.trigger == QUEUE]
            polling = [asyncio.create_task(each.run(stop)) for each in listeners]
            timing = [asyncio.create_task(each.run()) for each in self._timers]
            names = ", ".join(each.name for each in self.functions)
            self._console.info("Host.Startup", f"Host started on port {port}", port=port, functions=names)
            await _first_of(stop, [*polling, *timing])
            await self._stop(stop, polling, timing, listeners)
        self._console.info("Host.Shutdown", "Host stopped")
        return 0

    async def _stop(
        self,
        stop: asyncio.Event,
        polling: list[asyncio.Task[None]],
        timing: list[asyncio.Task[None]],
        listeners: list[QueueListener],
    ) -> None:
        stop.set()
        self._console.info("Host.Shutdown", "Stopping: no new work, waiting for what runs")
        for task in timing:
            task.cancel()
        await asyncio.gather(*polling, *timing, return_exceptions=True)
        await asyncio.gather(*(each.settle(self._options.drain) for each in listeners))
        left = await self.worker.drain(timedelta(0) if listeners else self._options.drain)
        if left:
            self._console.warning("Host.Shutdown", f"{left} invocations were still running and are abandoned")
            _exit_now(0)  # a thread cannot be ended, and would keep the process
        self.worker.close()

    def _timer(self, function: Function) -> TimerListener:
        table = timetable(str(function.binding["schedule"]), function.name)
        status = self._options.state / "timers" / f"{function.name}.json"
        return TimerListener(function, table, self.worker, now, status)

    async def _queue(self, function: Function, stack: AsyncExitStack) -> QueueListener:
        connection = self._settings.connection(str(function.binding["connection"]))
        credential = await stack.enter_async_context(_credential(connection))
        account = await stack.enter_async_context(
            QueueServiceClient(connection.queue_uri, credential=credential, **_PATIENCE)
        )
        return QueueListener(
            function,
            account,
            self.worker,
            self._console,
            self.config.queues,
            lock=self._options.lock,
            chance=random.Random(),
        )


def _credential(connection: Connection) -> Any:
    if (connection.credential or "").lower() == "managedidentity":
        return ManagedIdentityCredential(client_id=connection.client_id)
    return DefaultAzureCredential(managed_identity_client_id=connection.client_id)


async def _first_of(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Wait for the signal, or for a listener that died of what it should not die of: then nothing works."""
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()


def collect_logs(console: Console) -> None:
    """Bring what the app logs, from its import on, to the console."""
    root = logging.getLogger()
    root.addHandler(AppLogs(console))
    root.setLevel(logging.INFO)
    # one line per request of an SDK would bury everything else
    logging.getLogger("azure").setLevel(logging.WARNING)


def now() -> datetime:
    return datetime.now(UTC)


def _exit_now(status: int = EXIT_TIMEOUT) -> None:
    sys.stdout.flush()
    os._exit(status)
