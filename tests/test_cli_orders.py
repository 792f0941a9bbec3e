"""Orders on the command line."""

import pytest

from shared import cli
from shared.domain.records import JournalLine
from tests.stories.endings import OLD, released
from tests.stories.scenes import IMAGE
from tests.stories.world import World

Output = pytest.CaptureFixture[str]


def run(world: World, *arguments: str) -> int:
    return cli.main(arguments, lambda: world.worker)


def test_run_orders_a_run_and_refuses_a_second_one(capsys: Output) -> None:
    world = World()
    world.play(lambda w: w.image() is not None)
    assert run(world, "run", IMAGE, "--reason", "new agents") == 0
    assert f"{IMAGE}: a run is ordered (order " in capsys.readouterr().out
    assert run(world, "run", IMAGE) == 1
    assert "is open already: started by hand by command line: new agents" in capsys.readouterr().err
    world.play(released(OLD))
    lines = [line.what for line in world.records(JournalLine) if line.by == "command line"]
    assert lines == ["ordered"]


def test_pause_stops_automatic_runs(capsys: Output) -> None:
    world = World()
    assert run(world, "pause", IMAGE, "--reason", "network works") == 0
    assert f"{IMAGE}: paused; `resume {IMAGE}` ends it" in capsys.readouterr().out
    assert world.known().paused == "by command line: network works"
    assert run(world, "pause", "nobody") == 1
    assert "no image 'nobody' is configured" in capsys.readouterr().err
