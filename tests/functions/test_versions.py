"""Gallery versions over HTTP: what is shown, said and refused."""

import contextlib
from datetime import timedelta

import pytest

from shared.domain.callers import Role
from shared.domain.records import JournalLine
from shared.domain.releases import Stage
from tests.stories.cuts import Killed, Kind
from tests.stories.gallery import GALLERY, GalleryWorld, begun, rebuilt, stands

from .calling import Api

VERSION = "/versions/base/1.0.0"


@pytest.fixture
def world() -> GalleryWorld:
    """A version was made, and gets its first ring."""
    world = begun()
    world.make()
    world.play(stands("base/1.0.0", Stage.REPLICATING), at_once=True)
    return world


def lines(world: GalleryWorld, what: str) -> list[str]:
    return [line.by for line in world.records(JournalLine) if line.what == what]


def test_a_version_is_held_resumed_promoted_and_withdrawn(world: GalleryWorld) -> None:
    """202 with the version to follow; the next look carries it out; the journal names who said it."""
    api = Api(world.worker)
    for verb, body, what in (
        ("hold", {"reason": "it leaks"}, "version-held-by-hand"),
        ("resume", None, "version-resumed"),
        ("promote", {"through": True}, "version-promoted"),
        ("withdraw", {"reason": "it leaks"}, "version-withdrawn-by-hand"),
    ):
        said = api.post(f"{VERSION}/{verb}", body)
        assert (said.status, said.headers["Location"]) == (202, f"/api/v1{VERSION}"), said.content
        assert lines(world, what) == ["master key"]
    world.play(stands("base/1.0.0", Stage.WITHDRAWN))
    assert api.get(VERSION).told["withdrawn"] == "it leaks"
    assert "is withdrawn (it leaks)" in api.post(f"{VERSION}/hold").detail
    assert api.post(f"{VERSION}/resume").status == 409


def test_a_version_is_shown_with_regions_and_lineage_both_ways() -> None:
    """And listed: newest first, of one definition, in pages."""
    world = begun()
    world.make()
    world.play(rebuilt)
    api = Api(world.worker)
    told = api.get(VERSION).told
    assert (told["stage"], told["id"]) == (
        "released",
        f"{GALLERY.replace('/images', '/images', 1)}/images/base/versions/1.0.0",
    )
    assert {(p["region"], p["state"]) for p in told["regions"]} >= {
        ("westeurope", "latest"),
        ("uksouth", "latest"),
    }
    (run,) = [node for node in told["lineage"]["children"] if node["kind"] == "run"]
    assert run["name"].startswith("dev/")
    above = api.get("/versions/dev/1.0.0").told
    assert [node["kind"] for node in above["ancestors"]] == ["run", "template", "version"]
    world.make(name="1.0.1")
    world.play(stands("base/1.0.1", Stage.RELEASED))
    whole = api.get("/versions?definition=base").told["items"]
    assert [each["version"] for each in whole] == ["1.0.1", "1.0.0"]
    first = api.get("/versions?definition=base&limit=1").told
    second = api.get(f"/versions?definition=base&limit=1&next={first['next']}").told
    assert (first["items"] + second["items"], second["next"]) == (whole, None)
    assert whole[0]["latestIn"]
    assert api.get("/versions?definition=base&stage=held").told["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/versions/base/9.9.9", 404, "base/9.9.9 is not followed"),
        (
            "GET",
            "/versions/nothing/1.0.0",
            404,
            "no definition 'nothing' is configured; configured are: base, dev",
        ),
        ("GET", "/versions?definition=nothing", 404, "configured are: base, dev"),
        ("GET", "/versions", 400, "query definition: is missing"),
        ("GET", "/versions/base/latest", 400, "path version: expected text of the form"),
        ("GET", "/versions/base/1.0.00", 400, "path version: expected text of the form"),
        ("POST", "/versions/base/9.9.9/hold", 404, "base/9.9.9 does not exist"),
        ("POST", "/versions/base/9.9.9/pin", 404, ""),
        ("POST", "/versions/base/9.9.9/undelete", 404, ""),
        ("POST", f"{VERSION}/resume", 409, "base/1.0.0 is not held"),
        ("POST", f"{VERSION}/unpin", 409, "bears no tag imageFactoryKeep"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    world: GalleryWorld, method: str, path: str, status: int, words: str
) -> None:
    answer = Api(world.worker).send(method, path)
    assert (answer.status, words in answer.detail) == (status, True), answer.content


def test_a_pin_is_a_tag_in_azure_and_a_line_in_the_journal(world: GalleryWorld) -> None:
    api = Api(world.worker)
    assert api.post(f"{VERSION}/pin", {"reason": "we need it"}).status == 200
    assert world.version().tags["imageFactoryKeep"] == "we need it"
    assert api.post(f"{VERSION}/unpin").status == 200
    assert "imageFactoryKeep" not in world.version().tags
    assert lines(world, "thing-pinned") == lines(world, "thing-unpinned") == ["master key"]


def test_a_function_key_may_not_withdraw(world: GalleryWorld) -> None:
    """The host lets none in there; if it did, the app would not."""
    for verb in "withdraw", "unpin", "undelete":
        answer = Api(world.worker, Role.OPERATE).post(f"{VERSION}/{verb}")
        assert (answer.status, "send the host's master key" in answer.detail) == (403, True)


def test_if_match_guards_what_is_said_of_a_version(world: GalleryWorld) -> None:
    api = Api(world.worker)
    etag = api.get(VERSION).headers["ETag"]
    assert api.post(f"{VERSION}/hold", None, If_Match=etag).status == 202
    assert api.post(f"{VERSION}/promote", None, If_Match=etag).status == 412


@pytest.mark.parametrize("kind", ["kill", "drop"])
@pytest.mark.parametrize(
    ("verb", "before", "after"), [("promote", "", "hold"), ("hold", "", "resume"), ("resume", "hold", "hold")]
)
def test_what_is_said_again_after_a_lost_answer_is_no_second_word(
    world: GalleryWorld, kind: Kind, verb: str, before: str, after: str
) -> None:
    """Not even after somebody has said something else: that stands."""
    api = Api(world.worker)
    if before:
        api.post(f"{VERSION}/{before}")
    gate = world.gate
    gate.at, gate.when, gate.kind = gate.count + 3, "after", kind  # the request, the version, the word
    with contextlib.suppress(Killed):
        assert api.post(f"{VERSION}/{verb}", Idempotency_Key="k").status == 503
    assert gate.cut_at == "ledger.commit"
    gate.revive()
    world.clock.advance(timedelta(seconds=80))
    api = Api(world.new_worker())
    assert api.post(f"{VERSION}/{after}").status == 202
    stood = world.release()
    assert api.post(f"{VERSION}/{verb}", Idempotency_Key="k").status == 202
    assert world.release() == stood
    assert len(stood.words) == (3 if before else 2)
