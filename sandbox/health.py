"""Whether all of it answers: asked the way clients would ask, before anybody is told that it is ready."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec

from sandbox.identity.tokens import FACTORY, OPERATOR
from sandbox.storage.gate import AUDIENCE

if TYPE_CHECKING:
    from sandbox.running import RunningSandbox

_PAUSE: Final = 0.1
_QUIET: Final = timedelta(seconds=1.5)


class Question(msgspec.Struct, frozen=True):
    name: str
    url: str
    headers: dict[str, str] = {}
    expected: tuple[int, ...] = (200,)


async def wait_until_ready(sandbox: "RunningSandbox", patience: timedelta) -> list[str]:
    """Return the names of what does not answer when the patience is over; none of them is readiness."""
    tls = ssl.create_default_context(cafile=sandbox.published.ca)
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), timeout=timeout) as session:
        asked = [asyncio.create_task(_answers(session, each)) for each in _questions(sandbox)]
        names = [each.name for each in _questions(sandbox)]
        if sandbox.options.with_functions:
            asked.append(asyncio.create_task(sandbox.subscribed.wait()))
            names.append("event subscriptions")
        _, pending = await asyncio.wait(asked, timeout=patience.total_seconds())
        for task in pending:
            task.cancel()
        return [name for name, task in zip(names, asked, strict=True) if task in pending]


async def _answers(session: aiohttp.ClientSession, question: Question) -> bool:
    while True:
        try:
            async with session.get(question.url, headers=question.headers) as answer:
                if answer.status in question.expected:
                    return True
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass
        await asyncio.sleep(_PAUSE)


def _questions(sandbox: "RunningSandbox") -> Iterator[Question]:
    at, now = sandbox.published, sandbox.clock.now()
    token = sandbox.azure.tokens.issue(OPERATOR, AUDIENCE, now, timedelta(hours=1))
    bearer = {"Authorization": f"Bearer {token}", "x-ms-version": "2023-11-03"}
    yield Question("arm", f"{at.arm}/metadata/endpoints?api-version=2022-09-01")
    yield Question(
        "identity",
        f"{at.identity}?api-version=2019-08-01&resource={AUDIENCE}",
        {"X-IDENTITY-HEADER": at.operator_identity_header},
    )
    yield Question("blob", f"{at.blob}/archive?comp=list", bearer)
    yield Question("queue", f"{at.queue}/factory?comp=list", bearer)
    yield Question(
        "table", f"{at.table}/factory/Tables", bearer | {"Accept": "application/json;odata=nometadata"}
    )
    yield Question("eventgrid", f"{at.eventgrid}/topics/image-factory/api/events", expected=(401, 405))
    yield Question("control", f"{at.control}/state")
    if sandbox.options.with_functions:
        yield Question("functions", f"{at.functions}/admin/host/ping")


async def wait_for_first_look(sandbox: "RunningSandbox", patience: timedelta) -> bool:
    """Whether the app has asked the marketplace, written down what it found, and gone quiet since.

    An app that compares with what it saw first would take a version that appears earlier for an old one.
    """
    end = sandbox.clock.now() + patience
    while (now := sandbox.clock.now()) < end:
        calls = sandbox.azure.calls.list(principal=FACTORY)
        own = [call for call in calls if not (call.correlation or "").startswith("host-")]
        asked = next((call.at for call in own if "/artifacttypes/vmimage/" in call.path.lower()), None)
        written = asked and any(c.service == "table" and c.method != "GET" and c.at > asked for c in own)
        if written and now - own[-1].at > _QUIET:
            return True
        await asyncio.sleep(_PAUSE)
    return False
