"""The Event Grid trigger's endpoint: `POST /runtime/webhooks/EventGrid?functionName=…&code=…`."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from aiohttp import web

from sandbox.host.arguments import from_document
from sandbox.host.functions import EVENT_GRID, Function
from sandbox.host.invocation import Outcome, Worker
from sandbox.host.keys import HostKeys

PATH: Final = "/runtime/webhooks/eventgrid"


class EventGridWebhook:
    def __init__(self, functions: Iterable[Function], worker: Worker, keys: HostKeys) -> None:
        self._functions = {each.name.lower(): each for each in functions if each.trigger == EVENT_GRID}
        self._worker = worker
        self._keys = keys

    async def handle(self, request: web.Request) -> web.Response:
        query = {name.lower(): value for name, value in request.query.items()}
        key = request.headers.get("x-functions-key") or query.get("code", "")
        if not self._keys.opens_webhook(key):
            return web.Response(status=401)
        name = query.get("functionname", "")
        function = self._functions.get(name.lower())
        if function is None:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            origin = request.headers.get("WebHook-Request-Origin", "")
            return web.Response(headers={"WebHook-Allowed-Origin": origin} if origin else {})
        return await self._answer(request, function)

    async def _answer(self, request: web.Request, function: Function) -> web.Response:
        try:
            document = msgspec.json.decode(await request.read())
            match request.headers.get("aeg-event-type", "").lower():
                case "subscriptionvalidation":
                    return web.json_response({"validationResponse": _validation_code(document)})
                case "notification":
                    return await self._notify(function, document)
                case "unsubscribe":
                    return web.Response(status=202)
                case _:
                    return web.Response(status=400)
        except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError) as error:
            # the extension parses before it looks, so what is not an event is an error of the host
            return web.Response(status=500, text=f"the request holds no event: {error}")

    async def _notify(self, function: Function, document: object) -> web.Response:
        """Call the function once per event, all at once; one failure fails the whole request."""
        events = document if isinstance(document, list) else [document]
        outcomes = await asyncio.gather(*(self._call(function, event) for event in events))
        for outcome in outcomes:
            if outcome.error is not None:
                return web.Response(status=500, text=f"Exception while executing function: {function.name}")
        return web.Response(status=202)

    async def _call(self, function: Function, event: object) -> Outcome:
        parent = event.get("traceparent") if isinstance(event, dict) else None
        return await self._worker.invoke(
            function,
            lambda: from_document(function, event),
            "EventGrid trigger fired",
            parent if isinstance(parent, str) else "",
        )


def _validation_code(document: Any) -> str:
    """Return the code to echo; in a CloudEvent the data is JSON within JSON."""
    if isinstance(document, list):
        return str(document[0]["data"]["validationCode"])
    return str(msgspec.json.decode(document["data"])["validationCode"])
