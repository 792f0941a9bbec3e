"""Gallery versions as JSON, both ways: what is understood of them, and what an update keeps."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import FactoryError, Invalid, RetryableError
from shared.domain.galleries import GalleryVersion, Placed, Provisioning, Replication, Target, Update
from shared.domain.regions import REGIONS
from shared.gateways.gallery_documents import patch, version

from .gallery import HOME, NORTH, VERSION

PROFILE: dict[str, Any] = {
    "targetRegions": [
        {
            "name": "West Europe",
            "regionalReplicaCount": 1,
            "storageAccountType": "Standard_ZRS",
            "encryption": {"osDiskImage": {"diskEncryptionSetId": "/set"}},
            "additionalReplicaSets": [{"storageAccountType": "Premium_LRS", "regionalReplicaCount": 1}],
            "somethingNew": {"of": ["a", "later", "version"]},
            "excludeFromLatest": None,
        },
        {"name": "North Europe", "regionalReplicaCount": 3, "excludeFromLatest": True},
    ],
    "replicaCount": 1,
    "excludeFromLatest": True,
    "publishedDate": "2026-11-21T09:17:03.1234567+00:00",
    "endOfLifeDate": "2027-05-01T00:00:00+00:00",
    "storageAccountType": "Standard_LRS",
    "replicationMode": "Full",
}
SAFETY = {
    "reportedForPolicyViolation": False,
    "policyViolations": [],
    "allowDeletionOfReplicatedLocations": True,
    "blockDeletionBeforeEndOfLife": True,
}
STATES = [
    {"region": "West Europe", "state": "Completed", "details": "", "progress": 100},
    {"region": "northeurope", "state": "Failed", "details": "No capacity.", "progress": 17},
]


def document(profile: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """As Azure tells of a version; None leaves a member out."""
    found = {
        "publishingProfile": {**PROFILE, **(profile or {})},
        "provisioningState": "Succeeded",
        "storageProfile": {"source": {"id": "/some/image"}, "osDiskImage": {"sizeInGB": 127}},
        "safetyProfile": SAFETY,
        "replicationStatus": {"aggregatedState": "Failed", "summary": STATES},
        **properties,
    }
    said = {name: value for name, value in found.items() if value is not None}
    return {"id": str(VERSION), "location": "West Europe", "tags": {"pin": "x"}, "properties": said}


def sent(known: GalleryVersion, *targets: Target, **change: Any) -> dict[str, Any]:
    body = patch(known, Update(targets, **change))
    assert json.loads(json.dumps(body)) == body
    return body


def test_what_azure_tells_is_understood_whatever_the_spelling() -> None:
    found = version(document())
    assert found.regions == (
        Placed("westeurope", 1, "Standard_ZRS", False, Replication.COMPLETED, 100, ""),
        Placed("northeurope", 3, "Standard_LRS", True, Replication.FAILED, 17, "No capacity."),
    )
    assert (found.location, found.excluded, found.tags) == ("westeurope", True, {"pin": "x"})
    assert found.published == datetime(2026, 11, 21, 9, 17, 3, 123456, UTC)
    assert found.end_of_life == datetime(2027, 5, 1, tzinfo=UTC)


def test_what_is_not_told_is_not_assumed_to_have_replicated() -> None:
    """Neither without `$expand`, nor for a region that the summary leaves out."""
    for status in (None, {"aggregatedState": "Unknown"}, {"summary": None}, {"summary": STATES[:1]}):
        found = version(document(replicationStatus=status)).region("northeurope")
        assert found is not None
        assert (found.state, found.progress) == (Replication.UNKNOWN, 0)


def test_a_version_that_tells_hardly_anything_is_a_version_in_no_region() -> None:
    found = version({"id": str(VERSION), "properties": {"provisioningState": "Creating"}})
    assert (found.regions, found.published, found.excluded, found.tags) == ((), None, False, {})
    assert found.provisioning is Provisioning.CREATING


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"provisioningState": "Dreaming"}, "unknown provisioningState 'Dreaming'"),
        ({"provisioningState": None}, "unknown provisioningState ''"),
        (
            {"replicationStatus": {"summary": [{"region": "westeurope", "state": "Lost"}]}},
            "unknown replication state 'Lost'",
        ),
        ({"publishingProfile": {"publishedDate": "soon"}}, "'soon' is not a time"),
        ({"publishingProfile": {"targetRegions": ["westeurope"]}}, "targetRegions .* is no list of objects"),
        ({"publishingProfile": {"targetRegions": [{"Name": "x"}]}}, "a target region without a name"),
        ({"safetyProfile": "safe"}, "properties.safetyProfile .* is no object: 'safe'"),
    ],
)
def test_what_is_not_known_is_for_later_and_told(changed: dict[str, Any], said: str) -> None:
    """Azure may have a new word; nothing is decided upon what is not understood."""
    with pytest.raises(RetryableError, match=said):
        version(document(**changed))


@pytest.mark.parametrize("name", ["latest", "01.0.0", "1.0.2147483648", "1.0"])
def test_a_version_of_no_plain_number_is_none(name: str) -> None:
    with pytest.raises(Invalid):
        version({**document(), "id": str(VERSION).replace("1.0.0", name)})


def test_an_update_is_the_state_as_read_with_the_regions_that_shall_be() -> None:
    body = sent(version(document()), Target("westeurope", 2, "Standard_LRS", excluded=False), NORTH)
    assert body == {
        "properties": {
            "publishingProfile": {
                "targetRegions": [
                    {
                        "name": "West Europe",
                        "regionalReplicaCount": 2,
                        "storageAccountType": "Standard_ZRS",
                        "encryption": {"osDiskImage": {"diskEncryptionSetId": "/set"}},
                        "additionalReplicaSets": [
                            {"storageAccountType": "Premium_LRS", "regionalReplicaCount": 1}
                        ],
                        "somethingNew": {"of": ["a", "later", "version"]},
                        "excludeFromLatest": False,
                    },
                    {"name": "North Europe", "regionalReplicaCount": 2, "excludeFromLatest": True},
                ],
                "replicaCount": 1,
                "excludeFromLatest": False,
                "endOfLifeDate": "2027-05-01T00:00:00+00:00",
                "storageAccountType": "Standard_LRS",
                "replicationMode": "Full",
            },
            "safetyProfile": {
                "allowDeletionOfReplicatedLocations": False,
                "blockDeletionBeforeEndOfLife": True,
            },
            "storageProfile": {},
        }
    }


def test_an_update_says_nothing_of_tags_nor_of_what_is_azures_to_say() -> None:
    body = sent(version(document()), HOME)
    assert body.keys() == {"properties"}
    text = json.dumps(body)
    read_only = ("publishedDate", "replicationStatus", "provisioningState", "policyViolations")
    assert not [word for word in ("tags", "/some/image", *read_only) if word in text]


def test_a_region_that_is_new_gets_its_storage_type_and_one_that_is_left_out_goes() -> None:
    body = sent(version(document()), HOME, Target("uksouth", 4, "Premium_LRS", excluded=True))
    _, added = body["properties"]["publishingProfile"]["targetRegions"]
    assert added == {
        "name": "uksouth",
        "storageAccountType": "Premium_LRS",
        "regionalReplicaCount": 4,
        "excludeFromLatest": True,
    }
    assert len(body["properties"]["publishingProfile"]["targetRegions"]) == 2


@pytest.mark.parametrize(("excluded", "everywhere"), [((True, True), True), ((True, False), False)])
def test_excluded_everywhere_is_said_at_the_top_as_well(
    excluded: tuple[bool, bool], everywhere: bool
) -> None:
    home, north = (
        Target(name, 1, "Standard_LRS", excluded=flag)
        for name, flag in zip(("westeurope", "northeurope"), excluded, strict=True)
    )
    profile = sent(version(document()), home, north)["properties"]["publishingProfile"]
    assert profile["excludeFromLatest"] is everywhere
    assert [each["excludeFromLatest"] for each in profile["targetRegions"]] == list(excluded)


def test_an_end_of_life_is_set_in_utc_or_left_as_it_is() -> None:
    known = version(document())
    kept = sent(known, HOME)["properties"]["publishingProfile"]["endOfLifeDate"]
    assert kept == "2027-05-01T00:00:00+00:00"
    asked = datetime(2027, 6, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    changed = sent(known, HOME, end_of_life=asked)["properties"]["publishingProfile"]["endOfLifeDate"]
    assert changed == "2027-05-31T23:30:00Z"
    never = version(document({"endOfLifeDate": None}))
    assert "endOfLifeDate" not in sent(never, HOME)["properties"]["publishingProfile"]


@pytest.mark.parametrize("safety", [None, {}, {"allowDeletionOfReplicatedLocations": None}])
def test_the_guard_is_put_up_whether_or_not_it_was(safety: dict[str, Any] | None) -> None:
    body = sent(version(document(safetyProfile=safety)), HOME)
    assert body["properties"]["safetyProfile"] == {"allowDeletionOfReplicatedLocations": False}


targets = st.lists(
    st.builds(
        Target,
        st.sampled_from(sorted(REGIONS)),
        st.integers(1, 50),
        st.sampled_from(["Standard_LRS", "Premium_LRS"]),
        st.booleans(),
    ),
    unique_by=lambda target: target.name,
    min_size=1,
    max_size=6,
)


@given(targets)
def test_what_is_sent_is_what_was_asked_for(asked: list[Target]) -> None:
    """Read back, the regions are those of the update, in its order."""
    body = sent(version(document()), *asked)
    found = version(
        {"id": str(VERSION), "properties": {**body["properties"], "provisioningState": "Updating"}}
    )
    assert [(r.name, r.replicas, r.excluded) for r in found.regions] == [
        (t.name, t.replicas, t.excluded) for t in asked
    ]
    kept = {"westeurope": "Standard_ZRS", "northeurope": "Standard_LRS"}
    assert [r.storage for r in found.regions] == [kept.get(t.name, t.storage) for t in asked]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
places = st.sampled_from([*document()["properties"], *PROFILE])


@given(places, anything)
def test_whatever_stands_there_is_a_version_or_an_error_that_is_known(place: str, value: Any) -> None:
    """One odd document must not end the sweep of all others."""
    odd = document({place: value}) if place in PROFILE else document(**{place: value})
    try:
        found = version(odd)
    except FactoryError:
        return
    assert isinstance(sent(found, HOME), dict)
