"""Retention over HTTP: the plan as it is now, an approval of that very plan, a mark taken back."""

from pathlib import Path

from sandbox.faults import Fault
from shared.domain.ids import BlobAddress
from shared.domain.records import JournalLine
from tests.stories.retaining import RetentionWorld
from tests.stories.test_retention_story import configured

from .calling import Api


def test_the_plan_is_told_filtered_and_in_pages() -> None:
    """Computed now and never stored: each verdict once, with its reason."""
    world = RetentionWorld(history=4)
    api = Api(world.worker)
    before = world.ledger.rows()
    told = api.get("/retention/plan").told
    assert told["digest"] == world.plan_now().digest
    assert len(told["items"]) == len(world.plan_now().verdicts) >= 4
    assert all(each["reason"] for each in told["items"])
    going = api.get("/retention/plan?going=true&kind=gallery_version&image=dev").told["items"]
    assert {each["name"] for each in going} <= {f"dev/1.0.{number}" for number in range(4)}
    pages = api.page_by_page("/retention/plan?limit=2")
    assert pages == told["items"]
    assert world.ledger.rows() == before
    assert api.get("/retention/plan?image=one-that-left").told["items"] == []


def test_what_comes_between_two_pages_of_the_plan_neither_repeats_nor_hides_a_verdict() -> None:
    world = RetentionWorld(history=4)
    api = Api(world.worker)
    first = api.get("/retention/plan?limit=2").told
    world.seed("0.9.0", days=90)
    world.go_on(minutes=30)
    second = api.get(f"/retention/plan?limit=2&next={first['next']}").told
    assert "dev/0.9.0" in str(api.get("/retention/plan").told["items"])
    names = [each["name"] for each in (*first["items"], *second["items"])]
    assert names == [f"dev/1.0.{number}" for number in range(4)]


def test_the_plan_goes_on_after_the_longest_names() -> None:
    """Of what others have put into the archive."""
    world = RetentionWorld(history=0)
    names = [letter * 1000 + ".vhd" for letter in "aäö"]
    for name in names:
        world.blobs.plant(BlobAddress("archive", "images", name), [], length=1024)
    items = Api(world.worker).page_by_page("/retention/plan?limit=1")
    assert [each["name"].rpartition("/")[2] for each in items] == names


def test_an_approval_is_of_the_very_plan_and_names_who_gave_it(tmp_path: Path) -> None:
    """409 for another one, saying what waits."""
    world = RetentionWorld(config=configured(tmp_path, ("number: 10", "number: 1")))
    world.go_on(hours=2)
    api = Api(world.worker)
    (kind,) = [each for each in api.get("/retention/plan").told["kinds"] if each["tripped"]]
    wrong = api.post("/retention/approvals", {"digest": "nonsense", "reason": "me"})
    assert (wrong.status, kind["digest"] in wrong.detail) == (409, True)
    done = api.post("/retention/approvals", {"digest": kind["digest"], "reason": "we talked about it"})
    assert (done.status, done.told["kinds"]) == (200, ["gallery_version"])
    assert [line.by for line in world.records(JournalLine) if line.what == "plan-approved"] == ["master key"]
    assert api.post("/retention/approvals", {"digest": kind["digest"]}).status == 400


def test_a_mark_is_taken_back() -> None:
    world = RetentionWorld()
    world.go_on(hours=3)
    api, name = Api(world.worker), sorted(world.going())[0]
    assert api.post("/retention/unmark", {"thing": name, "reason": "not yet"}).status == 202
    assert name not in world.going()
    unknown = api.post("/retention/unmark", {"thing": name})
    assert (unknown.status, "bears no mark" in unknown.detail) == (404, True)


def test_too_many_requests_of_azure_are_too_many_here_as_well() -> None:
    """429 with what Azure says of when to come again, where nothing can be told without it."""
    world = RetentionWorld(history=1)
    world.azure.faults.add(
        Fault("arm", "status", method="PATCH", path="tags", count=10**6, status=429, retry_after=17)
    )
    answer = Api(world.worker).post("/versions/dev/1.0.0/pin", {"reason": "x"})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "17")
