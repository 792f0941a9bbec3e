"""The language of Resource Graph, by itself: what queries answer, and how the others are refused."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.graph.queries import COLUMNS, run, table_of
from sandbox.arm.graph.tokens import Misunderstood

Rows = list[dict[str, Any]]


def row(id: str, kind: str = "a/b", /, **members: Any) -> dict[str, Any]:
    empty = {"tags": {}, "properties": {}, "location": "westeurope"}
    return {**dict.fromkeys(COLUMNS), **empty, "id": id, "name": id, "type": kind, **members}


RESOURCES = [
    row("/One", properties={"size": 9, "image": {"id": "/I/1", "on": True}}, tags={"Own er": "Me", "n": "1"}),
    row("/two", properties={"size": 10, "list": ["x"], "none": None}, tags={"n": "2"}),
    row("/three", "c/d", location="uksouth", properties={"words": "it's well-done, Sir"}),
]
CONTAINERS = [row("/group", "groups", tags={"n": "1"}), row("/subscription", "subscriptions")]
TABLES = {
    "resources": RESOURCES,
    "resourcecontainers": CONTAINERS,
    "computeresources": [row("/set/0", "e/f")],
}


def ids(query: str) -> list[str]:
    return [each["id"] for each in run(query, TABLES).rows]


def refusal(query: str) -> dict[str, Any]:
    with pytest.raises(Misunderstood) as caught:
        run(query, TABLES)
    return caught.value.detail


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name == '/One'", "/One"),
        ("name == '/one'", ""),
        ("name =~ '/one'", "/One"),
        ("name != '/One'", "/two /three"),
        ("name !~ '/one'", "/two /three"),
        ("name in ('/one', '/two')", "/two"),
        ("name in~ ('/ONE', \"/two\")", "/One /two"),
        ("name !in ('/one', '/two')", "/One /three"),
        ("name !in~ ('/one', '/two')", "/three"),
        ("name contains 'W'", "/two"),
        ("name !contains 'w'", "/One /three"),
        ("name startswith '/T'", "/two /three"),
        ("name !startswith '/t'", "/One"),
        ("name endswith 'E'", "/One /three"),
        ("name !endswith 'e'", "/two"),
        ("properties.words has 'WELL'", "/three"),
        ("properties.words has 'we'", ""),
        ("properties.words !has 'done'", "/One /two"),
        (r"properties.words startswith 'it\'s'", "/three"),
        ("properties.size == 9", "/One"),
        ("properties.image.on == true", "/One"),
        ("properties.image.id =~ '/i/1'", "/One"),
        ("tags['Own er'] == 'Me'", "/One"),
        ("tags.N == '1'", ""),
        ("isnull(properties.none)", "/One /two /three"),
        ("isnotnull(properties.image)", "/One"),
        ("isempty(tags.n)", "/three"),
        ("isnotempty(tags['n'])", "/One /two"),
        ("tostring(properties.image) contains '/i/1'", "/One"),
        ("tostring(properties.list) == '[\"x\"]'", "/two"),
        ("tolower(name) == '/one'", "/One"),
        ("not(name == '/two')", "/One /three"),
        ("name == '/two' or name == '/One' and type == 'c/d'", "/two"),
        ("(name == '/two' or name == '/One') and type == 'a/b'", "/One /two"),
        ("name == '/two' // the rest is told to people", "/two"),
    ],
)
def test_conditions_choose_rows(condition: str, expected: str) -> None:
    """Each operator: with regard to case only where it is said, of columns and of what is in them."""
    assert ids(f"resources | where {condition}") == expected.split()


def test_tables_have_no_case_and_the_first_of_them_needs_no_name() -> None:
    assert ids("Resources") == ids("where true") == ["/One", "/two", "/three"]
    assert ids("ResourceContainers\n| where type == 'groups'") == ["/group"]
    assert ids("computeresources") == ["/set/0"]


def test_columns_are_chosen_made_and_left_out() -> None:
    """A member is named by its path, a value of a function by its place; what a row has not is null."""
    result = run("project name, properties.image.id, at = location, tags['n'], tolower(type)", TABLES)
    assert result.order == ("name", "properties_image_id", "at", "tags_n", "Column5")
    assert list(result.rows[2].values()) == ["/three", None, "uksouth", None, "c/d"]
    made = run("extend big = properties.size == 10 | where big | project-away tags, properties", TABLES)
    assert [each["id"] for each in made.rows] == ["/two"]
    assert set(made.order) == {*COLUMNS, "big"} - {"tags", "properties"}
    assert run("where type == 'a/b' | count", TABLES).rows == [{"Count": 2}]


def test_order_is_by_number_or_text_and_descending_where_nothing_is_said() -> None:
    """Nothing is less than anything; the second key decides among equals of the first."""
    assert ids("order by properties.size asc") == ["/three", "/One", "/two"]
    assert ids("sort by name") == ["/two", "/three", "/One"]
    assert ids("order by type desc, name asc") == ["/three", "/One", "/two"]
    assert ids("order by name asc | take 2") == ids("sort by name asc | limit 2") == ["/One", "/three"]
    assert run("limit 5", TABLES).limited
    assert not run("where true", TABLES).limited


def test_union_is_of_resources_and_their_containers() -> None:
    """With a pipeline for each; a column of one of them is null in the other."""
    query = "where name == '/two' | project id, n = tags.n | union (resourcecontainers | project id, type)"
    result = run(f"{query} | where id != '/group' | order by id asc", TABLES)
    assert [tuple(each.values()) for each in result.rows] == [
        ("/subscription", None, "subscriptions"),
        ("/two", "2", None),
    ]
    two = "union (resourcecontainers | where type == 'groups'), (resources | where name == '/two')"
    assert ids(f"where name == '/One' | {two}") == ["/One", "/group", "/two"]
    assert refusal(f"{two} | union (resources)")["message"] == "A union has at most 3 legs."
    assert "Resources and ResourceContainers" in refusal("resources | union (computeresources)")["message"]


def test_table_tells_the_types_of_its_columns() -> None:
    result = run("project id, size = properties.size, on = properties.image.on, tags", TABLES)
    shown = table_of(result, result.rows[:1])
    assert [each["type"] for each in shown["columns"]] == ["string", "integer", "boolean", "object"]
    assert shown["rows"] == [["/One", 9, True, {"Own er": "Me", "n": "1"}]]


@pytest.mark.parametrize(
    ("query", "code", "line", "column", "token"),
    [
        ("Resources | syntax error", "ParserFailure", 1, 12, "syntax"),  # as was recorded
        ("resources |\n summarize count() by type", "ParserFailure", 2, 1, "summarize"),
        ("resources | where name ~ 'a'", "ParserFailure", 1, 23, "~"),
        ("resources | where name > 'a'", "ParserFailure", 1, 23, ">"),
        ("resources | where (name == 'a'", "ParserFailure", 1, 30, "<EOF>"),
        ("resources | where cout(name)", "UnknownFunction", 1, 18, "cout"),
        ("resources | where nome == 'a'", "InvalidQueryLanguage", 1, 18, "nome"),
        ("resources | project id | where name == 'a'", "InvalidQueryLanguage", 1, 31, "name"),
        ("resources | where name in 'a'", "ParserFailure", 1, 26, "a"),
        ("resources | where name in (id)", "ParserFailure", 1, 27, "id"),
        ("resources | take many", "ParserFailure", 1, 17, "many"),
        ("resources resources", "ParserFailure", 1, 10, "resources"),
        ("policyresources | where true", "ParserFailure", 1, 0, "policyresources"),
        ("resources | union (resourcecontainers", "ParserFailure", 1, 37, "<EOF>"),
    ],
)
def test_what_is_not_understood_is_refused_at_its_word(
    query: str, code: str, line: int, column: int, token: str
) -> None:
    """Never half a query: neither what is not of the language nor what is not known here."""
    detail = refusal(query)
    found = (detail["code"], detail["line"], detail["characterPositionInLine"], detail["token"])
    assert found == (code, line, column, token)
