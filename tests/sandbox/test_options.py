"""`sandbox up` takes what it can be told, and says what was wrong with the rest."""

from pathlib import Path

import pytest

from sandbox.options import parse


def test_defaults_are_a_sandbox_on_free_ports_in_this_folder() -> None:
    options = parse([])
    assert (options.state, options.ports, options.with_functions) == (Path(".sandbox").resolve(), {}, True)


def test_ports_and_settings_are_taken_apart() -> None:
    options = parse(["--ports", "arm=8443,blob=10000", "--setting", "A=b=c", "--without-functions"])
    assert options.ports == {"arm": 8443, "blob": 10000}
    assert options.settings == {"A": "b=c"}
    assert not options.with_functions


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("--ports", "mail=25", "such as arm=8443"),
        ("--ports", "arm=https", "such as arm=8443"),
        ("--ports", "arm=99999", "such as arm=8443"),
        ("--speed", "0", "must be above 0"),
        ("--setting", "novalue", "expected NAME=VALUE"),
    ],
)
def test_what_makes_no_sense_is_refused_with_an_example(
    argument: str, value: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse([argument, value])
    assert words in capsys.readouterr().err
