"""The story with the real processes: the host, Azurite, TLS and tokens."""

import json
import re
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from shared.contracts.api.operations import ROOT as ROUTE
from shared.contracts.api.table import OPERATIONS
from shared.domain.callers import Role
from tests.worlds.factory import IMAGE, FactoryWorld
from tests.worlds.sandbox import ROOT

KEY = "functions_key"
AUDIENCES = {
    "arm": "{arm}",
    "blob": "https://storage.azure.com",
    "copysource": "https://storage.azure.com",
    "queue": "https://storage.azure.com",
    "table": "https://storage.azure.com",
    "eventgrid": "https://eventgrid.azure.net",
}
LIMITS = {"bytes_per_second": 8 * 1024 * 1024, "requests_per_second": 60}
STORED = ("Microsoft.Storage/storageAccounts/", "Microsoft.EventGrid/")
NOT_PLAYED = {
    # Asked of Resource Manager, when a VHD or a log cannot be read: played in process.
    "Microsoft.Storage/storageAccounts/read",
    # Retention waits for days: played in process.
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
    # The host makes a poison queue that nobody made; here the deployment made them all.
    "Microsoft.Storage/storageAccounts/queueServices/queues/write",
}


def ask(factory: FactoryWorld, method: str, path: str, *, key: str = "") -> tuple[int, Any]:
    """Send a request to the app; return status and document."""
    endpoints = factory.sandbox.endpoints
    headers = {"x-functions-key": endpoints[key]} if key else {}
    request = urllib.request.Request(f"{endpoints['functions']}{path}", None, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
            return error.code, json.loads(body) if body else None


def documented() -> set[str]:
    """The actions that docs/roles.md lists for storage and events, in its tables."""
    text = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")
    actions = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    return {action for action in actions if action.startswith(STORED)}


@pytest.mark.long
def test_a_version_is_archived_though_a_run_fails_and_storage_is_slow(factory: FactoryWorld) -> None:
    """And every request shows a token of its service's audience, never a key; used is what is granted."""
    before, at = factory.traces(), factory.sandbox.control("GET", "/calls?after=999999999")["total"]
    order = {"template": IMAGE, "outcomes": [{"result": "failure"}]}
    factory.sandbox.control("POST", "/outcomes", order)
    factory.sandbox.control("PATCH", "/limits", LIMITS)
    version = factory.publish()
    try:
        factory.settled(before)
    finally:
        factory.sandbox.control("PATCH", "/limits", dict.fromkeys(LIMITS))
    factory.assert_fault_free(version, before)
    assert "Failed" in factory.cli("journal", IMAGE)
    calls = factory.sandbox.control("GET", f"/calls?principal=factory&after={at}")["calls"]
    assert any(call["status"] == 503 for call in calls), "the limits were never met"
    _assert_tokens(factory, [call for call in calls if call["service"] != "identity"])
    used = {action for call in calls for action in (call["action"] or "").split(",")}
    assert {action for action in used if action.startswith(STORED)} | NOT_PLAYED == documented()


def _assert_tokens(factory: FactoryWorld, calls: list[dict[str, Any]]) -> None:
    arm = factory.sandbox.endpoints["arm"]
    assert {(call["service"], call["audience"]) for call in calls} == {
        (service, audience.format(arm=arm)) for service, audience in AUDIENCES.items()
    }
    assert not [call for call in calls if re.search(r"(^|&)(sig|sv|se)=", call["query"])]


def test_nobody_without_a_token_was_ever_let_in(factory: FactoryWorld) -> None:
    """What is recorded without a principal was refused, is public, or is the handshake of identities."""
    calls = factory.sandbox.control("GET", "/calls")["calls"]
    let_in = [
        call
        for call in calls
        if call["principal"] is None and 200 <= call["status"] < 300 and call["service"] != "identity"
    ]
    assert {call["path"] for call in let_in} <= {"/metadata/endpoints"}


def test_health_is_told_to_everybody(factory: FactoryWorld) -> None:
    status, told = ask(factory, "GET", "/api/v1/health")
    assert (status, told["status"]) == (200, "ok")


def test_a_look_by_hand_needs_the_key_and_an_image_that_there_is(factory: FactoryWorld) -> None:
    path = f"/api/v1/images/{IMAGE}/look"
    assert ask(factory, "POST", path)[0] == 401
    status, told = ask(factory, "POST", path, key=KEY)
    assert (status, told["image"]) == (202, IMAGE)
    wanted = f"/calls?service=table&correlation={told['correlation']}"
    factory.sandbox.until(lambda: factory.sandbox.control("GET", wanted)["calls"], "the look")
    status, told = ask(factory, "POST", "/api/v1/images/ubuntu-23/look", key=KEY)
    assert status == 404
    assert IMAGE in told["detail"]


def test_what_takes_the_role_of_administrators_takes_the_master_key(factory: FactoryWorld) -> None:
    """The host itself turns other keys away; with the right one the request gets as far as the app."""
    for operation in OPERATIONS:
        path = ROUTE + re.sub(r"{\w+}", "0", operation.path)
        if operation.role is Role.ADMIN:
            assert ask(factory, operation.method, path, key="functions_key")[0] == 401, operation.id
            assert ask(factory, operation.method, path, key="master_key")[0] in (400, 404), operation.id
        elif operation.role:
            assert ask(factory, operation.method, path)[0] == 401, operation.id


def test_a_faulty_configuration_stops_everything_until_it_is_mended(factory: FactoryWorld) -> None:
    path, sound = f"/api/v1/images/{IMAGE}/look", factory.config.read_text()
    factory.config.write_text(sound.replace("after_archive", "after_archiv"))
    try:
        factory.sandbox.until(lambda: ask(factory, "GET", "/api/v1/health")[0] == 503, "bad health")
        _, told = ask(factory, "GET", "/api/v1/health")
        assert (told["status"], told["faults"] > 0) == ("down", True)
        status, told = ask(factory, "POST", path, key=KEY)
        assert (status, "did you mean after_archive?" in told["detail"]) == (503, True)
        seen = _asked(factory)
        time.sleep(2.5)  # in which the timer of the sources ticks at least once
        assert _asked(factory) == seen
    finally:
        factory.config.write_text(sound)
    factory.sandbox.until(lambda: ask(factory, "GET", "/api/v1/health")[0] == 200, "good health")
    assert ask(factory, "POST", path, key=KEY)[0] == 202
    seen = _asked(factory)
    factory.sandbox.until(lambda: _asked(factory) > seen, "a look at the sources")


def _asked(factory: FactoryWorld) -> int:
    """How often the factory has asked Resource Manager for anything."""
    return len(factory.sandbox.control("GET", "/calls?service=arm&principal=factory")["calls"])
