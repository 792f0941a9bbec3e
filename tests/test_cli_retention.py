"""The command line of retention: what it prints, and what it makes the factory do."""

from pathlib import Path

import msgspec
import pytest

from sandbox.arm.inventory import GALLERIES
from shared import cli
from shared.domain.retention import MARK, PIN, Plan, Stage
from tests.stories.retaining import RetentionWorld, left
from tests.stories.scenes import GROUP
from tests.stories.test_retention_story import configured, staged

Output = pytest.CaptureFixture[str]


def run(world: RetentionWorld, *arguments: str) -> int:
    return cli.main(("retention", *arguments), lambda: world.worker)


@pytest.fixture
def world() -> RetentionWorld:
    return RetentionWorld(history=4)


def test_the_plan_tells_of_everything_what_and_why_and_changes_nothing(
    world: RetentionWorld, capsys: Output
) -> None:
    world.pin("dev/1.0.0")
    before = len(world.azure.calls.list("arm"))
    assert run(world, "plan") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == ["KIND", "THING", "VERDICT", "STAGE", "NEXT", "WHY"]
    rows = {line.split()[2]: line for line in told[1:5]}
    assert rows["dev/1.0.0"].endswith("pinned by a tag")
    assert "retire" in rows["dev/1.0.1"]
    assert "no part of its policy keeps it" in rows["dev/1.0.1"]
    assert rows["dev/1.0.3"].endswith("the newest released in westeurope")
    assert told[6] == "gallery versions: 3 kept, 1 to go"
    assert told[-1].startswith("Plan ")
    assert {c.method for c in world.azure.calls.list("arm")[before:]} == {"GET", "POST"}


def test_the_same_input_gives_the_same_plan_byte_for_byte(world: RetentionWorld, capsys: Output) -> None:
    assert run(world, "plan", "--json") == 0
    first = capsys.readouterr().out
    assert run(world, "plan", "--json") == 0
    assert capsys.readouterr().out == first
    plan = msgspec.json.decode(first, type=Plan)
    assert [v.name for v in plan.verdicts if not v.keep] == ["dev/1.0.0", "dev/1.0.1"]


def test_only_what_goes_or_one_kind_is_shown_if_asked(world: RetentionWorld, capsys: Output) -> None:
    assert run(world, "plan", "--going") == 0
    told = capsys.readouterr().out
    assert "dev/1.0.0" in told
    assert "dev/1.0.3" not in told
    assert run(world, "plan", "--kind", "template") == 0
    assert "dev/1.0.0" not in capsys.readouterr().out


def test_a_dry_run_says_that_it_is_one(tmp_path: Path, capsys: Output) -> None:
    world = RetentionWorld(history=3, config=configured(tmp_path, ("mode: enforce", "mode: dry_run")))
    assert run(world, "plan") == 0
    assert (
        "a dry run: nothing of it is carried out before `retention.mode: enforce`" in capsys.readouterr().out
    )


def test_a_stopped_plan_says_how_to_approve_it(tmp_path: Path, capsys: Output) -> None:
    world = RetentionWorld(config=configured(tmp_path, ("number: 10", "number: 1")))
    world.go_on(hours=2)
    assert run(world, "plan") == 0
    line = next(row for row in capsys.readouterr().out.splitlines() if "STOPPED" in row)
    digest = line.split("`retention approve ")[1].split("`")[0]
    assert run(world, "approve", "0123456789abcdef", "--why", "me") == 1
    assert f"what waits now is: {digest} (gallery_version: 4 of 6" in capsys.readouterr().err
    assert run(world, "approve", digest, "--why", "checked by me") == 0
    assert f"{digest}: approved for gallery_version" in capsys.readouterr().out
    world.play(left("1.0.4", "1.0.5"))
    assert any("checked by me" in line for line in world.told().splitlines())


def test_an_approval_names_who_gives_it(world: RetentionWorld) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(world, "approve", "0123456789abcdef")
    assert stopped.value.code == 2


def test_pins_and_marks_by_hand(world: RetentionWorld, capsys: Output) -> None:
    world.play(staged(Stage.MARKED, "dev/1.0.0", "dev/1.0.1"), at_once=True)
    assert run(world, "unmark", "dev/1.0.0") == 0
    assert "unless it is pinned, a later sweep marks it anew" in capsys.readouterr().out
    assert MARK not in world.version("dev/1.0.0").tags
    assert run(world, "pin", "dev/1.0.0", "--why", "an exam") == 0
    assert world.version("dev/1.0.0").tags[PIN] == "an exam"
    world.play(left("1.0.0", "1.0.2", "1.0.3"))
    assert run(world, "unpin", "dev/1.0.0") == 0
    world.play(left("1.0.2", "1.0.3"))
    for words in (("unmark", "dev/1.0.2"), ("unpin", "dev/1.0.2"), ("pin", "dev/9.9.9")):
        assert run(world, *words) == 1
        assert words[1] in capsys.readouterr().err


def test_what_is_soft_deleted_is_brought_back_by_name(world: RetentionWorld, capsys: Output) -> None:
    gallery = world.azure.fabric.records.get(f"{GROUP}/providers/{GALLERIES}/images")
    policy = {"isSoftDeleteEnabled": True, "retentionPeriodInDays": 7}
    gallery.properties["softDeletePolicy"] = policy  # type: ignore[union-attr]  # a gallery
    world.play(left("1.0.2", "1.0.3"))
    assert run(world, "undelete", "dev/1.0.1") == 0
    assert "dev/1.0.1: is being brought back, and pinned" in capsys.readouterr().out
    assert run(world, "undelete", "dev/7.0.0") == 1
    assert "7.0.0" in capsys.readouterr().err


def test_old_versions_are_taken_over_all_or_some(world: RetentionWorld, capsys: Output) -> None:
    for number in ("0.1.0", "0.2.0"):
        world.seed(number, days=500)
    assert run(world, "adopt", "dev", "0.1.0", "--image", "dev") == 0
    assert "1 version(s) count as dev's from now on: dev/0.1.0" in capsys.readouterr().out
    assert run(world, "adopt", "dev", "--image", "dev") == 0
    assert "1 version(s) count as dev's from now on: dev/0.2.0" in capsys.readouterr().out
    assert run(world, "adopt", "dev", "0.1.0", "--image", "dev") == 1
    assert "0.1.0 of dev: no such version without an owner" in capsys.readouterr().err
    assert run(world, "adopt", "dev", "--image", "nobody") == 1
    world.play(left("1.0.2", "1.0.3"))
    assert not [e for e in world.published if e["eventType"].endswith("VersionReleased")], "no news"
