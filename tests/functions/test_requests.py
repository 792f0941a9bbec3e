"""Requests that are wrong, and those that depend on what the caller has read."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.domain.records import ImageRecord
from tests.stories.scenes import factory_file
from tests.stories.world import World

from .calling import Answered, Api


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(config=factory_file(tmp_path, "web"))


@pytest.fixture
def api(world: World) -> Api:
    return Api(world.worker)


def faults(answer: Answered) -> list[tuple[str, str]]:
    assert answer.status == 400, answer.content
    assert answer.media == "application/problem+json"
    return [(each["where"], each["name"]) for each in answer.told["faults"]]


def test_every_fault_is_told_at_once(api: Api) -> None:
    """Of path, query, headers and body, each with where it is."""
    wrong = api.post("/images/Web/pause?why=x", {"reason": 7, "resaon": ""}, Idempotency_Key="ä")
    assert faults(wrong) == [
        ("path", "image"),
        ("query", "why"),
        ("body", "/resaon"),
        ("body", "/reason"),
        ("header", "idempotency-key"),
    ]
    assert wrong.told["faults"][2] == {
        "where": "body",
        "name": "/resaon",
        "message": "no such field; there are: reason",
        "suggestion": "reason",
    }
    assert faults(api.get("/runs?limit=0&image=&since=1&until=2026-11-21T00:00:00")) == [
        ("query", "limit"),
        ("query", "image"),
        ("query", "since"),
        ("query", "until"),
    ]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=201", "expected a whole number 1 to 200, not '201'"),
        ("limit=5,5", "expected a whole number 1 to 200, not '5,5'"),
        ("limit=1e1", "expected a whole number 1 to 200, not '1e1'"),
        ("limit=" + "9" * 30, "expected a whole number 1 to 200, not"),
        ("kind=vhd", "expected one of gallery_version, managed_image, archived_vhd, template, staging_group"),
        ("since=yesterday", "expected a moment with its time zone such as 2026-11-21T02:43:04Z"),
        ("definition=a%0Ab", "contains control characters or line breaks"),
        ("limt=1", "no such parameter; there are: limit, next, image"),
        ("next=~", "expected text of the form"),
    ],
)
def test_a_fault_says_what_was_expected(api: Api, query: str, message: str) -> None:
    (fault,) = api.get(f"/journal?{query}").told["faults"]
    assert fault["message"].startswith(message)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b"nul",
        b"\xff\xfe",
        b'{"reason": NaN}',
        b"[" * 3000,
        b'{"a": 1e999}',
        b'{"reason": "\\ud800"}',
    ],
)
def test_what_is_no_json_object_is_a_fault_of_the_body(api: Api, body: bytes) -> None:
    assert faults(api.send("POST", "/images/web/pause", body)) == [("body", "")]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("POST", "/images/web/pause", {"Content-Type": "text/plain"}, b"{}", 415),
        ("POST", "/images/web/pause", {}, b"{" + b" " * 70_000, 413),
        ("GET", "/images", {"Accept": "text/html"}, b"", 406),
        ("GET", "/images", {"Accept": "text/*;q=0.1, application/json"}, b"", 200),
        ("GET", "/images", {"Accept": "*/*"}, b"{}", 200),
        ("DELETE", "/images", {}, b"", 405),
        ("TRACE", "/images/web/look", {}, b"", 405),
        ("GET", "/nothing", {}, b"", 404),
        ("GET", "/", {}, b"", 404),
        ("GET", "/images/web/look/further", {}, b"", 404),
        ("GET", "/images/%00", {}, b"", 400),
        ("GET", "/IMAGES/web/", {}, b"", 200),
        ("HEAD", "/images", {}, b"", 200),
    ],
)
def test_every_request_has_its_status(
    api: Api, method: str, path: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = api.send(method, path, body, headers=headers)
    assert answer.status == status, answer.content
    assert (method == "HEAD") == (answer.content == b"")
    assert status != 405 or answer.headers["Allow"] in ("GET, HEAD", "POST")


def test_an_etag_spares_the_answer_and_guards_the_action(world: World, api: Api) -> None:
    """304 while it is the same; 412 once it is not, and nothing is done."""
    world.play(lambda w: w.image("web") is not None)
    etag = api.get("/images/web").headers["ETag"]
    for header in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        same = api.get("/images/web", If_None_Match=header)
        assert (same.status, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert api.post("/images/web/pause", {"reason": "a"}, If_Match=etag).status == 200
    assert api.get("/images/web", If_None_Match=etag).status == 200
    for stale in (etag, f"W/{etag}", '"x"', "nonsense"):
        assert api.post("/images/web/resume", None, If_Match=stale).status == 412
    assert world.known("web").paused
    assert api.post("/images/web/resume", None, If_Match="*").status == 200
    assert api.post("/images/web/resume", None, If_Match=api.get("/images/web").headers["ETag"]).status == 200


def test_what_changes_between_the_comparison_and_the_write_is_refused_as_well(world: World, api: Api) -> None:
    """The write relies on the very row that was compared."""
    world.play(lambda w: w.image("web") is not None)
    etag, others = api.get("/images/web").headers["ETag"], Api(world.worker)
    reads = len(world.gate.names)

    def meanwhile(_request: int) -> None:
        if world.gate.names[reads:] == ["ledger.read", "ledger.read"]:
            world.gate.before = lambda _: None
            others.post("/images/web/pause", {"reason": "somebody else"})

    world.gate.before = meanwhile
    refused = api.post("/images/web/resume", None, If_Match=etag)
    assert (refused.status, "somebody else" in world.known("web").paused) == (412, True)


def test_what_cannot_be_done_now_is_409(world: World, api: Api) -> None:
    assert "not been looked at yet" in api.post("/images/web/resume").detail
    assert api.post("/images/web/resume").status == 409


def test_rows_that_this_version_cannot_read_are_no_fault_of_the_caller(world: World, api: Api) -> None:
    """503 that says what to do."""
    from shared.domain import keys
    from shared.gateways.rows import Row

    world.play(lambda w: w.image("web") is not None)
    data = msgspec.json.encode(world.known("web")).decode()
    world.ledger.plant(keys.image_key("web"), Row(str(ImageRecord.__struct_config__.tag), 99, data))
    answer: Any = api.get("/images/web")
    assert (answer.status, "upgrade this app" in answer.detail) == (503, True)
