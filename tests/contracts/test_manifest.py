"""The manifest: pipelines read it, so its form is pinned to the letter."""

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import manifest
from shared.domain.errors import Invalid
from shared.domain.ids import BlobAddress
from shared.domain.manifests import Manifest

from .builders import TEMPLATE

WRITTEN = Manifest(
    image="ubuntu-22",
    template=TEMPLATE,
    run="2026-11-21T01:02:03.123456789Z",
    output="ubuntu-22-vhd",
    source_version="22.04.202611010",
    source_version_inferred=True,
    vhd=BlobAddress("archive", "images", "ubuntu-22/x.vhd"),
    vhd_etag='"0x8DC1"',
    size=67109376,
    allocated=8388608,
    source=BlobAddress("stagingabc", "vhds", "y_20261121.vhd"),
    source_etag='"0x8DC0"',
    verification="full",
    chunks=2,
    sha256="ab" * 32,
    found=datetime(2026, 11, 21, 1, 30, tzinfo=UTC),
    copy_started=datetime(2026, 11, 21, 1, 31, tzinfo=UTC),
    copy_ended=datetime(2026, 11, 21, 1, 32, 0, 5, UTC),
    verified=datetime(2026, 11, 21, 1, 33, tzinfo=UTC),
    factory_version="0.1.0",
)

TEXT = f"""\
{{
  "v": 1,
  "image": "ubuntu-22",
  "template": "{TEMPLATE}",
  "run": "2026-11-21T01:02:03.123456789Z",
  "output": "ubuntu-22-vhd",
  "sourceVersion": "22.04.202611010",
  "sourceVersionInferred": true,
  "vhd": {{
    "account": "archive",
    "container": "images",
    "name": "ubuntu-22/x.vhd",
    "etag": "\\"0x8DC1\\"",
    "size": 67109376,
    "allocatedBytes": 8388608
  }},
  "source": {{
    "account": "stagingabc",
    "container": "vhds",
    "name": "y_20261121.vhd",
    "etag": "\\"0x8DC0\\""
  }},
  "verification": {{
    "kind": "full",
    "chunks": 2,
    "sha256": "{"ab" * 32}"
  }},
  "times": {{
    "found": "2026-11-21T01:30:00Z",
    "copyStarted": "2026-11-21T01:31:00Z",
    "copyEnded": "2026-11-21T01:32:00.000005Z",
    "verified": "2026-11-21T01:33:00Z"
  }},
  "factory": "0.1.0"
}}
"""


def changed(**changes: object) -> bytes:
    return json.dumps({**json.loads(TEXT), **changes}).encode()


def test_a_manifest_is_written_for_people_and_always_the_same() -> None:
    assert manifest.encode(WRITTEN).decode() == TEXT
    assert manifest.encode(WRITTEN) == manifest.encode(WRITTEN)


def test_what_is_written_is_what_is_read() -> None:
    assert manifest.decode(TEXT.encode()) == WRITTEN


def test_a_command_of_its_own_that_generalized_it_is_noted() -> None:
    own = msgspec.structs.replace(WRITTEN, generalized_by="custom command: /tmp/DeprovisioningScript.sh")
    content = manifest.encode(own)
    assert json.loads(content)["generalizedBy"] == "custom command: /tmp/DeprovisioningScript.sh"
    assert manifest.decode(content) == own


def test_what_is_not_known_is_null() -> None:
    bare = msgspec.structs.replace(
        WRITTEN, source_version=None, sha256="", copy_started=None, copy_ended=None
    )
    content = manifest.encode(bare)
    assert content.count(b"null") == 4
    assert manifest.decode(content) == bare


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated"),
        (b"\xff", "this is not a manifest"),
        (b"[]", "got `array`"),
        (changed(v=2, more=1), "has version 2, this factory knows 1"),
        (changed(more=1), "unknown field `more`"),
        (changed(verification={"kind": "none", "chunks": 0, "sha256": None}), "invalid enum value"),
        (changed(verification={"kind": "full", "chunks": 0, "sha256": "AB"}), "regex"),
        (changed(template="/subscriptions/x"), "is not a resource id"),
        (changed(sourceVersion="latest"), "is not a version"),
        (changed(sourceVersion=""), "is not a version"),
        (
            changed(times={"found": None, "copyStarted": None, "copyEnded": None, "verified": None}),
            "datetime",
        ),
        (b" " * 70_000, "70000 bytes; expected at most 65536"),
    ],
)
def test_a_manifest_that_the_factory_cannot_have_written_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        manifest.decode(content)
    assert reason.lower() in str(refused.value).lower()


@pytest.mark.parametrize(
    "change", [{"verified": None}, {"size": -1}, {"verification": "trust"}, {"sha256": "no digest"}]
)
def test_a_manifest_that_could_not_be_read_is_never_written(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        manifest.encode(msgspec.structs.replace(WRITTEN, **change))


@given(st.binary(max_size=60) | st.dictionaries(st.sampled_from([*json.loads(TEXT)]), st.text()).map(
    lambda changes: changed(**changes)
))  # fmt: skip
def test_any_bytes_are_a_manifest_or_invalid(content: bytes) -> None:
    try:
        found = manifest.decode(content)
    except Invalid:
        return
    assert manifest.decode(manifest.encode(found)) == found
