"""What the app says: structured, correlated, and without a secret in it."""

import base64
import io
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest

from shared import telemetry
from shared.redaction import clean, redact

CANARY = "c4n4ry"
JWT = "eyJ0eXAiOiJKV1Qi." + base64.urlsafe_b64encode(b"claims" * 9).decode() + f".{CANARY}"


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    root, azure = logging.getLogger(), logging.getLogger("azure")
    before = (list(root.handlers), root.level, azure.level, logging.getLogRecordFactory())
    stream = io.StringIO()
    telemetry.configure(stream)
    yield stream
    root.handlers[:], root.level, azure.level = before[0], before[1], before[2]
    logging.setLogRecordFactory(before[3])


def lines(said: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_the_fields_that_are_bound(said: io.StringIO) -> None:
    with telemetry.bind(correlation="c-1", image="ubuntu"), telemetry.bind(thing="ubuntu/run", image=None):
        assert telemetry.correlation() == "c-1"
        telemetry.event("run-requested", attempt=1, why="a\nb")
    telemetry.event("after")
    first, second = lines(said)
    assert first.pop("at").endswith("Z")
    assert first == {
        "level": "info",
        "event": "run-requested",
        "correlation": "c-1",
        "image": "ubuntu",
        "thing": "ubuntu/run",
        "attempt": 1,
        "why": "a\nb",
    }
    assert "correlation" not in second


def test_a_metric_is_a_line_with_name_value_and_unit(said: io.StringIO) -> None:
    telemetry.metric("copy-rate", 57.5, "MiB/s", image="ubuntu")
    assert {"metric": "copy-rate", "value": 57.5, "unit": "MiB/s", "image": "ubuntu"}.items() <= lines(said)[
        0
    ].items()


def test_bound_fields_reach_the_threads_that_get_a_copy_of_the_context(said: io.StringIO) -> None:
    with telemetry.bind(correlation="c-2"), ThreadPoolExecutor(1) as pool:
        pool.submit(copy_context().run, telemetry.event, "in-a-thread").result()
    assert lines(said)[0]["correlation"] == "c-2"


def test_an_error_is_told_with_type_and_text_and_its_trace_where_it_was_not_foreseen(
    said: io.StringIO,
) -> None:
    error = ValueError(f"refused: Authorization: Bearer {CANARY}")
    telemetry.event("foreseen", level=logging.WARNING, error=error)
    telemetry.event("unforeseen", level=logging.ERROR, error=error)
    foreseen, unforeseen = lines(said)
    assert foreseen["error"] == "ValueError"
    assert "trace" not in foreseen
    assert "ValueError: refused" in unforeseen["trace"]
    assert CANARY not in said.getvalue()


def test_configuring_twice_adds_nothing_and_a_host_keeps_its_handler(said: io.StringIO) -> None:
    before = list(logging.getLogger().handlers)
    telemetry.configure()
    assert logging.getLogger().handlers == before
    telemetry.event("once")
    assert len(lines(said)) == 1


def test_what_a_host_formats_its_own_way_is_json_and_clean_all_the_same(said: io.StringIO) -> None:
    host = io.StringIO()
    handler = logging.StreamHandler(host)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger().addHandler(handler)
    telemetry.event("look", token=CANARY, url=f"https://x/?sv=1&sig={CANARY}")
    error = RuntimeError(f"sig={CANARY}")
    logging.getLogger("urllib3").error("GET %s", f"https://x/?sig={CANARY}&se=2", exc_info=error)
    first, *rest = host.getvalue().splitlines()
    assert json.loads(first)["event"] == "look"
    assert "RuntimeError" in "".join(rest)
    assert CANARY not in host.getvalue() + said.getvalue()


def test_a_library_whose_format_does_not_fit_its_arguments_is_still_logged(said: io.StringIO) -> None:
    logging.getLogger("library").warning("%d of them", "many")
    assert "of them" in lines(said)[0]["message"]


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}.{CANARY}",
        f"x-ms-copy-source-authorization: Bearer {CANARY}\r\nx-ms-version: 1",
        f"{{'Authorization': 'Bearer {CANARY}', 'a': 1}}",
        f"bearer   {CANARY}==",
        f"the token {JWT} was refused",
        f"https://a.blob.core.windows.net/c/b?sp=r&sig={CANARY}%3D&se=2026",
        f"https%3A%2F%2Fa%3Fsig%3D{CANARY}",
        f"DefaultEndpointsProtocol=https;AccountKey={CANARY}==;EndpointSuffix=x",
        f"https://app/runtime/webhooks/EventGrid?functionName=f&code={CANARY}==",
        json.dumps({"claims": {"name": CANARY, "ip": "}" + CANARY}, "scope": "/s"}),
        json.dumps({"data": {"claims": json.dumps({"name": CANARY, "deep": {"a": CANARY}})}}),
        json.dumps(json.dumps({"claims": json.dumps({"name": f"O'{CANARY}"})})),
        f"{{'claims': {{'name': \"O'{CANARY}\", 'x': '{CANARY}'}}}}",
        f'{{"claims": {{"cut off": "{CANARY}',
        f"claims={CANARY}",
    ],
)
def test_no_credential_and_no_claim_is_ever_written(text: str) -> None:
    assert CANARY not in redact(text)
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "LinkedAuthorizationFailed: the client has permission",
        "code=Conflict, status=409",
        "/subscriptions/x/providers/Microsoft.Authorization/roleAssignments/y",
        "design=x; the claims were dropped",
    ],
)
def test_what_only_sounds_like_a_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_json_stays_json_when_claims_are_cut_out_of_it() -> None:
    for claims in ({"name": "x"}, json.dumps({"name": "x"})):
        told = json.loads(redact(json.dumps({"before": 1, "claims": claims, "after": [2]})))
        assert told == {"before": 1, "claims": "[removed]", "after": [2]}


def test_fields_are_cleaned_by_their_names_at_any_depth() -> None:
    given = {"headers": [{"Authorization": CANARY}], "token": CANARY, "attempt": 2, "state": None, "ok": True}
    assert clean(given) == {
        "headers": [{"Authorization": "[removed]"}],
        "token": "[removed]",
        "attempt": 2,
        "state": None,
        "ok": True,
    }
