"""The context that a function may ask for by a parameter of that name."""

import threading
from typing import Any

import azure.functions as func
from azure.functions._abc import TraceContext


class _Trace(TraceContext):
    def __init__(self, parent: str) -> None:
        self._parent = parent

    @property
    def trace_state(self) -> str:
        return ""

    @property
    def trace_parent(self) -> str:
        return self._parent

    @property
    def attributes(self) -> dict[str, str]:
        return {}


class InvocationContext(func.Context):
    def __init__(self, function: str, folder: str, invocation: str, parent: str) -> None:
        self._function = function
        self._folder = folder
        self._invocation = invocation
        self._trace = _Trace(parent)
        self._local = threading.local()

    @property
    def invocation_id(self) -> str:
        return self._invocation

    @property
    def thread_local_storage(self) -> Any:
        return self._local

    @property
    def function_name(self) -> str:
        return self._function

    @property
    def function_directory(self) -> str:
        return self._folder

    @property
    def trace_context(self) -> TraceContext:
        return self._trace

    @property
    def retry_context(self) -> Any:
        return None
