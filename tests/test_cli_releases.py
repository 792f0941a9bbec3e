"""The command line of releases: what it prints, and what it makes the factory do."""

from collections.abc import Iterator

import msgspec
import pytest

from shared import cli
from shared.domain.releases import Stage
from tests.stories.gallery import BASE, GalleryWorld, rebuilt, stands

Output = pytest.CaptureFixture[str]


def run(world: GalleryWorld, *arguments: str) -> int:
    return cli.main(arguments, lambda: world.worker)


@pytest.fixture
def world() -> Iterator[GalleryWorld]:
    """A version of base soaks in its first ring."""
    world = GalleryWorld()
    world.go_on(minutes=1)
    world.make()
    world.play(stands("base/1.0.0", Stage.SOAKING), at_once=True)
    world.go_on(minutes=2)
    yield world
    assert not world.wrong


def test_list_and_status_tell_where_versions_stand(world: GalleryWorld, capsys: Output) -> None:
    for command in (("release", "list"), ("release", "list", "base"), ("status",)):
        assert run(world, *command) == 0
        row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("base/1.0.0"))
        assert row.split()[1] == "soaking"
        assert "ring first (1 of 2) is complete and soaks until" in row
    assert run(world, "release", "list", "dev", "--json") == 0
    assert msgspec.json.decode(capsys.readouterr().out) == []


def test_show_tells_every_region_and_what_comes_next(world: GalleryWorld, capsys: Output) -> None:
    assert run(world, "release", "show", "base/1.0.0") == 0
    told = capsys.readouterr().out
    assert "base/1.0.0: soaking since" in told
    assert "next  latest in ring first; then ring second gets it, at" in told
    rows = [line.split()[:3] for line in told.splitlines()[4:]]
    assert rows == [
        ["RING", "REGION", "STATE"],
        ["first", "westeurope", "replicated"],
        ["second", "northeurope", "to"],
        ["second", "uksouth", "to"],
    ]


def test_words_of_people_are_noted_and_carried_out(world: GalleryWorld, capsys: Output) -> None:
    """Hold, resume, promote and withdraw; the journal has the reasons."""
    assert run(world, "release", "hold", "base/1.0.0", "--why", "it looks odd") == 0
    assert "base/1.0.0: hold noted; a look is queued" in capsys.readouterr().out
    world.play(stands("base/1.0.0", Stage.HELD))
    assert run(world, "release", "resume", "base/1.0.0") == 0
    assert run(world, "release", "promote", "base/1.0.0", "--through") == 0
    world.judge.look(world.clock.now())  # nothing else has happened since
    world.play(rebuilt)
    assert [world.latest(region) for region in BASE] == ["1.0.0"] * 3
    assert run(world, "release", "withdraw", "base/1.0.0", "--why", "it is bad") == 0
    world.play(lambda w: world.release("dev/1.0.0").withdrawn_everywhere is not None)
    capsys.readouterr()
    assert run(world, "journal", "base") == 0
    told = capsys.readouterr().out
    for words in ("version-held-by-hand  it looks odd", "version-withdrawn-by-hand  it is bad"):
        assert " ".join(words.split()) in " ".join(told.split())


def test_lineage_is_told_both_ways(world: GalleryWorld, capsys: Output) -> None:
    """Also of a run, and as JSON."""
    world.play(rebuilt)
    assert run(world, "lineage", "dev/1.0.0") == 0
    lines = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["version", "template", "run", "version", "region"]
    assert run(world, "lineage", "base/1.0.0", "--json") == 0
    told = msgspec.json.decode(capsys.readouterr().out)
    start = world.release("dev/1.0.0").run
    assert f"dev/{start}" in [child["name"] for child in told["of"]["children"]]
    assert run(world, "lineage", f"dev/{start}") == 0
    assert "version dev/1.0.0  released" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("release", "show", "base"), "is not a version; expected definition/version"),
        (("release", "hold", "bas/1.0.0"), "no definition 'bas' is configured; configured are: base, dev"),
        (("release", "hold", "base/9.9.9"), "base/9.9.9 does not exist in"),
        (("release", "resume", "base/1.0.0"), "base/1.0.0 is not held"),
        (("lineage", "base/9.9.9"), "nothing is recorded of base/9.9.9"),
    ],
)
def test_what_cannot_be_is_said_with_what_can(
    world: GalleryWorld, capsys: Output, arguments: tuple[str, ...], words: str
) -> None:
    assert run(world, *arguments) == 1
    assert words in capsys.readouterr().err
