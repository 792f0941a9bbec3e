"""Queue messages: what is sent can be read, and nothing else is acted upon."""

import base64
import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import messages
from shared.domain.errors import Invalid
from shared.domain.galleries import DefinitionId
from shared.domain.looks import Lane, Look, Thing
from shared.domain.retention import Kind
from shared.domain.sources import GallerySource

from .builders import SOURCE, SUBSCRIPTION

DUE = datetime(2026, 11, 21, 1, 2, 3, 456789, UTC)
SOUND = {"v": 1, "look": "image", "id": "ubuntu-22", "correlation": "c-1", "attempt": 1}

moments = st.datetimes(timezones=st.just(UTC))
names = st.from_regex(r"[a-z0-9]([a-z0-9\-]{0,62}[a-z0-9])?", fullmatch=True)
numbers = st.integers(0, 2**31 - 1)
parts = st.from_regex(r"[a-z0-9]([a-z0-9_.\-]{0,78}[a-z0-9])?", fullmatch=True)
groups = st.from_regex(r"[a-z0-9_().\-]{0,89}[a-z0-9_()\-]", fullmatch=True)
gallery_keys = st.builds(
    lambda group, gallery, name, region: (
        GallerySource(DefinitionId(SUBSCRIPTION, group, gallery, name), region).key
    ),
    groups,
    parts,
    parts,
    st.from_regex(r"[a-z0-9]{1,64}", fullmatch=True),
)
ids = {
    Thing.IMAGE: names,
    Thing.SOURCE: st.just(SOURCE) | gallery_keys,
    Thing.VERSION: st.builds("{}/{}.{}.{}".format, names, numbers, numbers, numbers),
    Thing.RETIRING: st.builds(
        "{}:/subscriptions/{}/x".format, st.sampled_from([k.value for k in Kind]), names
    ),
    Thing.OUTPUT: st.builds("{}/2026-11-21T01:02:03.123456789Z/{}".format, names, names),
}
looks = st.sampled_from(Thing).flatmap(
    lambda thing: st.builds(
        Look,
        lane=st.sampled_from(Lane),
        thing=st.just(thing),
        id=ids[thing],
        correlation=st.from_regex(r"[A-Za-z0-9_.:\-]{1,128}", fullmatch=True),
        due=st.none() | moments,
        attempt=st.integers(1, 1000),
        first=st.none() | moments,
    )
)


def test_a_message_is_compact_json_that_names_one_thing() -> None:
    look = Look(Lane.BUILDS, Thing.IMAGE, "ubuntu-22", "c-1", due=DUE)
    assert messages.encode(look) == (
        '{"v":1,"look":"image","id":"ubuntu-22","correlation":"c-1","attempt":1,'
        '"due":"2026-11-21T01:02:03.456789Z"}'
    )


@given(looks)
def test_what_is_sent_is_what_is_read(look: Look) -> None:
    """`due` above all keeps its microseconds: it is compared with the row that armed the look."""
    assert messages.decode(look.lane, messages.encode(look)) == look


def test_moments_in_other_zones_are_read_as_utc() -> None:
    text = json.dumps({**SOUND, "due": "2026-11-21T02:02:03.456789+01:00"})
    assert messages.decode(Lane.BUILDS, text).due == DUE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not one of the factory: input data was truncated"),
        ("null", "expected `object`, got `null`"),
        ('{"v": "1"}', "expected `int`, got `str`"),
        ('{"v": 0}', "expected `int` >= 1"),
        ('{"v": 2, "do": "anything"}', "has version 2, this factory knows 1: deploy the newer factory again"),
        ('{"v": 1}', "missing required field `look`"),
        (json.dumps({**SOUND, "look": "lab"}), "invalid enum value 'lab'"),
        (json.dumps({**SOUND, "then": "delete"}), "unknown field `then`"),
        (json.dumps({**SOUND, "attempt": 0}), "expected `int` >= 1"),
        (json.dumps({**SOUND, "attempt": True}), "expected `int`, got `bool`"),
        (json.dumps({**SOUND, "due": "2026-11-21T01:02:03"}), "with a timezone"),
        (json.dumps({**SOUND, "due": "0001-01-01T00:00:00+14:00"}), "out of range"),
        (json.dumps({**SOUND, "correlation": "a\nb"}), "matching regex"),
        (json.dumps({**SOUND, "id": "../etc"}), "names the image '../etc'; expected the name of an image"),
        (json.dumps({**SOUND, "id": "Ubuntu"}), "names the image 'Ubuntu'; expected the name of an image"),
        (json.dumps({**SOUND, "id": "ubuntu\n"}), "expected the name of an image"),
        (json.dumps({**SOUND, "look": "source"}), "expected subscription:location:publisher:offer:sku"),
        (json.dumps({**SOUND, "look": "output", "id": "a/b"}), "expected image/run/output"),
        (json.dumps({**SOUND, "look": "output", "id": "a/../b/c"}), "expected image/run/output"),
        (
            json.dumps({**SOUND, "look": "source", "id": f"gallery:{SUBSCRIPTION}:westeurope:g:images"}),
            "or the same of a gallery definition",
        ),
        (
            json.dumps({**SOUND, "look": "source", "id": f"gallery:{SUBSCRIPTION}:west europe:g:images:u"}),
            "or the same of a gallery definition",
        ),
        (
            json.dumps({**SOUND, "look": "source", "id": f"gallery:{SUBSCRIPTION}:westeurope:g:images:u/v"}),
            "or the same of a gallery definition",
        ),
        (json.dumps({**SOUND, "look": "version", "id": "windows"}), "expected definition/version such as"),
        (json.dumps({**SOUND, "look": "version", "id": "windows/latest"}), "expected definition/version"),
        (json.dumps({**SOUND, "look": "version", "id": "windows/1.0"}), "expected definition/version"),
        (json.dumps({**SOUND, "look": "version", "id": "windows/1.0.3/x"}), "expected definition/version"),
        (json.dumps({**SOUND, "look": "version", "id": "windows/1.0.\u0663"}), "expected definition/version"),
        (json.dumps({**SOUND, "look": "version", "id": "windows/1.0.12345678901"}), "expected definition"),
        (json.dumps({**SOUND, "look": "version", "id": "../1.0.3"}), "expected definition/version"),
        ('{"v": 1, "x": ' + "[" * 5000, "recursion"),
        ("\ud800", "surrogates not allowed"),
        ("x" * 8193, "8193 characters long; the longest has 8192"),
    ],
)
def test_a_message_that_is_none_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        messages.decode(Lane.BUILDS, text)
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 700


@pytest.mark.parametrize(
    "look",
    [
        Look(Lane.BUILDS, Thing.IMAGE, "Not A Name", "c-1"),
        Look(Lane.BUILDS, Thing.IMAGE, "ubuntu", "two words"),
        Look(Lane.BUILDS, Thing.IMAGE, "ubuntu", "c-1", attempt=0),
    ],
)
def test_nothing_unreadable_is_ever_sent(look: Look) -> None:
    with pytest.raises(Invalid):
        messages.encode(look)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.text() | json_values.map(json.dumps))
def test_any_text_is_a_look_or_invalid(text: str) -> None:
    with contextlib.suppress(Invalid):
        messages.decode(Lane.ARCHIVE, text)


@given(st.sampled_from([*SOUND, "due", "first"]), json_values)
def test_any_value_in_any_field_is_a_look_or_invalid(field: str, value: object) -> None:
    try:
        look = messages.decode(Lane.ARCHIVE, json.dumps({**SOUND, field: value}))
    except Invalid:
        return
    assert messages.decode(Lane.ARCHIVE, messages.encode(look)) == look


@given(st.text())
def test_a_message_comes_out_of_the_queue_as_it_went_in(text: str) -> None:
    assert (
        messages.unwrap(base64.b64encode(text.encode("utf-8", "replace")))
        == text.encode("utf-8", "replace").decode()
    )


@pytest.mark.parametrize("body", [b'{"v":1}', b"\xff\xfe", b"not base64!", base64.b64encode(b"\xff")])
def test_what_is_not_base64_of_text_is_refused_with_the_reason(body: bytes) -> None:
    with pytest.raises(Invalid, match="is not base64 of UTF-8 text"):
        messages.unwrap(body)
