"""The host's own endpoints: is it there, which functions, call one by hand, which keys."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import msgspec
from aiohttp import web

from sandbox.host.arguments import from_document, from_text
from sandbox.host.functions import EVENT_GRID, HTTP, QUEUE, Function
from sandbox.host.invocation import Worker
from sandbox.host.keys import HostKeys
from sandbox.host.timers import timer_document

VERSION: Final = "4.1040.0"
_CALLED: Final = "This function was programmatically called via the host APIs."


class Admin:
    def __init__(
        self,
        functions: Iterable[Function],
        worker: Worker,
        keys: HostKeys,
        now: Callable[[], datetime],
        host_id: str,
    ) -> None:
        self._functions = {each.name.lower(): each for each in functions}
        self._worker = worker
        self._keys = keys
        self._now = now
        self._started = now()
        self._host_id = host_id
        self._calls: set[asyncio.Task[object]] = set()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer what is below /admin; all but the status takes the master key."""
        match [part.lower() for part in request.path.strip("/").split("/")][1:]:
            case ["host", "ping"]:
                return web.Response()
            case ["host", "status"]:
                return web.json_response(self._status())
            case _ if not self._keys.is_master(_key(request)):
                return web.Response(status=401)
            case ["host", "systemkeys", name] if name in self._keys.system_keys:
                return web.json_response({"name": name, "value": self._keys.system_keys[name]})
            case ["functions"] if request.method == "GET":
                return web.json_response([_describe(each) for each in self._functions.values()])
            case ["functions", name] if name in self._functions:
                return await self._one(request, self._functions[name])
            case ["functions", name, "keys"] if name in self._functions:
                kept = self._keys.functions[self._functions[name].name]
                return web.json_response(
                    {"keys": [{"name": label, "value": key} for label, key in kept.items()]}
                )
            case _:
                return web.Response(status=404)

    def _status(self) -> dict[str, object]:
        uptime = (self._now() - self._started).total_seconds() * 1000
        return {
            "id": self._host_id,
            "state": "Running",
            "version": VERSION,
            "versionDetails": VERSION,
            "processUptime": int(uptime),
        }

    async def _one(self, request: web.Request, function: Function) -> web.Response:
        if request.method == "GET":
            return web.json_response(_describe(function))
        if request.method != "POST":
            return web.Response(status=405)
        if function.trigger == HTTP:
            return web.Response(status=400, text=f"'{function.name}' is called by its own route")
        try:
            body = msgspec.json.decode(await request.read() or b"{}")
            text = body.get("input") or ""
        except (msgspec.DecodeError, AttributeError):
            return web.Response(status=400, text='expected a JSON body such as {"input": "…"}')
        call = asyncio.create_task(
            self._worker.invoke(function, lambda: _by_hand(function, str(text)), _CALLED)
        )
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return web.Response(status=202)  # accepted: the answer does not wait for the function


def _by_hand(function: Function, text: str) -> object:
    if function.trigger == QUEUE:
        return from_text(function, text, {"Id": "", "DequeueCount": 1, "PopReceipt": ""})
    if function.trigger == EVENT_GRID:
        return from_document(function, msgspec.json.decode(text))
    return from_document(function, timer_document(None, past_due=False))


def _describe(function: Function) -> dict[str, object]:
    return {"name": function.name, "config": {"bindings": [dict(function.binding)]}, "language": "python"}


def _key(request: web.Request) -> str:
    return request.headers.get("x-functions-key") or request.query.get("code", "")
