"""Resource Graph and resources by their id: read strictly, and never believed further than was proven."""

from typing import Any

import pytest

from sandbox.arm.compute.seeds import MachineSeed
from sandbox.arm.galleries.seeds import RegionSeed, VersionSeed, VersionSeeds
from sandbox.arm.roles import IMAGE_FACTORY
from sandbox.azure import SUBSCRIPTION
from sandbox.http import Response
from sandbox.identity.tokens import FACTORY
from sandbox.switches import Switches
from shared.domain.errors import AccessDenied, Invalid, PermanentError, RetryableError, Throttled, WrongState
from shared.domain.estate import (
    Content,
    Reference,
    SeenGroup,
    SeenSubscription,
    SeenTemplate,
    SeenVersion,
    Unreadable,
    User,
)
from shared.gateways.estate import ArmEstate

from .arm import ARM, ArmWorld, Said, connection_to

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/image-factory"
DEV = f"{GROUP}/providers/Microsoft.Compute/galleries/images/images/windows-2022-dev"
SCOPE = (SUBSCRIPTION,)


@pytest.fixture
def world() -> ArmWorld:
    return ArmWorld()


def estate(world: ArmWorld, page: int = 1000) -> ArmEstate:
    return ArmEstate(ARM, world.connection, lambda seconds: world.wait(seconds=seconds), page=page)


def told(*answers: Response) -> ArmEstate:
    return ArmEstate(ARM, connection_to(Said(*answers)), lambda _seconds: None)


def version(world: ArmWorld, number: str, **more: Any) -> str:
    id = f"{DEV}/versions/{number}"
    seeds = VersionSeeds(world.azure.fabric, world.azure.inventory, world.azure.galleries)
    seeds.put(id, VersionSeed(regions=(RegionSeed(name="westeurope"),), **more))
    return id


def machines(world: ArmWorld, *names: str) -> None:
    for name in names:
        id = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"
        seed = MachineSeed(image={"id": DEV, "exactVersion": "1.0.0"})
        world.azure.compute.seeds.machine(id, "westeurope", seed)


def test_one_query_tells_of_versions_and_their_users(world: ArmWorld) -> None:
    id = version(world, "1.0.0", tags={"a": "b"}, block_deletion=True)
    machines(world, "web")
    seen = list(estate(world).resources(SCOPE))
    found = next(each for each in seen if isinstance(each, SeenVersion))
    assert (found.id, found.number, found.definition) == (id.lower(), "1.0.0", DEV.lower())
    assert (found.state, found.tags, found.guarded) == ("Succeeded", {"a": "b"}, True)
    assert found.offered == ("westeurope",)
    user = next(each for each in seen if isinstance(each, User))
    assert (user.name, user.runs, user.references) == ("web", True, (Reference(DEV.lower(), "1.0.0"),))
    assert SeenSubscription(SUBSCRIPTION) in seen
    queries = [c for c in world.azure.calls.list("arm") if c.path.endswith("ResourceGraph/resources")]
    assert len(queries) == 1


def test_a_resource_by_its_id_is_what_the_query_told(world: ArmWorld) -> None:
    """So that a difference between the two is one in Azure."""
    version(world, "1.0.0", exclude_from_latest=True)
    world.provisioned()
    asked = estate(world)
    compared = [s for s in asked.resources(SCOPE) if isinstance(s, SeenVersion | SeenTemplate | SeenGroup)]
    assert {type(each) for each in compared} == {SeenVersion, SeenTemplate, SeenGroup}
    for each in compared:
        assert asked.read(each.id) == each


def test_what_is_not_there_is_none(world: ArmWorld) -> None:
    assert estate(world).read(f"{DEV}/versions/9.9.9".lower()) is None
    assert estate(world).read(f"/subscriptions/{SUBSCRIPTION}/resourcegroups/gone") is None


def test_pages_are_followed_to_the_end(world: ArmWorld) -> None:
    machines(world, *(f"vm{number}" for number in range(7)))
    users = [each for each in estate(world, page=3).resources(SCOPE) if isinstance(each, User)]
    assert len(users) == 7


@pytest.mark.parametrize("happens", ["comes", "goes"])
def test_a_listing_during_which_something_comes_or_goes_is_no_listing(happens: str) -> None:
    """The rows behind it move: one is missed, or told twice, and which is not said."""
    world = ArmWorld(switches=Switches(graph_pages_move=True))
    machines(world, *(f"vm{number}" for number in range(7)))
    listing = estate(world, page=3).resources(SCOPE)
    next(listing)
    if happens == "comes":
        machines(world, "a0")
    else:
        world.azure.fabric.records.remove(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm0")
    with pytest.raises(RetryableError, match="something came or went"):
        list(listing)


def test_what_the_identity_may_not_read_is_left_out_and_the_proof_fails(world: ArmWorld) -> None:
    machines(world, "web")
    estate(world).readable(SUBSCRIPTION)
    world.azure.roles.revoke(FACTORY, IMAGE_FACTORY.name)
    world.azure.roles.assign(
        FACTORY, IMAGE_FACTORY.name, f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other"
    )
    assert list(estate(world).resources(SCOPE)) == []
    with pytest.raises(AccessDenied) as caught:
        estate(world).readable(SUBSCRIPTION)
    assert caught.value.action == "Microsoft.Compute/virtualMachines/read"


def test_a_provider_that_is_not_registered_has_nothing_there() -> None:
    error = {"error": {"code": "MissingSubscriptionRegistration", "message": "The subscription is not …"}}
    told(*(Response.of(409, error) for _ in range(4))).readable(SUBSCRIPTION)


def test_tags_are_merged_and_removed_one_by_one(world: ArmWorld) -> None:
    id = version(world, "1.0.0", tags={"team": "labs"}).lower()
    asked = estate(world)
    asked.merge_tags(id, {"mark": "x"})
    assert asked.read(id).tags == {"team": "labs", "mark": "x"}  # type: ignore[union-attr]  # a version
    asked.remove_tags(id, {"mark": "other"})
    assert "mark" in asked.read(id).tags  # type: ignore[union-attr]  # as above
    asked.remove_tags(id, {"mark": "x"})
    assert asked.read(id).tags == {"team": "labs"}  # type: ignore[union-attr]  # as above


def test_a_deletion_is_started_and_left(world: ArmWorld) -> None:
    id = version(world, "1.0.0").lower()
    estate(world).delete(id)
    assert estate(world).read(id).state == "Deleting"  # type: ignore[union-attr]  # a version
    world.wait(minutes=3)
    assert estate(world).read(id) is None


def test_what_azure_guards_is_refused_for_good(world: ArmWorld) -> None:
    end = world.clock.now().replace(year=2027)
    id = version(world, "1.0.0", block_deletion=True, end_of_life=end).lower()
    with pytest.raises(PermanentError, match="DeleteGalleryImageVersionBlockedBeforeEndOfLife"):
        estate(world).delete(id)


def test_a_template_that_runs_is_not_deleted_but_can_be_cancelled(world: ArmWorld) -> None:
    template = world.provisioned()
    id = str(template).lower()
    with pytest.raises(WrongState):
        estate(world).cancel(id)
    world.templates.run(template)
    world.wait(minutes=1)
    with pytest.raises(WrongState):
        estate(world).delete(id)
    estate(world).cancel(id)


def test_the_contents_of_a_group_are_listed_whatever_they_are(world: ArmWorld) -> None:
    world.azure.inventory.add(GROUP, "Microsoft.Web/sites", "mine", {})
    found = estate(world).contents(GROUP.lower())
    id = f"{GROUP}/providers/Microsoft.Web/sites/mine".lower()
    assert Content(id, "microsoft.web/sites") in found


def test_only_what_retention_deals_with_is_asked_for() -> None:
    for id in (f"{GROUP}/providers/Microsoft.Compute/disks/d", "/subscriptions/x/providers/a/b/c"):
        with pytest.raises(Invalid):
            told().delete(id)


def row(**columns: Any) -> Response:
    head = {"id": f"{GROUP}/providers/x/y/z", "type": "microsoft.compute/virtualmachines", "tags": {}}
    return Response.of(200, {"totalRecords": 1, "count": 1, "data": [head | columns]})


@pytest.mark.parametrize(
    "columns",
    [
        {"type": "microsoft.compute/galleries/images/versions", "profile": {}},
        {"type": "microsoft.compute/galleries/images/versions", "profile": {"targetRegions": [{}]}},
        {"type": "microsoft.compute/images", "tags": "none"},
        {"type": "microsoft.virtualmachineimages/imagetemplates", "run": {"startTime": "yesterday"}},
        {"image": "somewhere"},
        {"id": ""},
    ],
)
def test_a_row_that_is_not_understood_is_told_as_such(columns: dict[str, Any]) -> None:
    (found,) = told(row(**columns)).resources(SCOPE)
    assert isinstance(found, Unreadable)
    assert found.why


@pytest.mark.parametrize("document", [{}, {"data": {}, "totalRecords": 0}, {"data": [], "totalRecords": "1"}])
def test_an_answer_that_is_no_list_of_rows_is_none(document: dict[str, Any]) -> None:
    with pytest.raises(RetryableError):
        list(told(Response.of(200, document)).resources(SCOPE))


def test_a_list_that_ends_before_its_total_has_failed() -> None:
    with pytest.raises(RetryableError):
        list(told(Response.of(200, {"data": [], "totalRecords": 3})).resources(SCOPE))


def test_a_long_listing_waits_for_the_quota(world: ArmWorld) -> None:
    """More pages than queries are allowed in five seconds."""
    machines(world, *(f"vm{number}" for number in range(40)))
    before = world.clock.now()
    users = [each for each in estate(world, page=2).resources(SCOPE) if isinstance(each, User)]
    assert len(users) == 40
    assert world.clock.now() > before


def test_a_look_does_not_wait_for_the_quota(world: ArmWorld) -> None:
    """Its message comes back."""
    asked = estate(world)
    for _ in range(15):
        list(asked.instances(SCOPE, (GROUP.lower(),)))
    with pytest.raises(Throttled) as caught:
        list(asked.instances(SCOPE, (GROUP.lower(),)))
    assert caught.value.delay is not None
