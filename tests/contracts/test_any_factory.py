"""Whatever is written into factory.yaml: it is a factory, or it is told what is wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import checks, resolve, schedules, schema
from shared.contracts.document import Document, SchedulePart
from shared.contracts.durations import parse, say
from shared.contracts.factory import load
from shared.contracts.faults import Fault, FaultyConfiguration
from shared.domain.schedules import Schedule

from .builders import SUBSCRIPTION, template_file, write_factory

SOUND: dict[str, Any] = {
    "mode": "act",
    "subscription": SUBSCRIPTION,
    "resource_group": "images",
    "archive": {"account": "archive", "container": "images"},
    "defaults": {"verification": "full"},
    "images": {
        "ubuntu": {
            "template": "templates/ubuntu.json",
            "schedule": {"cron": "0 3 * * 1", "time_zone": "UTC", "start": "if_changed"},
            "window": {"allow": ["22:00-06:00"], "forbid": ["SUN"]},
        }
    },
    "more_regions": ["newregion"],
    "definitions": {
        "ubuntu": {
            "gallery": "gallery",
            "location": "westeurope",
            "end_of_life": "90d",
            "rings": [
                {"name": "first", "regions": {"westeurope": {"replicas": 2}}, "soak": "0s"},
                {"name": "rest", "regions": {"newregion": {"storage": "Premium_LRS"}, "uksouth": {}}},
            ],
        }
    },
    "limits": {"copy_workers": 4},
    "timing": {"retry_after": ["1m"], "copy_lease": "30s"},
}

words = st.sampled_from(
    [
        "",
        "act",
        "full",
        "ubuntu",
        SUBSCRIPTION,
        "templates",
        "30m",
        "0 3 * * 1",
        "UTC",
        "\n",
        "ü",
        "../x",
        "westeurope",
        "0s",
        "first",
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


def with_value(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = with_value(data[path[0]], path[1:], value)
    if isinstance(data, list):
        return [changed if at == path[0] else each for at, each in enumerate(data)]
    return {**data, path[0]: changed}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("factory")


def outcome(path: Path) -> tuple[Fault, ...] | None:
    try:
        load(path)
    except FaultyConfiguration as faulty:
        return faulty.faults
    return None


@given(place=st.sampled_from([*places(SOUND)]), value=values)
def test_any_value_in_any_place_is_a_factory_or_faults(
    folder: Path, place: tuple[str, ...], value: Any
) -> None:
    """JSON is YAML; nothing but the one error may come out, and never without a fault that has a line."""
    path = write_factory(folder, json.dumps(with_value(SOUND, place, value)), ubuntu=template_file())
    faults = outcome(path)
    assert faults is None or len(faults) > 0
    assert all(fault.line == 1 and fault.message for fault in faults or ())
    assert sum(len(str(fault)) for fault in faults or ()) < 20_000


@given(st.text(max_size=60) | st.text(alphabet="a:- \n\t[]{}&*!|>'\"#%@`,?1", max_size=60))
def test_any_text_is_a_factory_or_faults(folder: Path, text: str) -> None:
    path = folder / "text.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(FaultyConfiguration):
        load(path)


@given(place=st.sampled_from([*places(SOUND)]), value=values)
def test_the_decoder_and_the_schema_agree(place: tuple[str, ...], value: Any) -> None:
    """Else a file might be refused without a reason, or editors call right what the factory calls wrong."""
    data = with_value(SOUND, place, value)
    try:
        msgspec.convert(data, Document)
        decoded = True
    except msgspec.ValidationError:
        decoded = False
    assert decoded == (not list(checks.against_schema(data)))


@given(values)
def test_what_fits_is_salvaged_whatever_does_not(value: Any) -> None:
    document = checks.salvage(value)
    assert isinstance(resolve.resolve(document, Path("nowhere")).findings, tuple)


@given(st.text(alphabet="0123456789*/-,#LW? MONJAN", max_size=24) | st.text(max_size=12))
def test_a_schedule_that_is_accepted_has_a_next_date(cron: str) -> None:
    part = SchedulePart(cron=cron)
    found: list[Any] = []
    schedule = schedules.read(part, ("schedule",), found)
    if schedule is not None and not found:
        assert schedule.next_after(schedules.NEW_YEAR) > schedules.NEW_YEAR
        assert isinstance(schedule, Schedule)


@given(st.integers(1, 999_999), st.sampled_from("smhd"))
def test_durations_are_said_as_they_are_written(number: int, unit: str) -> None:
    length = parse(f"{number}{unit}")
    assert length is not None
    assert parse(say(length)) == length


@pytest.mark.parametrize(
    "text", ["", "5", "m", "0m", "-5m", "5 m", "5M", "1.5h", "5m ", "5m\n", "٥m", "1h30m"]
)
def test_what_is_no_duration_is_none(text: str) -> None:
    assert parse(text) is None


def test_the_schema_itself_is_one() -> None:
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema.generate())
