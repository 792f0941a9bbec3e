from typing import Any

import pytest

from sandbox.eventgrid.filters import matches
from sandbox.eventgrid.subscriptions import AdvancedFilter
from tests.sandbox.eventgrid.parts import event, subscription

EVENT = event(
    "/images/Ubuntu/runs/1",
    data={
        "operationName": "Microsoft.VirtualMachineImages/imageTemplates/run/action",
        "size": 12.5,
        "done": True,
        "none": None,
        "tags": ["a"],
        "source": {"Offer": "ubuntu"},
    },
)


def passes(operator: Any, key: str, *values: Any) -> bool:
    one = operator == "BoolEquals" or operator.endswith(("Than", "ThanOrEquals"))
    each = AdvancedFilter(operator, key, *((values[0], ()) if one else (None, values)))
    return matches(subscription(advanced_filters=(each,)), EVENT)


@pytest.mark.parametrize(
    ("operator", "key", "values", "expected"),
    [
        (
            "StringIn",
            "data.operationName",
            ("microsoft.virtualmachineimages/IMAGETEMPLATES/run/action",),
            True,
        ),
        ("StringIn", "Data.OperationName", ("x", "y"), False),
        ("StringNotIn", "data.operationName", ("x",), True),
        ("StringContains", "subject", ("UBUNTU",), True),
        ("StringNotContains", "subject", ("debian", "ubuntu"), False),
        ("StringBeginsWith", "eventType", ("imagefactory.",), True),
        ("StringNotBeginsWith", "eventType", ("microsoft.",), True),
        ("StringEndsWith", "id", ("/1",), True),
        ("StringNotEndsWith", "id", ("/1",), False),
        ("StringIn", "data.source.offer", ("Ubuntu",), True),
        ("NumberIn", "data.size", (1, 12.5), True),
        ("NumberNotIn", "data.size", (12.5,), False),
        ("NumberGreaterThan", "data.size", (12,), True),
        ("NumberGreaterThanOrEquals", "data.size", (12.5,), True),
        ("NumberLessThan", "data.size", (12,), False),
        ("NumberLessThanOrEquals", "data.size", (12.5,), True),
        ("NumberInRange", "data.size", ((0, 1), (12, 13)), True),
        ("NumberNotInRange", "data.size", ((12, 13),), False),
        ("BoolEquals", "data.done", (True,), True),
        ("BoolEquals", "data.done", (False,), False),
        ("IsNotNull", "data.done", (), True),
        ("IsNotNull", "data.none", (), False),
        ("IsNullOrUndefined", "data.none", (), True),
        ("IsNullOrUndefined", "data.missing", (), True),
        ("StringIn", "data.missing", ("x",), False),
        ("StringNotIn", "data.missing", ("x",), True),
        ("StringIn", "data.tags", ("a",), False),
        ("StringNotIn", "data.tags", ("b",), False),
        ("NumberIn", "data.done", (1,), False),
        ("StringIn", "subject.length", ("x",), False),
    ],
)
def test_operators_match_as_azure_documents_them(
    operator: str, key: str, values: tuple[Any, ...], expected: bool
) -> None:
    assert passes(operator, key, *values) is expected


def test_several_filters_must_all_agree() -> None:
    both = (
        AdvancedFilter("StringIn", "data.source.offer", values=("ubuntu",)),
        AdvancedFilter("NumberGreaterThan", "data.size", value=100),
    )
    assert not matches(subscription(advanced_filters=both), EVENT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"included_event_types": ("imagefactory.sourceversionfound",)}, True),
        ({"included_event_types": ("All",)}, True),
        ({"included_event_types": ("ImageFactory.BuildStarted",)}, False),
        ({"subject_begins_with": "/IMAGES/", "subject_ends_with": "/1"}, True),
        ({"subject_begins_with": "/IMAGES/", "is_subject_case_sensitive": True}, False),
        ({"subject_ends_with": "/2"}, False),
    ],
)
def test_types_and_subjects_select_events(changes: dict[str, Any], expected: bool) -> None:
    assert matches(subscription(**changes), EVENT) is expected
