"""The HTTP API from the host's side: images, runs and orders, failed work, the journal."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.domain.callers import Role
from shared.domain.errors import Throttled, Unreachable
from shared.domain.looks import Lane, Look, Thing
from shared.domain.records import JournalLine
from shared.usecases import work
from tests.stories.scenes import KEEP, factory_file
from tests.stories.world import World

from .calling import Api


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(config=factory_file(tmp_path, "web", "db", options=KEEP))


@pytest.fixture
def api(world: World) -> Api:
    return Api(world.worker, Role.OPERATE)


def test_a_run_is_ordered_followed_and_shown_with_its_outputs(world: World, api: Api) -> None:
    """202 with a Location, whose state goes from open to done; the journal records who asked."""
    placed = api.post("/images/web/runs", {"reason": "the new agent"})
    assert (placed.status, placed.told["state"], placed.told["by"]) == (202, "open", "function key")
    order = placed.headers["Location"].removeprefix("/api/v1")
    world.play(lambda w: bool(w.known("web").run), at_once=True)
    done = api.get(order).told
    assert done["state"] == "done"
    run = f"/images/web/runs/{done['run']}"
    assert api.get(run).told["state"] == api.get("/runs").told["items"][0]["state"] == "Running"
    assert api.get("/images").told["items"][1]["running"] == done["run"]
    world.play(lambda w: not w.known("web").run and not w.known("web").unsettled)
    told = api.get(run).told
    assert (told["state"], told["ours"]) == ("Succeeded", True)
    (output,) = told["outputs"]
    assert (output["state"], output["copied"] == output["allocated"] > 0) == ("archived", True)
    (line,) = [each for each in world.records(JournalLine) if each.what == "ordered"]
    assert (line.by, "the new agent" in line.why) == ("function key", True)
    for path in ("/runs", "/runs?image=web"):
        assert [each["state"] for each in api.get(path).told["items"]] == ["Succeeded"]


def test_a_run_is_cancelled_by_its_name(world: World, api: Api) -> None:
    """Only while it is under way; one that there never was is not found."""
    api.post("/images/web/runs")
    world.play(lambda w: bool(w.known("web").run), at_once=True)
    run = api.get("/runs").told["items"][0]["run"]
    never = "/images/web/runs/2020-01-01T00:00:00Z/cancel"
    assert "no run '2020-01-01T00:00:00Z' of web is recorded" in api.post(never).detail
    placed = api.post(f"/images/web/runs/{run}/cancel", {"reason": "a typo"})
    assert (placed.status, placed.told["kind"]) == (202, "cancel")
    world.play(lambda w: not w.known("web").run)
    assert api.get(placed.headers["Location"].removeprefix("/api/v1")).told["state"] == "done"
    assert api.get(f"/images/web/runs/{run}").told["state"] == "Canceled"
    over = api.post(f"/images/web/runs/{run}/cancel")
    assert (over.status, "under way" in over.detail) == (409, True)


def test_a_template_is_deleted_once_its_outputs_are_safe(world: World, api: Api) -> None:
    """Refused before, naming them; there is no force. It takes the role of administrators."""
    api.post("/images/web/runs")
    world.play(lambda w: bool(w.known("web").unsettled), at_once=True)
    admin = Api(world.worker)
    refused = admin.send("DELETE", "/images/web/template")
    assert (refused.status, f"web/{world.known('web').unsettled[0]}" in refused.detail) == (409, True)
    world.play(lambda w: not w.known("web").unsettled)
    assert api.send("DELETE", "/images/web/template").status == 403
    placed = admin.send("DELETE", "/images/web/template")
    world.play(lambda w: not w.known("web").orders)
    told = admin.get(placed.headers["Location"].removeprefix("/api/v1")).told
    assert (placed.status, told["state"], told["kind"]) == (202, "done", "delete-template")
    assert not [each for each in world.azure.imagebuilder.templates() if each.name.startswith("web")]


def test_an_image_tells_where_it_stands_and_why(world: World, api: Api) -> None:
    """Before anything is known of it as well."""
    assert api.get("/images/web").told["reason"] == "not looked at yet"
    world.play(lambda w: w.image("web") is not None)
    told = api.get("/images/web").told
    assert (told["name"], told["mode"]) == ("web", "act")
    assert "/imageTemplates/web" in told["template"]
    assert told["reason"] == world.known("web").reason
    assert api.get("/images/nobody").detail == "no image 'nobody' is configured; configured are: db, web"


def test_automatic_runs_are_paused_and_resumed(world: World, api: Api) -> None:
    """The list tells it at once; who did it is in the journal."""
    world.play(lambda w: w.image("web") is not None)
    world.clock.pause(1)
    paused = api.post("/images/web/pause", {"reason": "an audit"})
    assert (paused.status, "an audit" in paused.told["paused"]) == (200, True)
    assert "an audit" in api.get("/images").told["items"][1]["paused"]
    world.clock.pause(1)
    assert api.post("/images/web/resume").told["paused"] == ""
    assert api.get("/images").told["items"][1]["paused"] == ""
    lines = api.get("/journal?image=web").told["items"]
    assert [(each["what"], each["by"]) for each in lines[:2]] == [
        ("resumed", "function key"),
        ("paused", "function key"),
    ]


def test_a_look_is_queued_and_journalled(world: World, api: Api) -> None:
    answer = api.post("/images/web/look")
    assert (answer.status, answer.headers["Location"]) == (202, "/api/v1/images/web")
    (message,) = world.queues.waiting(Lane.BUILDS.value)
    assert answer.told["correlation"] in message.body
    (line,) = api.get("/journal?image=web").told["items"]
    assert (line["what"], line["by"], line["correlation"]) == (
        "look-asked-for",
        "function key",
        answer.told["correlation"],
    )


def test_failed_work_is_listed_shown_and_sent_again(world: World, api: Api) -> None:
    """Also where its id has slashes, which an address cannot have."""
    look = Look(Lane.ARCHIVE, Thing.OUTPUT, "web/2026-11-21T09:00:00Z/web-vhd", "c-1")
    work.give_up(world.worker.outside, look, "it is broken")
    work.report(world.worker.outside, "builds", "unreadable", id="message 1", correlation="c-2", body="{")
    found = {each["id"]: each for each in api.get("/failed-work").told["items"]}
    broken = found["archive:output:web/2026-11-21T09:00:00Z/web-vhd"]
    assert (broken["thing"], broken["why"]) == (f"output {look.id}", "it is broken")
    assert api.get(f"/failed-work/{broken['key']}").told == broken
    sent = api.post(f"/failed-work/{broken['key']}/send-again")
    assert (sent.status, bool(sent.told["resent"])) == (202, True)
    assert len(world.queues.waiting(Lane.ARCHIVE.value)) == 1
    assert api.post(f"/failed-work/{found['message 1']['key']}/send-again").status == 202
    assert "no failed work 'nothing' is recorded" in api.get("/failed-work/nothing").detail
    told = api.get("/journal").told["items"]
    assert {each["by"] for each in told if each["what"] == "work-sent-again"} == {"function key"}


def test_lists_go_on_where_the_page_before_ended(world: World, api: Api) -> None:
    """Each line once, in order; with other filters, or made up, a token is refused."""
    world.play(lambda w: w.image("web") is not None and w.image("db") is not None)
    for path, joint in (("/images", "?"), ("/journal?image=web", "&")):
        whole, pages, token = api.get(path).told["items"], [], ""
        while True:
            told = api.get(f"{path}{joint}limit=1{token}").told
            pages += told["items"]
            if told["next"] is None:
                break
            token = f"&next={told['next']}"
        assert pages == whole
        assert len(pages) > 1
    for wrong in (token, "&next=AAAA", "&next=%00", "&next=" + "x" * 2000):
        (fault,) = api.get(f"/journal?image=db&limit=1{wrong}").told["faults"]
        assert (fault["where"], fault["name"]) == ("query", "next")


def test_the_journal_is_read_by_time_and_of_one_thing(world: World, api: Api) -> None:
    world.play(lambda w: w.image("web") is not None)
    at = world.clock.now()
    world.go_on(hours=1)
    api.post("/images/web/look")
    new = api.get(f"/journal?image=web&since={at + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}").told["items"]
    old = api.get(f"/journal?image=web&until={at + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}").told["items"]
    assert [each["what"] for each in new] == ["look-asked-for"]
    assert new + old == api.get("/journal?image=web").told["items"]
    (fault,) = api.get("/journal?image=web&kind=template").told["faults"]
    assert fault["message"] == "only one of image, definition, kind, source can be asked for at a time"
    assert "watched are:" in api.get("/journal?source=nothing").detail
    assert api.get("/journal?kind=template").told["items"] == []


def test_what_storage_and_azure_refuse_says_when_to_come_again(world: World, api: Api) -> None:
    """429 for too many requests, 503 for no answer, both with Retry-After."""
    errors = [Throttled("the ledger is busy", timedelta(seconds=7)), Unreachable("no answer")]

    def fail(_request: int) -> None:
        raise errors[0]

    world.gate.before = fail
    busy = api.get("/images/web")
    assert (busy.status, busy.headers["Retry-After"], busy.detail) == (429, "7", "the ledger is busy")
    errors.pop(0)
    gone = api.post("/images/web/look", None, Idempotency_Key="k")
    assert (gone.status, gone.headers["Retry-After"], gone.detail) == (503, "30", "no answer")


def test_nothing_is_done_while_the_configuration_is_faulty(world: World, api: Api) -> None:
    world.settings.config.write_text("{}", encoding="utf-8")
    for answer in (api.get("/images"), api.post("/images/web/look")):
        assert (answer.status, "nothing is acted upon" in answer.detail) == (503, True)
    assert not world.queues.waiting()
