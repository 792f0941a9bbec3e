"""Wrong build windows and start conditions, each told with its place and what was expected."""

from pathlib import Path

import pytest

from shared.contracts.factory import load
from shared.domain.schedules import Start
from shared.domain.windows import Hours, Window

from .builders import VHD, faults_of, template_file, write_factory, yaml

NEVER = "never opens; expected some hours of the week that are allowed and not forbidden"
EXPECTED = "expected days, hours or both, such as MON-FRI 07:00-19:00, SAT,SUN or 22:00-06:00"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("window: {forbid: [7-19]}",
         "7: images.ubuntu.window.forbid[0]: '7' is not a time of day here; expected 00:00 to 23:59"),
        ("window: {forbid: [by day]}",
         f"7: images.ubuntu.window.forbid[0]: 'by day' is not a part of the week; {EXPECTED}"),
        ("window: {allow: [MOM-FRI]}",
         "7: images.ubuntu.window.allow[0]: 'MOM' is not a day; expected MON, TUE, WED, THU, FRI, SAT, SUN; "
         "did you mean MON?"),
        ("window: {allow: [MON-TUE-WED]}",
         f"7: images.ubuntu.window.allow[0]: 'MON-TUE-WED' is not a part of the week; {EXPECTED}"),
        ('window: {allow: ["22:00-25:00"]}',
         "7: images.ubuntu.window.allow[0]: '25:00' is not a time of day here; expected 00:00 to 24:00"),
        ('window: {allow: ["24:00-06:00"]}',
         "7: images.ubuntu.window.allow[0]: '24:00' is not a time of day here; expected 00:00 to 23:59"),
        ('window: {allow: ["07:00-07:00"]}',
         "7: images.ubuntu.window.allow[0]: '07:00-07:00' ends when it begins; leave the hours out for "
         "whole days"),
        ("window: {forbid: [MON-SUN]}",
         f"7: images.ubuntu.window: {NEVER}"),
        ("window: {allow: [SAT], forbid: [FRI-SUN]}",
         f"7: images.ubuntu.window: {NEVER}"),
        ("window: {forbid: SAT}",
         "7: images.ubuntu.window.forbid: 'SAT'; expected a list"),
        ("window: {forbid: [6]}",
         "7: images.ubuntu.window.forbid[0]: the number 6 (in quotes it would be text); expected days of the "
         "week, hours of the day or both, such as MON-FRI 07:00-19:00"),
        ("window: {forbid: [SAT], time_zone: Paris}",
         "7: images.ubuntu.window.time_zone: 'Paris' is not a time zone; expected a name such as "
         "Europe/Paris"),
        ("window: {deny: [SAT]}",
         "7: images.ubuntu.window.deny: unknown key; known are allow, forbid, time_zone"),
        ("schedule: {cron: 0 3 * * *, start: changed}",
         "7: images.ubuntu.schedule.start: 'changed'; expected always or if_changed; did you mean "
         "if_changed?"),
    ],
)  # fmt: skip
def test_a_wrong_window_is_told(tmp_path: Path, text: str, said: str) -> None:
    (fault,) = faults_of(tmp_path, yaml(text))
    assert str(fault) == f"{tmp_path / 'factory.yaml'}:{said}"


def test_a_wrong_window_of_the_defaults_is_told_there_and_once(tmp_path: Path) -> None:
    more = "debian: {template: templates/ubuntu.json, template_name: b}"
    top = "defaults: {window: {forbid: [MON-SUN]}}"
    for text, line in ((yaml(images=more, top=top), 8), (yaml("window: {}", top), 8)):
        (fault,) = faults_of(tmp_path, text)
        assert (fault.line, fault.path) == (line, "defaults.window")


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("forbid: [Mon-Fri 07:00-19:00]", Window(forbid=(Hours((0, 1, 2, 3, 4), 420, 1140),))),
        ('allow: ["22:00-06:00"]', Window(allow=(Hours(tuple(range(7)), 1320, 360),))),
        ('allow: ["FRI-MON,WED 22:00-24:00"]', Window(allow=(Hours((0, 2, 4, 5, 6), 1320, 1440),))),
        ('allow: ["SAT,SUN"], time_zone: Asia/Kolkata', Window((Hours((5, 6)),), (), "Asia/Kolkata")),
        ("time_zone: Asia/Kolkata", None),
        ("", None),
    ],
)
def test_what_is_written_is_what_is_meant(tmp_path: Path, text: str, window: Window | None) -> None:
    """Days in any case, over the end of the week; hours over midnight."""
    path = write_factory(tmp_path, yaml(f"window: {{{text}}}"), ubuntu=template_file())
    assert load(path).image("ubuntu").window == window


def test_an_image_takes_the_window_of_the_defaults_unless_it_has_its_own(tmp_path: Path) -> None:
    """As a whole: an empty one is open at any time."""
    more = "debian: {template: templates/ubuntu.json, template_name: b, window: {}}"
    text = yaml("schedule: {cron: 0 3 * * *, start: if_changed}", "defaults: {window: {forbid: [SUN]}}", more)
    factory = load(write_factory(tmp_path, text, ubuntu=template_file()))
    ubuntu, debian = factory.image("ubuntu"), factory.image("debian")
    assert (ubuntu.window, debian.window) == (Window(forbid=(Hours((6,)),)), None)
    assert ubuntu.schedule is not None
    assert ubuntu.schedule.start is Start.IF_CHANGED


def test_the_scripts_of_a_template_are_known_each_once(tmp_path: Path) -> None:
    """Of customizers and validators; one with a checksum cannot change while the template does not."""
    steps: list[dict[str, object]] = [
        {"type": "Shell", "scriptUri": "https://a"},
        {"type": "Shell", "inline": ["x"]},
        {"type": "File", "sourceUri": "https://b", "destination": "/tmp/b"},
        {"type": "Shell", "scriptUri": "https://a"},
        {"type": "Shell", "scriptUri": "https://d", "sha256Checksum": "0" * 64},
    ]
    source = {"type": "PlatformImage", "publisher": "P", "offer": "O", "sku": "S", "version": "latest"}
    validate = {"inVMValidations": [{"type": "Shell", "scriptUri": "https://c"}]}
    properties = {"source": source, "distribute": [VHD], "customize": steps, "validate": validate}
    path = write_factory(tmp_path, yaml(), ubuntu=template_file(properties=properties))
    assert load(path).image("ubuntu").scripts == ("https://a", "https://b", "https://c")
