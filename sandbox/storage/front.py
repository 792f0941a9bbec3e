"""The storage services as clients reach them: `https://127.0.0.1:port/{account}/…`, before Azurite.

Every request is looked at, recorded, perhaps failed on purpose, and then passed on with a token of the
front's own. Bodies, status, ETags and `x-ms-*` headers go through untouched, so that it is Azurite's
answer that clients see.
"""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from sandbox.calls import Call, CallLog
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.serve import Handler, dropped
from sandbox.storage.accounts import Accounts
from sandbox.storage.actions import Asked, needs
from sandbox.storage.errors import SERVER_BUSY, Refusal, answer
from sandbox.storage.exchange import Exchange, Place, read
from sandbox.storage.gate import Gate
from sandbox.storage.held import HeldVhds
from sandbox.storage.limits import PageBlobs
from sandbox.storage.pages import PageCopies
from sandbox.storage.ranges import merged
from sandbox.storage.upstream import Upstream

SERVICES: Final = ("blob", "queue", "table")

_HOP_BY_HOP: Final = frozenset(("connection", "keep-alive", "transfer-encoding"))
_DROPPED: Final = 0

Outcome = aiohttp.ClientResponse | Refusal


class StorageFront:
    def __init__(
        self,
        *,
        clock: Clock,
        gate: Gate,
        calls: CallLog,
        faults: Faults,
        accounts: Accounts,
        page_blobs: PageBlobs,
        held: HeldVhds,
        upstream: Upstream,
        blob_netloc: str,
    ) -> None:
        self._clock = clock
        self._gate = gate
        self._calls = calls
        self._faults = faults
        self._accounts = accounts
        self._page_blobs = page_blobs
        self._held = held
        self._upstream = upstream
        self._copies = PageCopies(
            clock=clock,
            gate=gate,
            upstream=upstream,
            accounts=accounts,
            page_blobs=page_blobs,
            held=held,
            calls=calls,
            netloc=blob_netloc,
        )

    def handler(self, service: str) -> Handler:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return await self._serve(service, request)

        return handle

    async def _serve(self, service: str, request: web.BaseRequest) -> web.StreamResponse:
        place, raw_query, asked = read(service, request)
        physical = self._accounts.physical(place.account) if place else None
        if place is None or physical is None:  # its name would not resolve any more
            self._record(asked, place, request, _DROPPED)
            return dropped(request)
        exchange = Exchange(asked, place, raw_query, physical, request)
        firing = self._faults.due(service, request.method, unquote(request.raw_path))
        reply = await self._struck(exchange, firing, "before")
        if reply is not None:
            return reply
        outcome = await self._outcome(exchange)
        if outcome is None:
            self._record_exchange(exchange, _DROPPED)
            return dropped(request)
        reply = await self._struck(exchange, firing, "after", outcome)
        return await self._reply(exchange, outcome) if reply is None else reply

    async def _outcome(self, exchange: Exchange) -> Outcome | None:
        """Answer the request; None if its client died in the middle of it."""
        try:
            return await self._answered(exchange)
        except aiohttp.ClientError as error:
            return Refusal(500, "InternalError", f"Azurite did not answer: {error}")
        except (ConnectionError, asyncio.IncompleteReadError, web.RequestPayloadError):
            return None

    async def _struck(
        self, exchange: Exchange, firing: tuple[Fault, ...], when: str, outcome: Outcome | None = None
    ) -> web.StreamResponse | None:
        """Let the armed faults strike; the first that replaces the answer ends the matter."""
        for fault in firing:
            if fault.when != when:
                continue
            if fault.action == "delay":
                await asyncio.sleep(fault.seconds)
                continue
            if isinstance(outcome, aiohttp.ClientResponse):
                await outcome.read()
            if fault.action == "kill_host":
                self._faults.kill_host()
            if fault.action != "status":
                self._record_exchange(exchange, _DROPPED)
                return dropped(exchange.request)
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            refusal = Refusal(fault.status, fault.code, f"Injected by {fault.id}.", headers=headers)
            return await self._reply(exchange, refusal)
        return None

    async def _answered(self, exchange: Exchange) -> Outcome:
        request, asked = exchange.request, exchange.asked
        caller = self._gate.caller(
            asked.service,
            exchange.place.account,
            request.headers.get("Authorization", ""),
            signed="sig" in asked.query,
        )
        if isinstance(caller, Refusal):
            return caller
        exchange.principal, exchange.audience = caller.principal, caller.audience
        body = await exchange.body()
        needed = needs(asked, body if isinstance(body, bytes) else b"")
        action = self._gate.action(caller, exchange.place.account, needed)
        if isinstance(action, Refusal):
            exchange.action = needed[0].actions[0]
            return action
        exchange.action = action
        if request.method not in ("GET", "HEAD"):
            self._held.drop(exchange.place.blob)
        if "x-ms-copy-source" in request.headers:
            return await self._copied(exchange)
        return await self._forwarded(exchange, body)

    async def _copied(self, exchange: Exchange) -> Outcome:
        if exchange.asked.query.get("comp") == "page":
            return await self._copies.put(exchange)
        text = "The sandbox copies by Put Page From URL alone; use that, or read and write."
        return Refusal(501, "NotImplemented", text)

    async def _forwarded(self, exchange: Exchange, body: bytes | aiohttp.StreamReader | None) -> Outcome:
        request, asked, blob = exchange.request, exchange.asked, exchange.place.blob
        if asked.service == "blob" and request.headers.get("x-ms-blob-type") == "PageBlob":
            self._page_blobs.note(blob)
        limited = asked.service == "blob" and self._page_blobs.known(blob)
        reading = request.method == "GET" and "comp" not in asked.query
        asked_for = exchange.range_length() if reading else None
        carried = len(body) if isinstance(body, bytes) else 0
        if limited and not self._page_blobs.admit((blob, carried + (asked_for or 0))):
            return Refusal(503, "ServerBusy", SERVER_BUSY)
        found = await self._upstream.send(
            asked.service, request.method, exchange.target, exchange.forwarded_headers(), body
        )
        if limited and reading and asked_for is None:
            self._page_blobs.carried(blob, found.content_length or 0)
        return found

    async def _reply(self, exchange: Exchange, outcome: Outcome) -> web.StreamResponse:
        if isinstance(outcome, Refusal):
            said = answer(outcome, exchange.asked.service, self._clock.now(), exchange.version)
            self._record_exchange(exchange, said.status)
            return web.Response(status=said.status, headers=_echoed(exchange, said.headers), body=said.body)
        self._record_exchange(exchange, outcome.status)
        async with outcome:
            headers = CIMultiDict(
                (name, _logical(exchange, value))
                for name, value in outcome.headers.items()
                if name.lower() not in _HOP_BY_HOP
            )
            if exchange.streams(outcome):
                return await _streamed(exchange.request, outcome, headers)
            body = _renamed(exchange, outcome.content_type, await outcome.read())
            if outcome.status == 200 and exchange.asked.query.get("comp") == "pagelist":
                body = merged(body)
            if exchange.request.method != "HEAD":  # there the length is the blob's, and the body is empty
                headers.popall("Content-Length", None)
            return web.Response(status=outcome.status, headers=headers, body=body)

    def _record_exchange(self, exchange: Exchange, status: int) -> None:
        found = exchange
        self._record(
            found.asked, found.place, found.request, status, found.principal, found.audience, found.action
        )

    def _record(
        self,
        asked: Asked,
        place: Place | None,
        request: web.BaseRequest,
        status: int,
        principal: str | None = None,
        audience: str | None = None,
        action: str | None = None,
    ) -> None:
        query = "&".join(f"{name}={value}" for name, value in asked.query.items() if name != "sig")
        self._calls.append(
            Call(
                service=asked.service,
                method=asked.method,
                path="/" + place.blob if place else request.raw_path,
                query=query,
                status=status,
                at=self._clock.now(),
                audience=audience,
                principal=principal,
                action=action,
                correlation=request.headers.get("x-ms-client-request-id"),
            )
        )


def _echoed(exchange: Exchange, headers: Mapping[str, str]) -> CIMultiDict[str]:
    correlation = exchange.request.headers.get("x-ms-client-request-id")
    echo = {"x-ms-client-request-id": correlation} if correlation else {}
    return CIMultiDict({**headers, **echo})


def _logical(exchange: Exchange, value: str) -> str:
    host = exchange.request.host
    return value.replace(f"//{host}/{exchange.physical}", f"//{host}/{exchange.place.account}")


def _renamed(exchange: Exchange, content_type: str, body: bytes) -> bytes:
    """Listings and table answers carry addresses; a borrowed account gets its own name back in them."""
    if exchange.physical == exchange.place.account or not content_type.endswith(("xml", "json")):
        return body
    host = exchange.request.host
    return body.replace(
        f"//{host}/{exchange.physical}".encode(), f"//{host}/{exchange.place.account}".encode()
    )


async def _streamed(
    request: web.BaseRequest, outcome: aiohttp.ClientResponse, headers: CIMultiDict[str]
) -> web.StreamResponse:
    reply = web.StreamResponse(status=outcome.status, headers=headers)
    await reply.prepare(request)
    async for chunk in outcome.content.iter_any():
        await reply.write(chunk)
    await reply.write_eof()
    return reply
