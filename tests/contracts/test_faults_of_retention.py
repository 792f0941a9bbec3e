"""What is wrong with retention's part of factory.yaml is told with its place and what was expected."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.contracts import factory
from shared.contracts.faults import FaultyConfiguration
from shared.domain.ids import ImageName
from shared.domain.retention import Kind, Policy, TagRule, Trip

DAYS = timedelta(days=1)
HEAD = """\
mode: act
subscription: 00000000-0000-0000-0000-000000000000
resource_group: images
archive: {account: archive, container: images}
images:
  ubuntu:
    template: ubuntu.json
    retention: {gallery_versions: {floor: 7}}
"""
TEMPLATES = Path(__file__).parents[2] / "config" / "templates"


def written(folder: Path, text: str) -> Path:
    template = (TEMPLATES / "ubuntu-22.json").read_text(encoding="utf-8")
    (folder / "ubuntu.json").write_text(template, encoding="utf-8")
    path = folder / "factory.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def test_without_a_word_it_is_a_dry_run_with_safe_defaults(tmp_path: Path) -> None:
    rules = factory.load(written(tmp_path, "")).retention
    assert not rules.enforce
    assert (rules.trip, rules.per_sweep, rules.keep_parents) == (Trip(3, 10), 10, True)
    assert rules.minimum_age == DAYS
    assert Policy() == Policy(3, 90 * DAYS, 30 * DAYS, True, 2)


def test_an_image_s_policy_takes_the_rest_from_the_one_above(tmp_path: Path) -> None:
    text = "retention: {gallery_versions: {newest: 9, younger: 5d}, left_configuration: {floor: 0}}"
    rules = factory.load(written(tmp_path, text)).retention
    ubuntu = rules.policy(ImageName("ubuntu"), Kind.GALLERY_VERSION, configured=True)
    assert (ubuntu.newest, ubuntu.younger, ubuntu.floor) == (9, 5 * DAYS, 7)
    assert rules.policy(ImageName("other"), Kind.GALLERY_VERSION, configured=True).floor == 2
    assert rules.policy(ImageName("ubuntu"), Kind.ARCHIVED_VHD, configured=True) == Policy()
    gone = rules.policy(ImageName("ubuntu"), Kind.GALLERY_VERSION, configured=False)
    assert (gone.newest, gone.younger, gone.floor) == (None, 90 * DAYS, 0)


def test_pins_and_exclusions_are_names_or_names_with_values(tmp_path: Path) -> None:
    rules = factory.load(written(tmp_path, "retention: {pins: [keep], exclude: [team=labs]}")).retention
    assert rules.pins == (TagRule("keep"),)
    assert rules.exclusions == (TagRule("team", "labs"),)
    assert rules.pinned({"KEEP": "x"})
    assert rules.pinned({"imagefactorykeep": ""})
    assert not rules.excluded({"team": "office"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("retention: {mode: enforced}", "9: retention.mode: 'enforced'; expected dry_run or enforce"),
        ("retention: {notise: 1d}", "did you mean notice?"),
        ("retention: {notice: 0s}", "9: retention.notice: '0s'; expected a duration"),
        ("retention: {grace: 99999d}", "9: retention.grace: 99999d is out of range; expected 1s to 3650d"),
        ("retention: {per_sweep: 0}", "9: retention.per_sweep: 0; expected"),
        ("retention: {trip: {percent: 101}}", "9: retention.trip.percent: 101; expected"),
        ("retention: {subscriptions: [mine]}", "9: retention.subscriptions[0]: 'mine'; expected the id of"),
        ("retention: {gallery_versions: {newest: -1}}", "9: retention.gallery_versions.newest: -1; expected"),
        ("retention: {pins: ['a<b']}", "9: retention.pins[0]: 'a<b'; expected the name of a tag"),
        ("retention: {templates: {}}", "9: retention.templates: unknown key; known are archived_vhds"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FaultyConfiguration) as caught:
        factory.load(written(tmp_path, text))
    (fault,) = caught.value.faults
    assert said in str(fault)
