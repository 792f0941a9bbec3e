"""The command line, in process: what it prints, and how it exits."""

from pathlib import Path

import msgspec
import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome
from shared import cli
from shared.domain.looks import Lane
from shared.domain.records import FailedWork, RunRecord
from shared.usecases import work
from tests.stories.endings import NEW, released
from tests.stories.scenes import IMAGE, KEEP, factory_file
from tests.stories.world import World

SAMPLE = Path(__file__).parent.parent / "config" / "factory.yaml"
Output = pytest.CaptureFixture[str]


def run(world: World, *arguments: str) -> int:
    return cli.main(arguments, lambda: world.worker)


@pytest.fixture
def world() -> World:
    """NEW is built, archived, and its template gone."""
    world = World()
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(released(NEW))
    return world


def test_validate_needs_no_azure_and_finds_the_sample_sound(capsys: Output) -> None:
    assert cli.main(["validate", str(SAMPLE)]) == 0
    assert "3 image(s), 3 source(s), 2 definition(s), no faults" in capsys.readouterr().out


def test_validate_lists_every_fault_and_fails(tmp_path: Path, capsys: Output) -> None:
    config = factory_file(tmp_path, mood="act", limits={"runs_at_once": "many"})
    assert cli.main(["validate", str(config)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "mood" in told.err
    assert "runs_at_once" in told.err


def test_validate_says_which_file_is_missing(tmp_path: Path, capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["validate", str(tmp_path / "nothing.yaml")])
    assert ended.value.code == 2
    assert "nothing.yaml: no such file" in capsys.readouterr().err


def test_status_tells_where_every_image_stands(world: World, capsys: Output) -> None:
    assert run(world, "status") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["IMAGE", "BUILT", "FROM", "WANTED", "LAST", "RUN", "SCHEDULED", "STANDS"]
    assert row.split()[:4] == [IMAGE, NEW, NEW, "Succeeded"]


def test_status_as_json_is_one_document(world: World, capsys: Output) -> None:
    assert run(world, "status", "--json") == 0
    told = msgspec.json.decode(capsys.readouterr().out)
    assert [image["name"] for image in told["images"]] == [IMAGE]
    assert told["failed"] == []


def test_status_before_the_first_look(capsys: Output) -> None:
    assert run(World(), "status") == 0
    assert "not looked at yet" in capsys.readouterr().out


def test_status_names_the_trouble_that_an_image_is_in(world: World, capsys: Output) -> None:
    world.azure.roles.revoke("factory")
    run(world, "look", IMAGE)
    world.go_on(minutes=3)
    capsys.readouterr()
    assert run(world, "status") == 0
    assert "needs Microsoft.VirtualMachineImages/imageTemplates/read on" in capsys.readouterr().out


def test_journal_prints_the_newest_lines_oldest_first(world: World, capsys: Output) -> None:
    assert run(world, "journal", IMAGE, "--limit", "4") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("AT (UTC)")
    assert len(rows) == 4
    assert rows == sorted(rows, key=lambda row: row[:19])
    assert all(row.startswith("2026-11-21 09:31:0") for row in rows)


def test_journal_as_json_is_one_object_a_line(world: World, capsys: Output) -> None:
    assert run(world, "journal", "--json", "--limit", "500") == 0
    lines = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert {"source-version-found", "run-requested", "archived"} <= {line["what"] for line in lines}


def test_journal_of_an_unknown_image_says_which_there_are(world: World, capsys: Output) -> None:
    assert run(world, "journal", "nobody") == 1
    assert f"configured are: {IMAGE}" in capsys.readouterr().err


def test_look_queues_a_look(world: World, capsys: Output) -> None:
    assert run(world, "look", IMAGE) == 0
    assert "a look is queued (correlation " in capsys.readouterr().out
    assert len(world.queues.waiting(Lane.BUILDS.value)) == 1


def test_resume_ends_a_pause(tmp_path: Path, capsys: Output) -> None:
    world = World(config=factory_file(tmp_path, options=KEEP))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    world.plan(IMAGE, *[Outcome(result="failure")] * 3)
    world.play(lambda w: bool(w.known().paused))
    assert run(world, "resume", IMAGE) == 0
    assert "resumed" in capsys.readouterr().out
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    assert len(world.records(RunRecord)) == 4


def test_resume_of_what_was_never_looked_at_is_refused(capsys: Output) -> None:
    assert run(World(), "resume", IMAGE) == 1
    assert "there is nothing to resume" in capsys.readouterr().err


def test_failed_work_is_listed_and_sent_again(world: World, capsys: Output) -> None:
    body = '{"v":2,"look":"image","id":"ubuntu-22","correlation":"c","attempt":1}'
    work.report(world.worker.outside, "builds", "too new", id="message 7", correlation="c", body=body)
    assert run(world, "status") == 0
    assert "message 7" in capsys.readouterr().out
    assert run(world, "send-again", "message 7") == 0
    assert [message.body for message in world.queues.waiting("builds")] == [body]
    assert [bool(failed.resent) for failed in world.records(FailedWork)] == [True]
    assert run(world, "send-again", "nonsense") == 1
    assert "no failed work 'nonsense'" in capsys.readouterr().err


def test_a_faulty_configuration_is_told_by_every_command(tmp_path: Path, capsys: Output) -> None:
    config = factory_file(tmp_path)
    world = World(config=config)
    config.write_text("images: 7", encoding="utf-8")
    for command in (("status",), ("journal",), ("look", IMAGE), ("resume", IMAGE)):
        assert run(world, *command) == 1
        assert "images" in capsys.readouterr().err


def test_wrong_usage_exits_with_2(capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["explode"])
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_settings_that_are_missing_are_all_named(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FactoryStorage__queueServiceUri", "FactoryStorage__tableServiceUri"):
        monkeypatch.delenv(name, raising=False)
    assert cli.main(["status"]) == 1
    told = capsys.readouterr().err
    assert "FactoryStorage__queueServiceUri" in told
    assert "FactoryStorage__tableServiceUri" in told
