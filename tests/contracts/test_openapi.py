"""The description of the API: valid, whole, and the same for machines and for people."""

import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from shared.contracts.api import openapi, page
from shared.contracts.api.operations import ROOT
from shared.contracts.api.table import BY_ID, OPERATIONS
from shared.domain.callers import Role

TOLD: dict[str, Any] = msgspec.json.decode(openapi.document("1.2.3"))
HTML = page.html("1.2.3").decode()


class Reader(HTMLParser):
    """Notes what a browser would fetch or run, where links go, and whether all is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.foreign: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.ids += [told["id"] or ""] if "id" in told else []
        self.links += [told["href"] or ""] if tag == "a" else []
        active = tag in ("script", "link", "img", "iframe", "object")
        self.foreign += (
            [tag] if active or any(name.startswith("on") or name == "src" for name in told) else []
        )
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_openapi_with_every_operation_and_no_dangling_reference() -> None:
    assert (TOLD["openapi"], TOLD["info"]["version"], TOLD["servers"]) == ("3.1.0", "1.2.3", [{"url": ROOT}])
    told = {(m.upper(), p, o["operationId"]) for p, each in TOLD["paths"].items() for m, o in each.items()}
    assert told == {(o.method, o.path, o.id) for o in OPERATIONS}
    references = set(re.findall(r'"#/components/schemas/(\w+)"', openapi.document("1.2.3").decode()))
    assert references == set(TOLD["components"]["schemas"])


def test_every_schema_is_one() -> None:
    for schema in TOLD["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for each in TOLD["paths"].values():
        for operation in each.values():
            for parameter in operation["parameters"]:
                Draft202012Validator.check_schema(parameter["schema"])
                assert set(parameter) >= {"name", "in", "required", "schema"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.id)
def test_an_operation_takes_what_its_path_names_and_is_told_whole(operation: Any) -> None:
    """Parameters, headers, statuses, role, and what comes back."""
    told = TOLD["paths"][operation.path][operation.method.lower()]
    named = [p["name"] for p in told["parameters"] if p["in"] == "path"]
    assert (
        named == list(operation.parameters) == [f.encode_name for f in msgspec.structs.fields(operation.at)]
    )
    headers = {p["name"] for p in told["parameters"] if p["in"] == "header"}
    assert ("Idempotency-Key" in headers) == (operation.method != "GET")
    assert ("If-Match" in headers) == bool(operation.acts_on)
    assert ("If-None-Match" in headers) == operation.etag == ("304" in told["responses"])
    assert {"200", "202"} & set(told["responses"]) == {str(operation.status.value)}
    assert bool(told["security"]) == (operation.role is not None)
    if operation.acts_on:
        assert BY_ID[operation.acts_on].at is operation.at
        assert BY_ID[operation.acts_on].etag
    if operation.status == 202:
        assert "Location" in told["responses"]["202"]["headers"]


def test_the_page_tells_the_same_without_a_script_or_anything_from_elsewhere() -> None:
    """Every operation with its role, every type; links lead somewhere; it is well formed."""
    reader = Reader()
    reader.feed(HTML)
    assert (reader.open, reader.foreign) == ([], [])
    assert {o.id for o in OPERATIONS} | {f"type-{name}" for name in TOLD["components"]["schemas"]} <= set(
        reader.ids
    )
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link for link in reader.links if link != "openapi.json"} <= {f"#{id}" for id in reader.ids}
    assert all(role.value in HTML for role in Role if any(o.role is role for o in OPERATIONS))
    assert "style-src 'sha256-" in page.HEADERS["Content-Security-Policy"]
