"""What lists cost, and that they tell what the records do."""

from datetime import timedelta
from pathlib import Path

from shared.domain import keys
from shared.domain.ids import ImageName, RunStart
from shared.domain.listings import ImageLine, RunLine
from shared.domain.records import CurrentRun, ImageRecord, RunRecord
from shared.ports import Put
from shared.usecases import listing
from shared.usecases.sweep import sweep
from tests.stories.scenes import KEEP, Operator, factory_file
from tests.stories.world import World

from .calling import Api


def test_the_first_page_of_a_thousand_images_is_one_storage_call(tmp_path: Path) -> None:
    """And no call of Resource Manager; so is every page after it."""
    names = [f"image-{number:04d}" for number in range(1000)]
    world = World(config=factory_file(tmp_path, *names))
    for first in range(0, 1000, 100):
        lines = [Put(ImageLine(ImageName(name), paused=f"as {name}")) for name in names[first : first + 100]]
        world.ledger.commit(keys.IMAGES, lines)
    api, token, seen = Api(world.worker), "", []
    for _ in range(5):
        before = len(world.gate.names)
        page = api.get(f"/images?limit=200{token}").told
        assert world.gate.names[before:] == ["ledger.scan"]
        seen += [(each["name"], each["paused"]) for each in page["items"]]
        token = f"&next={page['next']}"
    assert seen == [(name, f"as {name}") for name in names]
    assert page["next"] is None


def test_images_that_have_just_left_hide_nothing_of_those_that_are_there(tmp_path: Path) -> None:
    """Until a sweep has taken their lines away, however many: then it takes a second storage call."""
    world = World(config=factory_file(tmp_path, "a", "b"))
    names = ["a", *(f"a-{number:03d}" for number in range(99)), "b"]
    lines = [Put(ImageLine(ImageName(name), paused=f"as {name}")) for name in names]
    for first in 0, 100:
        world.ledger.commit(keys.IMAGES, lines[first : first + 100])
    before = len(world.gate.names)
    told = Api(world.worker).get("/images?limit=10").told["items"]
    assert [(each["name"], each["paused"]) for each in told] == [("a", "as a"), ("b", "as b")]
    assert world.gate.names[before:] == ["ledger.scan"] * 2


def test_the_first_page_of_ten_thousand_runs_is_one_storage_call(tmp_path: Path) -> None:
    """Newest first, of all images and of one."""
    world, now = World(config=factory_file(tmp_path, "web")), World().clock.now()
    for first in range(0, 10_000, 100):
        moments = [now - timedelta(minutes=number) for number in range(first, first + 100)]
        for partition in keys.RUNS, keys.of_image("web"):
            runs = [
                RunLine(
                    partition, ImageName("web"), RunStart(f"{m:%Y-%m-%dT%H:%M:%S}Z"), m, "Succeeded", "new"
                )
                for m in moments
            ]
            world.ledger.commit(partition, [Put(run) for run in runs])
    api = Api(world.worker)
    for query in "", "&image=web":
        before = len(world.gate.names)
        page = api.get(f"/runs?limit=100{query}").told
        assert world.gate.names[before:] == ["ledger.scan"]
        starts = [each["started"] for each in page["items"]]
        assert (len(starts), starts) == (100, sorted(starts, reverse=True))
    old = now - timedelta(minutes=9000)
    page = api.get(
        f"/runs?since={old - timedelta(minutes=4):%Y-%m-%dT%H:%M:%SZ}&until={old:%Y-%m-%dT%H:%M:%SZ}"
    )
    assert (len(page.told["items"]), page.told["next"]) == (4, None)


def test_lists_tell_what_the_records_do(tmp_path: Path) -> None:
    """Of runs that others started as well, and while they are under way."""
    world = World(config=factory_file(tmp_path, "web", options=KEEP))
    api = Api(world.worker)
    api.post("/images/web/runs", {"reason": "now"})
    world.play(lambda w: len(w.records(RunRecord)) == 1)
    Operator(world).run("web")
    world.play(lambda w: bool(w.known("web").run), at_once=True)
    others = "started by somebody else"
    assert [(r["state"], r["why"]) for r in api.get("/runs").told["items"]] == [
        ("Running", others),
        ("Succeeded", "started by hand by master key: now"),
    ]
    world.play(lambda w: len(w.records(RunRecord)) == 2)
    told = api.get("/runs?image=web").told
    assert told == {**api.get("/runs").told, "next": None}
    assert (told["items"][0]["state"], told["items"][0]["why"]) == ("Succeeded", others)
    lines = {r.record.name: r.record for r in world.ledger.scan(keys.IMAGES, "image:").rows}
    assert lines == {"web": listing.line_of(world.known("web"))}


def test_a_run_that_goes_away_with_its_template_is_told_as_vanished() -> None:
    """Its end was never seen."""
    name, now = ImageName("web"), World().clock.now()
    run = CurrentRun(RunStart("2026-11-21T09:00:00Z"), now, None, now)
    (put,) = listing.run_lines(ImageRecord(name, run=run), ImageRecord(name), ())
    assert isinstance(put.record, RunLine)
    assert (put.record.state, put.record.start) == ("Vanished", run.start)


def test_a_sweep_mends_the_list_of_images(tmp_path: Path) -> None:
    """A worker that died between the record and its line; an image that left the configuration."""
    world = World(config=factory_file(tmp_path, "web", "db", options=KEEP))
    world.play(lambda w: all(w.image(name) for name in ("web", "db")))
    held = world.ledger.read(keys.image_key("web"), ImageRecord)
    assert held is not None
    world.ledger.commit(
        keys.IMAGES, [Put(ImageLine(ImageName("gone"))), Put(ImageLine(ImageName("web"), failures=9))]
    )
    sweep(world.worker.outside, world.worker.factory(), "a-test")
    lines = {r.record.name: r.record for r in world.ledger.scan(keys.IMAGES, "image:").rows}
    assert lines.get(ImageName("web")) in (None, listing.line_of(held.record))
    assert "gone" not in lines
    assert Api(world.worker).get("/images").told["items"][1]["failures"] == 0
