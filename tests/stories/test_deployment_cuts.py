"""Another template takes the place of the old one, wherever a worker is cut off on the way."""

from pathlib import Path
from typing import get_args

import pytest

from .cuts import Kind, When
from .test_deployment import ONE, TWO, assert_all_safe, built, edit, named, settled, templates
from .world import Recovery, World

CUTS: list[tuple[Kind, When, Recovery]] = [
    *(("kill", when, recovery) for when in get_args(When) for recovery in get_args(Recovery)),
    *(("drop", when, "redelivery") for when in get_args(When)),
]
SHARES = 24
CASES = [
    pytest.param(cut, share, marks=pytest.mark.long if number or share else ())
    for number, cut in enumerate(CUTS)
    for share in range(SHARES)
]


def play(folder: Path, cut: tuple[Kind, When, Recovery], at: int | None) -> int:
    """The file is edited, and edited back while the new template is in use: how many requests that takes."""
    folder.mkdir(exist_ok=True)
    world: World = settled(folder, ONE)
    world.gate.kind, world.gate.when = cut[0], cut[1]
    before = world.gate.count
    world.gate.at = before + at if at else None
    edit(folder, TWO)
    world.play(lambda w: built(w, 2), recovery=cut[2])
    edit(folder, ONE)
    world.play(lambda w: built(w, 3), recovery=cut[2])
    assert templates(world) == [named(world)]
    assert_all_safe(world, 3)
    return world.gate.count - before


@pytest.mark.parametrize(("cut", "share"), CASES)
def test_a_cut_anywhere_loses_no_output_and_leaves_one_template(
    tmp_path: Path, cut: tuple[Kind, When, Recovery], share: int
) -> None:
    requests = play(tmp_path / "whole", cut, None)
    assert requests > 40
    for at in range(1 + share, requests + 1, SHARES):
        try:
            play(tmp_path / str(at), cut, at)
        except BaseException as error:
            error.add_note(f"cut at request {at}")
            raise
