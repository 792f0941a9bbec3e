"""The front door: who may come in, where paths lead, how much at once, and what is written down."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.throttle import Limits, Rate
from sandbox.azure import SUBSCRIPTION, Setting
from sandbox.faults import Fault
from sandbox.http import Request
from sandbox.identity.tokens import FACTORY, NOBODY

from .parts import API, BASE, GROUP, TEMPLATES, World, template_body

ONE = f"{TEMPLATES}/web?{API}"


@pytest.fixture
def world() -> World:
    return World()


def ask(world: World, authorization: str | None, path: str = ONE) -> Any:
    headers = {"Authorization": authorization} if authorization else {}
    return world.azure.arm.handle(Request.to("GET", f"{BASE}{path}", headers))


@pytest.mark.parametrize("audience", [BASE, f"{BASE}/", "https://management.azure.com"])
def test_token_of_an_accepted_audience_comes_in(world: World, audience: str) -> None:
    """The address itself, with or without the last slash, and the public cloud's names for it."""
    assert ask(world, f"Bearer {world.token(audience=audience)}").status == 404


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda world: None, "AuthenticationFailed"),
        (lambda world: "Basic abc", "AuthenticationFailed"),
        (lambda world: "Bearer a.b.c", "InvalidAuthenticationToken"),
        (
            lambda world: f"Bearer {world.token(audience='https://storage.azure.com')}",
            "InvalidAuthenticationTokenAudience",
        ),
        (lambda world: f"Bearer {world.token(hours=-1)}", "ExpiredAuthenticationToken"),
    ],
)
def test_missing_expired_and_foreign_tokens_get_401(world: World, make: Any, code: str) -> None:
    """With the reason as the code and a challenge; also on paths that lead nowhere."""
    for path in (ONE, f"/nowhere?{API}"):
        answer = ask(world, make(world), path)
        assert (answer.status, answer.json()["error"]["code"]) == (401, code)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_missing_role_is_403_naming_client_action_and_scope(world: World) -> None:
    """The message says who, what and where; it is the same for things that do not exist."""
    answer = world.send("POST", f"{TEMPLATES}/web/run?{API}", principal=NOBODY)
    error = answer.json()["error"]
    assert (answer.status, error["code"]) == (403, "AuthorizationFailed")
    for part in (
        f"client '{NOBODY}'",
        "'Microsoft.VirtualMachineImages/imageTemplates/run/action'",
        f"over scope '{TEMPLATES}/web'",
    ):
        assert part in error["message"]


def test_factory_may_do_its_work_and_no_more(world: World) -> None:
    """Templates, runs and versions, yes; groups it may look at and delete, not write."""
    world.provisioned()
    versions = (
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/publishers/Canonical"
        f"/artifacttypes/vmimage/offers/UbuntuServer/skus/18.04-LTS/versions?{API}"
    )
    for method, path, status in (
        ("GET", ONE, 200),
        ("GET", versions, 200),
        ("POST", f"{TEMPLATES}/web/run?{API}", 202),
        ("GET", f"{TEMPLATES}/web/runOutputs?{API}", 200),
        ("POST", f"{TEMPLATES}/web/cancel?{API}", 204),
        ("HEAD", f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{GROUP}?{API}", 204),
        ("PATCH", f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{GROUP}?{API}", 403),
    ):
        assert world.send(method, path, principal=FACTORY).status == status, path


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{TEMPLATES}/web", 400, "MissingApiVersionParameter"),
        ("GET", f"{TEMPLATES}/web?api-version=2018-01-01", 400, "InvalidResourceType"),
        ("PUT", f"{TEMPLATES}/web/run?{API}", 405, "MethodNotAllowed"),
        ("GET", f"{TEMPLATES}/web/walk?{API}", 404, "InvalidResourceType"),
        ("GET", f"/elsewhere?{API}", 404, "NotFound"),
        ("GET", f"{TEMPLATES}/../web?{API}", 404, "InvalidResourceType"),
        ("GET", f"{TEMPLATES}/%2e%2e?{API}", 400, "InvalidRequestUri"),
        ("GET", f"/subscriptions/unknown/resourcegroups?{API}", 404, "SubscriptionNotFound"),
        (
            "GET",
            f"/subscriptions/{SUBSCRIPTION}/resourcegroups/unknown/resources?{API}",
            404,
            "ResourceGroupNotFound",
        ),
        ("GET", ONE, 404, "ResourceNotFound"),
    ],
)
def test_paths_that_lead_nowhere_say_why(
    world: World, method: str, path: str, status: int, code: str
) -> None:
    """Nothing is guessed: an unknown path, method, version or thing is an error with its code."""
    answer = world.send(method, path)
    assert (answer.status, answer.json()["error"]["code"]) == (status, code)


def test_ids_compare_without_case(world: World) -> None:
    """Any spelling finds the template; the id stays as the provider writes it."""
    world.provisioned()
    found = world.send("GET", ONE.upper().replace("API-VERSION", "api-version"))
    assert found.status == 200
    assert "/resourcegroups/image-factory/" in found.json()["id"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"'])
def test_body_that_is_no_object_is_refused(world: World, body: bytes) -> None:
    """400 InvalidRequestContent."""
    answer = world.send("PUT", ONE, body)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "InvalidRequestContent")


def test_lists_come_in_pages_that_clients_follow() -> None:
    """NextLink is absolute; the SDK finds all of a group and of the subscription."""
    world = World(setting=Setting(page_size=2))
    for name in "abcde":
        world.send("PUT", f"{TEMPLATES}/{name}?{API}", template_body(world))
    first = world.get(f"{TEMPLATES}?{API}")
    assert len(first["value"]) == 2
    assert first["nextLink"].startswith(f"{BASE}/subscriptions/")
    operations = world.builder().virtual_machine_image_templates
    assert [each.name for each in operations.list_by_resource_group(GROUP)] == list("abcde")
    assert [each.name for each in operations.list()] == list("abcde")
    bad = world.send("GET", f"{TEMPLATES}?{API}&$skipToken=zzz")
    assert (bad.status, bad.json()["error"]["code"]) == (400, "InvalidSkipToken")


def test_throttle_answers_429_until_its_bucket_refills() -> None:
    """Per principal, subscription and kind, with Retry-After and what is left."""
    world = World(setting=Setting(limits=Limits(reads=Rate(3, 0.5))))
    left = [world.send("GET", ONE).headers["x-ms-ratelimit-remaining-subscription-reads"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = world.send("GET", ONE)
    assert (refused.status, refused.json()["error"]["code"]) == (429, "SubscriptionRequestsThrottled")
    assert refused.headers["Retry-After"] == "2"
    assert world.send("POST", f"{TEMPLATES}/web/run?{API}").status == 404
    assert world.send("GET", ONE, principal=FACTORY).status == 404
    world.wait(seconds=2)
    assert world.send("GET", ONE).status == 404
    assert world.send("GET", ONE).status == 429


def test_answers_carry_and_echo_their_ids(world: World) -> None:
    """A request id of its own, the client's echoed, correlation taken over."""
    answer = world.send("GET", ONE, x_ms_client_request_id="mine", x_ms_correlation_request_id="ours")
    assert answer.headers["x-ms-client-request-id"] == "mine"
    assert answer.headers["x-ms-correlation-request-id"] == "ours"
    assert answer.headers["x-ms-request-id"] != world.send("GET", ONE).headers["x-ms-request-id"]


def test_every_call_is_recorded_with_action_audience_and_principal(world: World) -> None:
    """Refused ones and dropped ones too."""
    world.send("GET", ONE, x_ms_client_request_id="one")
    world.send("POST", f"{TEMPLATES}/web/run?{API}", principal=NOBODY)
    ask(world, None)
    world.azure.faults.add(Fault("arm", "drop", when="after", path="imageTemplates/web"))
    world.send("GET", ONE)
    first, refused, stranger, dropped = world.azure.calls
    assert (first.status, first.principal, first.audience, first.correlation) == (
        404,
        "operator",
        BASE,
        "one",
    )
    assert first.action == "Microsoft.VirtualMachineImages/imageTemplates/read"
    assert (refused.status, refused.principal) == (403, NOBODY)
    assert (stranger.status, stranger.principal, stranger.audience) == (401, None, None)
    assert (dropped.status, dropped.principal) == (0, "operator")


@pytest.mark.parametrize(("when", "done"), [("before", False), ("after", True)])
def test_faults_come_before_or_after_the_effect(world: World, when: Any, done: bool) -> None:
    """`before` leaves the world untouched, `after` changes it and hides the answer."""
    world.provisioned()
    fault = world.azure.faults.add(
        Fault("arm", "status", when=when, method="POST", path="/run", status=500, retry_after=7)
    )
    answer = world.send("POST", f"{TEMPLATES}/web/run?{API}")
    assert (answer.status, answer.headers["Retry-After"]) == (500, "7")
    assert ("lastRunStatus" in world.properties()) is done
    assert len(world.azure.faults.fired(fault.id)) == 1
