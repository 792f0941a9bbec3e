"""Faulty configurations as a whole: everything at once, and files that are hardly text."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.contracts.factory import load
from shared.contracts.faults import Fault, FaultyConfiguration
from shared.domain.errors import RetryableError

from .builders import faults_of, write_factory, yaml

EVERYTHING = """\
mode: acts
resource_group: images
archive: {account: Archive}
images:
  Ubuntu_22:
    template: templates/ubunto.json
    after_archve: keep_template
    schedule: {cron: 61 3 * * 1, time_zone: europe/paris}
  two:
    subscription: 11111111-2222-3333-4444-555555555555
    template: templates/broken.json
  two:
    subscription: 11111111-2222-3333-4444-555555555555
    verification: ful
  three: {template: templates/broken.json}
timing: {copy_lease: 5s, claim: soon}
"""


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = faults_of(tmp_path, EVERYTHING, broken="{\n")
    assert [(Path(fault.file).name, fault.line, fault.path) for fault in found] == [
        ("factory.yaml", 1, "mode"),
        ("factory.yaml", 3, "archive"),
        ("factory.yaml", 3, "archive.account"),
        ("factory.yaml", 5, "images.Ubuntu_22"),
        ("factory.yaml", 5, "images.Ubuntu_22"),
        ("factory.yaml", 6, "images.Ubuntu_22.template"),
        ("factory.yaml", 7, "images.Ubuntu_22.after_archve"),
        ("factory.yaml", 8, "images.Ubuntu_22.schedule.cron"),
        ("factory.yaml", 8, "images.Ubuntu_22.schedule.time_zone"),
        ("factory.yaml", 12, "images.two"),
        ("factory.yaml", 12, "images.two"),
        ("factory.yaml", 14, "images.two.verification"),
        ("factory.yaml", 15, "images.three"),
        ("factory.yaml", 16, "timing.claim"),
        ("factory.yaml", 16, "timing.copy_lease"),
        ("broken.json", 2, ""),
    ]


def test_what_is_wrong_at_the_top_is_not_told_again_of_each_image(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, yaml().replace("subscription: 1", "subscription: x"))
    assert fault.path == "subscription"


def test_a_fault_says_where_what_and_what_was_probably_meant() -> None:
    fault = Fault("f.yaml", 3, "images.a.mode", "'acts'; expected act or observe", "act")
    assert str(fault) == "f.yaml:3: images.a.mode: 'acts'; expected act or observe; did you mean act?"


def test_a_faulty_configuration_is_come_back_to(tmp_path: Path) -> None:
    with pytest.raises(RetryableError) as refused:
        load(write_factory(tmp_path, "mode: acts\n"))
    assert refused.value.delay == timedelta(minutes=5)
    assert str(refused.value).count("\n") == 2, "one line per fault: mode, archive, images"


def test_a_file_that_is_missing_says_which_setting_names_it(tmp_path: Path) -> None:
    with pytest.raises(FaultyConfiguration) as refused:
        load(tmp_path / "factory.yaml")
    assert str(refused.value) == (
        f"{tmp_path}/factory.yaml:1: cannot be read: No such file or directory; "
        "expected the factory's configuration (setting IMAGE_FACTORY_CONFIG)"
    )
    assert refused.value.files == (tmp_path / "factory.yaml",)


def test_a_file_in_another_encoding_is_told_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "factory.yaml").write_bytes("mode: act\n# für\n".encode("latin-1"))
    with pytest.raises(FaultyConfiguration, match=r"yaml:2: byte 0xfc is not UTF-8; expected text in UTF-8"):
        load(tmp_path / "factory.yaml")


def test_a_file_of_unreasonable_size_is_not_parsed(tmp_path: Path) -> None:
    (tmp_path / "factory.yaml").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(FaultyConfiguration, match="4194305 bytes; expected at most 4194304"):
        load(tmp_path / "factory.yaml")
