"""Event Grid events: nothing comes out of one but a configured thing to look at."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import events
from shared.contracts.events import SourceFound, TemplateTouched, VersionTouched
from shared.domain.errors import Invalid
from shared.domain.events import EventType, FactoryEvent
from shared.domain.ids import TemplateId

from .builders import SOURCE, SUBSCRIPTION, TEMPLATE, build_factory
from .posted import OPERATION, OTHER, VERSION_DELETED, VERSION_WRITTEN, arm, of_version, ours

FACTORY = build_factory()
TOUCHED = TemplateTouched(
    TemplateId(SUBSCRIPTION, "images", "ubuntu"),
    FACTORY.image("ubuntu").name,
    "5c0ffee5-0000-4000-8000-000000000000",
)


def test_the_end_of_a_run_asks_for_a_look_at_its_image() -> None:
    assert events.parse(arm(), FACTORY) == TOUCHED


def test_a_new_source_version_asks_for_a_look_at_the_source() -> None:
    assert events.parse(ours(), FACTORY) == SourceFound(SOURCE, "look-2026-1")


@pytest.mark.parametrize(
    "event",
    [
        arm(TEMPLATE.lower()),
        arm(TEMPLATE.upper().replace("/SUBSCRIPTIONS", "/Subscriptions")),
        arm(data_resourceUri=TEMPLATE.upper()),
        arm(data_operationName=OPERATION.upper()),
        arm(event_type="microsoft.resources.RESOURCEACTIONSUCCESS"),
        arm(topic=f"/Subscriptions/{SUBSCRIPTION.upper()}"),
        arm(topic=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images"),
        arm(data_resourceUri=None, data_subscriptionId=None),
    ],
)
def test_case_and_optional_members_do_not_matter(event: func.EventGridEvent) -> None:
    assert events.parse(event, FACTORY) == TOUCHED


@pytest.mark.parametrize("form", [json.dumps, lambda value: value], ids=["text", "object"])
def test_claims_never_survive_whatever_their_form(form: Any) -> None:
    event = arm(
        data_claims=form({"name": "Ada Lovelace"}),
        data_authorization=form({"role": "Ada"}),
        data_httpRequest=form({}),
    )
    assert "Ada" not in repr(events.parse(event, FACTORY))


@pytest.mark.parametrize(
    "kind", ["ActionSuccess", "ActionFailure", "ActionCancel", "WriteSuccess", "DeleteSuccess"]
)
def test_an_event_says_look_whatever_happened(kind: str) -> None:
    assert events.parse(arm(event_type=f"Microsoft.Resources.Resource{kind}"), FACTORY) == TOUCHED


def test_every_event_that_is_subscribed_to_is_understood() -> None:
    text = (Path(__file__).parents[2] / "config/event-subscriptions.json").read_text(encoding="utf-8")
    makers = {"source_version_found": ours, "template_changed": arm, "version_changed": of_version}
    operations = {OPERATION, VERSION_WRITTEN, VERSION_DELETED}
    for subscription in json.loads(text)["subscriptions"]:
        for kind in subscription["includedEventTypes"]:
            events.parse(makers[subscription["function"]](event_type=kind), FACTORY)
        for filter_ in subscription["advancedFilters"]:
            assert operations.issuperset(filter_["values"])


def at(template: str) -> str:
    return TEMPLATE.replace("ubuntu", template)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            arm(event_type="Microsoft.Storage.BlobCreated"),
            "'Microsoft.Storage.BlobCreated' are not for the factory",
        ),
        (arm(event_type=None), "expected `str`, got `null` - at `$.type`"),
        (arm(event_type="\u212a"), "are not for the factory"),
        (arm(None), "expected `str`, got `null` - at `$.subject`"),
        (arm(id=None), "expected `str`, got `null` - at `$.id`"),
        (arm(topic=None), "expected `str`, got `null` - at `$.topic`"),
        (arm(data=None), "data does not fit its schema: Expected `object`, got `null`"),
        (arm(data=[]), "data does not fit its schema: Expected `object`, got `array`"),
        (arm(data="{}"), "data does not fit its schema: Expected `object`, got `str`"),
        (arm(data_operationName=None), "missing required field `operationName`"),
        (arm(data_operationName=5), "expected `str`, got `int`"),
        (arm(data_operationName="Microsoft.Compute/virtualMachines/write"), "is not one on image templates"),
        (arm(at("other")), "is not the template of a configured image"),
        (arm(TEMPLATE.replace(SUBSCRIPTION, OTHER)), "is not in subscription"),
        (arm(TEMPLATE.replace(SUBSCRIPTION, OTHER), data_subscriptionId=OTHER), "cannot tell of"),
        (
            arm(
                TEMPLATE.replace(SUBSCRIPTION, OTHER),
                data_subscriptionId=OTHER,
                topic=f"/subscriptions/{OTHER}",
            ),
            "is not the template of a configured image",
        ),
        (arm(TEMPLATE.replace("/images/", "/others/")), "is not the template of a configured image"),
        (arm(data_resourceUri=at("other")), "differ"),
        (arm(data_subscriptionId=OTHER), "is not in subscription"),
        (arm(topic="/subscriptions/"), "cannot tell of"),
        (arm(topic=f"/subscriptions/{SUBSCRIPTION}0"), "cannot tell of"),
        (arm(at("../ubuntu")), "is not a resource id"),
        (arm(at("..")), "is not a resource id"),
        (arm(at("x%2Fubuntu")), "is not a resource id"),
        (arm(at("%75buntu")), "is not a resource id"),
        (arm(at("ubuntu?api-version=2025-10-01")), "is not a resource id"),
        (arm(at("ubuntu#")), "is not a resource id"),
        (arm(at("ubuntu/")), "is not a resource id"),
        (arm(at("ubuntu/run")), "is not a resource id"),
        (arm(at("ubuntu\n")), "is not a resource id"),
        (arm(at("ubuntu\x00")), "is not a resource id"),
        (arm(at("ub\u00fcntu")), "is not a resource id"),
        (arm(at("\uff55buntu")), "is not a resource id"),
        (arm("https://evil.example" + TEMPLATE), "is not a resource id"),
        (arm("//evil.example" + TEMPLATE), "is not a resource id"),
        (arm(TEMPLATE.replace("imageTemplates", "imageTemplatesX")), "is not the id of an image template"),
        (
            arm(TEMPLATE.replace("Microsoft.VirtualMachineImages/imageTemplates", "a/b")),
            "not the id of an image",
        ),
        (arm("x" * 2000), "length <= 1024"),
        (arm(data_claims="x" * 2**20), "at most 262144 are read"),
        (ours(data={"filler": "x" * 2**20}), "at most 262144 are read"),
        (ours(data={"filler": {1j}}), "is not JSON"),
        (ours(data={"filler": "\ud800"}), "is not JSON"),
        (ours(data=None), "Expected `object`, got `null`"),
        (ours(data={"correlation": 5}), "expected `str`, got `int`"),
        (ours("ubuntu"), "is not a source of the configured images"),
        (ours(SOURCE.replace("canonical", "canonica\u029f")), "is not a source of the configured images"),
        (ours(SOURCE.replace("k", "\u212a") + "x" * 500), "is not a source of the configured images"),
    ],
)
def test_anything_else_is_refused_with_the_reason(event: func.EventGridEvent, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        events.parse(event, FACTORY)
    assert reason.lower() in str(refused.value).lower()
    assert len(str(refused.value)) < 800, "what somebody posted must not fill the journal"


def test_a_cloud_event_is_refused_as_another_schema() -> None:
    event = func.CloudEvent(
        id="1", source="/s", type="ImageFactory.SourceVersionFound", specversion="1.0", data={}
    )
    with pytest.raises(Invalid, match="does not fit its schema"):
        events.parse(event, FACTORY)  # type: ignore[arg-type] # what the worker passes on when that is posted


@pytest.mark.parametrize("told", ["", "short", "two words", "x" * 65, "line\nbreak", "\u00fcmlaut-12345"])
def test_a_correlation_unfit_for_logs_gives_way_to_the_events_id(told: str) -> None:
    found = events.parse(ours(data={"correlation": told}), FACTORY)
    assert found.correlation == "0123456789abcdef0123456789abcdef"


def test_an_id_unfit_for_logs_is_hashed() -> None:
    found = events.parse(ours(data={}, id="\r\nforged: line"), FACTORY)
    assert found.correlation.isalnum()
    assert len(found.correlation) == 32


texts = st.text(max_size=40) | st.sampled_from(
    [TEMPLATE, SOURCE, OPERATION, SUBSCRIPTION, "", "/", "..", "%2f"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(["id", "topic", "subject", "event_type", "data", "data_version"])
members = st.sampled_from(
    ["operationName", "resourceUri", "subscriptionId", "correlationId", "claims", "authorization"]
)


def outcome(event: func.EventGridEvent) -> SourceFound | TemplateTouched | VersionTouched | None:
    try:
        return events.parse(event, FACTORY)
    except Invalid:
        return None


@given(st.dictionaries(fields, anything, max_size=3), st.sampled_from([arm, ours]))
def test_whatever_is_posted_nothing_but_configured_things_come_out(
    changes: dict[str, Any], make: Any
) -> None:
    subject = changes.pop("subject", None)
    found = outcome(make(**changes) if subject is None else make(subject, **changes))
    assert found is None or getattr(found, "key", SOURCE) == SOURCE
    assert found is None or getattr(found, "template", TOUCHED.template) == TOUCHED.template


@given(st.dictionaries(members, anything, max_size=3))
def test_whatever_data_says_nothing_but_the_subjects_template_comes_out(data: dict[str, Any]) -> None:
    found = outcome(arm(**{f"data_{name}": value for name, value in data.items()}))
    assert found is None or found == TemplateTouched(TOUCHED.template, TOUCHED.image, found.correlation)


@given(st.integers(0, len(TEMPLATE) - 1), st.characters())
def test_one_wrong_character_in_an_id_is_refused(position: int, character: str) -> None:
    subject = TEMPLATE[:position] + character + TEMPLATE[position + 1 :]
    found = outcome(arm(subject, data_resourceUri=None))
    assert (found is not None) == (subject.lower() == TEMPLATE.lower() and character.isascii())


def test_the_factorys_own_events_are_in_event_grids_schema() -> None:
    event = FactoryEvent(
        type=EventType.SOURCE_VERSION_FOUND,
        subject=SOURCE,
        at=datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC),
        data={"version": "22.04.202611010"},
        correlation="timer-2026-11-21",
    )
    assert events.encode(event) == {
        "id": event.id,
        "subject": SOURCE,
        "eventType": "ImageFactory.SourceVersionFound",
        "eventTime": "2026-11-21T01:02:03Z",
        "data": {"version": "22.04.202611010", "correlation": "timer-2026-11-21"},
        "dataVersion": "1",
    }


def test_the_factory_understands_its_own_events() -> None:
    sent = events.encode(
        FactoryEvent(
            EventType.SOURCE_VERSION_FOUND, SOURCE, datetime(2026, 11, 21, tzinfo=UTC), {}, "timer-0001"
        )
    )
    found = events.parse(ours(sent["subject"], data=sent["data"], event_type=sent["eventType"]), FACTORY)
    assert found == SourceFound(SOURCE, "timer-0001")
