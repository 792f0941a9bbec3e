"""Regions come, fail, are tried again and go: what an update may do to each of them."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.galleries.replication import Plan

from .parts import API, DEFINITION, HERE, Shop, body, update, version_id


def shop(*plans: Plan, **switches: Any) -> Shop:
    made = Shop()
    made.azure.switches = made.azure.switches.with_values(switches)
    for plan in plans:
        made.azure.galleries.plan(plan)
    return made


def test_regions_take_different_times_that_are_the_same_each_time() -> None:
    """Within what was recorded for one region; the version is done after the last of them."""
    ends: list[dict[str, float]] = []
    for _ in range(2):
        world = shop()
        world.put(body(HERE, "eastus", "japaneast"))
        version = world.azure.galleries.version(version_id())
        assert version is not None
        now = world.clock.now()
        ends.append({each.name: (each.ends - now).total_seconds() for each in version.regions if each.ends})
    assert ends[0] == ends[1]
    assert len(set(ends[0].values())) == 3
    assert all(376 <= seconds <= 511 for seconds in ends[0].values())


def test_new_region_replicates_while_the_old_ones_stay() -> None:
    world = shop()
    world.made()
    world.put(update(HERE, "eastus"))
    assert world.regions() == {"West Europe": "Completed", "East US": "Replicating"}
    world.wait(minutes=3)
    assert world.state() == "Updating"
    world.wait(minutes=7)
    assert (world.regions()["East US"], world.state()) == ("Completed", "Succeeded")


@pytest.mark.parametrize("status", [409, 400])
def test_replicated_region_is_protected(status: int) -> None:
    """A list without it is refused as a whole, by what is stored as by what is sent."""
    world = shop(protected_region_status=status)
    world.made(body(HERE, "eastus"))
    target = "galleryImageVersion.properties.publishingProfile.targetRegions"
    assert world.refused(update(HERE, "japaneast")) == (status, "OperationNotAllowed", target)
    assert world.refused(update(HERE, allow=False), method="PATCH")[0] == status
    assert set(world.regions()) == {"West Europe", "East US"}
    world.made(update(HERE, allow=True))
    assert set(world.regions()) == {"West Europe"}


def test_guard_that_was_stored_as_open_can_be_shut_by_the_update_itself() -> None:
    world = shop()
    sent = body(HERE, "eastus")
    sent["properties"]["safetyProfile"] = {"allowDeletionOfReplicatedLocations": True}
    world.made(sent)
    assert world.refused(update(HERE, allow=False))[0] == 409
    world.made(update(HERE))
    assert set(world.regions()) == {"West Europe"}


def test_region_on_its_way_is_dropped_by_a_stale_list() -> None:
    """That is the race which the guard does not see; put back it starts anew."""
    world = shop()
    world.made()
    world.put(update(HERE, "eastus"))
    world.wait(minutes=6)
    world.put(update(HERE))
    assert set(world.regions()) == {"West Europe"}
    world.put(update(HERE, "eastus"))
    world.wait(minutes=2)
    assert world.regions()["East US"] == "Replicating"


@pytest.mark.parametrize("retried", [True, False])
def test_failed_region_fails_the_version_and_is_tried_again(retried: bool) -> None:
    """With the same list where the switch says so, else removed and added; the others stay usable."""
    world = shop(Plan(region="eastus", fails=1), failed_region_retried=retried)
    answer = world.send("PUT", f"{version_id()}?{API}", body(HERE, "eastus"))
    world.wait(minutes=10)
    status = world.version()["properties"]["replicationStatus"]
    assert (status["aggregatedState"], world.state()) == ("Failed", "Failed")
    assert world.regions() == {"West Europe": "Completed", "East US": "Failed"}
    operation = world.send("GET", answer.headers["Azure-AsyncOperation"].split(".sandbox", 1)[1]).json()
    assert operation["status"] == "Failed"
    assert "{region:eastus, detail:Failed with internal server error.}" in operation["error"]["message"]
    assert world.events[-1]["eventType"] == "Microsoft.Resources.ResourceWriteFailure"
    latest = world.azure.galleries.latest(DEFINITION, HERE)
    assert latest is not None
    world.made(update(HERE, "eastus"))
    assert world.regions()["East US"] == ("Completed" if retried else "Failed")
    if not retried:
        world.made(update(HERE))
        assert world.state() == "Succeeded"
        world.made(update(HERE, "eastus"))
        assert world.regions()["East US"] == "Completed"


@pytest.mark.parametrize("removal", ["accepted", "refused"])
def test_whether_the_guard_holds_a_failed_region(removal: str) -> None:
    world = shop(Plan(region="eastus", fails=9), failed_region_removal=removal)
    world.made(body(HERE, "eastus"))
    status = world.send("PUT", f"{version_id()}?{API}", update(HERE, allow=False)).status
    assert status == (200 if removal == "accepted" else 409)


def test_plan_can_be_for_one_version_and_hang() -> None:
    """The operation goes on until the region is left out."""
    world = shop(Plan(version="web/1.0.*", region="east*", hangs=True))
    world.made(body(HERE, "eastus"))
    world.made(body(HERE, "eastus"), name="1.1.0")
    assert (world.state(), world.state("1.1.0")) == ("Creating", "Succeeded")
    assert world.regions()["East US"] == "Replicating"
    world.made(update(HERE))
    assert world.state() == "Succeeded"


@pytest.mark.parametrize("answer", ["accepted", "refused"])
def test_update_while_updating(answer: str) -> None:
    """Accepted, both operations end together; refused, nothing has changed."""
    world = shop(update_while_updating=answer)
    world.put(body())
    again = world.send("PATCH", f"{version_id()}?{API}", update(HERE, "eastus"))
    assert again.status == (200 if answer == "accepted" else 409)
    assert len(world.regions()) == (2 if answer == "accepted" else 1)
    if answer == "accepted":
        assert again.json()["properties"]["provisioningState"] == "Creating"
    else:
        assert again.json()["error"]["code"] == "OperationNotAllowed"
    world.wait(minutes=10)
    assert world.state() == "Succeeded"
    told = [each for each in world.events if each["subject"] == version_id()]
    assert len(told) == (2 if answer == "accepted" else 1)


def test_latest_is_the_highest_that_is_there_and_not_excluded() -> None:
    """By number, not by text; excluded everywhere or in the region; only where it has replicated."""
    world = shop()

    def latest(region: str) -> str | None:
        found = world.azure.galleries.latest(DEFINITION, region)
        return found.name if found else None

    assert latest(HERE) is None
    world.made(body(HERE, "eastus"), "1.9.0")
    world.made(body(HERE), "1.10.0")
    world.made(body(HERE, excludeFromLatest=True), "2.0.0")
    assert (latest("West Europe"), latest("eastus"), latest("japaneast")) == ("1.10.0", "1.9.0", None)
    world.made(update({"name": HERE, "excludeFromLatest": True}), "1.10.0")
    assert latest(HERE) == "1.9.0"
    world.put(update(HERE, excludeFromLatest=False), "2.0.0")
    assert latest(HERE) == "2.0.0"
    world.send("DELETE", f"{version_id('2.0.0')}?{API}")
    assert latest(HERE) == "1.9.0"


def test_speed_divides_how_long_a_region_takes() -> None:
    world = Shop(speed=100)
    world.put(body())
    world.wait(seconds=6)
    assert world.state() == "Succeeded"
