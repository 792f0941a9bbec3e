import json
from typing import Any

import pytest

from sandbox.eventgrid.subscriptions import SubscriptionFault, parse_subscriptions

RUN = "Microsoft.VirtualMachineImages/imageTemplates/run/action"


def entry(**changes: Any) -> dict[str, Any]:
    return {"name": "run-ends", "topic": "subscription", "function": "template_changed"} | changes


def parse(*entries: dict[str, Any]) -> Any:
    return parse_subscriptions(json.dumps({"subscriptions": entries}).encode(), "subscriptions.json")


def test_the_customers_file_is_read_as_it_stands() -> None:
    (read,) = parse(
        entry(
            includedEventTypes=["Microsoft.Resources.ResourceActionSuccess"],
            advancedFilters=[{"operatorType": "StringIn", "key": "data.operationName", "values": [RUN]}],
        )
    )
    assert read.topic == "subscription"
    assert read.advanced_filters[0].operands == (RUN,)
    assert read.max_delivery_attempts == 30


def test_all_faults_are_told_at_once_and_name_their_subscription() -> None:
    wrong = [
        {"operatorType": "StringIn", "key": "data.a.b.c", "values": ["x"]},
        {"operatorType": "StringIn", "key": "colour", "values": ["x" * 513]},
        {"operatorType": "BoolEquals", "key": "data.b", "values": [True]},
        {"operatorType": "NumberIn", "key": "data.n", "values": ["1"]},
        {"operatorType": "IsNotNull", "key": "data.n", "values": [1]},
        {"operatorType": "NumberIn", "key": "data.n"},
    ]
    with pytest.raises(SubscriptionFault) as caught:
        parse(entry(advancedFilters=wrong, maxDeliveryAttempts=31), entry(name="RUN-ENDS"))
    told = str(caught.value).splitlines()
    assert all(line.startswith("subscriptions.json: subscription 'run-ends'") for line in told)
    for said in ("two levels", "expected one of", "513", "'value'", "not '1'", "no value", "'values'", "31"):
        assert any(said in line for line in told), said
    assert any("defined 2 times" in line for line in told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"{", "truncated"),
        (b'{"subscriptions":[{"name":"abc"}]}', "topic"),
        (b'{"subscriptions":[{"name":"abc","topic":"other","function":"f"}]}', "other"),
        (b'{"subscriptions":[],"more":1}', "more"),
        (
            b'{"subscriptions":[{"name":"abc","topic":"factory","function":"f",'
            b'"advancedFilters":[{"operatorType":"Like","key":"id"}]}]}',
            "Like",
        ),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_place(text: bytes, told: str) -> None:
    with pytest.raises(SubscriptionFault, match=told):
        parse_subscriptions(text, "subscriptions.json")


def test_azures_limits_on_filters_and_values_hold() -> None:
    many = [{"operatorType": "IsNotNull", "key": "data.x"}] * 26
    values = [{"operatorType": "StringIn", "key": "data.x", "values": [str(n) for n in range(26)]}]
    with pytest.raises(SubscriptionFault, match="26 advanced filters"):
        parse(entry(advancedFilters=many))
    with pytest.raises(SubscriptionFault, match="26 filter values in all"):
        parse(entry(advancedFilters=values))
