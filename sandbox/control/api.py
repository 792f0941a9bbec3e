"""The control endpoint: plain HTTP on loopback, JSON in and out, no token; never for a network."""

import dataclasses
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from sandbox.control import orders
from sandbox.control.galleries import GalleryOrders
from sandbox.control.hosting import Hosting
from sandbox.control.orders import Refused, decode
from sandbox.control.seeds import Seed
from sandbox.control.state import summary
from sandbox.control.things import Things
from sandbox.control.traffic import Traffic

if TYPE_CHECKING:
    from sandbox.running import RunningSandbox

Action = Callable[["Ask"], object | Awaitable[object]]


class Ask(msgspec.Struct, frozen=True):
    body: bytes
    query: Mapping[str, str]
    name: str  # what stands at {…} in the path

    def order(self, kind: type[Any]) -> Any:
        return decode(self.body, kind)


class Control:
    def __init__(self, sandbox: "RunningSandbox") -> None:
        self._sandbox = sandbox
        self._things = things = Things(sandbox)
        traffic, hosting = Traffic(sandbox), Hosting(sandbox)

        def galleries() -> GalleryOrders:
            return GalleryOrders(sandbox.azure)  # the world comes into being after its control

        self._routes: tuple[tuple[str, str, Action], ...] = (
            ("GET", "/", lambda _: {"routes": [f"{method} {path}" for method, path, _ in self._routes]}),
            ("GET", "/state", lambda _: summary(sandbox)),
            ("GET", "/marketplace/versions", lambda _: things.versions()),
            ("POST", "/marketplace/versions", lambda ask: things.new_version(ask.order(orders.NewVersion))),
            ("POST", "/marketplace/deprecations", lambda ask: things.deprecate(ask.order(orders.Deprecate))),
            ("GET", "/vhds", lambda _: things.vhds()),
            ("POST", "/outcomes", lambda ask: things.plan(ask.order(orders.Plan))),
            ("POST", "/seed", lambda ask: things.seed(ask.order(Seed))),
            ("GET", "/galleries", lambda _: galleries().listed()),
            ("GET", "/replications", lambda _: galleries().plans()),
            ("POST", "/replications", lambda ask: galleries().plan(ask.order(orders.Replication))),
            ("DELETE", "/replications", lambda _: galleries().forget()),
            ("POST", "/token", lambda ask: things.token(ask.order(orders.TokenOrder))),
            ("GET", "/roles", lambda _: things.roles()),
            ("POST", "/roles", lambda ask: things.assign(ask.order(orders.Assignment))),
            ("DELETE", "/roles", lambda ask: things.revoke(ask.order(orders.Assignment))),
            ("GET", "/calls", lambda ask: traffic.calls(ask.query)),
            ("DELETE", "/calls", lambda _: traffic.forget_calls()),
            ("GET", "/faults", lambda _: traffic.faults()),
            ("POST", "/faults", lambda ask: traffic.add_fault(ask.order(orders.NewFault))),
            ("DELETE", "/faults", lambda _: traffic.clear_faults()),
            ("GET", "/faults/{}", lambda ask: traffic.fault(ask.name)),
            ("DELETE", "/faults/{}", lambda ask: traffic.remove_fault(ask.name)),
            ("GET", "/switches", lambda _: traffic.switches()),
            ("PATCH", "/switches", lambda ask: traffic.switch(ask.order(dict))),
            ("GET", "/limits", lambda _: traffic.limits()),
            ("PATCH", "/limits", lambda ask: traffic.limit(ask.order(dict))),
            ("GET", "/events", lambda _: traffic.events()),
            ("PATCH", "/events", lambda ask: traffic.disturb(ask.order(orders.Disturb))),
            ("GET", "/host", lambda _: hosting.status()),
            ("PATCH", "/host", lambda ask: hosting.policy(ask.order(orders.HostOrder))),
            ("POST", "/host/{}", lambda ask: hosting.order(ask.name)),
        )
        self._patterns: Final = tuple(
            (method, re.compile(path.replace("{}", "([^/]+)")), action)
            for method, path, action in self._routes
        )

    def settle(self) -> None:
        """To be called now and then: some orders wait for what they are about."""
        self._things.settle()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            document = await self._answer(request)
        except Refused as refused:
            return _json({"error": str(refused)}, refused.status)
        except ValueError as error:  # how the parts of the world say that an argument makes no sense
            return _json({"error": str(error)}, 400)
        return _json(document, 200)

    async def _answer(self, request: web.BaseRequest) -> object:
        path = request.path.rstrip("/") or "/"
        found = False
        for method, pattern, action in self._patterns:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            found = True
            if method == request.method:
                name = match[1] if match.groups() else ""
                answer = action(Ask(await request.content.read(), dict(request.query), name))
                return await answer if isinstance(answer, Awaitable) else answer
        raise Refused(
            f"There is no {request.method} {path}; GET / lists what there is.", 405 if found else 404
        )


def _json(document: object, status: int) -> web.Response:
    body = msgspec.json.format(msgspec.json.encode(document, enc_hook=_plain)) + b"\n"
    return web.Response(status=status, body=body, content_type="application/json")


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} cannot be shown as JSON")
