"""Put Page From URL, which Azurite lacks: the service itself reads a range of one blob into a page blob.

The source is read with the caller's second token (`x-ms-copy-source-authorization`), so audience and role are
checked there as for any reader. Whatever the source answers becomes CannotVerifyCopySource with its status.
"""

import base64
import hashlib
import re
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from multidict import CIMultiDict

from sandbox.calls import Call, CallLog
from sandbox.clock import Clock
from sandbox.storage.accounts import Accounts
from sandbox.storage.actions import Asked, needs
from sandbox.storage.errors import SERVER_BUSY, Refusal
from sandbox.storage.exchange import Exchange, Place, place
from sandbox.storage.gate import Caller, Gate
from sandbox.storage.held import HeldVhds
from sandbox.storage.limits import PageBlobs
from sandbox.storage.upstream import Upstream

LARGEST: Final = 4 * 1024 * 1024

_RANGE: Final = re.compile(r"bytes=(\d+)-(\d+)", re.I)
_CONDITIONS: Final = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
_BUSY: Final = Refusal(503, "ServerBusy", SERVER_BUSY)


class _Copy(msgspec.Struct, frozen=True):
    source: Place
    raw_query: str
    start: int
    end: int  # exclusive
    written: int  # where it goes

    @property
    def length(self) -> int:
        return self.end - self.start


class PageCopies:
    def __init__(
        self,
        *,
        clock: Clock,
        gate: Gate,
        upstream: Upstream,
        accounts: Accounts,
        page_blobs: PageBlobs,
        held: HeldVhds,
        calls: CallLog,
        netloc: str,
    ) -> None:
        self._clock = clock
        self._gate = gate
        self._upstream = upstream
        self._accounts = accounts
        self._page_blobs = page_blobs
        self._held = held
        self._calls = calls
        self._netloc = netloc

    async def put(self, exchange: Exchange) -> aiohttp.ClientResponse | Refusal:
        """Read the range, write it under the destination's conditions, answer as the write was answered."""
        copy = self._parsed(exchange)
        if isinstance(copy, Refusal):
            return copy
        wanted = ((exchange.place.blob, copy.length), (copy.source.blob, copy.length))
        if not self._page_blobs.admit(*wanted):
            return _BUSY
        content = await self._source(exchange, copy)
        if isinstance(content, Refusal):
            return content
        return await self._upstream.send("blob", "PUT", exchange.target, _written(exchange, copy), content)

    def _parsed(self, exchange: Exchange) -> _Copy | Refusal:
        headers = exchange.request.headers
        source = urlsplit(headers["x-ms-copy-source"])
        found = place(source.path)
        if source.scheme != "https" or source.netloc != self._netloc or found is None:
            return _unverified(400, "InvalidSourceUri", f"Only https://{self._netloc} is a source here.")
        if headers.get("x-ms-page-write", "").lower() != "update":
            return _invalid_header("x-ms-page-write")
        wanted = _range(headers.get("x-ms-source-range"))
        given = _range(headers.get("x-ms-range", headers.get("Range")))
        if wanted is None or given is None or wanted[1] - wanted[0] != given[1] - given[0]:
            return _invalid_header("x-ms-range" if given is None else "x-ms-source-range")
        start, end = wanted
        if end <= start or start % 512 or end % 512 or given[0] % 512:
            return Refusal(416, "InvalidPageRange", "The page range specified is invalid.")
        if end - start > LARGEST:
            return Refusal(
                413, "RequestBodyTooLarge", f"The page range exceeds the limit of {LARGEST} bytes."
            )
        return _Copy(found, source.query, start, end, given[0])

    async def _source(self, exchange: Exchange, copy: _Copy) -> bytes | Refusal:
        refusal, caller, action = self._allowed(exchange, copy)
        if refusal is not None:
            self._record(exchange, copy, refusal.status, caller, action)
            return refusal
        answer = self._known(exchange, copy) or await self._read(exchange, copy)
        status = answer.status if isinstance(answer, Refusal) else 206
        self._record(exchange, copy, status, caller, action)
        return answer

    def _allowed(self, exchange: Exchange, copy: _Copy) -> tuple[Refusal | None, Caller | None, str | None]:
        if self._accounts.physical(copy.source.account) is None:
            text = "Could not verify the copy source within the specified time."
            return Refusal(500, "CannotVerifyCopySource", text), None, None
        authorization = exchange.request.headers.get("x-ms-copy-source-authorization", "")
        caller = self._gate.caller(
            "blob", copy.source.account, authorization, signed="sig=" in copy.raw_query
        )
        if isinstance(caller, Refusal):
            return _unverified(caller.status, caller.code, caller.message), None, None
        read = needs(Asked("blob", "GET", copy.source.segments, {}, {}))
        action = self._gate.action(caller, copy.source.account, read)
        if isinstance(action, Refusal):
            return _unverified(action.status, action.code, action.message), caller, read[0].actions[0]
        return None, caller, action

    def _known(self, exchange: Exchange, copy: _Copy) -> bytes | None:
        conditions = {name for name in _CONDITIONS if f"x-ms-source-{name}" in exchange.request.headers}
        if (
            conditions - {"if-match"}
            or copy.raw_query
            or "x-ms-source-content-md5" in exchange.request.headers
        ):
            return None
        etag = exchange.request.headers.get("x-ms-source-if-match")
        return self._held.read(copy.source.blob, copy.start, copy.end, etag)

    async def _read(self, exchange: Exchange, copy: _Copy) -> bytes | Refusal:
        physical = self._accounts.physical(copy.source.account)
        target = f"/{physical}{copy.source.rest}" + (f"?{copy.raw_query}" if copy.raw_query else "")
        headers = {"x-ms-version": exchange.version, "x-ms-range": f"bytes={copy.start}-{copy.end - 1}"}
        for name in _CONDITIONS:
            if value := exchange.request.headers.get(f"x-ms-source-{name}"):
                headers[name] = value
        async with await self._upstream.send("blob", "GET", target, headers) as answer:
            content = await answer.read()
        if answer.status == 304:
            return _unverified(412, "ConditionNotMet", "The condition of the source is not met.")
        if answer.status >= 300:
            code = answer.headers.get("x-ms-error-code", answer.reason or "")
            return _unverified(answer.status, code, _message(content) or str(answer.reason))
        if len(content) != copy.length:
            return _unverified(416, "InvalidRange", "The range specified is invalid for the source.")
        return content if _sound(exchange, content) else _mismatch()

    def _record(
        self, exchange: Exchange, copy: _Copy, status: int, caller: Caller | None, action: str | None
    ) -> None:
        """The service's own read is no request of the app, but is made with the app's token and role."""
        self._calls.append(
            Call(
                service="copysource",
                method="GET",
                path="/" + copy.source.blob,
                query=f"range=bytes={copy.start}-{copy.end - 1}",
                status=status,
                at=self._clock.now(),
                audience=caller.audience if caller else None,
                principal=caller.principal if caller else None,
                action=action,
                correlation=exchange.request.headers.get("x-ms-client-request-id"),
            )
        )


def _range(header: str | None) -> tuple[int, int] | None:
    """Return where the range begins and where it ends, exclusive."""
    found = _RANGE.fullmatch(header or "")
    return (int(found[1]), int(found[2]) + 1) if found else None


def _written(exchange: Exchange, copy: _Copy) -> CIMultiDict[str]:
    headers = exchange.forwarded_headers()
    for name in tuple(headers):
        if name.lower().startswith(("x-ms-copy-source", "x-ms-source-")):
            headers.popall(name, None)
    headers["x-ms-range"] = f"bytes={copy.written}-{copy.written + copy.length - 1}"
    headers["Content-Length"] = str(copy.length)
    headers["Content-Type"] = "application/octet-stream"
    return headers


def _sound(exchange: Exchange, content: bytes) -> bool:
    wanted = exchange.request.headers.get("x-ms-source-content-md5")
    return wanted is None or base64.b64encode(hashlib.md5(content).digest()).decode() == wanted


def _mismatch() -> Refusal:
    return Refusal(400, "Md5Mismatch", "The MD5 value specified in the request did not match the source's.")


def _message(body: bytes) -> str:
    found = re.search(rb"<Message>([^<\n]*)", body)
    return found[1].decode() if found else ""


def _unverified(status: int, code: str, message: str) -> Refusal:
    return Refusal(
        status,
        "CannotVerifyCopySource",
        message,
        headers={"x-ms-copy-source-status-code": str(status), "x-ms-copy-source-error-code": code},
        detail={
            "CopySourceStatusCode": str(status),
            "CopySourceErrorCode": code,
            "CopySourceErrorMessage": message,
        },
    )


def _invalid_header(name: str) -> Refusal:
    text = "The value for one of the HTTP headers is not in the correct format."
    return Refusal(400, "InvalidHeaderValue", text, detail={"HeaderName": name})
