"""What the next look would do, on the command line."""

import json
from pathlib import Path

import pytest

from shared import cli
from tests.stories.scenes import IMAGE, arm_calls, factory_file
from tests.stories.test_deployment import ONE, TWO, edit, named, settled
from tests.stories.world import World

Output = pytest.CaptureFixture[str]


def plan(world: World, capsys: Output, *arguments: str) -> str:
    assert cli.main(("plan", *arguments), lambda: world.worker) == 0
    return capsys.readouterr().out


def test_plan_tells_what_a_changed_file_leads_to_and_does_nothing(tmp_path: Path, capsys: Output) -> None:
    world = settled(tmp_path)
    before = [len(world.ledger.rows()), world.queues.waiting(), arm_calls(world, "PUT")]
    assert f"already built from {world.known().built}" in plan(world, capsys, IMAGE)
    edit(tmp_path, TWO)
    (told,) = json.loads(plan(world, capsys, "--json"))
    why = f"by {named(world)} once a run is due: its template file has changed"
    assert (told["acts"], told["steps"]) == (True, [{"what": "replace-template", "why": why}])
    edit(tmp_path, {**ONE, "vmProfile": {"vmSize": "Standard_D2s_v5"}})
    assert "patch-template" in plan(world, capsys)
    assert before == [len(world.ledger.rows()), world.queues.waiting(), arm_calls(world, "PUT")]


def test_plan_tells_of_an_image_that_observes_what_it_would_do(tmp_path: Path, capsys: Output) -> None:
    world = World(config=factory_file(tmp_path, mode="observe", options={"build_at_first_sight": True}))
    world.play(lambda w: w.image() is not None)
    world.go_on(minutes=30)
    told = plan(world, capsys)
    assert f"{IMAGE}  observe  {IMAGE}" in told
    assert "create-template" in told
    assert "nothing is carried out" in told
    assert not world.azure.imagebuilder.templates()


def test_plan_of_an_unknown_image_is_refused(capsys: Output) -> None:
    world = World()
    assert cli.main(("plan", "nobody"), lambda: world.worker) == 1
    assert "no image 'nobody' is configured" in capsys.readouterr().err
