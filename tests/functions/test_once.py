"""A repeated request is one request: with kills at every point, lost answers, and two at once."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.domain.errors import Unreachable
from shared.domain.orders import Order
from shared.domain.records import JournalLine, RunRecord
from shared.domain.requests import KEPT, RequestRecord
from shared.usecases import once
from tests.stories.cuts import Gate, Killed, Kind, When
from tests.stories.scenes import KEEP, factory_file
from tests.stories.world import World

from .calling import Answered, Api

KEY = {"Idempotency_Key": "8e6f7b12-f95e-4407-b3aa-b1fb82f7a1f6"}
START = {"reason": "now"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(config=factory_file(tmp_path, "web", options=KEEP))


def test_the_same_request_again_is_the_same_order_and_the_same_answer(world: World) -> None:
    """Also with quotes around the key, as its draft standard has them, and after the run is over."""
    api = Api(world.worker)
    first = api.post("/images/web/runs", START, **KEY)
    world.play(lambda w: bool(w.records(RunRecord)))
    again = api.post("/images/web/runs", START, Idempotency_Key=f'"{KEY["Idempotency_Key"]}"')
    assert (again.status, again.content, again.headers) == (202, first.content, first.headers)
    assert len(world.records(Order)) == len(world.records(RunRecord)) == 1


def test_without_a_key_or_with_another_one_it_is_another_request(world: World) -> None:
    """The second is refused, since a run is ordered already: and that is not kept."""
    api = Api(world.worker)
    api.post("/images/web/runs", START)
    for key in ({}, KEY):
        refused = api.post("/images/web/runs", START, **key)
        assert (refused.status, "is open already" in refused.detail) == (409, True)
    world.play(lambda w: bool(w.records(RunRecord)))
    assert api.post("/images/web/runs", START, **KEY).status == 202


@pytest.mark.parametrize(
    "other",
    [
        lambda api: api.post("/images/web/runs", {"reason": "later"}, **KEY),
        lambda api: api.post("/images/web/look", **KEY),
    ],
    ids=["another body", "another path"],
)
def test_a_key_is_for_one_request_alone(world: World, other: Callable[[Api], Answered]) -> None:
    api = Api(world.worker)
    api.post("/images/web/runs", START, **KEY)
    answer = other(api)
    assert (answer.status, "this idempotency key was sent with another" in answer.detail) == (422, True)


def test_what_was_refused_may_be_sent_again_at_once(world: World) -> None:
    """For another state of the thing, or for the wrong state: the same key then is a request again."""
    api = Api(world.worker)
    world.play(lambda w: w.image("web") is not None)
    assert api.post("/images/web/pause", None, If_Match='"old"', **KEY).status == 412
    etag = api.get("/images/web").headers["ETag"]
    done = api.post("/images/web/pause", None, If_Match=etag, **KEY)
    assert done.status == 200
    assert api.post("/images/web/pause", None, If_Match=etag, **KEY).content == done.content


def test_while_the_first_is_under_way_the_second_is_told_to_wait(world: World) -> None:
    """And is carried out if the first has died."""
    api, told = Api(world.worker), list[Answered]()

    def meanwhile(_request: int) -> None:
        if world.gate.names[-1] == "queues.send":
            world.gate.before = lambda _: None
            told.append(api.post("/images/web/runs", START, **KEY))

    world.gate.before = meanwhile
    assert api.post("/images/web/runs", START, **KEY).status == 202
    assert (told[0].status, told[0].headers["Retry-After"]) == (409, "75")


REQUESTS = 6
"""The row, the order if it is there, the image, the order, its look, the answer."""


@pytest.mark.parametrize("at", range(1, REQUESTS + 1))
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["kill", "drop"])
def test_cut_anywhere_and_sent_again_it_is_one_order_and_one_run(
    tmp_path: Path, kind: Kind, when: When, at: int
) -> None:
    gate = Gate(at, when, kind)
    world = World(config=factory_file(tmp_path, "web", options=KEEP), gate=gate)
    with contextlib.suppress(Killed):
        assert Api(world.worker).post("/images/web/runs", START, **KEY).status in (202, 503)
    assert gate.cut_at
    gate.revive()
    world.clock.pause(80)
    assert Api(world.new_worker()).post("/images/web/runs", START, **KEY).status == 202
    world.play(lambda w: bool(w.records(RunRecord)) and not w.known("web").orders)
    lines: list[Any] = [each for each in world.records(JournalLine) if each.what == "ordered"]
    assert (len(world.records(Order)), len(world.records(RunRecord)), len(lines)) == (1, 1, 1)


@pytest.mark.parametrize("kind", ["kill", "drop"])
def test_what_was_done_with_if_match_is_no_change_by_somebody_else(world: World, kind: Kind) -> None:
    """The order is written, its answer gets lost: sent again it is the same order, and no 412."""
    api = Api(world.worker)
    world.play(lambda w: w.image("web") is not None)
    etag = api.get("/images/web").headers["ETag"]
    world.gate.at, world.gate.when, world.gate.kind = world.gate.count + REQUESTS - 1, "after", kind
    with contextlib.suppress(Killed):
        assert api.post("/images/web/runs", START, If_Match=etag, **KEY).status == 503
    assert (world.gate.cut_at, len(world.records(Order))) == ("ledger.commit", 1)
    world.gate.revive()
    world.clock.pause(80)
    assert Api(world.new_worker()).post("/images/web/runs", START, If_Match=etag, **KEY).status == 202
    assert len(world.records(Order)) == 1
    assert api.post("/images/web/runs", START, If_Match=etag).status == 412


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(world: World) -> None:
    """Sent again it is carried out again, and finds done what is done."""
    api = Api(world.worker)

    def fail(_request: int) -> None:
        if world.gate.names.count("ledger.commit") == 3:  # the row, the order, the answer
            raise Unreachable("no answer")

    world.gate.before = fail
    first = api.post("/images/web/runs", START, **KEY)
    world.gate.before = lambda _: None
    assert (first.status, len(world.records(Order))) == (202, 1)
    assert api.post("/images/web/runs", START, **KEY).status == 409
    world.clock.pause(80)
    assert api.post("/images/web/runs", START, **KEY).told == first.told
    assert len(world.records(Order)) == 1


def test_answers_are_forgotten_in_time_and_not_before(world: World) -> None:
    """By sweeps, some at a time; until then they are as good as forgotten when their time is over."""
    api, out = Api(world.worker), world.worker.outside
    api.post("/images/web/look", **KEY)
    world.clock.advance(KEPT - timedelta(seconds=1))
    assert api.post("/images/web/runs", START, **KEY).status == 422
    world.clock.advance(timedelta(seconds=2))
    assert api.post("/images/web/runs", START, **KEY).status == 202
    for number in range(300):
        api.post("/images/web/look", Idempotency_Key=f"k{number}")
    world.clock.advance(KEPT + timedelta(seconds=1))
    for _ in range(100):
        world.clock.advance(timedelta(minutes=10))
        once.forget(out, world.clock.now())
    assert len(world.records(RequestRecord)) < 30


def test_a_request_with_a_key_costs_two_requests_more(tmp_path: Path) -> None:
    """The cuts above go through all of them."""
    world = World(config=factory_file(tmp_path, "web", options=KEEP))
    Api(world.worker).post("/images/web/runs", START, **KEY)
    assert len(world.gate.names) == REQUESTS
