"""Calls functions as the Python worker does: async ones on a loop of their own, others in a thread pool.

The worker is another process in Azure. Here it is at least another event loop, so that an app which blocks
its loop stalls itself, and not the renewal of its messages.
"""

import asyncio
import contextvars
import os
import secrets
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import msgspec

from sandbox.host.console import INVOCATION, Console
from sandbox.host.context import InvocationContext
from sandbox.host.functions import Function
from sandbox.host.settings import AppSettings

Argument = Callable[[], object]


class Outcome(msgspec.Struct, frozen=True):
    value: Any = None
    error: BaseException | None = None

    @property
    def succeeded(self) -> bool:
        return self.error is None


class Worker:
    """Runs invocations. `abort` is called when one exceeds functionTimeout: nothing else ends a thread."""

    def __init__(
        self,
        folder: str,
        settings: AppSettings,
        console: Console,
        timeout: timedelta | None,
        abort: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._console = console
        self._timeout = timeout
        self._abort = abort
        self._threads = ThreadPoolExecutor(_thread_count(settings), thread_name_prefix="worker")
        self._loop = asyncio.new_event_loop()
        self._running: set[asyncio.Task[Outcome]] = set()
        self._thread = threading.Thread(target=self._serve, name="worker-loop", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> int:
        return len(self._running)

    async def invoke(
        self, function: Function, argument: Argument, reason: str, trace_parent: str = ""
    ) -> Outcome:
        """Call the function once; what it or the making of its argument raises is part of the outcome."""
        task = asyncio.ensure_future(self._invoke(function, argument, reason, trace_parent))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def drain(self, patience: timedelta) -> int:
        """Wait for what runs; return how many still ran when patience was over."""
        if self._running:
            await asyncio.wait(self._running, timeout=patience.total_seconds())
        return len(self._running)

    def close(self) -> None:
        """End what idles; call it only when nothing runs any more, see `drain`."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _serve(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _invoke(self, function: Function, argument: Argument, reason: str, parent: str) -> Outcome:
        invocation = str(uuid.uuid4())
        category = f"Function.{function.name}"
        self._console.info(
            category, f"Executing 'Functions.{function.name}' (Reason='{reason}', Id={invocation})"
        )
        started = time.monotonic()
        parent = parent or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
        context = InvocationContext(function.name, self._folder, invocation, parent)
        outcome = await self._run(function, argument, context)
        took = round((time.monotonic() - started) * 1000)
        verdict = "Succeeded" if outcome.succeeded else "Failed"
        said = f"Executed 'Functions.{function.name}' ({verdict}, Id={invocation}, Duration={took}ms)"
        if outcome.error is None:
            self._console.info(category, said)
        else:
            trace = "".join(traceback.format_exception(outcome.error))
            self._console.error(category, said, exception=trace, invocationId=invocation)
        return outcome

    async def _run(self, function: Function, argument: Argument, context: InvocationContext) -> Outcome:
        try:
            given = {function.parameter: argument()}
        except (ValueError, TypeError, KeyError, NotImplementedError) as error:  # Microsoft's converters
            return Outcome(error=error)
        if function.wants_context:
            given["context"] = context
        scope = contextvars.copy_context()
        scope.run(INVOCATION.set, (function.name, context.invocation_id))
        started: Future[Any]
        if function.is_async:
            started = scope.run(asyncio.run_coroutine_threadsafe, function.call(**given), self._loop)
        else:
            started = self._threads.submit(lambda: scope.run(lambda: function.call(**given)))
        running = asyncio.wrap_future(started)
        seconds = self._timeout.total_seconds() if self._timeout else None
        await asyncio.wait([running], timeout=seconds)
        if not running.done():
            said = f"Timeout value of {self._timeout} exceeded by function 'Functions.{function.name}'"
            self._console.error("Host.Triggers", f"{said} (Id: '{context.invocation_id}'). Host exits.")
            self._abort(said)
            return Outcome(error=TimeoutError(said))
        raised = running.exception()
        if raised is not None:
            return Outcome(error=raised)
        return Outcome(value=running.result())


def _thread_count(settings: AppSettings) -> int:
    """PYTHON_THREADPOOL_THREAD_COUNT, 1 to 32, and what CPython would take where it is not set."""
    given = settings.get("PYTHON_THREADPOOL_THREAD_COUNT")
    if given is not None and given.isdigit() and 1 <= int(given) <= 32:
        return int(given)
    return min(32, (os.cpu_count() or 1) + 4)
