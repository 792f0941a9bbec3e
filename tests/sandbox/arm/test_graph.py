"""The endpoint of Resource Graph: rows of everything, or left out without a word; pages, lag and quota."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.compute.seeds import MachineSeed
from sandbox.arm.records import Group
from sandbox.azure import SUBSCRIPTION
from sandbox.faults import Fault
from sandbox.switches import Switches
from tests.sandbox.galleries.parts import Shop, version_id

from .parts import GROUP, TEMPLATES, World

PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
OTHER = "11111111-0000-0000-0000-000000000000"
HERE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
LABS = "Microsoft.LabServices/labs"
LAB_ROWS = f"where type =~ '{LABS}' | project id, name | order by id asc"


def ask(world: World, query: str, principal: str = "operator", **body: Any) -> Any:
    answer = world.send("POST", PATH, {"query": query, **body}, principal=principal)
    assert answer.status == 200, answer.body
    return answer.json()


def names(world: World, query: str, principal: str = "operator", **body: Any) -> list[str]:
    return [each["name"] for each in ask(world, query, principal, **body)["data"]]


def labs(world: World, *wanted: str) -> None:
    for name in wanted:
        world.azure.inventory.add(HERE, LABS, name, {})


def pages(world: World, query: str, between: Any = None, **options: Any) -> list[list[str]]:
    """To the end; `between` is done after the first page."""
    found, token = [], None
    while True:
        sent = {**options, **({"$skipToken": token} if token else {})}
        page = ask(world, query, options=sent)
        found.append([each["name"] for each in page["data"]])
        token = page.get("$skipToken")
        if between and len(found) == 1:
            between()
        if not token:
            return found


def test_everything_is_there_as_a_plain_read_shows_it() -> None:
    """Versions, templates, machines with the image they came from, scale sets with their instances, labs."""
    shop = Shop()
    shop.made()
    shop.provisioned()
    image = {"id": version_id().split("/versions/")[0], "exactVersion": "1.0.0"}
    machine = f"{HERE}/providers/Microsoft.Compute/virtualMachines/vm"
    shop.azure.compute.seeds.machine(machine, "westeurope", MachineSeed(image=image))
    sets = "Microsoft.Compute/virtualMachineScaleSets"
    model = {"virtualMachineProfile": {"storageProfile": {"imageReference": {"id": version_id()}}}}
    shop.azure.inventory.add(HERE, sets, "set", model, {"a": "1"})
    shop.azure.inventory.add(HERE, f"{sets}/virtualMachines", "set/0", {})
    found = {each["id"].lower(): each for each in ask(shop, "resources")["data"]}
    plain = shop.get(f"{version_id()}?api-version=2024-03-03")
    row = found[version_id().lower()]
    assert row["properties"] == plain["properties"]
    assert (row["type"], row["name"]) == ("microsoft.compute/galleries/images/versions", "1.0.0")
    assert (row["resourceGroup"], row["subscriptionId"]) == (GROUP.lower(), SUBSCRIPTION)
    assert found[f"{TEMPLATES}/web".lower()]["properties"]["provisioningState"] == "Succeeded"
    assert found[machine.lower()]["properties"]["storageProfile"]["imageReference"] == image
    assert found[f"{HERE}/providers/{sets}/set".lower()]["properties"]["virtualMachineProfile"]
    assert names(shop, "computeresources") == ["0"]
    assert not any("/virtualmachinescalesets/set/virtualmachines" in id for id in found)


def test_groups_and_subscriptions_are_containers() -> None:
    """With their tags and who manages them."""
    world = World()
    world.azure.fabric.records.add_group(Group(OTHER, "It_Staging", "uksouth", {"a": "1"}, "/manager"))
    rows = ask(world, "resourcecontainers | order by id asc")["data"]
    assert [(each["type"].rsplit("/", 1)[1], each["name"]) for each in rows] == [
        ("subscriptions", SUBSCRIPTION),
        ("resourcegroups", GROUP),
        ("subscriptions", OTHER),
        ("resourcegroups", "It_Staging"),
    ]
    staging = rows[3]
    assert (staging["tags"], staging["managedBy"]) == ({"a": "1"}, "/manager")
    assert (staging["resourceGroup"], staging["location"]) == ("it_staging", "uksouth")


def test_nobody_is_refused_and_what_may_not_be_read_is_left_out() -> None:
    """Row by row, without a word: in the data, in the number of records, and in a list of subscriptions."""
    world = World()
    labs(world, "a", "b")
    everything = "resources | union (resourcecontainers)"
    nothing = ask(world, everything, "nobody")
    assert (nothing["data"], nothing["totalRecords"]) == ([], 0)
    world.azure.roles.assign("nobody", "Reader", f"{HERE}/providers/{LABS}/b")
    assert names(world, everything, "nobody") == ["b"]
    world.azure.roles.assign("nobody", "Network Contributor", HERE)
    assert sorted(names(world, everything, "nobody")) == ["b", GROUP]
    world.azure.roles.assign("nobody", "Reader", f"/subscriptions/{SUBSCRIPTION}")
    assert SUBSCRIPTION in names(world, everything, "nobody", subscriptions=[SUBSCRIPTION.upper(), OTHER])
    assert names(world, everything, "nobody", subscriptions=[OTHER]) == []


def test_pages_lead_to_the_end_and_are_of_one_result() -> None:
    """Whatever comes and goes meanwhile: nothing is missed, nothing repeated."""
    world = World()
    labs(world, *"abcde")
    gone = f"{HERE}/providers/{LABS}/a"

    def change() -> None:
        world.azure.fabric.records.remove(gone)
        labs(world, "c2")

    found = pages(world, LAB_ROWS, change, **{"$top": 2})
    assert found == [["a", "b"], ["c", "d"], ["e"]]
    assert pages(world, LAB_ROWS) == [["b", "c", "c2", "d", "e"]]


def test_pages_can_move_with_the_world() -> None:
    """As documented: what goes shifts the rest, and a row is missed though the numbers are right."""
    world = World(switches=Switches(graph_pages_move=True))
    labs(world, *"abcde")
    remove = world.azure.fabric.records.remove
    found = pages(world, LAB_ROWS, lambda: remove(f"{HERE}/providers/{LABS}/a"), **{"$top": 2})
    assert found == [["a", "b"], ["d", "e"]]
    found = pages(world, LAB_ROWS, lambda: labs(world, "a"), **{"$top": 2})
    assert found == [["b", "c"], ["c", "d"], ["e"]]


def test_page_is_of_the_length_that_is_asked_for() -> None:
    """The token remembers it, $skip comes first, and the records are always counted whole."""
    world = World()
    labs(world, *"abcde")
    page = ask(world, LAB_ROWS, options={"$top": 2, "$skip": 1})
    assert [each["name"] for each in page["data"]] == ["b", "c"]
    assert (page["count"], page["totalRecords"], page["resultTruncated"]) == (2, 5, "false")
    rest = {"$skipToken": page["$skipToken"]}
    assert names(world, LAB_ROWS, options=rest) == ["d", "e"]
    assert names(world, LAB_ROWS, options={**rest, "$top": 1}) == ["d"]
    table = ask(world, LAB_ROWS, options={"$top": 1, "resultFormat": "table"})["data"]
    assert [each["name"] for each in table["columns"]] == ["id", "name"]
    assert table["rows"] == [[f"{HERE}/providers/{LABS}/a", "a"]]


@pytest.mark.parametrize("query", [LAB_ROWS.replace("id, name", "name, id2 = id"), f"{LAB_ROWS} | take 4"])
def test_some_results_are_cut_and_not_paged(query: str) -> None:
    """Without ids, and where the query itself has cut them; then $skip is passed over too."""
    world = World()
    labs(world, *"abcde")
    page = ask(world, query.replace("by id asc", "by name asc"), options={"$top": 2, "$skip": 0})
    assert (page["count"], page["resultTruncated"]) == (2, "true")
    assert "$skipToken" not in page
    assert names(world, f"{LAB_ROWS} | take 4", options={"$skip": 3}) == ["a", "b", "c", "d"]


def test_answers_are_as_old_as_the_lag_allows() -> None:
    """What came, changed or went since then shows only afterwards, whatever the query is."""
    world = World(switches=Switches(graph_lag_seconds=600))
    labs(world, "a")
    assert names(world, LAB_ROWS) == ["a"]
    labs(world, "b")
    scope = f"{HERE}/providers/{LABS}/a/providers/Microsoft.Resources/tags/default?api-version=2021-04-01"
    world.send("PUT", scope, {"properties": {"tags": {"pin": "1"}}})
    world.wait(seconds=599)
    assert names(world, f"{LAB_ROWS} | where true") == ["a"]
    assert names(world, "where tags.pin == '1'") == []
    world.wait(seconds=1)
    assert names(world, LAB_ROWS) == ["a", "b"]
    assert names(world, "where tags.pin == '1'") == ["a"]


def test_caller_has_fifteen_queries_in_five_seconds() -> None:
    """Counted by caller, in windows; the refusal is as recorded, its Retry-After shorter than the window."""
    world = World()
    left = []
    for _ in range(15):
        left.append(world.send("POST", PATH, {"query": "count"}).headers["x-ms-user-quota-remaining"])
        world.wait(milliseconds=200)
    assert left == [str(number) for number in range(14, -1, -1)]
    refused = world.send("POST", PATH, {"query": "count"})
    told = [refused.headers[name] for name in ("Retry-After", "x-ms-user-quota-resets-after")]
    assert (refused.status, told) == (429, ["2", "00:00:02"])
    error = refused.json()["error"]
    assert (error["code"], error["details"][0]["code"]) == ("RateLimiting", "RateLimiting")
    assert world.send("POST", PATH, {"query": "count"}, principal="nobody").status == 200
    world.wait(seconds=2)
    assert world.send("POST", PATH, {"query": "count"}).headers["x-ms-user-quota-remaining"] == "14"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"query": " "}, "The query must not be empty."),
        ({"subscriptions": "all"}, "subscriptions must be a list."),
        ({"options": [1]}, "options must be an object."),
        ({"options": {"$top": 1001}}, "$top must be a number from 1 to 1000."),
        ({"options": {"$top": "5"}}, "$top must be a number from 1 to 1000."),
        ({"options": {"$skip": -1}}, "$skip must be a number"),
        ({"options": {"$skipToken": "%%"}}, "The $skipToken is invalid."),
        ({"options": {"$skipToken": "YS8xLzE="}}, "The $skipToken is no longer valid."),
    ],
)
def test_what_cannot_be_asked_is_refused(change: dict[str, Any], said: str) -> None:
    refused = World().send("POST", PATH, {"query": "resources", **change})
    assert (refused.status, refused.json()["error"]["code"]) == (400, "BadRequest")
    assert said in refused.json()["error"]["message"]


def test_query_that_is_not_understood_is_refused_as_recorded() -> None:
    """In two details, the second with the word in question; other versions of the api are none."""
    world = World()
    error = world.send("POST", PATH, {"query": "Resources | syntax error"}).json()["error"]
    assert error["code"] == "BadRequest"
    assert f"timestamp = {world.clock.now():%Y-%m-%dT%H:%M:%S}" in error["message"]
    assert [each["code"] for each in error["details"]] == ["InvalidQuery", "ParserFailure"]
    assert error["details"][1]["token"] == "syntax"
    old = world.send("POST", PATH.replace("2022-10-01", "2019-04-01"), {"query": "count"})
    assert (old.status, "api-version" in old.json()["error"]["message"]) == (400, True)


def test_page_of_another_is_not_given_away() -> None:
    """A token is of use to the one whose query it was."""
    world = World()
    labs(world, "a", "b")
    token = ask(world, LAB_ROWS, options={"$top": 1})["$skipToken"]
    stolen = {"query": LAB_ROWS, "options": {"$skipToken": token}}
    assert world.send("POST", PATH, stolen, principal="nobody").status == 400
    assert world.send("POST", PATH, stolen).status == 200


def test_listing_can_fail_half_way() -> None:
    """By a fault, at any page; the same token goes on afterwards."""
    world = World()
    labs(world, *"abc")
    token = ask(world, LAB_ROWS, options={"$top": 1})["$skipToken"]
    world.azure.faults.add(Fault("arm", "status", path="ResourceGraph", status=500, nth=2))
    rest = {"query": LAB_ROWS, "options": {"$skipToken": token}}
    assert [world.send("POST", PATH, rest).status for _ in range(3)] == [200, 500, 200]
