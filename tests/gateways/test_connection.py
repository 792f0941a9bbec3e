"""What all clients share: identity, tokens, threads, and imports that wait until they are needed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from sandbox.calls import CallLog
from sandbox.http import Request, Response
from sandbox.identity.endpoint import IdentityEndpoint
from shared import telemetry
from shared.domain.errors import Missing, RetryableError
from shared.domain.ids import BlobAddress
from shared.gateways.blobs import StorageBlobs
from shared.gateways.clock import SystemClock
from shared.gateways.connection import Connection
from shared.gateways.credential import STORAGE, Identity
from shared.gateways.templates import ArmTemplates
from shared.gateways.workers import ThreadWorkers

from .arm import ARM, BLOBS, WEB, Said, connection_to, template_document

if TYPE_CHECKING:
    from tests.worlds.storage import StorageWorld

GATEWAYS = (
    "blobs clock connection credential errors events ledger marketplace queues resources templates workers"
)


class Counting:
    """A source of tokens that says how often it was asked."""

    def __init__(self, lifetime: float = 3600) -> None:
        self.lifetime = lifetime
        self.asked: list[tuple[tuple[str, ...], dict[str, Any]]] = []

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.asked.append((scopes, options))
        return AccessToken(f"token-{len(self.asked)}", int(time.time() + self.lifetime))


class Failing:
    def get_token(self, *_scopes: str, **_: Any) -> AccessToken:
        raise ClientAuthenticationError("ManagedIdentityCredential: no identity\nand much more")


def test_a_token_is_fetched_once_until_shortly_before_it_ends() -> None:
    source = Counting()
    identity = Identity(source=source)
    assert [identity.bearer(STORAGE) for _ in range(3)] == ["Bearer token-1"] * 3
    assert identity.get_token("https://other/.default").token == "token-2"
    short = Identity(source=Counting(lifetime=299))
    assert [short.bearer(STORAGE), short.bearer(STORAGE)] == ["Bearer token-1", "Bearer token-2"]


def test_many_threads_fetch_one_token() -> None:
    source = Counting()
    identity = Identity(source=source)
    threads = [threading.Thread(target=identity.bearer, args=(STORAGE,)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(source.asked) == 1


def test_a_challenge_asks_for_a_new_token() -> None:
    source = Counting()
    identity = Identity(source=source)
    identity.get_token_info(STORAGE)
    assert identity.get_token_info(STORAGE, options={"claims": "c", "enable_cae": True}).token == "token-2"
    assert source.asked[1] == ((STORAGE,), {"claims": "c"})


class AppService:
    """The sandbox's identity endpoint on a socket, as App Service has it: plain HTTP on loopback."""

    def __init__(self, world: StorageWorld) -> None:
        face = IdentityEndpoint(world.clock, world.tokens, world.faults, CallLog(), {"s3cret": "factory"})

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = face.handle(Request.to("GET", self.path, dict(self.headers)))
                self.send_response(answer.status)
                for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/msi/token"

    def __enter__(self) -> AppService:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_in_app_service_the_environment_is_all_that_the_identity_needs(
    storage_world: StorageWorld, real_account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with AppService(storage_world) as service:
        monkeypatch.setenv("IDENTITY_ENDPOINT", service.url)
        monkeypatch.setenv("IDENTITY_HEADER", "s3cret")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(storage_world.certificates.ca))
        connection = Connection(Identity())
        blobs = StorageBlobs(f"{storage_world.endpoints['blob']}/{{account}}", connection)
        with pytest.raises(Missing):
            blobs.facts(BlobAddress(real_account, "vhds", "nothing.vhd"))
        connection.close()


def test_no_identity_is_said_in_one_line_and_tried_again() -> None:
    with pytest.raises(RetryableError, match="managed identity assigned") as caught:
        Identity(source=Failing()).bearer(STORAGE)
    assert "much more" not in str(caught.value)
    templates = ArmTemplates(ARM, BLOBS, connection_to(Said(), Failing()))
    with pytest.raises(RetryableError, match="no token for https://arm"):
        templates.get(WEB)


def test_requests_carry_a_bearer_token_of_the_right_audience() -> None:
    said, source = Said(Response.of(200, template_document())), Counting()
    ArmTemplates(ARM, BLOBS, connection_to(said, source)).get(WEB)
    assert source.asked[0][0] == (f"{ARM}/.default",)
    assert said.asked[0].headers["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize(
    ("correlation", "sent"), [("c-1", True), ("", False), ("a\r\nb", False), ("x" * 200, False)]
)
def test_only_a_plain_correlation_id_becomes_a_header(correlation: str, sent: bool) -> None:
    said = Said(Response.of(200, template_document()))
    with telemetry.bind(correlation=correlation):
        ArmTemplates(ARM, BLOBS, connection_to(said)).get(WEB)
    assert (said.asked[0].headers.get("x-ms-client-request-id") == correlation) is sent


def test_workers_take_tasks_as_they_become_free_and_keep_the_context() -> None:
    taken: list[int] = []

    def tasks() -> Any:
        for number in range(50):
            taken.append(number)
            yield number

    with telemetry.bind(correlation="c-9"):
        results = ThreadWorkers(4).run(tasks(), lambda number: (number, telemetry.correlation()))
        first = next(results)
        assert len(taken) <= 8
        found = [first, *results]
    assert sorted(found) == [(number, "c-9") for number in range(50)]


def test_the_first_error_ends_the_work_after_what_is_under_way() -> None:
    taken: list[int] = []
    done: list[int] = []

    def tasks() -> Any:
        for number in range(100):
            taken.append(number)
            yield number

    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        done.append(number)
        return number

    with pytest.raises(ValueError, match="three"):
        list(ThreadWorkers(2).run(tasks(), work))
    assert len(taken) < 10
    assert set(done) == set(taken) - {3}


def test_workers_with_nothing_to_do_and_consumers_that_stop_early_end_at_once() -> None:
    assert list(ThreadWorkers(3).run([], str)) == []
    results = ThreadWorkers(2).run(iter(range(10**9)), str)
    next(results)
    results.close()  # type: ignore[attr-defined]  # a generator, as every implementation with yield is
    assert not [each for each in threading.enumerate() if each.name.startswith("worker")]


def test_the_clock_is_aware_and_in_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() is not None
    assert abs(now.timestamp() - time.time()) < 5
    SystemClock().pause(-1)


def test_importing_the_gateways_loads_no_sdk() -> None:
    code = f"""
import sys, json
for name in {GATEWAYS!r}.split(): __import__("shared.gateways." + name)
print(json.dumps([m for m in sys.modules if m.split(".")[0] in ("azure", "requests", "urllib3", "msal")]))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == []
