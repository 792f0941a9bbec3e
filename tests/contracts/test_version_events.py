"""Events of gallery versions: nothing comes out of one but a version of a configured definition."""

from typing import Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import events, messages
from shared.contracts.events import NotOurs, VersionTouched
from shared.domain.errors import Invalid
from shared.domain.looks import Lane, Look, Thing
from shared.domain.releases import DefinitionName
from shared.domain.versions import Version

from .builders import DEFINITION, SUBSCRIPTION, TEMPLATE, build_factory
from .posted import OPERATION, OTHER, VERSION, VERSION_DELETED, VERSION_WRITTEN, arm, of_version

FACTORY = build_factory()
TOUCHED = VersionTouched(
    DefinitionName("ubuntu"), Version.parse("1.0.3"), "5c0ffee5-0000-4000-8000-000000000000"
)


@pytest.mark.parametrize(
    "event",
    [
        of_version(),
        of_version(data_operationName=VERSION_DELETED),
        of_version(VERSION.lower()),
        of_version(VERSION.upper().replace("/SUBSCRIPTIONS", "/Subscriptions")),
        of_version(data_resourceUri=VERSION.upper()),
        of_version(data_operationName=VERSION_WRITTEN.upper()),
        of_version(event_type="microsoft.resources.RESOURCEWRITESUCCESS"),
        of_version(topic=f"/Subscriptions/{SUBSCRIPTION.upper()}"),
        of_version(data_resourceUri=None, data_subscriptionId=None),
    ],
)
def test_an_event_of_a_version_asks_for_a_look_at_it(event: func.EventGridEvent) -> None:
    """Written or deleted, in any case of letters, with and without the optional members."""
    assert events.parse(event, FACTORY) == TOUCHED


@pytest.mark.parametrize("how", ["Success", "Failure", "Cancel"])
@pytest.mark.parametrize("done", ["Write", "Delete"])
def test_however_it_ended_the_version_is_looked_at(done: str, how: str) -> None:
    event = of_version(event_type=f"Microsoft.Resources.Resource{done}{how}")
    assert events.parse(event, FACTORY) == TOUCHED


def at(version: str) -> str:
    return f"{DEFINITION}/versions/{version}"


@pytest.mark.parametrize(
    "event",
    [
        of_version(VERSION.replace("/images/ubuntu", "/images/ubuntu-2")),
        of_version(VERSION.replace("/galleries/gallery", "/galleries/gallery2")),
        of_version(VERSION.replace("/resourceGroups/images", "/resourceGroups/images2")),
        of_version(
            VERSION.replace(SUBSCRIPTION, OTHER), data_subscriptionId=OTHER, topic=f"/subscriptions/{OTHER}"
        ),
    ],
)
def test_versions_of_other_definitions_are_somebody_elses(event: func.EventGridEvent) -> None:
    with pytest.raises(NotOurs, match="is not a configured definition"):
        events.parse(event, FACTORY)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        # What the operation is on and what the subject names must agree.
        (of_version(TEMPLATE), "is not the id of a gallery version"),
        (arm(VERSION), "is not the id of an image template"),
        (of_version(data_operationName=OPERATION), "is not the id of an image template"),
        (arm(data_operationName=VERSION_WRITTEN), "is not the id of a gallery version"),
        (of_version(DEFINITION), "is not the id of a gallery version"),
        (of_version(f"{VERSION}/x/y"), "is not the id of a gallery version"),
        (of_version(DEFINITION.rpartition("/images/")[0]), "is not the id of a gallery version"),
        (of_version(data_operationName="Microsoft.Compute/galleries/images/write"), "not one on image templ"),
        (of_version(data_operationName="Microsoft.Compute/galleries/images/versionsX/write"), "not one on"),
        (of_version(data_resourceUri=at("1.0.4")), "differ"),
        (of_version(data_resourceUri=DEFINITION), "is not the id of a gallery version"),
        (of_version(data_resourceUri=TEMPLATE), "is not the id of a gallery version"),
        (of_version(data_subscriptionId=OTHER), "is not in subscription"),
        (of_version(topic=f"/subscriptions/{OTHER}"), "cannot tell of"),
        (of_version(at("latest")), "'latest' is not a version"),
        (of_version(at("1.0")), "'1.0' is not a version"),
        (of_version(at("1.0.3.4")), "'1.0.3.4' is not a version"),
        (of_version(at("-1.0.3")), "'-1.0.3' is not a version"),
        (of_version(at("01.0.3")), "'01.0.3' is not a gallery version"),
        (of_version(at("1.0.2147483648")), "is not a gallery version"),
        (of_version(at("1.0.999999999999999999")), "is not a gallery version"),
        (of_version(at("..")), "is not a resource id"),
        (of_version(at("../../windows/versions/1.0.3")), "is not a resource id"),
        (of_version(at("1.0.3?api-version=2026-03-03")), "is not a resource id"),
        (of_version(at("1%2E0.3")), "is not a resource id"),
        (of_version(at("1.0.\u0663")), "is not a resource id"),
        (of_version(at("1.0.3\n")), "is not a resource id"),
        (of_version("https://evil.example" + VERSION), "is not a resource id"),
    ],
)
def test_anything_else_is_refused_with_the_reason(event: func.EventGridEvent, reason: str) -> None:
    with pytest.raises(Invalid, match=reason.replace("?", r"\?")) as refused:
        events.parse(event, FACTORY)
    assert not isinstance(refused.value, NotOurs)
    assert len(str(refused.value)) < 800


@given(st.from_regex(r"[0-9.]{1,24}", fullmatch=True))
def test_what_is_accepted_can_be_sent_as_a_message(version: str) -> None:
    """Else the function would fail, and Event Grid would deliver the same event for a day."""
    try:
        found = events.parse(of_version(at(version)), FACTORY)
    except Invalid:
        return
    assert isinstance(found, VersionTouched)
    assert str(found.version) == version
    messages.encode(Look(Lane.RELEASES, Thing.VERSION, f"{found.definition}/{found.version}", "c-1"))


@given(st.integers(0, len(VERSION) - 1), st.characters())
def test_one_wrong_character_in_an_id_is_never_this_version(position: int, character: str) -> None:
    subject = VERSION[:position] + character + VERSION[position + 1 :]
    found: Any = None
    try:
        found = events.parse(of_version(subject, data_resourceUri=None), FACTORY)
    except Invalid:
        return
    same = subject.lower() == VERSION.lower() and character.isascii()
    assert (found == TOUCHED) == same
    assert same or found.definition == TOUCHED.definition
