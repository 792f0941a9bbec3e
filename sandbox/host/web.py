"""HTTP functions: keys, routing, and Microsoft's request and response types."""

from collections.abc import Iterable, Mapping
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

import azure.functions as func
from aiohttp import web
from azure.functions.http import HttpRequest
from multidict import MultiMapping

from sandbox.host.functions import HTTP, Function, converter
from sandbox.host.invocation import Worker
from sandbox.host.keys import HostKeys
from sandbox.host.routes import Router

if TYPE_CHECKING:
    from azure.functions.meta import Datum


class HttpFunctions:
    def __init__(self, functions: Iterable[Function], prefix: str, worker: Worker, keys: HostKeys) -> None:
        self._router = Router((each for each in functions if each.trigger == HTTP), prefix)
        self._worker = worker
        self._keys = keys

    async def handle(self, request: web.Request) -> web.Response:
        # %2F stays as it is, so that it never divides a path: the real host's routing works like this too
        found = self._router.find(request.method, request.rel_url.path_safe)
        if found is None:
            return web.Response(status=404)
        function, parameters = found
        if not self._allows(function, request):
            return web.Response(status=401)
        body = await request.read()
        outcome = await self._worker.invoke(
            function,
            lambda: _argument(request, parameters, body),
            "This function was programmatically called via the host APIs.",
            request.headers.get("traceparent", ""),
        )
        if outcome.error is not None:
            return web.Response(status=500)
        return _response(outcome.value)

    def _allows(self, function: Function, request: web.Request) -> bool:
        key = request.headers.get("x-functions-key") or request.query.get("code", "")
        match str(function.binding.get("authLevel", "FUNCTION")).upper():
            case "ANONYMOUS":
                return True
            case "ADMIN":
                return self._keys.is_master(key)
            case _:
                return self._keys.accepts(key, function.name)


def _argument(request: web.Request, parameters: Mapping[str, str], body: bytes) -> func.HttpRequest:
    return HttpRequest(
        method=request.method,
        url=str(request.url),
        headers=_joined(request.headers),
        params=_joined(request.query),
        route_params=dict(parameters),
        body_type="bytes",
        body=body,
    )


def _joined(given: MultiMapping[str]) -> dict[str, str]:
    """What was sent twice is one, with a comma: so the real host hands it to its workers (`ToRpcHttp`)."""
    return {name: ",".join(given.getall(name)) for name in given}


def _response(value: Any) -> web.Response:
    if value is None:
        return web.Response(status=204)
    try:
        datum: Datum = converter("http").encode(value, expected_type=None)
    except NotImplementedError:
        return web.Response(status=500)  # neither an HttpResponse nor text: Microsoft's worker cannot send it
    if datum.type == "string":
        return web.Response(text=datum.value)
    parts = datum.value
    response = web.Response(status=int(parts["status_code"].value), body=parts["body"].value)
    for name, each in parts["headers"].items():
        response.headers[name] = each.value
    for cookie in parts["cookies"] or ():
        _set_cookies(response, cookie)
    return response


def _set_cookies(response: web.Response, cookies: SimpleCookie) -> None:
    for morsel in cookies.values():
        response.headers.add("Set-Cookie", morsel.OutputString())
