"""What Microsoft's worker would not index is refused here as well."""

import asyncio
import io
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from sandbox.host.console import Console
from sandbox.host.functions import AppFault, Function, index, load_functions
from sandbox.host.invocation import Worker
from sandbox.host.program import now
from sandbox.host.settings import AppSettings


def indexed(define: Callable[[func.FunctionApp], Any], **settings: str) -> Function:
    app = func.FunctionApp()
    define(app)
    (only,) = index(app.get_functions(), AppSettings(settings))
    return only


def test_placeholders_in_bindings_are_resolved_from_the_settings() -> None:
    def define(app: func.FunctionApp) -> None:
        @app.queue_trigger("message", "%QUEUE%", "S")
        async def named(message: bytes, context: func.Context) -> None: ...

    function = indexed(define, QUEUE="builds")
    assert (function.binding["queueName"], function.is_async, function.wants_context) == (
        "builds",
        True,
        True,
    )


def wrong_annotation(app: func.FunctionApp) -> None:
    @app.queue_trigger("message", "q", "S")
    def broken(message: func.TimerRequest) -> None: ...


def wrong_parameter(app: func.FunctionApp) -> None:
    @app.queue_trigger("message", "q", "S")
    def broken(other: func.QueueMessage) -> None: ...


def wrong_return(app: func.FunctionApp) -> None:
    @app.route("x")
    def broken(req: func.HttpRequest) -> dict:  # type: ignore[type-arg]  # as people write it
        return {}


def wrong_context(app: func.FunctionApp) -> None:
    @app.route("x")
    def broken(req: func.HttpRequest, context: str) -> str:
        return context


def output_binding(app: func.FunctionApp) -> None:
    @app.queue_output("out", "q", "S")
    @app.route("x")
    def broken(req: func.HttpRequest, out: func.Out[str]) -> str:
        return ""


def other_trigger(app: func.FunctionApp) -> None:
    @app.blob_trigger("blob", "c/{name}", "S")
    def broken(blob: func.InputStream) -> None: ...


def missing_setting(app: func.FunctionApp) -> None:
    @app.timer_trigger("timer", "%MISSING%")
    def broken(timer: func.TimerRequest) -> None: ...


@pytest.mark.parametrize(
    ("define", "said"),
    [
        (wrong_annotation, 'does not match its Python annotation "TimerRequest"'),
        (wrong_parameter, "without a binding: other"),
        (wrong_return, 'return annotation "dict" does not match binding type "http"'),
        (wrong_context, "azure.functions.Context"),
        (output_binding, "'out' \\(queue\\) does not run"),
        (other_trigger, "blobTrigger does not run here"),
        (missing_setting, "set MISSING"),
    ],
)
def test_a_function_that_cannot_run_is_named_with_the_reason(
    define: Callable[[func.FunctionApp], Any], said: str
) -> None:
    with pytest.raises(AppFault, match=f"broken: .*{said}"):
        indexed(define)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "does not exist"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("x = 1", "expected one FunctionApp"),
    ],
)
def test_an_app_that_cannot_be_loaded_is_told_why(tmp_path: Path, text: str | None, said: str) -> None:
    name = "host_test_entry.py"
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(AppFault, match=said):
        load_functions(tmp_path, AppSettings({"PYTHON_SCRIPT_FILE_NAME": name}))


def worker(timeout: timedelta | None, aborted: list[str]) -> Worker:
    return Worker(".", AppSettings({}), Console(now, io.StringIO()), timeout, aborted.append)


def function(call: Callable[..., Any], *, is_async: bool = False) -> Function:
    return Function("f", "queueTrigger", {}, "x", None, call, is_async, False)


def test_a_function_beyond_its_timeout_takes_the_host_down() -> None:
    async def story() -> None:
        aborted: list[str] = []
        release = threading.Event()
        host = worker(timedelta(seconds=0.05), aborted)
        outcome = await host.invoke(function(lambda x: release.wait(5)), lambda: 1, "test")
        release.set()
        host.close()
        assert isinstance(outcome.error, TimeoutError)
        assert "exceeded by function 'Functions.f'" in aborted[0]

    asyncio.run(story())


def test_sync_functions_run_beside_each_other_and_async_ones_off_the_hosts_loop() -> None:
    async def story() -> None:
        barrier = threading.Barrier(3, timeout=5)
        host = worker(None, [])

        async def asynchronous(x: int) -> int:
            return await asyncio.to_thread(barrier.wait)

        results = await asyncio.gather(
            host.invoke(function(lambda x: barrier.wait()), lambda: 1, "test"),
            host.invoke(function(lambda x: barrier.wait()), lambda: 1, "test"),
            host.invoke(function(asynchronous, is_async=True), lambda: 1, "test"),
        )
        host.close()
        assert sorted(each.value for each in results) == [0, 1, 2]

    asyncio.run(story())
